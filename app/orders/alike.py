"""Which orders of a merchant's are the same buyer's, by the hashes of mail and card that are kept of them, and which of
them were wholly taken back. Writes nothing, and judges nobody: what it means is the rules' to say (app/trust).
"""

from collections.abc import Collection, Iterator
from typing import Any, Final, Literal, NamedTuple, cast

from sqlalchemy import BigInteger, FromClause, ScalarSelect, Select, func, select, type_coerce
from sqlalchemy.orm import Session

from app.kernel.database import id_type, table_of
from app.kernel.given import Question, keys_of
from app.orders.models import Order, Refund

Way = Literal["mail", "card"]

MOST: Final = 200
"""Orders with one hash. Of more nothing is told: that is a till's mail, a company's card; no person's."""


class Alike(NamedTuple):
    """Another order (`other`) of the buyer of `order_id`, and by what it is seen. Who bought it is `visitor_id`, else
    whoever has claimed `click_id`. `at` in microseconds."""

    order_id: str
    by: Way
    other: str
    visitor_id: str | None
    click_id: str | None
    at: int


def same_buyers(session: Session, merchant_id: int, order_ids: Collection[str]) -> list[Alike]:
    """All other orders of the buyers of these, each once for each way in which that is seen: live ones of live ones,
    tests of tests. In two statements, however many."""
    pairs = [pair for row in _LIKE.ask(session, keys_of(merchant_id, order_ids)) for pair in _pairs(row)]
    found = {row.order_id: row for row in _WHO.ask(session, keys_of(merchant_id, {other for *_, other in pairs}))}
    return [Alike(order_id, by, *found[other]) for order_id, by, other in sorted(pairs)]


def wholly_taken_back(session: Session, merchant_id: int, order_ids: Collection[str], since: int) -> dict[str, int]:
    """Those of the orders of which nothing is left, with the microsecond at which the last of it was taken, where that
    was at `since` or later. Refunds, chargebacks and cancellations are alike; an order of nothing has nothing to
    lose."""
    taken = _TAKEN.ask(session, keys_of(merchant_id, order_ids))
    return {order_id: at for order_id, net, amount, at in taken if amount >= net > 0 and at >= since}


def _pairs(row: Any) -> Iterator[tuple[str, Way, str]]:
    order_id, *alike = row
    for by, said in zip(_WAYS, alike, strict=True):
        others = [] if said is None else str(said).split(",")
        if len(others) <= MOST:
            yield from ((order_id, cast("Way", by), other) for other in others)


_WAYS: Final = {"mail": "mail_hash", "card": "card_hash"}
"""Each has an index of its own (`Order`)."""
_orders, _others, _refunds = table_of(Order), table_of(Order).alias("others"), table_of(Refund)


def _like(given: FromClause) -> Select[*tuple[Any, ...]]:
    mine = (_orders.c.merchant_id == given.c.merchant_id) & (_orders.c.order_id == given.c.order_id)
    return select(_orders.c.order_id, *(_alike(column) for column in _WAYS.values())).join_from(given, _orders, mine)


def _alike(column: str) -> ScalarSelect[Any]:
    """The ids of the others with the same hash, by comma; of a crowd, one too many."""
    same = (
        _others.c.merchant_id == _orders.c.merchant_id,
        _others.c[column] == _orders.c[column],
        _others.c.livemode == _orders.c.livemode,
        _others.c.order_id != _orders.c.order_id,
    )
    ids = select(_others.c.order_id).where(*same).limit(MOST + 1).correlate(_orders).subquery("alike")
    return select(func.aggregate_strings(ids.c.order_id, ",")).select_from(ids).scalar_subquery()


def _who(given: FromClause) -> Select[*tuple[Any, ...]]:
    mine = (_orders.c.merchant_id == given.c.merchant_id) & (_orders.c.order_id == given.c.order_id)
    columns = (_orders.c.order_id, _orders.c.visitor_id, _orders.c.click_id, type_coerce(_orders.c.at, BigInteger))
    return select(*columns).join_from(given, _orders, mine)


def _taken(given: FromClause) -> Select[*tuple[Any, ...]]:
    mine = (_orders.c.merchant_id == given.c.merchant_id) & (_orders.c.order_id == given.c.order_id)
    its = (_refunds.c.merchant_id == given.c.merchant_id) & (_refunds.c.order_id == given.c.order_id)
    last = func.max(type_coerce(_refunds.c.at, BigInteger))
    found = select(_orders.c.order_id, _orders.c.net, func.sum(_refunds.c.amount), last)
    counting = found.join_from(given, _orders, mine).join(_refunds, its).where(_refunds.c.dropped_at.is_(None))
    return counting.group_by(_orders.c.order_id, _orders.c.net)


_LIKE: Final = Question(_like, merchant_id=BigInteger(), order_id=id_type())
_WHO: Final = Question(_who, merchant_id=BigInteger(), order_id=id_type())
_TAKEN: Final = Question(_taken, merchant_id=BigInteger(), order_id=id_type())
