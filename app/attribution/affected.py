"""Which orders' credit something that was learnt can change: all that it can change, and few others.

The engine settles an order by its buyer's journey, the chains above the referrals in it, its coupon, and, where
journeys start anew after an order, the buyer's other orders. Each kind of change is followed back along these. It takes
a number of statements that grows neither with what changed nor with the orders found: they are marked where they are.

A mark is made after the fact it is made for, in the same transaction. It is then safe beside those who bring stale
orders up to date (`stale`): a mark that stands is held, so that it is not taken away before the fact can be seen.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, FromClause, Select, bindparam, false, literal, select, true, union
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from app.attribution import policies
from app.attribution.engine import Model
from app.attribution.models import CreditLine, StaleOrder
from app.kernel.clock import to_seconds
from app.kernel.codes import LONGEST as LONGEST_CODE
from app.kernel.codes import normalised
from app.kernel.database import id_type, table_of
from app.kernel.given import Key, Question, keys_of
from app.kernel.ids import beginning, made_when
from app.orders import reach as orders
from app.orders.reach import Orders
from app.referrals import reach as referrals
from app.referrals.reach import Ids, of

_SECOND: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ALL: Final = 2**62


class Touched(NamedTuple):
    """A touch that was learnt of, or whose visitor was."""

    visit_id: str
    visitor_id: str
    at: datetime


class Hanging(Question):
    """Which orders hang on keys of some kind: to be told, or to be marked stale where they are."""

    def __init__(self, find: Callable[[FromClause], Orders], **columns: TypeEngine[Any]) -> None:
        super().__init__(lambda given: _in_order(find(given)), merchant_id=BigInteger(), **columns)

    @cached_property
    def _mark_on_sqlite(self) -> sqlite.Insert:
        return sqlite.insert(_stale).from_select(_MARK, _rows(self._on_sqlite)).on_conflict_do_nothing()

    @cached_property
    def _mark_on_postgresql(self) -> postgresql.Insert:
        marks = postgresql.insert(_stale).from_select(_MARK, _rows(self._on_postgresql))
        # Changes nothing, and yet locks the row that stands until this transaction ends.
        return marks.on_conflict_do_update(
            index_elements=_MARK, set_={"order_id": marks.excluded.order_id}, where=false()
        )

    def mark(self, session: Session, keys: Collection[Key]) -> None:
        """Mark all orders that hang on `keys` stale, in the order of their ids."""
        if not keys:
            return
        if session.get_bind().dialect.name == "sqlite":
            session.execute(self._mark_on_sqlite, {"given": json.dumps(list(keys)), "most": _ALL})
            return
        arrays = {name: list(column) for name, column in zip(self._columns, zip(*keys, strict=True), strict=True)}
        session.execute(self._mark_on_postgresql, {**arrays, "most": _ALL})


@dataclass(frozen=True)
class Reach:
    """How far a change of a merchant's facts reaches: the orders that hang on these keys."""

    session: Session
    merchant_id: int
    what: Hanging
    keys: Collection[Key]

    def few(self, most: int) -> list[str] | None:
        """The orders, if they are at most so many."""
        found = self.what.ask(self.session, self.keys, most=most + 1)
        return [order_id for _, order_id in found] if len(found) <= most else None

    def all(self) -> list[str]:
        """The orders, however many."""
        return [order_id for _, order_id in self.what.ask(self.session, self.keys, most=_ALL)]

    def mark(self) -> None:
        """Mark the orders stale."""
        self.what.mark(self.session, self.keys)


def by_touches(session: Session, merchant_id: int, touches: Iterable[Touched]) -> Reach:
    """A touch concerns the orders that its person made in its second or later, and those that name it.

    Where journeys start anew after an order, it may also have told who made the order that names it, which then stands
    before that person's others: so all of that person's.
    """
    anew = policies.kept(session, merchant_id).journey_reset
    keys = {(merchant_id, each.visit_id, each.visitor_id, 0 if anew else _second_of(each.at)) for each in touches}
    return Reach(session, merchant_id, _TOUCHES, keys)


def by_visitors(session: Session, merchant_id: int, visitors: Iterable[str]) -> Reach:
    """That visitors were joined to somebody concerns the orders of all who ever stood for one of their persons (whose
    journeys are put together or taken apart, and whose own links stop or begin to be their own), and those that were
    credited through a chain in which one of the visitors' referrals stands: who is named there, and who counts once.

    A chain earns as soon as the referral at its end does, so credit lines tell of all of them, under every policy.
    """
    return Reach(session, merchant_id, _VISITORS, keys_of(merchant_id, visitors))


def by_referrals(session: Session, merchant_id: int, referral_ids: Iterable[str]) -> Reach:
    """A referral that comes after what refers to it concerns journeys with a touch that names it, orders with a code
    that speaks for it, and what was credited through a chain that ended below it for want of it.

    Only brought-in touches can have named it before: a visit of ours is made through a link, which a referral of ours
    has from its beginning. What descends from it, and of what kind, does not matter: whether a touch counts is decided
    by its own referral's sharer, so only the chain can change, and that has credit lines.
    """
    return Reach(session, merchant_id, _REFERRALS, keys_of(merchant_id, referral_ids))


def by_coupons(session: Session, merchant_id: int, coupons: Iterable[tuple[str, datetime]]) -> Reach:
    """That a code speaks for another from a moment on concerns the orders with that code since its second."""
    since: dict[str, int] = {}
    for code, at in coupons:
        key = normalised(code)
        since[key] = min(since.get(key, _ALL), _second_of(at))
    return Reach(session, merchant_id, _COUPONS, {(merchant_id, *each) for each in since.items()})


