"""Orders and what was taken back of them, read many at a time as what happened: as they are known now, or as they were
known at any time (`app.orders.known`). Writes nothing.

Rows are tuples read straight from the tables: they are read by the thousand. `at` and `received_at` of a sale are
times, since policies go by them; those of refunds are microseconds, as attribution counts.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    false,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session

from app.kernel.clock import to_micros
from app.kernel.database import id_type, table_of
from app.kernel.given import Question, keys_of
from app.orders import known
from app.orders.models import Order, Refund

FOR_EVER: Final = 2**63 - 1
"""Microseconds: later than anything."""


class OrderRow(NamedTuple):
    """A sale, as attribution asks for it. `net` in minor units."""

    order_id: str
    external_id: str
    visitor_id: str | None
    click_id: str | None
    currency: str
    net: int
    coupon: str | None
    livemode: bool
    at: datetime
    received_at: datetime


class RefundRow(NamedTuple):
    """What was taken back of a sale, or would have been: `dropped_at` is when it was learnt that it failed."""

    order_id: str
    refund_id: str
    external_id: str
    amount: int
    at: int
    received_at: int
    dropped_at: int | None


def rows(
    session: Session,
    merchant_id: int,
    order_ids: Collection[str],
    *,
    lock: bool = False,
    known_by: datetime | None = None,
) -> list[OrderRow]:
    """The merchant's orders of these ids, in the order of ids; with `lock`, held in that order until the
    transaction ends. With `known_by`, as they were known then. What is no order of this merchant's is left out."""
    asked = _LOCKED if lock else _ROWS
    found = [OrderRow(*row) for row in asked.ask(session, keys_of(merchant_id, order_ids))]
    return found if known_by is None else _as_known(session, merchant_id, found, to_micros(known_by))


def page(
    session: Session,
    merchant_id: int,
    *,
    after: str | None = None,
    most: int,
    since: datetime | None = None,
    until: datetime | None = None,
    livemode: bool | None = None,
    known_by: datetime | None = None,
) -> list[OrderRow]:
    """The next orders in the order of ids: at most `most` of those after the id `after`, made from `since` until
    before `until`, received by `known_by` and as they were known then, live ones or test ones or (None) both. Fewer
    than `most` are the last."""
    asked = {
        "merchant_id": merchant_id,
        "after": after or "",
        "since": -FOR_EVER if since is None else to_micros(since),
        "until": FOR_EVER if until is None else to_micros(until),
        "known_by": FOR_EVER if known_by is None else to_micros(known_by),
        "modes": [True, False] if livemode is None else [livemode],
        "most": most,
    }
    found = [OrderRow(*row) for row in session.execute(_PAGE, asked)]
    return found if known_by is None else _as_known(session, merchant_id, found, to_micros(known_by))


def refunds(session: Session, merchant_id: int, order_ids: Collection[str]) -> Sequence[RefundRow]:
    """What was taken back of the orders, dropped ones too."""
    found = _REFUNDS.ask(session, keys_of(merchant_id, order_ids))
    return cast("Sequence[RefundRow]", found)  # rows have the same fields in the same order


def purchases(
    session: Session,
    merchant_id: int,
    visitors: Mapping[str, int],
    clicks: Collection[str],
    *,
    livemode: bool,
    most: int,
    known_by: int = FOR_EVER,
) -> list[OrderRow]:
    """Orders of the visitors, each with the microsecond before which they were made; and orders that name
    one of the clicks: as they were known at the microsecond `known_by`. The latest first, at most `most`."""
    same = {"livemode": livemode, "most": most}
    bounds = {(merchant_id, visitor_id, until) for visitor_id, until in visitors.items()}
    by_visitor = _PURCHASES.ask(session, bounds, **same)
    by_click = _BY_CLICK.ask(session, keys_of(merchant_id, clicks), **same)
    found = [OrderRow(*row) for row in {*by_visitor, *by_click}]
    if known_by != FOR_EVER:
        found = _once(session, merchant_id, found, visitors, clicks, known_by=known_by, most=most)
        found = [order for order in found if order.livemode is livemode]
    found.sort(key=lambda order: (order.at, order.external_id), reverse=True)
    return found[:most]


