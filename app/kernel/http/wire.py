"""The shapes that all JSON of the contract shares: strict bodies, text, money, times (api.md, Conventions)."""

import re
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from app.kernel.clock import rfc3339
from app.kernel.money import LARGEST_AMOUNT as LARGEST_AMOUNT  # given on: wire types are made of it
from app.kernel.money import Money, is_currency


class Body(BaseModel):
    """A request's body: unknown fields are refused, so that a typo is never silently ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Wire(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(from_attributes=True)


def _storable(text: str) -> str:
    """Refuse what a database cannot hold: NUL and lone surrogates."""
    if "\x00" in text or (not text.isprintable() and any(0xD800 <= ord(character) <= 0xDFFF for character in text)):
        raise PydanticCustomError("unstorable_text", "must not contain NUL or unpaired surrogates")
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Any text; say the greatest length beside it."""
Name = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
ExternalId = Annotated[Text, StringConstraints(min_length=1, max_length=255)]
PublicId = Annotated[Text, StringConstraints(min_length=1, max_length=64)]


def _currency(text: str) -> str:
    code = text.lower()
    if not is_currency(code):
        raise PydanticCustomError("unknown_currency", "is not a currency of ISO 4217")
    return code


Currency = Annotated[str, AfterValidator(_currency), Field(examples=["eur"], description="ISO 4217, lower case.")]
Amount = Annotated[
    int,
    Field(ge=0, le=LARGEST_AMOUNT, strict=True, description="In the currency's smallest unit.", examples=[1999]),
]


class MoneyWire(Body):
    """An amount that stands alone."""

    amount: Amount
    currency: Currency

    @classmethod
    def of(cls, money: Money) -> Self:
        return cls(amount=money.minor, currency=money.currency)


def _written_out(said: object) -> object:
    """Refuse numbers: seconds or milliseconds since 1970 are a guess, RFC 3339 is not."""
    if isinstance(said, datetime) or (isinstance(said, str) and _DATE.match(said)):
        return said
    raise PydanticCustomError("not_rfc3339", "must be a time such as 2026-11-22T09:30:00Z")


def _utc(at: datetime) -> datetime:
    try:
        utc = at.astimezone(UTC)
    except OverflowError:  # next to the first or last moment that can be said
        utc = None
    if utc is None or utc.year < _FIRST_YEAR:
        raise PydanticCustomError("time_out_of_range", "must lie between the years 1970 and 9999")
    return utc


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")
_FIRST_YEAR = 1970

Timestamp = Annotated[
    AwareDatetime,
    BeforeValidator(_written_out),
    AfterValidator(_utc),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    Field(examples=["2026-11-22T09:30:00Z"]),
]
"""RFC 3339 with an offset; given back in UTC with `Z`."""


def moment(at: datetime | None) -> str | None:
    """`at` as the contract writes it, where a ready string is wanted."""
    return None if at is None else rfc3339(at)