def by_orders(session: Session, merchant_id: int, order_ids: Iterable[str]) -> Reach:
    """An order concerns itself; where journeys start anew after an order, also what the same person bought later."""
    anew = policies.kept(session, merchant_id).journey_reset
    return Reach(session, merchant_id, _ORDERS_AND_LATER if anew else _ORDERS, keys_of(merchant_id, order_ids))


def by_standings(
    session: Session,
    merchant_id: int,
    *,
    referrals: Collection[str],
    visits: Collection[str],
    orders: Collection[str],
    eased: bool,
) -> Sequence[Reach]:
    """That credit may be earned through these no longer, or (some of the referrals are `eased`) again.

    A visit concerns its person's orders. A referral that earned nothing, and no longer may, changes nothing, so what
    was credited through it and its descendants tells of all orders; but where the weight of a touch depends on how many
    others there are, or on their age, also one that earned nothing counts. One that may earn again concerns whatever
    came through it, or is named by a code that speaks for it: nothing was written of that while it was barred.
    """
    every_touch = eased or not _EVEN.issuperset(policies.kept(session, merchant_id).models)
    first = {(merchant_id, each, _first_click(each)) for each in referrals}
    reaches = (
        Reach(session, merchant_id, _EVER_THROUGH, first if every_touch else ()),
        Reach(session, merchant_id, _CREDITED, keys_of(merchant_id, () if every_touch else referrals)),
        Reach(session, merchant_id, _VISITS, keys_of(merchant_id, visits)),
        Reach(session, merchant_id, _ORDERS, keys_of(merchant_id, orders)),
    )
    return [reach for reach in reaches if reach.keys]


_EVEN: Final = frozenset({Model.LAST_TOUCH, Model.FIRST_TOUCH, Model.LINEAR})
"""Models under which a touch that earns nothing might as well not be there."""
_AHEAD: Final = timedelta(days=1)
"""By which the clocks of two machines may differ."""


def _first_click(referral_id: str) -> str:
    """What the id of no click through the referral is less than; the referrals of others do not tell their time."""
    made = made_when(referral_id)
    return "" if made is None else beginning("clk", max(made - _AHEAD, _EPOCH))


def _second_of(at: datetime) -> int:
    return to_seconds(at) * _SECOND


_stale = table_of(StaleOrder)
_MARK: Final = ("merchant_id", "order_id")
"""The primary key of a mark, and all that it says."""


def _in_order(found: Orders) -> Ids:
    ids = union(*found).subquery("found")
    most = bindparam("most", type_=BigInteger())
    return select(ids.c.merchant_id, ids.c.order_id).order_by(ids.c.order_id).limit(most)


def _rows(found: Select[*tuple[Any, ...]]) -> Ids:
    ids = found.subquery("marked")
    # SQLite cannot tell ON CONFLICT from a join's ON unless there is a WHERE between.
    return select(ids.c.merchant_id, ids.c.order_id).where(true()).order_by(ids.c.order_id)


def _through(family: FromClause) -> Ids:
    """The orders that were ever credited through one of these referrals."""
    lines = select(CreditLine.merchant_id, CreditLine.order_id)
    return lines.join_from(family, CreditLine, of(CreditLine, family, CreditLine.source_referral, "referral_id"))


def _of_touches(given: FromClause) -> Orders:
    return (*orders.of_people(given), orders.naming(given))


def _of_visitors(given: FromClause) -> Orders:
    ever = select(given.c.merchant_id, given.c.visitor_id, literal(0, BigInteger).label("since")).cte("ever")
    return (*orders.of_people(ever), _through(referrals.family(referrals.shared_by(given))))


def _of_referrals(given: FromClause) -> Orders:
    touches = referrals.came_through(given)
    coupons = orders.with_code(referrals.codes_of(given))
    chains = _through(referrals.family(referrals.these(given)))
    return (*orders.of_people(touches), orders.naming(touches), coupons, chains)


def _ever_through(given: FromClause) -> Orders:
    touches = referrals.ever_through(given)
    people = orders.of_people(referrals.touches_of(touches))
    coupons = orders.with_code(referrals.codes_of(given))
    return (*people, orders.naming(touches), coupons, *_credited(given))


def _credited(given: FromClause) -> Orders:
    return (_through(referrals.family(referrals.these(given))).distinct(),)


def _of_visits(given: FromClause) -> Orders:
    return (*orders.of_people(referrals.touches_of(given)), orders.naming(given))


def _of_coupons(given: FromClause) -> Orders:
    return (orders.with_code(given),)


def _of_orders(given: FromClause) -> Orders:
    return (orders.these(given),)


_TOUCHES = Hanging(_of_touches, visit_id=id_type(200), visitor_id=id_type(200), since=BigInteger())
_VISITORS = Hanging(_of_visitors, visitor_id=id_type(200))
_REFERRALS = Hanging(_of_referrals, referral_id=id_type(200))
_EVER_THROUGH = Hanging(_ever_through, referral_id=id_type(200), first=id_type())
_CREDITED = Hanging(_credited, referral_id=id_type(200))
_VISITS = Hanging(_of_visits, visit_id=id_type(200))
_COUPONS = Hanging(_of_coupons, code=id_type(LONGEST_CODE), since=BigInteger())
_ORDERS = Hanging(_of_orders, order_id=id_type())
_ORDERS_AND_LATER = Hanging(orders.these_and_later, order_id=id_type())
