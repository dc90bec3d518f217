"""What a line says: the wire forms of past facts (attribution.md), read strictly, and why a line is refused.

Knows no database and no clock: the present moment is an argument.
"""

import codecs
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple, NoReturn, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from app.history.splitting import LONGEST_LINE
from app.kernel.codes import normalised
from app.kernel.http.wire import Amount, Body, Currency, ExternalId, Text, Timestamp
from app.kernel.ids import Malformed, merchant_of
from app.orders.bringing import PastOrder, PastRefund
from app.referrals.bringing import PastCoupon, PastIdentity, PastReferral, PastTouch

SKEW = timedelta(days=1)
"""How far ahead of our clock another's may be."""

Code = Literal["line_too_long", "invalid_json", "unknown_kind", "invalid_fact", "fact_contradicts"]
Fact: TypeAlias = PastReferral | PastTouch | PastIdentity | PastCoupon | PastOrder | PastRefund


class Refused(NamedTuple):
    """Why a line was not taken; `field` where it is one field's fault (the first of them)."""

    code: Code
    detail: str
    field: str | None = None


def read(content: bytes | None, now: datetime) -> Fact | Refused:
    """The fact that a line tells, received `now` where it does not say when. No content is a line too long."""
    if content is None:
        return Refused("line_too_long", f"is longer than {LONGEST_LINE} bytes")
    try:
        said = _json(content)
    except _Unreadable as wrong:
        return Refused("invalid_json", str(wrong))
    try:
        line = _LINE.validate_python(said)
    except ValidationError as wrong:
        return _refused(wrong)
    for name, moment in (("at", line.at), ("received_at", line.received_at)):
        if moment is not None and moment > now + SKEW:
            return Refused("invalid_fact", f"{name}: lies in the future", name)
    at = line.at.replace(microsecond=0)  # attribution counts in whole seconds
    return line.fact(at, min(line.received_at or now, now))


# JSON, as strictly as RFC 8259 can be read.


class _Unreadable(ValueError):
    """The line is no JSON object; the message says why."""


def _json(content: bytes) -> dict[str, object]:
    """The object of the line. Raises `_Unreadable`."""
    try:
        said = _DECODER.decode(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise _Unreadable("is not UTF-8") from None
    except json.JSONDecodeError as wrong:
        if content.startswith(codecs.BOM_UTF8):
            raise _Unreadable("begins with a byte order mark") from None
        raise _Unreadable(f"{wrong.msg} at character {wrong.pos + 1}") from None
    except _Unreadable:
        raise
    except ValueError:  # Python's own limit
        raise _Unreadable("has a number of too many digits") from None
    except RecursionError:
        raise _Unreadable("is nested too deeply") from None
    if not isinstance(said, dict):
        raise _Unreadable("is not a JSON object")
    return said


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    said = dict(pairs)
    if len(said) < len(pairs):
        twice = next(name for position, (name, _) in enumerate(pairs) if name in dict(pairs[:position]))
        raise _Unreadable(f"says {_shown(twice)} twice")
    return said


def _no_number(constant: str) -> NoReturn:
    raise _Unreadable(f"{constant} is no number in JSON")


def _shown(name: str) -> str:
    """A name as it can be told again, whatever was in it."""
    return name[:_LONGEST_NAME].encode("utf-8", "replace").decode()


_LONGEST_NAME = 80
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number)


# Fields.


def _unreserved(text: str) -> str:
    if text.startswith("("):
        raise PydanticCustomError("reserved", "must not begin with a parenthesis: such names are ours")
    return text


def _not_blank(code: str) -> str:
    if not normalised(code):
        raise PydanticCustomError("blank", "must not be blank")
    return code


def _not_ours(text: str) -> str:
    try:
        merchant_of(text)
    except Malformed:
        return text
    raise PydanticCustomError("reserved", "must not have the shape of our ids")


