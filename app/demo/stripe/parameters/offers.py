"""The parameters of the operations on coupons and promotion codes (`builtin`). Pure data."""

from typing import Final

from app.demo.stripe.parameters.parts import (
    FLAG,
    INTEGER,
    METADATA,
    PAGE,
    TEXT,
    TEXTS,
    UNSETTABLE_METADATA,
    hash_of,
    one_of,
)
from app.demo.stripe.parameters.schema import Schema

OFFER_SCHEMAS: Final[dict[tuple[str, str], Schema]] = {
    ("POST", "/v1/coupons"): hash_of(
        id=TEXT,
        percent_off={"type": "number"},
        amount_off=INTEGER,
        currency=TEXT,
        name={"type": "string", "maxLength": 40},
        duration=one_of("forever", "once", "repeating"),
        duration_in_months=INTEGER,
        max_redemptions=INTEGER,
        redeem_by=INTEGER,
        metadata=UNSETTABLE_METADATA,
        expand=TEXTS,
    ),
    ("GET", "/v1/coupons"): hash_of(**PAGE),
    ("GET", "/v1/coupons/{coupon}"): hash_of(expand=TEXTS),
    ("POST", "/v1/promotion_codes"): hash_of(
        "promotion",
        promotion=hash_of("type", type=one_of("coupon"), coupon=TEXT),
        code={"type": "string", "maxLength": 500},
        active=FLAG,
        expires_at=INTEGER,
        max_redemptions=INTEGER,
        restrictions=hash_of(minimum_amount=INTEGER, minimum_amount_currency=TEXT),
        metadata=METADATA,
        expand=TEXTS,
    ),
    ("GET", "/v1/promotion_codes"): hash_of(active=FLAG, code=TEXT, coupon=TEXT, **PAGE),
    ("GET", "/v1/promotion_codes/{promotion_code}"): hash_of(expand=TEXTS),
    ("POST", "/v1/promotion_codes/{promotion_code}"): hash_of(active=FLAG, metadata=UNSETTABLE_METADATA, expand=TEXTS),
}
