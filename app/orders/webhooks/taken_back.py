"""What is taken back of a payment: all that Stripe ever said of its refunds and disputes, put together and settled.

Knows the session and the tables. Whoever calls this holds the payment's row, so nobody else is just putting together
an older set of the same messages (app/orders/webhooks/bookkeeper.py).
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.events import Events
from app.orders import lifecycle, service, settling
from app.orders.lifecycle import CHARGEBACK, TakenBack
from app.orders.models import Order
from app.orders.stripe import messages
from app.orders.stripe.messages import TakenSaid
from app.orders.stripe_models import StripeEvent, StripeObject

log = logging.getLogger(__name__)


def settle(session: Session, events: Events, payment: StripeObject, now: datetime) -> bool:
    """Bring the order of the (locked) payment to what all kept messages say; whether that changed anything.

    Those that waited for the order are applied with it.
    """
    assert payment.merchant_id is not None
    assert payment.order_id is not None
    of_payment = (StripeEvent.payment_intent == payment.object_id, StripeEvent.type.in_(messages.TAKING))
    kept = session.scalars(select(StripeEvent).where(*of_payment).order_by(StripeEvent.created, StripeEvent.event_id))
    heard: dict[str, list[TakenSaid]] = defaultdict(list)
    for row in kept:
        row.applied_at = row.applied_at or now
        for said in _readable(row):
            heard[said.id].append(said)
    if not heard:
        return False
    order = service.get(session, payment.merchant_id, payment.order_id, lock=True)
    said_of = [known for told in heard.values() if (known := _together(order, told)) is not None]
    wanted = lifecycle.takings(order.net, order.gross, said_of)
    return settling.settle(session, events, order, wanted, {known.id for known in said_of}, now)


def _together(order: Order, told: Sequence[TakenSaid]) -> TakenBack | None:
    """All that was `told` of one refund or dispute, in the order in which Stripe said it.

    Of a dispute the last amount holds. A bank may dispute in its own currency: then it is about the whole. A refund
    is in the currency of its payment, or cannot be understood.
    """
    first, last = told[0], told[-1]
    heard = _words(told)
    if first.reason == CHARGEBACK:
        counts = lifecycle.dispute_counts(heard)
        paid_back = last.paid_back if last.currency == order.currency else order.gross
        return TakenBack(first.id, first.reason, first.created, paid_back, counts)
    if last.currency != order.currency:
        log.error("refund %s is in %s, its order in %s: it is left out", last.id, last.currency, order.currency)
        return None
    return TakenBack(first.id, first.reason, first.created, last.paid_back, lifecycle.refund_counts(heard))


def _words(told: Iterable[TakenSaid]) -> frozenset[str]:
    return frozenset(word for said in told for word in said.heard)


def _readable(row: StripeEvent) -> list[TakenSaid]:
    """What a kept message says. One that waited and cannot be read must not hold back its sale."""
    try:
        return messages.takings_of(row.type, row.body["data"]["object"])
    except messages.NotAnEvent as reason:
        log.error("message %s is left out: %s", row.event_id, reason)
        return []
