"""Stripe's messages in our words. Pure: knows no database, no HTTP, not Stripe's library.

Amounts leave here in our minor units. Source: Stripe's API reference, events and their objects. What each message
does is told in docs/orders.md.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.kernel import json_objects
from app.kernel.json_objects import JsonObject
from app.orders.lifecycle import CHARGEBACK, FUNDS_REINSTATED, FUNDS_WITHDRAWN, REFUND
from app.orders.stripe import fields
from app.orders.stripe.amounts import from_stripe
from app.orders.stripe.fields import NotAnEvent as NotAnEvent
from app.orders.stripe.promotion import Promotion
from app.orders.stripe.tags import Tags

_TYPE = re.compile(r"[a-z0-9_.]{1,100}", re.ASCII)
_PAID = frozenset({"paid", "no_payment_required"})
_COMPLETED: Final = "checkout.session.completed"
_SESSION_STATUS = {
    "checkout.session.async_payment_succeeded": "paid",
    "checkout.session.async_payment_failed": "failed",
    "checkout.session.expired": "expired",
}
_ONE_REFUND = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
_CHARGE_REFUNDED: Final = "charge.refunded"
_DISPUTES = {
    "charge.dispute.created": None,
    "charge.dispute.updated": None,
    "charge.dispute.funds_withdrawn": FUNDS_WITHDRAWN,
    "charge.dispute.funds_reinstated": FUNDS_REINSTATED,
    "charge.dispute.closed": None,
}
CHARGED: Final = "charge.succeeded"
_PROMOTION_MADE: Final = "promotion_code.created"
_PROMOTIONS = (_PROMOTION_MADE, "promotion_code.updated")

TAKING: Final = (*_ONE_REFUND, _CHARGE_REFUNDED, *_DISPUTES)
"""The messages that tell of what is taken back of a payment."""
INTERESTING: Final = (_COMPLETED, *_SESSION_STATUS, CHARGED, *TAKING, *_PROMOTIONS)
"""All messages that do something: the ones to ask Stripe for."""

# What is kept of an object. The buyer's name, mail and address are not: nothing here needs them twice.
_KEPT = (
    *("id", "object", "created", "livemode", "mode", "status", "payment_status", "reason", "code", "active"),
    *("amount", "amount_refunded", "amount_total", "currency"),
)
_KEPT_TOTALS = {
    "total_details": ("amount_discount", "amount_shipping", "amount_tax"),
    "shipping_cost": ("amount_subtotal", "amount_tax", "amount_total"),
}
_REFERENCES = ("payment_intent", "charge")


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
        subject = _pick(self.subject)
        if "refunds" in self.subject:
            subject["refunds"] = {"data": [_pick(refund) for refund in _refunds_in(self.subject)]}
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
    """What a message says of a checkout session: `status` is a checkout's; money in minor units, `net` after the
    `discount`. `promotion_code` is the id of the code that the buyer used."""

    id: str
    status: str
    created: datetime
    payment: str | None
    currency: str
    gross: int
    net: int
    email: str | None
    tags: Tags | None
    promotion_code: str | None = None
    discount: int = 0
    card: str | None = None  # Stripe's fingerprint of it, where the payment is there whole


@dataclass(frozen=True)
class CardSaid:
    """What a message says of a payment of ours that was made by card: Stripe's fingerprint of it."""

    payment: str
    tags: Tags
    fingerprint: str


@dataclass(frozen=True)
class TakenSaid:
    """What a message says of one refund or dispute; `paid_back` in minor units of what was paid. `heard` is the
    state that it names and, of a dispute, how its funds moved (lifecycle.py)."""

    id: str
    reason: str
    heard: frozenset[str]
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
        id=fields.matching(fields.ID, event, "id"),
        type=fields.matching(_TYPE, event, "type"),
        created=fields.created(event),
        livemode=event.get("livemode") is True,
        account=account if isinstance(account, str) else None,
        subject=subject,
        payment=fields.reference(subject, "payment_intent"),
    )


def session_of(message: Message) -> SessionSaid | None:
    """What the message says of a session; None where it is about something else. Raises `NotAnEvent`."""
    status = _SESSION_STATUS.get(message.type)
    if message.type == _COMPLETED:
        # Fulfil only what is paid: the rest is still to settle (Stripe, "Fulfill orders").
        status = "paid" if message.subject.get("payment_status") in _PAID else "paying"
    if status is None or message.subject.get("mode", "payment") != "payment":
        return None
    tags = Tags.of(json_objects.mapping(message.subject, "metadata"))
    try:
        return _session(message, status, tags)
    except NotAnEvent:
        if tags is None:
            return None  # somebody else's, in a form that we need not understand
        raise


