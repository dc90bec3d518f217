"""The books: sales and what takes them back. Knows the session and the tables, not HTTP, not Stripe.

A sale and a refund are written once, whoever reports them and how often. Each change is published as
`OrderChanged` in the same transaction, so that credits follow their order at once.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.clock import to_seconds
from app.kernel.codes import normalised
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.events import Event, Events
from app.kernel.ids import merchant_of, new_id
from app.orders.bringing import SOURCE as HISTORY
from app.orders.bringing import apply_waiting
from app.orders.models import Order, OrderLine, Refund
from app.referrals import turns, visits


class OrderExists(Conflict):
    code, title = "order_exists", "An order with this external_id says something else"


class RefundExists(Conflict):
    code, title = "refund_exists", "A refund with this external_id says something else"


@dataclass(frozen=True)
class OrderChanged(Event):
    """An order was recorded, or something was taken from it or given back. One that `is_new` may stand before others
    of its buyer's."""

    order_id: str
    is_new: bool = False


@dataclass(frozen=True)
class LineData:
    """A bought thing; `amount` in minor units, for the whole line."""

    product: str | None
    variant: str | None
    title: str
    quantity: int
    amount: int


@dataclass(frozen=True)
class Sale:
    """A sale as it was reported."""

    external_id: str
    source: str
    fingerprint: str
    livemode: bool
    currency: str
    gross: int
    net: int
    at: datetime
    click_id: str | None = None
    visitor_id: str | None = None
    wall_id: str | None = None
    coupon: str | None = None
    customer_hash: str | None = None
    lines: tuple[LineData, ...] = field(default=())


@dataclass(frozen=True)
class TakingBack:
    """A refund or chargeback as it was reported: `amount` of the net, `paid_back` of what was paid."""

    external_id: str
    reason: str
    amount: int
    paid_back: int
    at: datetime


def record(session: Session, events: Events, merchant_id: int, sale: Sale, now: datetime) -> tuple[Order, bool]:
    """Write the sale, or find it written; whether it is new. Raises `OrderExists` when it said something else.

    Refunds of it that another system told before become its own. One that was brought in stands for the same sale
    where both say the same.
    """
    visits.hold_claims(session, merchant_id, sale.click_id, sale.visitor_id)
    standing = by_external_id(session, merchant_id, sale.external_id)
    if standing is not None:
        if standing.fingerprint != sale.fingerprint and not _was_brought_in(standing, sale):
            raise OrderExists
        return standing, False
    fields = {name: value for name, value in sale.__dict__.items() if name != "lines"}
    order = Order(
        merchant_id=merchant_id,
        order_id=new_id("ord", merchant_id, now),
        coupon_key=normalised(sale.coupon or "") or None,
        received_at=now,
        **fields,
    )
    order.lines = [
        OrderLine(merchant_id=merchant_id, position=position, **line.__dict__)
        for position, line in enumerate(sale.lines)
    ]
    session.add(order)
    session.flush()
    apply_waiting(session, merchant_id, {order.external_id: order.order_id}, now)
    session.refresh(order, ["refunds"])
    events.publish(session, OrderChanged(merchant_id, order.order_id, is_new=True))
    return order, True


def _was_brought_in(standing: Order, sale: Sale) -> bool:
    """Whether a history told of this very sale: what a history can say is compared. A sale by API cannot name the
    people of another system, so where it names nobody, they agree."""
    known = (standing.livemode, standing.currency, standing.net, standing.coupon_key, to_seconds(standing.at))
    said = (sale.livemode, sale.currency, sale.net, normalised(sale.coupon or "") or None, to_seconds(sale.at))
    return standing.source == HISTORY and known == said and sale.visitor_id in (None, standing.visitor_id)


def get(session: Session, merchant_id: int, order_id: str, *, lock: bool = False) -> Order:
    """The order; with `lock`, held against other changes until the transaction ends, and what it is divided by with
    it (`app.referrals.turns`). Raises `NotFound`."""
    if merchant_of(order_id, "ord") != merchant_id:
        raise NotFound
    if lock:
        turns.share_facts(session, merchant_id)
    order = session.get(
        Order, (merchant_id, order_id), with_for_update={"of": Order} if lock else None, populate_existing=lock
    )
    if order is None:
        raise NotFound
    return order


def by_external_id(session: Session, merchant_id: int, external_id: str) -> Order | None:
    """The order that its shop calls `external_id`."""
    return session.scalar(select(Order).where(Order.merchant_id == merchant_id, Order.external_id == external_id))


def take_back(
    session: Session, events: Events, merchant_id: int, order_id: str, taking: TakingBack, now: datetime
) -> tuple[Refund, bool]:
    """Write a refund or chargeback, or find it written; whether it is new.

    Raises `NotFound` for the order, `RefundExists` when it said something else, `Invalid` above what is left.
    """
    order = get(session, merchant_id, order_id, lock=True)
    standing = next((refund for refund in order.refunds if refund.external_id == taking.external_id), None)
    if standing is not None:
        if standing.dropped_at is not None:
            raise RefundExists("This refund was dropped; one that is made after that has another external_id.")
        if (standing.amount, standing.reason) != (taking.amount, taking.reason):
            raise RefundExists
        return standing, False
    left = order.net - order.refunded
    if taking.amount > left:
        raise Invalid.field("/amount", f"is more than what is left of the order: {left}")
    refund = Refund(
        merchant_id=merchant_id,
        refund_id=new_id("rfd", merchant_id, now),
        order_id=order_id,
        received_at=now,
        **taking.__dict__,
    )
    order.refunds.append(refund)
    session.flush()
    events.publish(session, OrderChanged(merchant_id, order_id))
    return refund, True


def give_back(session: Session, events: Events, merchant_id: int, order_id: str, refund_id: str, now: datetime) -> None:
    """Drop a refund that failed or was deleted: what it took is given back. Raises `NotFound`."""
    order = get(session, merchant_id, order_id, lock=True)
    refund = next((refund for refund in order.refunds if refund.refund_id == refund_id), None)
    if refund is None:
        raise NotFound
    if refund.dropped_at is None:
        refund.dropped_at = now
        session.flush()
        events.publish(session, OrderChanged(merchant_id, order_id))
