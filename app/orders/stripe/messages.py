"""Stripe's messages in our words. Pure: knows no database, no HTTP, not Stripe's library.

Amounts leave here in our minor units. Source: Stripe's API reference, events and their objects.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.kernel.money import is_currency
from app.orders.stripe.amounts import from_stripe
from app.orders.stripe.tags import Tags

JsonObject = Mapping[str, object]

_ID = re.compile(r"[A-Za-z0-9_]{1,200}", re.ASCII)
_TYPE = re.compile(r"[a-z0-9_.]{1,100}", re.ASCII)
_PAID = frozenset({"paid", "no_payment_required"})
_SESSION_STATUS = {
    "checkout.session.async_payment_succeeded": "paid",
    "checkout.session.async_payment_failed": "failed",
    "checkout.session.expired": "expired",
}
_COMPLETED = "checkout.session.completed"
_ONE_REFUND = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
REFUND_TYPES = (*_ONE_REFUND, "charge.refunded")

# What is kept of an object. The buyer's name, mail and address are not: nothing here needs them twice.
_KEPT = (
    *("id", "object", "created", "livemode", "mode", "status", "payment_status", "payment_intent", "charge", "reason"),
    *("amount", "amount_refunded", "amount_total", "total_details", "currency", "client_reference_id", "metadata"),
)


class NotAnEvent(ValueError):
    """JSON that is no event of Stripe's; the message says what is missing."""


@dataclass(frozen=True)
class Message:
    """An event. `subject` is the object that it tells of; `payment` names the payment intent, where there is one."""

    id: str
    type: str
    created: datetime
    livemode: bool
    account: str | None
    subject: JsonObject
    payment: str | None

    def kept(self) -> dict[str, object]:
        """What is stored of it: enough to apply it later, nothing about the person."""
        subject = {name: self.subject[name] for name in _KEPT if name in self.subject}
        if "refunds" in self.subject:
            subject["refunds"] = {"data": [_pick(refund) for refund in _list(self.subject["refunds"])]}
        return {
            "id": self.id,
            "type": self.type,
            "created": int(self.created.timestamp()),
            "livemode": self.livemode,
            "account": self.account,
            "data": {"object": subject},
        }


@dataclass(frozen=True)
class SessionSaid:
    """What a message says of a checkout session: `status` is a checkout's; money in minor units."""

    id: str
    status: str
    created: datetime
    payment: str | None
    currency: str
    gross: int
    net: int
    email: str | None
    tags: Tags | None


@dataclass(frozen=True)
class RefundSaid:
    """What a message says of one refund; `paid_back` in minor units of what was paid."""

    id: str
    status: str
    created: datetime
    currency: str
    paid_back: int


def read(event: object) -> Message:
    """The message in a webhook's JSON. Raises `NotAnEvent`."""
    if not isinstance(event, dict) or event.get("object", "event") != "event":
        raise NotAnEvent("it is not an event")
    data = event.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    if not isinstance(subject, dict):
        raise NotAnEvent("it has no data.object")
    account = event.get("account")
    return Message(
        id=_match(_ID, event, "id"),
        type=_match(_TYPE, event, "type"),
        created=_moment(event),
        livemode=event.get("livemode") is True,
        account=account if isinstance(account, str) else None,
        subject=subject,
        payment=_reference(subject, "payment_intent"),
    )


def session_of(message: Message) -> SessionSaid | None:
    """What the message says of a session; None where it is about something else. Raises `NotAnEvent`."""
    status = _SESSION_STATUS.get(message.type)
    if message.type == _COMPLETED:
        # Fulfil only what is paid: the rest is still to settle (Stripe, "Fulfill orders").
        status = "paid" if message.subject.get("payment_status") in _PAID else "paying"
    if status is None or message.subject.get("mode", "payment") != "payment":
        return None
    metadata = message.subject.get("metadata")
    tags = Tags.of(metadata) if isinstance(metadata, dict) else None
    try:
        return _session(message, status, tags)
    except NotAnEvent:
        if tags is None:
            return None  # somebody else's, in a form that we need not understand
        raise


def _session(message: Message, status: str, tags: Tags | None) -> SessionSaid:
    session, currency = message.subject, _currency(message.subject)
    totals = session.get("total_details")
    beside = (
        sum(_integer(totals, name) for name in ("amount_tax", "amount_shipping")) if isinstance(totals, dict) else 0
    )
    gross = _integer(session, "amount_total")
    return SessionSaid(
        id=_match(_ID, session, "id"),
        status=status,
        created=_moment(session),
        payment=message.payment,
        currency=currency,
        gross=from_stripe(gross, currency),
        net=from_stripe(max(gross - beside, 0), currency),
        email=_email(session.get("customer_details"), "email") or _email(session, "customer_email"),
        tags=tags,
    )


def tells_of_refunds(message: Message) -> bool:
    """Whether something about refunds can be learned from the message. `charge.refunded` names them only in older
    versions of Stripe's API; in newer ones `refund.created` comes beside it."""
    return message.type in _ONE_REFUND or (message.type in REFUND_TYPES and bool(_list(message.subject.get("refunds"))))


def refunds_of(kind: str, subject: JsonObject) -> list[RefundSaid]:
    """What a message of this type says of refunds. Raises `NotAnEvent`."""
    if kind in _ONE_REFUND:
        return [_refund(subject)]
    return [_refund(refund) for refund in _list(subject.get("refunds"))] if kind in REFUND_TYPES else []


def _refund(refund: JsonObject) -> RefundSaid:
    currency, status = _currency(refund), refund.get("status")
    return RefundSaid(
        id=_match(_ID, refund, "id"),
        status=status if isinstance(status, str) else "pending",
        created=_moment(refund),
        currency=currency,
        paid_back=from_stripe(_integer(refund, "amount"), currency),
    )


def _pick(refund: JsonObject) -> dict[str, object]:
    return {name: refund[name] for name in _KEPT if name in refund}


def _list(page: object) -> list[JsonObject]:
    data = page.get("data") if isinstance(page, dict) else None
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def _match(shape: re.Pattern[str], holder: JsonObject, name: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or shape.fullmatch(value) is None:
        raise NotAnEvent(f"its {name} is missing or malformed")
    return value


def _reference(holder: JsonObject, name: str) -> str | None:
    """The id of another object, which may be there whole."""
    value = holder.get(name)
    value = value.get("id") if isinstance(value, dict) else value
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _integer(holder: JsonObject, name: str) -> int:
    value = holder.get(name)
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value < 2**53:
        raise NotAnEvent(f"its {name} is not an amount")
    return value


def _moment(holder: JsonObject) -> datetime:
    value = holder.get("created")
    if type(value) is not int or not 0 <= value < 2**37:
        raise NotAnEvent("its created is not a time")
    return datetime.fromtimestamp(value, UTC)


def _currency(holder: JsonObject) -> str:
    value = holder.get("currency")
    if not isinstance(value, str) or not is_currency(value.lower()):
        raise NotAnEvent("its currency is unknown")
    return value.lower()


def _email(holder: object, name: str) -> str | None:
    email = holder.get(name) if isinstance(holder, Mapping) else None
    return email if isinstance(email, str) and email else None
