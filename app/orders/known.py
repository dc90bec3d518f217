"""What orders said at any time, before what was corrected of them since. Writes nothing."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, FromClause, Integer, Select, bindparam, select, type_coerce
from sqlalchemy.orm import Session

from app.kernel.database import id_type, table_of
from app.kernel.given import Question, keys_of
from app.orders.models import FormerBuyer, OrderCorrection

NEVER: Final = -1
"""Microseconds: earlier than any correction. What was known then of an order is what was said of it first."""


def before(
    session: Session, merchant_id: int, order_ids: Collection[str], known_by: int
) -> Mapping[str, Mapping[str, object]]:
    """Of those orders that were corrected after the microsecond `known_by`: what they had said until then, by column,
    as far as it was corrected."""
    said: dict[str, dict[str, object]] = defaultdict(dict)
    for order_id, old in _CORRECTED.ask(session, keys_of(merchant_id, order_ids), known_by=known_by):
        said[order_id].update(old)  # the newest comes first
    return said


def once_bought(
    session: Session, merchant_id: int, visitors: Collection[str], clicks: Collection[str], known_by: int, most: int
) -> set[str]:
    """Orders that said until some time after the microsecond `known_by` that one of the visitors had bought them, or
    somebody through one of the clicks; at most `most` for either."""
    by_visitor = _VISITORS_ORDERS.ask(session, keys_of(merchant_id, visitors), known_by=known_by, most=most)
    by_click = _CLICKS_ORDERS.ask(session, keys_of(merchant_id, clicks), known_by=known_by, most=most)
    return {row.order_id for row in (*by_visitor, *by_click)}


_corrections, _former = table_of(OrderCorrection), table_of(FormerBuyer)


def _corrected(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (_corrections.c.merchant_id == given.c.merchant_id) & (_corrections.c.order_id == given.c.order_id)
    later = type_coerce(_corrections.c.received_at, BigInteger) > bindparam("known_by", type_=BigInteger)
    found = select(_corrections.c.order_id, _corrections.c.before).join_from(given, _corrections, same).where(later)
    return found.order_by(_corrections.c.order_id, _corrections.c.position.desc())


def _once_by(key: str, given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (_former.c.merchant_id == given.c.merchant_id) & (_former.c[key] == given.c[key])
    later = type_coerce(_former.c.until, BigInteger) > bindparam("known_by", type_=BigInteger)
    found = select(_former.c.order_id).join_from(given, _former, same).where(later)
    return found.order_by(_former.c.order_id.desc()).limit(bindparam("most", type_=Integer))


_CORRECTED = Question(_corrected, merchant_id=BigInteger(), order_id=id_type())
_VISITORS_ORDERS = Question(
    lambda given: _once_by("visitor_id", given), merchant_id=BigInteger(), visitor_id=id_type(200)
)
_CLICKS_ORDERS = Question(lambda given: _once_by("click_id", given), merchant_id=BigInteger(), click_id=id_type(200))
