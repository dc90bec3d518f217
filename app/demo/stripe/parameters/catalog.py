"""The parameters of the operations on products and prices (`builtin`). Pure data."""

from typing import Final

from app.demo.stripe.parameters.parts import BEHAVIOURS, INTEGER, METADATA, TEXT, TEXTS, hash_of
from app.demo.stripe.parameters.schema import Schema

_PRODUCT: Final[dict[str, object]] = {
    "name": TEXT,
    "description": {"type": "string", "maxLength": 40_000},
    "images": TEXTS,
    "metadata": METADATA,
    "tax_code": TEXT,
    "unit_label": {"type": "string", "maxLength": 12},
}
PRICE_DATA: Final = hash_of(
    "currency",
    currency=TEXT,
    unit_amount=INTEGER,
    tax_behavior=BEHAVIOURS,
    product=TEXT,
    product_data=hash_of("name", **_PRODUCT),
)
CATALOG_SCHEMAS: Final[dict[tuple[str, str], Schema]] = {
    ("POST", "/v1/products"): hash_of("name", **_PRODUCT, expand=TEXTS),
    ("GET", "/v1/products/{id}"): hash_of(expand=TEXTS),
    ("POST", "/v1/prices"): hash_of(
        "currency",
        currency=TEXT,
        unit_amount=INTEGER,
        product=TEXT,
        tax_behavior=BEHAVIOURS,
        metadata=METADATA,
        expand=TEXTS,
    ),
    ("GET", "/v1/prices/{price}"): hash_of(expand=TEXTS),
}
