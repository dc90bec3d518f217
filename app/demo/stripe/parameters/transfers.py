"""The parameters of the operations on accounts, transfers and reversals (`builtin`). Pure data."""

from typing import Final

from app.demo.stripe.parameters.parts import INTEGER, METADATA, PAGE, TEXT, TEXTS, UNSETTABLE_METADATA, hash_of, one_of
from app.demo.stripe.parameters.schema import Schema

_SLICE: Final[dict[str, object]] = {name: PAGE[name] for name in PAGE if name != "created"}
TRANSFER_SCHEMAS: Final[dict[tuple[str, str], Schema]] = {
    ("POST", "/v1/accounts"): hash_of(
        type=one_of("custom", "express", "standard"),
        country=TEXT,
        email=TEXT,
        metadata=UNSETTABLE_METADATA,
        expand=TEXTS,
    ),
    ("GET", "/v1/accounts/{account}"): hash_of(expand=TEXTS),
    ("POST", "/v1/transfers"): hash_of(
        "currency destination",
        amount=INTEGER,
        currency=TEXT,
        destination=TEXT,
        description=TEXT,
        source_transaction=TEXT,
        transfer_group=TEXT,
        metadata=METADATA,
        expand=TEXTS,
    ),
    ("GET", "/v1/transfers"): hash_of(destination=TEXT, transfer_group=TEXT, **PAGE),
    ("GET", "/v1/transfers/{transfer}"): hash_of(expand=TEXTS),
    ("POST", "/v1/transfers/{transfer}"): hash_of(description=TEXT, metadata=UNSETTABLE_METADATA, expand=TEXTS),
    ("POST", "/v1/transfers/{id}/reversals"): hash_of(
        amount=INTEGER, description=TEXT, metadata=UNSETTABLE_METADATA, expand=TEXTS
    ),
    ("GET", "/v1/transfers/{id}/reversals"): hash_of(**_SLICE),
    ("GET", "/v1/transfers/{transfer}/reversals/{id}"): hash_of(expand=TEXTS),
}
