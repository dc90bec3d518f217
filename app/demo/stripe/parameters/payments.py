"""The parameters of the operations on payment intents, payment methods and pay pages (`builtin`). Pure data."""

from typing import Final

from app.demo.stripe.parameters.parts import FLAG, INTEGER, METADATA, TEXT, TEXTS, hash_of, one_of
from app.demo.stripe.parameters.schema import Schema

_ADDRESS: Final = hash_of(city=TEXT, country=TEXT, line1=TEXT, line2=TEXT, postal_code=TEXT, state=TEXT)
_EMPTY: Final = {"type": "string", "enum": [""]}
_UNSETTABLE: Final = {"anyOf": [TEXT, _EMPTY]}
SHIPPING: Final = hash_of("address name", address=_ADDRESS, carrier=TEXT, name=TEXT, phone=TEXT, tracking_number=TEXT)
PAYMENT_FIELDS: Final[dict[str, object]] = {
    "description": {"type": "string", "maxLength": 1000},
    "metadata": METADATA,
    "shipping": SHIPPING,
    "statement_descriptor": {"type": "string", "maxLength": 22},
    "statement_descriptor_suffix": {"type": "string", "maxLength": 22},
    "transfer_group": TEXT,
}
PAYMENT_SCHEMAS: Final[dict[tuple[str, str], Schema]] = {
    ("POST", "/v1/payment_intents"): hash_of(
        "amount currency",
        **PAYMENT_FIELDS,
        amount=INTEGER,
        currency=TEXT,
        payment_method_types=TEXTS,
        payment_method=TEXT,
        receipt_email=TEXT,
        confirm=FLAG,
        expand=TEXTS,
    ),
    ("GET", "/v1/payment_intents/{intent}"): hash_of(expand=TEXTS, client_secret=TEXT),
    ("POST", "/v1/payment_intents/{intent}/confirm"): hash_of(payment_method=TEXT, return_url=TEXT, expand=TEXTS),
    ("POST", "/v1/payment_intents/{intent}/cancel"): hash_of(
        cancellation_reason=one_of("abandoned", "duplicate", "fraudulent", "requested_by_customer"), expand=TEXTS
    ),
    ("POST", "/v1/payment_methods"): hash_of(
        type=one_of("card", "sepa_debit"),
        card={"anyOf": [hash_of("token", token=TEXT)]},
        sepa_debit=hash_of("iban", iban=TEXT),
        billing_details=hash_of(
            address={"anyOf": [_ADDRESS, _EMPTY]},
            email={"anyOf": [TEXT, _EMPTY]},
            name=_UNSETTABLE,
            phone=_UNSETTABLE,
        ),
        metadata=METADATA,
        expand=TEXTS,
    ),
    ("GET", "/v1/payment_methods/{payment_method}"): hash_of(expand=TEXTS),
}
UNDOCUMENTED_SCHEMAS: Final[dict[tuple[str, str], Schema]] = {
    ("GET", "/v1/payment_pages/{session}"): hash_of(expand=TEXTS),
    ("POST", "/v1/payment_pages/{session}/confirm"): hash_of(
        "payment_method expected_amount", payment_method=TEXT, expected_amount=INTEGER, expand=TEXTS
    ),
}