def _session(message: Message, status: str, tags: Tags | None) -> SessionSaid:
    session, currency = message.subject, fields.currency(message.subject)
    gross = fields.amount(session, "amount_total")
    discounts = json_objects.objects(session.get("discounts"))
    used = (fields.reference(discount, "promotion_code") for discount in discounts)
    return SessionSaid(
        id=fields.matching(fields.ID, session, "id"),
        status=status,
        created=fields.created(session),
        payment=message.payment,
        currency=currency,
        gross=from_stripe(gross, currency),
        net=from_stripe(max(gross - _beside(session), 0), currency),
        email=json_objects.text(session.get("customer_details"), "email")
        or json_objects.text(session, "customer_email"),
        tags=tags,
        promotion_code=next((code for code in used if code is not None), None),
        discount=from_stripe(
            fields.amount(json_objects.mapping(session, "total_details"), "amount_discount"), currency
        ),
        card=_fingerprint(json_objects.mapping(json_objects.mapping(session, "payment_intent"), "latest_charge")),
    )


def _beside(session: JsonObject) -> int:
    """Tax and shipping, which are paid but not divided; in Stripe's units.

    Where prices include their tax, shipping is told with the tax that is in it, and the sum of all taxes counts that
    tax again: so shipping's own tax is taken off it.
    """
    totals, shipping = json_objects.mapping(session, "total_details"), json_objects.mapping(session, "shipping_cost")
    tax = fields.amount(totals, "amount_tax")
    if not shipping:
        return tax + fields.amount(totals, "amount_shipping")
    return tax + max(fields.amount(shipping, "amount_total") - fields.amount(shipping, "amount_tax"), 0)


def card_of(message: Message) -> CardSaid | None:
    """Which card has paid; None where the message is about something else, no card, or another integration's payment:
    Stripe writes the tags of a payment on its charge."""
    tags = Tags.of(json_objects.mapping(message.subject, "metadata")) if message.type == CHARGED else None
    fingerprint = _fingerprint(message.subject)
    if tags is None or fingerprint is None or message.payment is None:
        return None
    return CardSaid(message.payment, tags, fingerprint)


def _fingerprint(charge: JsonObject) -> str | None:
    card = json_objects.mapping(json_objects.mapping(charge, "payment_method_details"), "card")
    return json_objects.text(card, "fingerprint")


def tells_of_takings(message: Message) -> bool:
    """Whether something about refunds or disputes can be learned from the message. `charge.refunded` names refunds
    only in older versions of Stripe's API; in newer ones `refund.created` comes beside it."""
    return message.type in TAKING and (message.type != _CHARGE_REFUNDED or bool(_refunds_in(message.subject)))


def takings_of(kind: str, subject: JsonObject) -> list[TakenSaid]:
    """What a message of this type says of refunds and disputes. Raises `NotAnEvent`."""
    if kind in _ONE_REFUND:
        return [_refund(subject)]
    if kind in _DISPUTES:
        return [_dispute(subject, _DISPUTES[kind])]
    return [_refund(refund) for refund in _refunds_in(subject)] if kind == _CHARGE_REFUNDED else []


def _refund(refund: JsonObject) -> TakenSaid:
    return _taken(refund, REFUND, json_objects.text(refund, "status") or "pending")


def _dispute(dispute: JsonObject, movement: str | None) -> TakenSaid:
    status = json_objects.text(dispute, "status") or "warning_needs_response"
    return _taken(dispute, CHARGEBACK, *(word for word in (status, movement) if word is not None))


def _taken(subject: JsonObject, reason: str, *heard: str) -> TakenSaid:
    currency = fields.currency(subject)
    return TakenSaid(
        id=fields.matching(fields.ID, subject, "id"),
        reason=reason,
        heard=frozenset(heard),
        created=fields.created(subject),
        currency=currency,
        paid_back=from_stripe(fields.amount(subject, "amount"), currency),
    )


def promotion_of(message: Message) -> Promotion | None:
    """The promotion code that the message tells of; None where it is about something else, or about nothing that
    could be kept."""
    if message.type not in _PROMOTIONS:
        return None
    found = Promotion.of(message.subject)
    return found if found is not None and fields.ID.fullmatch(found.id) else None


def moment_of(message: Message) -> datetime:
    """Since when it is as the message says. Stripe tells whole seconds: what was made was made before it changed."""
    return message.created - timedelta(microseconds=message.type == _PROMOTION_MADE)


def _pick(subject: JsonObject) -> dict[str, object]:
    """What may be kept of an object. What it refers to may be there whole, with its buyer: its id is kept. Of what
    a merchant wrote on it, only what is ours, and not who buys."""
    kept: dict[str, object] = {name: subject[name] for name in _KEPT if name in subject}
    kept |= {name: fields.reference(subject, name) for name in _REFERENCES if name in subject}
    for name, parts in _KEPT_TOTALS.items():
        if subject.get(name) is not None:
            totals = json_objects.mapping(subject, name)
            kept[name] = {part: totals[part] for part in parts if part in totals}
    tags = Tags.of(json_objects.mapping(subject, "metadata"))
    if tags is not None:
        kept["metadata"] = replace(tags, visitor=None).metadata()
    discounts = json_objects.objects(subject.get("discounts"))
    if discounts:
        kept["discounts"] = [{"promotion_code": fields.reference(each, "promotion_code")} for each in discounts]
    return kept


def _refunds_in(charge: JsonObject) -> list[JsonObject]:
    return json_objects.objects(json_objects.mapping(charge, "refunds").get("data"))
