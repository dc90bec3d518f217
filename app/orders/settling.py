"""Brings what is taken back of an order to what should be taken. Knows the session and the tables, not who said so.

What others took (a refund by API beside those of Stripe's) is left alone, but for one: a cancellation takes exactly
what all others leave. So it yields to a refund that comes later, and takes again what a failed refund gives back.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.kernel import journal
from app.kernel.events import Events
from app.kernel.ids import new_id
from app.orders.lifecycle import CANCELLATION, Taking
from app.orders.models import Order, Refund
from app.orders.news import OrderChanged

CANCELLED: Final = "cancelled"
"""The external id of a cancellation: an order has at most one that counts."""


def cancellation(at: datetime) -> Taking:
    """That the order was cancelled; what it takes is found when it is settled."""
    return Taking(CANCELLED, CANCELLATION, at, paid_back=0, amount=0)


def settle(
    session: Session, events: Events, order: Order, wanted: Sequence[Taking], mine: Collection[str], now: datetime
) -> bool:
    """Bring those refunds of the (locked) order whose external ids are in `mine` to `wanted`; whether anything
    changed, which is then told once.

    What is new is appended, what counts no more is dropped; what takes another amount now, or turns out to have been
    at another time, is dropped and appended anew. To let everything follow an order whose net was corrected, give
    none.
    """
    changed = refit(session, order, wanted, mine, now)
    if changed:
        events.publish(session, OrderChanged(order.merchant_id, order.order_id))
    return changed


def refit(session: Session, order: Order, wanted: Sequence[Taking], mine: Collection[str], now: datetime) -> bool:
    """As `settle`, for a caller who tells of the change himself."""
    standing = counting(order)
    takes = {id: _taking(row) for id, row in standing.items() if id not in mine}
    takes.update((taking.id, taking) for taking in wanted)
    if CANCELLED in takes:
        rest = max(order.net - sum(taking.amount for id, taking in takes.items() if id != CANCELLED), 0)
        takes[CANCELLED] = replace(takes[CANCELLED], paid_back=rest, amount=rest)
    kept = {id for id, row in standing.items() if id in takes and _same(_taking(row), takes[id])}
    dropped = [row for id, row in standing.items() if id not in kept]
    for row in dropped:
        row.dropped_at = now
    session.flush()  # before what comes in their place: of one external id only one may count
    fresh = [taking for id, taking in takes.items() if id not in kept]
    made = [_row(order, taking, now) for taking in fresh]
    order.refunds.extend(made)
    session.flush()
    noted = [*(given_back(row.refund_id) for row in dropped), *(row.refund_id for row in made)]
    journal.note(session, order.merchant_id, "order.refunded", noted, now)
    return kept != standing.keys() or bool(fresh)


def counting(order: Order) -> dict[str, Refund]:
    """What takes back of the order now, by external id."""
    return {row.external_id: row for row in order.refunds if row.dropped_at is None}


def given_back(refund_id: str) -> str:
    """What stands in the journal for a refund that was dropped; its id stands for what it took."""
    return f"{refund_id}-"


def taken(order: Order) -> int:
    """Minor units of the net that refunds and disputes take now; a cancellation, which takes what they leave, aside."""
    return sum(row.amount for row in counting(order).values() if row.external_id != CANCELLED)


def _taking(row: Refund) -> Taking:
    return Taking(row.external_id, row.reason, row.at, row.paid_back, row.amount)


def _same(one: Taking, other: Taking) -> bool:
    return (one.reason, one.at, one.paid_back, one.amount) == (other.reason, other.at, other.paid_back, other.amount)


def _row(order: Order, taking: Taking, now: datetime) -> Refund:
    return Refund(
        merchant_id=order.merchant_id,
        refund_id=new_id("rfd", order.merchant_id, now),
        order_id=order.order_id,
        external_id=taking.id,
        reason=taking.reason,
        amount=taking.amount,
        paid_back=taking.paid_back,
        at=taking.at,
        received_at=now,
    )
