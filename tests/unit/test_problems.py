"""Every refusal is one problem document, and names its fields by JSON pointers."""

import json
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from app.kernel.errors import (
    AppError,
    BadRequest,
    FieldError,
    Forbidden,
    InProgress,
    Invalid,
    Unauthorized,
    Unavailable,
)
from app.kernel.http.problems import body_of, from_validation, headers_of, respond


class Leaf(BaseModel):
    model_config = ConfigDict(extra="forbid")

    price: Annotated[int, Field(strict=True)]


class Root(BaseModel):
    model_config = ConfigDict(extra="forbid")

    leaves: list[Leaf] = []
    named: dict[str, int] = {}
    either: list[int] | Leaf = []


def pointers(body: Any) -> list[str]:
    """The pointers by which problems in `body` are named."""
    with pytest.raises(ValidationError) as wrong:
        TypeAdapter(Root).validate_python(body)
    errors = [{**error, "loc": ("body", *error["loc"])} for error in wrong.value.errors()]
    return [error.pointer for error in from_validation(errors, body).errors]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"leaves": [{"price": 1}, {"price": "1"}]}, "/leaves/1/price"),
        ({"leaves": [{}]}, "/leaves/0/price"),
        ({"named": {"a/b": "x"}}, "/named/a~1b"),
        ({"named": {"m~n": "x"}}, "/named/m~0n"),
        ({"named": {"~1": "x"}}, "/named/~01"),
        ({"named": {"": "x"}}, "/named/"),
        ({"typo": 1}, "/typo"),
        ([], ""),
        ("text", ""),
    ],
)
def test_a_pointer_names_the_field(body: Any, pointer: str) -> None:
    assert [pointer] == pointers(body)


@pytest.mark.parametrize(
    ("either", "pointer"),
    [(["x"], "/either/0"), ({"price": "x"}, "/either/price"), ({}, "/either/price"), (5, "/either")],
)
def test_a_pointer_says_nothing_of_how_we_call_our_types(either: Any, pointer: str) -> None:
    found = pointers({"either": either})
    assert pointer in found
    assert {pointer, "/either"} >= set(found)


def test_a_parameter_is_named_by_its_name() -> None:
    error = {"type": "missing", "loc": ("query", "limit"), "msg": "Field required"}
    assert ["limit"] == [each.pointer for each in from_validation([error], None).errors]


def test_json_that_cannot_be_read_is_a_bad_request() -> None:
    problem = from_validation([{"type": "json_invalid", "loc": ("body", 3), "msg": "JSON decode error"}], None)
    assert isinstance(problem, BadRequest)


def test_a_problem_has_the_fields_of_the_contract() -> None:
    assert json.loads(body_of(Invalid(FieldError("/a", "is odd"), FieldError("/b", "is even")))) == {
        "type": "urn:grapevine:problem:invalid_request",
        "title": "The request is not valid",
        "status": 422,
        "code": "invalid_request",
        "detail": "/a: is odd; /b: is even",
        "errors": [{"pointer": "/a", "detail": "is odd"}, {"pointer": "/b", "detail": "is even"}],
    }
    assert "errors" not in json.loads(body_of(Forbidden()))


def test_a_problem_about_unpaired_surrogates_can_be_sent() -> None:
    assert json.loads(body_of(Invalid.field("/\ud800", "is unknown")))["errors"][0]["pointer"] == "/?"


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (Unauthorized(), {"WWW-Authenticate": "Bearer"}),
        (InProgress(), {"Retry-After": "1"}),
        (Unavailable(), {"Retry-After": "2"}),
        (Forbidden(), {}),
    ],
)
def test_a_problem_says_what_to_do(error: AppError, headers: dict[str, str]) -> None:
    assert headers == headers_of(error)
    assert respond(error).headers["content-type"] == "application/problem+json"
