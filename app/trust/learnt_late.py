"""Which orders are to be looked at again where it is learnt late how their buyers came: a visit is claimed, or two
visitors are said to be one person, after the order was told. Reads only.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, FromClause, Select, literal, select, union
from sqlalchemy.orm import Session

from app.kernel.database import id_type
from app.kernel.given import Question, keys_of
from app.orders import reach as orders
from app.orders.reach import Orders
from app.referrals import reach as referrals

MOST: Final = 100
"""Orders that are looked at again, the newest."""


def by_visit(session: Session, merchant_id: int, visit_id: str) -> list[str]:
    """The orders that a visit which is claimed by now may have led to: what its person bought since, and what names
    it."""
    return [order_id for (order_id,) in _BY_VISIT.ask(session, keys_of(merchant_id, [visit_id]))]


def by_visitor(session: Session, merchant_id: int, visitor_id: str) -> list[str]:
    """The orders of whoever is or was the same person as the visitor."""
    return [order_id for (order_id,) in _BY_VISITOR.ask(session, keys_of(merchant_id, [visitor_id]))]


def _of_visits(given: FromClause) -> Select[*tuple[Any, ...]]:
    return _newest((*orders.of_people(referrals.touches_of(given)), orders.naming(given)))


def _of_visitors(given: FromClause) -> Select[*tuple[Any, ...]]:
    ever = select(given.c.merchant_id, given.c.visitor_id, literal(0, BigInteger).label("since")).cte("ever")
    return _newest(orders.of_people(ever))


def _newest(found: Orders) -> Select[*tuple[Any, ...]]:
    ids = union(*found).subquery("found")
    return select(ids.c.order_id).order_by(ids.c.order_id.desc()).limit(MOST)


_BY_VISIT = Question(_of_visits, merchant_id=BigInteger(), visit_id=id_type(200))
_BY_VISITOR = Question(_of_visitors, merchant_id=BigInteger(), visitor_id=id_type(200))
