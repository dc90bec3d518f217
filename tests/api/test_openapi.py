"""The API's document: what integrators generate their clients from."""

from typing import Any

import httpx
import pytest

from tests.conftest import AppServer
from tests.shop import JSON, ok

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@pytest.fixture
def document(app_server: AppServer) -> JSON:
    shown: JSON = ok(httpx.get(f"{app_server.url}/openapi.json", verify=False))
    return shown


def operations(document: JSON) -> dict[str, JSON]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_refusals_are_shown_as_they_are_sent(document: JSON) -> None:
    assert "HTTPValidationError" not in str(document)
    refusals = {
        name: each["responses"].get("default", {}).get("content") for name, each in operations(document).items()
    }
    assert PROBLEM == refusals["POST /v1/orders"] == refusals["POST /v1/likes"] == refusals["GET /v1/orders/{order_id}"]
    assert refusals["GET /p/{product_id}"] is None  # a page for people


def test_a_real_refusal_is_what_the_document_says(document: JSON, app_server: AppServer) -> None:
    refused = httpx.get(f"{app_server.url}/v1/orders", verify=False)
    schema = document["components"]["schemas"]["Problem"]
    assert set(schema["required"]) <= set(refused.json()) <= set(schema["properties"])


def test_an_idempotency_key_is_offered_where_it_counts(document: JSON) -> None:
    def offers(operation: JSON) -> bool:
        return any(each["name"] == "idempotency-key" for each in operation.get("parameters", []))

    found = {name: offers(operation) for name, operation in operations(document).items()}
    assert found["POST /v1/orders"]
    assert found["POST /v1/orders/bulk"]
    assert not [name for name, offered in found.items() if offered and name.startswith(("GET", "DELETE", "PATCH"))]


def test_what_an_optional_field_means_is_said_of_the_field(document: JSON) -> None:
    field: dict[str, Any] = document["components"]["schemas"]["OrderIn"]["properties"]["click_id"]
    assert field["description"]