Reference = Annotated[Text, StringConstraints(min_length=1, max_length=200), AfterValidator(_unreserved)]
"""An id of the sender's, or one of ours."""
Id = Annotated[Reference, AfterValidator(_not_ours)]
"""The sender's own id of a fact."""
Network = Annotated[Text, StringConstraints(min_length=1, max_length=40), AfterValidator(_unreserved)]
CouponCode = Annotated[Text, StringConstraints(min_length=1, max_length=200), AfterValidator(_not_blank)]


class _Line(Body):
    """What every line says."""

    at: Timestamp
    received_at: Timestamp | None = None


class ReferralLine(_Line):
    """A like or share; its parent is taken as given."""

    kind: Literal["referral"]
    id: Id
    type: Literal["like", "share"]
    visitor: Reference
    network: Network | None = None
    parent: Reference | None = None
    product: ExternalId | None = None
    wall: ExternalId | None = None

    def fact(self, at: datetime, received_at: datetime) -> PastReferral:
        told = (self.type, self.visitor, self.network, self.parent, self.product, self.wall)
        return PastReferral(self.id, *told, at, received_at)


class TouchLine(_Line):
    """Something in a visitor's journey."""

    kind: Literal["touch"]
    id: Id
    visitor: Reference
    type: Literal["click", "like", "view", "direct"]
    network: Network | None = None
    referral: Reference | None = None

    def fact(self, at: datetime, received_at: datetime) -> PastTouch:
        return PastTouch(self.id, self.visitor, self.type, self.network, self.referral, at, received_at)


class IdentityLine(_Line):
    """A visitor is a person."""

    kind: Literal["identity"]
    visitor: Reference
    person: Reference

    def fact(self, at: datetime, received_at: datetime) -> PastIdentity:
        return PastIdentity(self.visitor, self.person, at, received_at)


class CouponLine(_Line):
    """From `at` on, a code speaks for a referral."""

    kind: Literal["coupon"]
    code: CouponCode
    referral: Reference

    def fact(self, at: datetime, received_at: datetime) -> PastCoupon:
        return PastCoupon(self.code, self.referral, at, received_at)


class OrderLine(_Line):
    """A sale; `net` in minor units of `currency`, after discounts, without tax and shipping."""

    kind: Literal["order"]
    id: Id
    visitor: Reference | None
    currency: Currency
    net: Amount
    coupon: Annotated[Text, Field(max_length=200)] | None = None

    def fact(self, at: datetime, received_at: datetime) -> PastOrder:
        return PastOrder(self.id, self.visitor, self.currency, self.net, self.coupon or None, at, received_at)


class RefundLine(_Line):
    """What took back a part of an order's net. It may be more than is left, and may be 0 (only shipping, say)."""

    kind: Literal["refund"]
    id: Id
    order: ExternalId
    amount: Amount
    reason: Literal["refund", "chargeback"] = "refund"

    def fact(self, at: datetime, received_at: datetime) -> PastRefund:
        return PastRefund(self.id, self.order, self.amount, self.reason, at, received_at)


Line: TypeAlias = ReferralLine | TouchLine | IdentityLine | CouponLine | OrderLine | RefundLine
KINDS = ("referral", "touch", "identity", "coupon", "order", "refund")
_LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Discriminator("kind")])


def _refused(wrong: ValidationError) -> Refused:
    """Why, in one sentence for all fields that are wrong."""
    errors = wrong.errors(include_url=False, include_context=False, include_input=False)
    if errors[0]["type"].startswith("union_tag"):
        return Refused("unknown_kind", f"kind: must be one of {', '.join(KINDS)}", "kind")
    told = [(_named(error["loc"]), error["msg"]) for error in errors[:_MOST_TOLD]]
    return Refused("invalid_fact", "; ".join(f"{name}: {why}" for name, why in told), told[0][0])


def _named(location: Sequence[int | str]) -> str:
    """The field at this place, which begins with the kind. A name that is no text has no place."""
    return _shown(str(location[1])) if len(location) > 1 else "?"


_MOST_TOLD = 10
