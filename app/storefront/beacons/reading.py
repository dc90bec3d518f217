"""What a beacon's body says, entry by entry, so that one that cannot be understood never loses the others. Pure.

`BeaconIn` is the rule. What widgets send in fact, plain and compact, is understood all at once, in a quarter of the
time, by `Entry`, which takes nothing that the rule would refuse; any other body is held against the rule itself.
"""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec
from pydantic import Field, ValidationError

from app.kernel.errors import Invalid
from app.kernel.http.wire import Body, PublicId, Text, Timestamp

LARGEST_BODY: Final = 64 * 1024
"""Bytes: what browsers send for a page that is gone."""
MOST: Final = 100
"""Reports to one request."""

Type = Literal["wall_view", "card_view", "card_open", "share_open", "checkout_open"]
ShortText = Annotated[Text, Field(max_length=200)]


class BeaconIn(Body):
    """One thing that was seen or opened."""

    type: Type
    wall: PublicId | None = None
    product: PublicId | None = None
    code: Annotated[ShortText, Field(description="Whose word it was: the card of this referral was shown.")] | None = (
        None
    )
    click: Annotated[PublicId, Field(description="The visit by which the page was reached.")] | None = None
    visitor: Annotated[ShortText, Field(description="The visitor's token, `vt_…`.")] | None = None
    at: Annotated[Timestamp, Field(description="When; believed between a day ago and now. Default: now.")] | None = None


_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Short = Annotated[str, msgspec.Meta(max_length=200)]
_Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class Entry(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A `BeaconIn` that was understood."""

    type: Type
    wall: _Id | None = None
    product: _Id | None = None
    code: _Short | None = None
    click: _Id | None = None
    visitor: _Short | None = None
    at: _Aware | None = None


_decode = msgspec.json.Decoder(Annotated[list[Entry], msgspec.Meta(max_length=MOST)]).decode
_SPACED = re.compile(rb':\s*" | "\s*[,}]')
"""A value that begins or ends with a space, which the rule would strip; keys have none."""


def entries(body: bytes) -> list[Entry | None]:
    """What was reported; None for each that cannot be understood. Raises `Invalid` where it is no list of them."""
    if _is_plain(body):
        try:
            return [entry if _is_possible(entry.at) else None for entry in _decode(body)]
        except msgspec.DecodeError:
            pass  # something in it is not as it should be
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raise Invalid.field("", "must be JSON") from None
    if not isinstance(raw, list) or len(raw) > MOST:
        raise Invalid.field("", f"must be an array of at most {MOST}")
    return [_entry(each) for each in raw]


def _is_plain(body: bytes) -> bool:
    """Whether its text is as it stands there: nothing that is escaped, that a database cannot hold, or is stripped."""
    if not body.isascii() or b"\\" in body:
        return False
    return (b'" ' not in body and b' "' not in body) or not _SPACED.search(body)


def _is_possible(at: datetime | None) -> bool:
    """Whether it lies where `Timestamp` does, in UTC."""
    return at is None or _FIRST <= at <= _LAST


_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def _entry(raw: object) -> Entry | None:
    try:
        told = BeaconIn.model_validate(raw)
    except ValidationError:
        return None
    return Entry(told.type, told.wall, told.product, told.code, told.click, told.visitor, told.at)
