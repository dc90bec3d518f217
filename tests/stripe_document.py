"""Stripe's own OpenAPI document in tests, where it is at hand."""

from functools import cache
from typing import Any

from app.demo.stripe.parameters.document import StripeDocument, find_document


@cache
def document() -> StripeDocument | None:
    """The document, read once for all tests. None where it is absent."""
    place = find_document()
    return None if place is None else StripeDocument(place)


def request_of(method: str, template: str) -> dict[str, Any] | None:
    """What the document says of a request's parameters."""
    found = document()
    return None if found is None else dict(found.request_schema(method, template))
