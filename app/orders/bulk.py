"""Many sales at once: each is recorded, found standing, or refused, and none loses another. Knows the session and the
tables, not HTTP.

It takes about as many statements as one sale does. Whoever does this holds the merchant's facts alone, so that no click
and no person need be held.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.kernel import journal
from app.kernel.database import Base, table_of
from app.kernel.errors import AppError
from app.kernel.events import Events
from app.kernel.trouble import in_trouble
from app.orders.bringing import apply_waiting
from app.orders.models import Order, OrderLine
from app.orders.news import OrdersRecorded
from app.orders.sales import Sale
from app.orders.service import OrderExists, order_of, says_the_same
from app.referrals import coupons, turns

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recorded:
    """What became of a sale: its order, and whether that is new; or why it was refused."""

    order_id: str | None
    is_new: bool = False
    refusal: AppError | None = None


def record_all(
    session: Session, events: Events, merchant_id: int, sales: Sequence[Sale], now: datetime
) -> list[Recorded]:
    """Write the sales, or find them written, as `service.record` does one after the other; what became of each."""
    if not sales:
        return []
    turns.hold_facts(session, merchant_id)
    coupons.speak_for_links(session, events, merchant_id, {sale.coupon for sale in sales if sale.coupon}, now)
    standing = _standing(session, merchant_id, [sale.external_id for sale in sales])
    firsts: dict[str, Sale] = {}
    for sale in sales:
        if sale.external_id not in standing:
            firsts.setdefault(sale.external_id, sale)
    made = _written(session, [order_of(merchant_id, sale, now) for sale in firsts.values()])
    journal.note(session, merchant_id, "order.recorded", made.values(), now)
    apply_waiting(session, merchant_id, made, now)
    if made:
        events.publish(session, OrdersRecorded(merchant_id, list(made.values())))
    return [_outcome(session, sale, firsts, standing, made) for sale in sales]


def _outcome(
    session: Session,
    sale: Sale,
    firsts: Mapping[str, Sale],
    standing: Mapping[str, Order],
    made: Mapping[str, str],
) -> Recorded:
    order, first = standing.get(sale.external_id), firsts.get(sale.external_id)
    if order is not None:
        same = says_the_same(session, order, sale)
        return Recorded(order.order_id) if same else Recorded(None, refusal=OrderExists())
    assert first is not None, "what does not stand was to be written"
    order_id = made.get(sale.external_id)
    if order_id is None:
        return Recorded(None, refusal=AppError("This order could not be written; it has been logged."))
    if first is sale:
        return Recorded(order_id, is_new=True)
    return Recorded(order_id) if first.fingerprint == sale.fingerprint else Recorded(None, refusal=OrderExists())


def _standing(session: Session, merchant_id: int, external_ids: Sequence[str]) -> dict[str, Order]:
    asked = select(Order).where(Order.merchant_id == merchant_id, Order.external_id.in_(external_ids))
    return {order.external_id: order for order in session.scalars(asked)}


def _written(session: Session, orders: Sequence[Order]) -> dict[str, str]:
    """Write the orders with their lines, our id by the shop's; those that the database refuses are left out."""
    if not orders:
        return {}
    try:
        with session.begin_nested():
            session.execute(_INSERT_ORDERS, [_row(order) for order in orders])
            lines = [{**_row(line), "order_id": order.order_id} for order in orders for line in order.lines]
            if lines:
                session.execute(_INSERT_LINES, lines)
    except DBAPIError as error:
        if in_trouble(error):
            raise  # nothing of this can stand
        if len(orders) == 1:
            log.exception("order %s cannot be written", orders[0].external_id)
            return {}
        middle = len(orders) // 2
        return _written(session, orders[:middle]) | _written(session, orders[middle:])
    return {order.external_id: order.order_id for order in orders}


def _row(mapped: Base) -> dict[str, object]:
    """What an object that was never written would write."""
    return {column.key: getattr(mapped, column.key) for column in inspect(type(mapped)).columns}


_INSERT_ORDERS: Final = insert(table_of(Order))
_INSERT_LINES: Final = insert(table_of(OrderLine))