def _once(
    session: Session,
    merchant_id: int,
    found: Collection[OrderRow],
    visitors: Mapping[str, int],
    clicks: Collection[str],
    *,
    known_by: int,
    most: int,
) -> list[OrderRow]:
    """Of the orders `found`, and of those that only said so once, those which said at `known_by` that one of these had
    bought them."""
    gone = known.once_bought(session, merchant_id, visitors, clicks, known_by, most) - {row.order_id for row in found}
    then = _as_known(session, merchant_id, [*found, *rows(session, merchant_id, gone)], known_by)
    return [order for order in then if order.visitor_id in visitors or order.click_id in clicks]


def _as_known(session: Session, merchant_id: int, found: list[OrderRow], known_by: int) -> list[OrderRow]:
    """The orders with what they said before they were corrected, where that was later."""
    before = known.before(session, merchant_id, {order.order_id for order in found}, known_by)
    return [_with(order, before[order.order_id]) if order.order_id in before else order for order in found]


def _with(order: OrderRow, values: Mapping[str, Any]) -> OrderRow:
    return OrderRow(*(values.get(name, own) for name, own in order._asdict().items()))


_orders, _refunds = table_of(Order), table_of(Refund)
_COLUMNS = [_orders.c[name] for name in OrderRow._fields]
_at = type_coerce(_orders.c.at, BigInteger)


def _rows_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    return _select(given, "order_id").order_by(_orders.c.order_id)


def _locked(given: FromClause) -> Select[*tuple[Any, ...]]:
    return _rows_of(given).with_for_update(of=_orders)


def _refunds_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    times = (type_coerce(_refunds.c[name], BigInteger) for name in ("at", "received_at", "dropped_at"))
    same = (_refunds.c.merchant_id == given.c.merchant_id) & (_refunds.c.order_id == given.c.order_id)
    columns = (_refunds.c.order_id, _refunds.c.refund_id, _refunds.c.external_id, _refunds.c.amount, *times)
    return select(*columns).join_from(given, _refunds, same)


def _purchases_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    # `+ 0` keeps the index over times out of it, which SQLite likes better than the one over visitors.
    return _latest(_select(given, "visitor_id").where(_at + 0 < given.c.until))


def _by_click(given: FromClause) -> Select[*tuple[Any, ...]]:
    return _latest(_select(given, "click_id"))


def _select(given: FromClause, key: str) -> Select[*tuple[Any, ...]]:
    same = (_orders.c.merchant_id == given.c.merchant_id) & (_orders.c[key] == given.c[key])
    return select(*_COLUMNS).join_from(given, _orders, same)


def _latest(found: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    same_mode = _orders.c.livemode == bindparam("livemode", type_=Boolean)
    latest_first = found.where(same_mode).order_by(_orders.c.at.desc(), _orders.c.external_id.desc())
    return latest_first.limit(bindparam("most", type_=Integer))


_ROWS = Question(_rows_of, merchant_id=BigInteger(), order_id=id_type())
_LOCKED = Question(_locked, merchant_id=BigInteger(), order_id=id_type())
_REFUNDS = Question(_refunds_of, merchant_id=BigInteger(), order_id=id_type())
_PURCHASES = Question(_purchases_of, merchant_id=BigInteger(), visitor_id=id_type(), until=BigInteger())
_BY_CLICK = Question(_by_click, merchant_id=BigInteger(), click_id=id_type())
_wanted = and_(
    _at >= bindparam("since", type_=BigInteger),
    _at < bindparam("until", type_=BigInteger),
    type_coerce(_orders.c.received_at, BigInteger) <= bindparam("known_by", type_=BigInteger),
    _orders.c.livemode.in_(bindparam("modes", expanding=True)),
)
_PAGE = (
    select(*_COLUMNS)
    .where(
        _orders.c.merchant_id == bindparam("merchant_id", type_=BigInteger),
        _orders.c.order_id > bindparam("after", type_=id_type()),
        # As a CASE nothing is expected of it and no index serves it. By ids, each page begins where the one before
        # ended; by anything else, each would first find and sort all that are left.
        case((_wanted, true()), else_=false()),
    )
    .order_by(_orders.c.order_id)
    .limit(bindparam("most", type_=Integer))
)
