"""The parameters that the double acts on, for when Stripe's document is not at hand. Pure data.

A subset of the document in its own form (a test compares the two): what is not here is refused as unknown.
"""

from typing import Final

from app.demo.stripe.parameters.catalog import CATALOG_SCHEMAS, PRICE_DATA
from app.demo.stripe.parameters.disputes import DISPUTE_SCHEMAS
from app.demo.stripe.parameters.offers import OFFER_SCHEMAS
from app.demo.stripe.parameters.parts import (
    BEHAVIOURS,
    FLAG,
    INTEGER,
    METADATA,
    PAGE,
    TEXT,
    TEXTS,
    UNSETTABLE_METADATA,
    hash_of,
    list_of,
    one_of,
)
from app.demo.stripe.parameters.payments import PAYMENT_FIELDS, PAYMENT_SCHEMAS, UNDOCUMENTED_SCHEMAS
from app.demo.stripe.parameters.schema import Schema
from app.demo.stripe.parameters.transfers import TRANSFER_SCHEMAS
from app.demo.stripe.parameters.values import names

_LOCALES: Final = sorted(
    names("""
    auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR
    ro ru sk sl sv th tr vi zh zh-HK zh-TW
    """)
)


_BOUND: Final = hash_of("unit value", unit=one_of("business_day", "day", "hour", "month", "week"), value=INTEGER)
_SHIPPING_RATE: Final = hash_of(
    "display_name",
    display_name={"type": "string", "maxLength": 100},
    fixed_amount=hash_of("amount currency", amount=INTEGER, currency=TEXT),
    tax_behavior=BEHAVIOURS,
    type=one_of("fixed_amount"),
    metadata=METADATA,
    delivery_estimate=hash_of(minimum=_BOUND, maximum=_BOUND),
)

SCHEMAS: Final[dict[tuple[str, str], Schema]] = {
    ("POST", "/v1/checkout/sessions"): hash_of(
        mode=one_of("payment", "setup", "subscription"),
        line_items=list_of(
            hash_of(
                price=TEXT,
                price_data=PRICE_DATA,
                quantity=INTEGER,
                metadata=METADATA,
                adjustable_quantity=hash_of("enabled", enabled=FLAG),
            )
        ),
        success_url=TEXT,
        cancel_url=TEXT,
        client_reference_id={"type": "string", "maxLength": 200},
        metadata=METADATA,
        payment_intent_data=hash_of(
            **PAYMENT_FIELDS,
            receipt_email=TEXT,
            setup_future_usage=one_of("off_session", "on_session"),
            capture_method=one_of("automatic", "automatic_async"),
        ),
        expires_at=INTEGER,
        locale=one_of(*_LOCALES),
        currency=TEXT,
        customer_email=TEXT,
        customer_creation=one_of("always", "if_required"),
        payment_method_types=TEXTS,
        shipping_address_collection=hash_of("allowed_countries", allowed_countries=TEXTS),
        shipping_options=list_of(hash_of(shipping_rate_data=_SHIPPING_RATE)),
        automatic_tax=hash_of("enabled", enabled=FLAG),
        billing_address_collection=one_of("auto", "required"),
        phone_number_collection=hash_of("enabled", enabled=FLAG),
        allow_promotion_codes=FLAG,
        discounts=list_of(hash_of(coupon=TEXT, promotion_code=TEXT)),
        submit_type=one_of("auto", "book", "donate", "pay", "subscribe"),
        ui_mode=one_of("elements", "embedded_page", "hosted_page"),
        adaptive_pricing=hash_of(enabled=FLAG),
        expand=TEXTS,
    ),
    ("GET", "/v1/checkout/sessions"): hash_of(
        payment_intent=TEXT, status=one_of("complete", "expired", "open"), **PAGE
    ),
    ("GET", "/v1/checkout/sessions/{session}"): hash_of(expand=TEXTS),
    ("POST", "/v1/checkout/sessions/{session}/expire"): hash_of(expand=TEXTS),
    ("GET", "/v1/checkout/sessions/{session}/line_items"): hash_of(
        ending_before=TEXT, starting_after=TEXT, limit=INTEGER, expand=TEXTS
    ),
    ("GET", "/v1/charges/{charge}"): hash_of(expand=TEXTS),
    ("POST", "/v1/refunds"): hash_of(
        payment_intent=TEXT,
        charge=TEXT,
        amount=INTEGER,
        reason=one_of("duplicate", "fraudulent", "requested_by_customer"),
        metadata=UNSETTABLE_METADATA,
        expand=TEXTS,
    ),
    ("GET", "/v1/refunds"): hash_of(payment_intent=TEXT, charge=TEXT, **PAGE),
    ("GET", "/v1/refunds/{refund}"): hash_of(expand=TEXTS),
    ("POST", "/v1/refunds/{refund}"): hash_of(metadata=UNSETTABLE_METADATA, expand=TEXTS),
    ("GET", "/v1/events"): hash_of(type=TEXT, types=TEXTS, **PAGE),
    ("GET", "/v1/events/{id}"): hash_of(expand=TEXTS),
    ("GET", "/v1/balance"): hash_of(expand=TEXTS),
    **CATALOG_SCHEMAS,
    **OFFER_SCHEMAS,
    **PAYMENT_SCHEMAS,
    **UNDOCUMENTED_SCHEMAS,
    **DISPUTE_SCHEMAS,
    **TRANSFER_SCHEMAS,
}
