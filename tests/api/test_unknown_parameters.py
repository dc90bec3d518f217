"""A parameter that is none is never ignored: whoever mistypes a filter must not take everything for what they meant."""

from typing import Any

import pytest

from tests.conftest import ADMIN_TOKEN
from tests.shop import JSON, TestMerchant

_MADE_UP = "x_made_up"


def _with_a_key(document: JSON) -> dict[str, JSON]:
    return {
        path: methods["get"]
        for path, methods in document["paths"].items()
        if path.startswith("/v1/") and "get" in methods and "security" in methods["get"]
    }


def _parameters(operation: JSON, where: str) -> list[str]:
    return [each["name"] for each in operation.get("parameters", []) if each["in"] == where]


def _address(path: str, operation: JSON) -> str:
    for name in _parameters(operation, "path"):
        path = path.replace(f"{{{name}}}", "some")
    return path


def _asked(merchant: TestMerchant, path: str, **query: Any) -> tuple[int, list[JSON]]:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"} if path.startswith("/v1/merchants") else {}
    answer = merchant.http.get(path, params=query, headers=headers)
    return answer.status_code, answer.json().get("errors", [])


def _said(told: str) -> tuple[str, set[str]]:
    sentence, _, names = told.partition(": ")
    return sentence, set(names.split(", "))


def test_every_address_that_needs_a_key_names_what_it_does_not_know_and_all_that_it_does(
    merchant: TestMerchant,
) -> None:
    operations = _with_a_key(merchant.http.get("/openapi.json").json())
    assert {"/v1/events", "/v1/orders", "/v1/sharers", "/v1/reports/attribution"} < operations.keys()
    assert len(operations) > 30
    for path, operation in operations.items():
        status, errors = _asked(merchant, _address(path, operation), **{_MADE_UP: "1"})
        assert (422, [_MADE_UP]) == (status, [each["pointer"] for each in errors]), path
        told = errors[0]["detail"]
        if possible := _parameters(operation, "query"):
            assert ("is none that is known here", {*possible}) == _said(told), path
        else:
            assert "is not known: nothing can be asked for here" == told, path


@pytest.mark.parametrize("path", ["/v1/events", "/v1/orders", "/v1/products", "/v1/reports/attribution"])
def test_of_very_many_few_are_named(merchant: TestMerchant, path: str) -> None:
    status, errors = _asked(merchant, path, **{f"{_MADE_UP}{number}": "1" for number in range(100)})
    assert (422, 10) == (status, len(errors))


def test_who_has_no_key_learns_nothing(merchant: TestMerchant) -> None:
    answer = merchant.http.get("/v1/orders", params={_MADE_UP: "1"}, headers={"Authorization": "Bearer sk_none"})
    assert 401 == answer.status_code


def test_an_empty_name_and_one_that_cannot_be_written_are_unknown_too(merchant: TestMerchant) -> None:
    for query in ("=1", "%00=1", "%ff=1", "limit%20=1"):
        answer = merchant.http.get(f"/v1/orders?{query}")
        assert (422, 1) == (answer.status_code, len(answer.json()["errors"])), query


def test_what_is_known_may_be_said_twice(merchant: TestMerchant) -> None:
    assert 200 == merchant.http.get("/v1/events?types=order.attributed&types=order.refunded&limit=1").status_code
