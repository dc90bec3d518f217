"""The books: sales and what takes them back. Knows the session and the tables, not HTTP, not Stripe.

A sale and a refund are written once, whoever reports them and how often. Each change is published as
`OrderChanged` in the same transaction, so that credits follow their order at once.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.kernel import journal
from app.kernel.clock import to_seconds
from app.kernel.codes import key_of, normalised
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.events import Events
from app.kernel.ids import merchant_of, new_id
from app.orders import known, settling
from app.orders.bringing import SOURCE as HISTORY
from app.orders.bringing import apply_waiting
from app.orders.lifecycle import Taking
from app.orders.models import Order, OrderLine, Refund
from app.orders.news import OrderChanged
from app.orders.sales import Sale, SaleLine
from app.referrals import coupons, turns, visits

FORGOTTEN: Final = "forgotten"
"""In the place of a fingerprint by which one could try out who had bought: whoever tells of it again says the same."""


class OrderExists(Conflict):
    code, title = "order_exists", "An order with this external_id says something else"


class RefundExists(Conflict):
    code, title = "refund_exists", "A refund with this external_id says something else"


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
    journal.note(session, merchant_id, "order.recorded", [order.order_id], now)
    apply_waiting(session, merchant_id, {order.external_id: order.order_id}, now)
    session.refresh(order, ["refunds"])
    events.publish(session, OrderChanged(merchant_id, order.order_id, is_new=True))
    return order, True


def record_with_coupon(
    session: Session, events: Events, merchant_id: int, sale: Sale, now: datetime
) -> tuple[Order, bool]:
    """`record`, after its coupon, where it is a link's code or address, has begun to speak for that link's referral."""
    if sale.coupon is not None:
        coupons.speak_for_link(session, events, merchant_id, sale.coupon, now)
    return record(session, events, merchant_id, sale, now)


def order_of(merchant_id: int, sale: Sale, now: datetime) -> Order:
    """The sale as an order, not written yet."""
    order = Order(
        merchant_id=merchant_id,
        order_id=new_id("ord", merchant_id, now),
        coupon_key=key_of(sale.coupon),
        received_at=now,
        **{name: value for name, value in sale.__dict__.items() if name != "lines"},
    )
    order.lines = lines_of(merchant_id, sale.lines)
    order.corrections = []
    return order


def lines_of(merchant_id: int, lines: Iterable[SaleLine]) -> list[OrderLine]:
    """What was bought, as the lines of an order."""
    return [
        OrderLine(merchant_id=merchant_id, position=position, **line.__dict__) for position, line in enumerate(lines)
    ]


def says_the_same(session: Session, standing: Order, sale: Sale) -> bool:
    """Whether the order that stands was recorded for this very sale, whatever was corrected of it since: the same words
    came from the same system; or a history told of it, of which is compared what a history can say. A sale by API
    cannot name the people of another system, so where it names nobody, they agree."""
    if standing.fingerprint in (sale.fingerprint, FORGOTTEN):
        return True
    if standing.source != HISTORY:
        return False
    once = known.before(session, standing.merchant_id, [standing.order_id], known.NEVER).get(standing.order_id, {})
    net, visitor = once.get("net", standing.net), once.get("visitor_id", standing.visitor_id)
    coupon = once.get("coupon", standing.coupon)
    assert coupon is None or isinstance(coupon, str)
    first = (standing.livemode, standing.currency, net, key_of(coupon), to_seconds(standing.at))
    said = (sale.livemode, sale.currency, sale.net, key_of(sale.coupon), to_seconds(sale.at))
    return first == said and sale.visitor_id in (None, visitor)


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
    session: Session, events: Events, merchant_id: int, order_id: str, taking: Taking, now: datetime
) -> tuple[Refund, bool]:
    """Write a refund or chargeback as it was reported, or find it written; whether it is new.

    Raises `NotFound` for the order, `RefundExists` when it said something else, `Invalid` above what is left.
    """
    order = get(session, merchant_id, order_id, lock=True)
    if taking.id == settling.CANCELLED:
        raise Invalid.field("/external_id", "is the name of cancellations")
    standing = settling.counting(order).get(taking.id)
    if standing is not None:
        if (standing.amount, standing.reason) != (taking.amount, taking.reason):
            raise RefundExists
        return standing, False
    if any(refund.external_id == taking.id for refund in order.refunds):
        raise RefundExists("This refund was dropped; one that is made after that has another external_id.")
    left = order.net - settling.taken(order)
    if taking.amount > left:
        raise Invalid.field("/amount", f"is more than what is left of the order: {max(left, 0)}")
    settling.settle(session, events, order, [taking], [taking.id], now)
    return settling.counting(order)[taking.id], True
