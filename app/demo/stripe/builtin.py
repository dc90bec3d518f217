"""The parameters that the double acts on, for when Stripe's document is not at hand. Pure data.

A subset of the document in its own form (a test compares the two): what is not here is refused as unknown.
"""

from typing import Final

from app.demo.stripe.schema import Schema
from app.demo.stripe.values import names

_TEXT: Final = {"type": "string"}
_INTEGER: Final = {"type": "integer"}
_FLAG: Final = {"type": "boolean"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_METADATA: Final = {"type": "object", "additionalProperties": _TEXT}
_UNSETTABLE_METADATA: Final = {"anyOf": [_METADATA, {"type": "string", "enum": [""]}]}
_LOCALES: Final = sorted(
    names("""
    auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR
    ro ru sk sl sv th tr vi zh zh-HK zh-TW
    """)
)


def _object(required: str = "", /, **properties: object) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split()}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _list_of(item: object) -> Schema:
    return {"type": "array", "items": item}


_BEHAVIOURS: Final = _one_of("exclusive", "inclusive", "unspecified")
_PRICE: Final = _object(
    "currency",
    currency=_TEXT,
    unit_amount=_INTEGER,
    tax_behavior=_BEHAVIOURS,
    product_data=_object(
        "name",
        name=_TEXT,
        description=_TEXT,
        images=_TEXTS,
        metadata=_METADATA,
        tax_code=_TEXT,
        unit_label={"type": "string", "maxLength": 12},
    ),
)
_SHIPPING_RATE: Final = _object(
    "display_name",
    display_name={"type": "string", "maxLength": 100},
    fixed_amount=_object("amount currency", amount=_INTEGER, currency=_TEXT),
    tax_behavior=_BEHAVIOURS,
    type=_one_of("fixed_amount"),
    metadata=_METADATA,
)
_CREATED: Final = {"anyOf": [_object(gt=_INTEGER, gte=_INTEGER, lt=_INTEGER, lte=_INTEGER), _INTEGER]}
_PAGE: Final[dict[str, object]] = {
    "created": _CREATED,
    "ending_before": _TEXT,
    "starting_after": _TEXT,
    "limit": _INTEGER,
    "expand": _TEXTS,
}

SCHEMAS: Final[dict[tuple[str, str], Schema]] = {
    ("POST", "/v1/checkout/sessions"): _object(
        mode=_one_of("payment", "setup", "subscription"),
        line_items=_list_of(
            _object(
                price_data=_PRICE,
                quantity=_INTEGER,
                metadata=_METADATA,
                adjustable_quantity=_object("enabled", enabled=_FLAG),
            )
        ),
        success_url=_TEXT,
        cancel_url=_TEXT,
        client_reference_id={"type": "string", "maxLength": 200},
        metadata=_METADATA,
        payment_intent_data=_object(
            metadata=_METADATA,
            description={"type": "string", "maxLength": 1000},
            receipt_email=_TEXT,
            statement_descriptor={"type": "string", "maxLength": 22},
            statement_descriptor_suffix={"type": "string", "maxLength": 22},
            transfer_group=_TEXT,
            capture_method=_one_of("automatic", "automatic_async"),
        ),
        expires_at=_INTEGER,
        locale=_one_of(*_LOCALES),
        currency=_TEXT,
        customer_email=_TEXT,
        customer_creation=_one_of("always", "if_required"),
        payment_method_types=_TEXTS,
        shipping_address_collection=_object("allowed_countries", allowed_countries=_TEXTS),
        shipping_options=_list_of(_object(shipping_rate_data=_SHIPPING_RATE)),
        automatic_tax=_object("enabled", enabled=_FLAG),
        billing_address_collection=_one_of("auto", "required"),
        phone_number_collection=_object("enabled", enabled=_FLAG),
        allow_promotion_codes=_FLAG,
        submit_type=_one_of("auto", "book", "donate", "pay", "subscribe"),
        ui_mode=_one_of("elements", "embedded_page", "hosted_page"),
        adaptive_pricing=_object(enabled=_FLAG),
        expand=_TEXTS,
    ),
    ("GET", "/v1/checkout/sessions"): _object(
        payment_intent=_TEXT, status=_one_of("complete", "expired", "open"), **_PAGE
    ),
    ("GET", "/v1/checkout/sessions/{session}"): _object(expand=_TEXTS),
    ("POST", "/v1/checkout/sessions/{session}/expire"): _object(expand=_TEXTS),
    ("GET", "/v1/checkout/sessions/{session}/line_items"): _object(
        ending_before=_TEXT, starting_after=_TEXT, limit=_INTEGER, expand=_TEXTS
    ),
    ("GET", "/v1/payment_intents/{intent}"): _object(expand=_TEXTS, client_secret=_TEXT),
    ("GET", "/v1/charges/{charge}"): _object(expand=_TEXTS),
    ("POST", "/v1/refunds"): _object(
        payment_intent=_TEXT,
        charge=_TEXT,
        amount=_INTEGER,
        reason=_one_of("duplicate", "fraudulent", "requested_by_customer"),
        metadata=_UNSETTABLE_METADATA,
        expand=_TEXTS,
    ),
    ("GET", "/v1/refunds"): _object(payment_intent=_TEXT, charge=_TEXT, **_PAGE),
    ("GET", "/v1/refunds/{refund}"): _object(expand=_TEXTS),
    ("POST", "/v1/refunds/{refund}"): _object(metadata=_UNSETTABLE_METADATA, expand=_TEXTS),
    ("GET", "/v1/events"): _object(type=_TEXT, types=_TEXTS, **_PAGE),
    ("GET", "/v1/events/{id}"): _object(expand=_TEXTS),
    ("GET", "/v1/balance"): _object(expand=_TEXTS),
}
