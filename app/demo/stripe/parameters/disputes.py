"""The parameters of the operations on disputes and on the balance (`builtin`). Pure data."""

from typing import Final

from app.demo.stripe.parameters.parts import FLAG, PAGE, TEXT, TEXTS, UNSETTABLE_METADATA, hash_of
from app.demo.stripe.parameters.schema import Schema

DISPUTE_SCHEMAS: Final[dict[tuple[str, str], Schema]] = {
    ("GET", "/v1/disputes"): hash_of(payment_intent=TEXT, charge=TEXT, **PAGE),
    ("GET", "/v1/disputes/{dispute}"): hash_of(expand=TEXTS),
    ("POST", "/v1/disputes/{dispute}"): hash_of(
        evidence=hash_of(
            customer_email_address=TEXT,
            customer_name=TEXT,
            product_description={"type": "string", "maxLength": 20_000},
            service_date=TEXT,
            shipping_tracking_number=TEXT,
            uncategorized_text={"type": "string", "maxLength": 150_000},
        ),
        submit=FLAG,
        metadata=UNSETTABLE_METADATA,
        expand=TEXTS,
    ),
    ("POST", "/v1/disputes/{dispute}/close"): hash_of(expand=TEXTS),
    ("GET", "/v1/balance_transactions"): hash_of(source=TEXT, currency=TEXT, type=TEXT, **PAGE),
    ("GET", "/v1/balance_transactions/{id}"): hash_of(expand=TEXTS),
}
