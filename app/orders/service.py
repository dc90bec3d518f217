"""The books: sales and what takes them back. Knows the session and the tables, not HTTP, not Stripe.

A sale and a refund are written once, whoever reports them and how often. Each change is published as
`OrderChanged` in the same transaction, so that credits follow their order at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.kernel.clock import to_seconds
from app.kernel.codes import normalised
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.events import Events
from app.kernel.ids import merchant_of, new_id
from app.orders import known, settling
from app.orders.bringing import SOURCE as HISTORY
from app.orders.bringing import apply_waiting
from app.orders.lifecycle import Taking
from app.orders.models import Order, OrderLine, Refund
from app.orders.news import OrderChanged as OrderChanged
from app.referrals import turns, visits


class OrderExists(Conflict):
    code, title = "order_exists", "An order with this external_id says something else"


class RefundExists(Conflict):
    code, title = "refund_exists", "A refund with this external_id says something else"


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
        if not says_the_same(session, standing, sale):
            raise OrderExists
        return standing, False
    order = order_of(merchant_id, sale, now)
    session.add(order)
    session.flush()
    apply_waiting(session, merchant_id, {order.external_id: order.order_id}, now)
    session.refresh(order, ["refunds"])
    events.publish(session, OrderChanged(merchant_id, order.order_id, is_new=True))
    return order, True


def order_of(merchant_id: int, sale: Sale, now: datetime) -> Order:
    """The sale as an order, not written yet."""
    order = Order(
        merchant_id=merchant_id,
        order_id=new_id("ord", merchant_id, now),
        coupon_key=normalised(sale.coupon or "") or None,
        received_at=now,
        **{name: value for name, value in sale.__dict__.items() if name != "lines"},
    )
    order.lines = lines_of(merchant_id, sale.lines)
    order.corrections = []
    return order


def lines_of(merchant_id: int, lines: Iterable[LineData]) -> list[OrderLine]:
    """What was bought, as the lines of an order."""
    return [
        OrderLine(merchant_id=merchant_id, position=position, **line.__dict__) for position, line in enumerate(lines)
    ]


def says_the_same(session: Session, standing: Order, sale: Sale) -> bool:
    """Whether the order that stands was recorded for this very sale, whatever was corrected of it since: the same words
    came from the same system; or a history told of it, of which is compared what a history can say. A sale by API
    cannot name the people of another system, so where it names nobody, they agree."""
    if standing.fingerprint == sale.fingerprint:
        return True
    if standing.source != HISTORY:
        return False
    once = known.before(session, standing.merchant_id, [standing.order_id], known.NEVER).get(standing.order_id, {})
    net, visitor = once.get("net", standing.net), once.get("visitor_id", standing.visitor_id)
    coupon = once.get("coupon", standing.coupon)
    first = (standing.livemode, standing.currency, net, _key(coupon), to_seconds(standing.at))
    said = (sale.livemode, sale.currency, sale.net, _key(sale.coupon), to_seconds(sale.at))
    return first == said and sale.visitor_id in (None, visitor)


def _key(coupon: object) -> str | None:
    return normalised(str(coupon or "")) or None


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


def matching(
    merchant_id: int, *, external_id: str | None = None, click_id: str | None = None, coupon: str | None = None
) -> Select[Order]:
    """The merchant's orders, those that their shop calls `external_id`, that name the click, or have the coupon."""
    wanted = {Order.external_id: external_id, Order.click_id: click_id, Order.coupon_key: coupon and normalised(coupon)}
    said = (column == value for column, value in wanted.items() if value is not None)
    return select(Order).where(Order.merchant_id == merchant_id, *said)


def take_back(
    session: Session, events: Events, merchant_id: int, order_id: str, taking: TakingBack, now: datetime
) -> tuple[Refund, bool]:
    """Write a refund or chargeback, or find it written; whether it is new.

    Raises `NotFound` for the order, `RefundExists` when it said something else, `Invalid` above what is left.
    """
    order = get(session, merchant_id, order_id, lock=True)
    if taking.external_id == settling.CANCELLED:
        raise Invalid.field("/external_id", "is the name of cancellations")
    counting = settling.counting(order)
    standing = counting.get(taking.external_id)
    if standing is not None:
        if (standing.amount, standing.reason) != (taking.amount, taking.reason):
            raise RefundExists
        return standing, False
    if any(refund.external_id == taking.external_id for refund in order.refunds):
        raise RefundExists("This refund was dropped; one that is made after that has another external_id.")
    left = order.net - sum(row.amount for row in counting.values() if row.external_id != settling.CANCELLED)
    if taking.amount > left:
        raise Invalid.field("/amount", f"is more than what is left of the order: {max(left, 0)}")
    wanted = Taking(taking.external_id, taking.reason, taking.at, taking.paid_back, taking.amount)
    settling.settle(session, events, order, [wanted], [wanted.id], now)
    return settling.counting(order)[wanted.id], True
