"""Checking form fields against a schema, Stripe's own or the smaller list."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.operations.table import OPERATIONS
from app.demo.stripe.parameters.builtin import SCHEMAS
from app.demo.stripe.parameters.document import ENVIRONMENT, StripeDocument, find_document
from app.demo.stripe.parameters.form import decode
from app.demo.stripe.parameters.payments import UNDOCUMENTED_SCHEMAS
from app.demo.stripe.parameters.schema import Schema, check

SESSION = SCHEMAS["POST", "/v1/checkout/sessions"]


def refusal(encoded: str, schema: Schema = SESSION) -> tuple[str | None, str | None]:
    with pytest.raises(StripeProblem) as refused:
        check(decode(encoded), schema)
    assert refused.value.status == 400
    return refused.value.code, refused.value.param


def test_text_gets_the_type_that_the_schema_asks_for() -> None:
    checked = check(
        decode("expires_at=12&allow_promotion_codes=false&expand[0]=a&metadata[n]=12&metadata[gone]="), SESSION
    )
    assert checked == {
        "expires_at": 12,
        "allow_promotion_codes": False,
        "expand": ["a"],
        "metadata": {"n": "12", "gone": ""},
    }


@pytest.mark.parametrize(
    ("encoded", "code", "param"),
    [
        ("colour=red", "parameter_unknown", "colour"),
        ("line_items[0][colour]=red", "parameter_unknown", "line_items[0][colour]"),
        ("expires_at=soon", "parameter_invalid_integer", "expires_at"),
        ("expires_at=1.5", "parameter_invalid_integer", "expires_at"),
        ("expires_at=" + "9" * 40, "parameter_invalid_integer", "expires_at"),
        ("cancel_url=", "parameter_invalid_empty", "cancel_url"),
        ("allow_promotion_codes=yes", None, "allow_promotion_codes"),
        ("mode=gift", None, "mode"),
        ("mode[a]=payment", None, "mode"),
        ("metadata=x", None, "metadata"),
        ("line_items=x", None, "line_items"),
        ("line_items[1][quantity]=1", None, "line_items"),
        ("line_items[0][price_data][unit_amount]=1", "parameter_missing", "line_items[0][price_data][currency]"),
        ("client_reference_id=" + "a" * 201, None, "client_reference_id"),
        ("cancel_url=%00", None, "cancel_url"),
    ],
)
def test_what_the_schema_refuses_is_named(encoded: str, code: str | None, param: str) -> None:
    assert (code, param) == refusal(encoded)


def test_one_of_several_shapes_is_enough() -> None:
    events = SCHEMAS["GET", "/v1/events"]
    assert check(decode("created=5"), events) == {"created": 5}
    assert check(decode("created[gte]=5"), events) == {"created": {"gte": 5}}
    assert check(decode("metadata="), SCHEMAS["POST", "/v1/refunds"]) == {"metadata": ""}
    assert refusal("created[near]=5", events) == ("parameter_unknown", "created[near]")


def test_every_operation_has_a_smaller_list() -> None:
    assert set(OPERATIONS) == set(SCHEMAS)


@pytest.mark.parametrize("operation", sorted(SCHEMAS.keys() - UNDOCUMENTED_SCHEMAS.keys()))
def test_the_smaller_list_is_part_of_stripes_document(
    operation: tuple[str, str], document: StripeDocument | None
) -> None:
    if document is None:
        pytest.skip("Stripe's OpenAPI document is not at hand")
    assert list(_beyond(SCHEMAS[operation], document.request_schema(*operation), "")) == []


def _beyond(ours: Schema, theirs: Schema, path: str) -> list[str]:
    """Where our schema allows what Stripe's does not."""
    if "anyOf" in theirs or "anyOf" in ours:
        branches = cast(list[Schema], theirs.get("anyOf", [theirs]))
        wanted = cast(list[Schema], ours.get("anyOf", [ours]))
        return [path for one in wanted if all(_beyond(one, branch, path) for branch in branches)]
    if ours.get("type") != theirs.get("type"):
        return [f"{path}: {ours.get('type')} is not {theirs.get('type')}"]
    found = [
        f"{path}: {value}" for value in _strings(ours, "enum") - (_strings(theirs, "enum") or _strings(ours, "enum"))
    ]
    known = cast(Mapping[str, Schema], theirs.get("properties", {}))
    for name, inner in cast(Mapping[str, Schema], ours.get("properties", {})).items():
        found += _beyond(inner, known[name], f"{path}.{name}") if name in known else [f"{path}.{name}"]
    if "items" in ours:
        found += _beyond(cast(Schema, ours["items"]), cast(Schema, theirs["items"]), f"{path}[]")
    return found


def _strings(schema: Schema, keyword: str) -> set[str]:
    return set(cast(list[str], schema.get(keyword, [])))


def test_the_document_is_looked_for_where_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert find_document() is None
    usual = tmp_path / "var" / "stripe" / "spec3.json"
    usual.parent.mkdir(parents=True)
    usual.write_text("{}")
    assert usual == tmp_path / cast(Path, find_document())
    named = tmp_path / "elsewhere.json"
    monkeypatch.setenv(ENVIRONMENT, str(named))
    with pytest.raises(FileNotFoundError):
        find_document()
    named.write_text("{}")
    assert named == find_document()
    assert usual == find_document(usual)


def test_an_object_that_stripe_does_not_send_is_noticed(document: StripeDocument | None) -> None:
    if document is None:
        pytest.skip("Stripe's OpenAPI document is not at hand")
    good = {"object": "balance", "available": [], "pending": [], "livemode": False}
    assert document.complaints("balance", good) == []
    assert document.complaints("balance", {**good, "livemode": None})
    assert document.complaints("balance", {**good, "colour": "red"})
    assert document.complaints("balance", {"object": "balance"})
