"""What people did, person by person: what touched them and what they bought, as it was known at a time.

Two statements, each sorted by person in the database, and read side by side: however many people there are, few are
held at once. Decides nothing. Reads the tables of referrals and orders.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    SQLColumnExpression,
    and_,
    case,
    exists,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy import Row as SqlRow
from sqlalchemy.orm import Session, aliased

from app.attribution.engine import TouchType
from app.attribution.loader import MOST
from app.kernel.clock import from_micros, to_micros
from app.kernel.database import id_type, table_of
from app.kernel.given import Question, keys_of
from app.kernel.partitions import Timed
from app.orders.models import FormerBuyer, Order, OrderCorrection
from app.referrals.models import Claim, Referral, Visit
from app.reports.asked import Asked
from app.reports.people import Known

SECOND: Final = 1_000_000
_AT_ONCE: Final = 4_000
"""Rows that are held together."""
_STREAMED: Final = {"yield_per": 2_000}
_VISITS: Final = Timed(Visit, "clk")
_FIRST: Final = from_micros(1_000)
"""Ids of ours know no earlier time."""
_NOBODY: Final = ""
_WHO: Final = itemgetter(0)
_Row: TypeAlias = SqlRow[Any]


class TouchRow(NamedTuple):
    """A touch, by the person who was touched. Times are microseconds."""

    person: str
    visitor: str
    touch_id: str
    type: str
    network: str | None
    referral_id: str | None
    at: int
    received_at: int


class SaleRow(NamedTuple):
    """An order, by the person who bought, if anybody knows, and the touch that it names, if that is known. Times are
    microseconds; `is_corrected`: since what is known here, so that it says something else by now."""

    person: str
    order_id: str
    external_id: str
    has_visitor: bool
    click_id: str | None
    currency: str
    net: int
    coupon: str | None
    at: int
    received_at: int
    is_corrected: bool
    click_type: str | None
    click_network: str | None
    click_referral: str | None
    click_at: int | None
    click_received_at: int | None

    @property
    def buyer_is_known(self) -> bool:
        """As attribution knows it: whoever claimed a touch that is no more is nobody."""
        return self.person != _NOBODY and (self.has_visitor or self.click_type is not None)


class ReferralRow(NamedTuple):
    """A referral, and what it was for. Times are microseconds."""

    referral_id: str
    visitor: str
    network: str | None
    at: int
    received_at: int
    product: str | None
    wall: str | None
    kind: str


_TOUCHED_AT: Final = TouchRow._fields.index("at")
_SOLD_AT: Final = SaleRow._fields.index("at")


class Person(NamedTuple):
    """What one person did: their touches, the latest first, and orders. Of whom nobody knows: one order.
    `is_too_long`: there is more than is looked at in one journey, and the touches here are not all."""

    touches: Sequence[TouchRow]
    sales: Sequence[SaleRow]

    @property
    def is_too_long(self) -> bool:
        return len(self.touches) > MOST


class Some(NamedTuple):
    """Some people. Most were touched once and did nothing else: `once` is that touch of each."""

    people: Sequence[Person]
    once: Sequence[TouchRow]


def people(session: Session, asked: Asked, earliest: int) -> Iterator[Some]:
    """All who were touched or bought in the period, and what they did since the microsecond `earliest`: touches until
    the period ends, orders until `asked.as_of`, currencies and filters notwithstanding."""
    since, until = to_micros(asked.since), to_micros(asked.until)
    known = Known(asked.merchant_id, asked.as_of)
    connection = session.connection()  # plain rows: nothing of them is looked after
    touches = connection.execute(_touches(asked, known, earliest), execution_options=_STREAMED)
    sales = connection.execute(_sales(asked, known, earliest), execution_options=_STREAMED)
    some, once, held = list[Person](), list[TouchRow](), 0
    for touched, bought in _side_by_side(_touched(touches), _bought(sales)):
        was_touched = touched and touched[0][_TOUCHED_AT] >= since
        if not was_touched and not any(since <= row[_SOLD_AT] < until for row in bought):
            continue
        if len(touched) == 1 and not bought:
            once.append(TouchRow._make(touched[0]))
        else:
            some.append(Person(list(map(TouchRow._make, touched)), list(map(SaleRow._make, bought))))
        held += len(touched) + len(bought)
        if held >= _AT_ONCE:
            yield Some(some, once)
            some, once, held = [], [], 0
    yield Some(some, once)


def referrals(session: Session, merchant_id: int, referral_ids: Collection[str]) -> list[ReferralRow]:
    """Those of the referrals that there are."""
    return [ReferralRow._make(row) for row in _REFERRALS.ask(session, keys_of(merchant_id, referral_ids))]


def _touched(rows: Iterable[_Row]) -> Iterator[tuple[str, Sequence[_Row]]]:
    """Each person's touches, one more than are looked at in a journey at most."""
    return ((who, list(islice(theirs, MOST + 1))) for who, theirs in groupby(rows, key=_WHO))


def _bought(rows: Iterable[_Row]) -> Iterator[tuple[str, Sequence[_Row]]]:
    """Each person's orders; those of whom nobody knows one by one."""
    for who, theirs in groupby(rows, key=_WHO):
        if who == _NOBODY:
            yield from ((who, [row]) for row in theirs)
        else:
            yield who, list(theirs)


def _side_by_side(
    touched: Iterator[tuple[str, Sequence[_Row]]], bought: Iterator[tuple[str, Sequence[_Row]]]
) -> Iterator[tuple[Sequence[_Row], Sequence[_Row]]]:
    """What was touched and bought by the same; both are in the order of people."""
    left, right = next(touched, None), next(bought, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[0] < right[0]):
            assert left is not None
            yield left[1], ()
            left = next(touched, None)
        elif left is None or right[0] < left[0]:
            yield (), right[1]
            right = next(bought, None)
        else:
            yield left[1], right[1]
            left, right = next(touched, None), next(bought, None)


def _touches(asked: Asked, known: Known, earliest: int) -> Select[*tuple[Any, ...]]:
    """What may earn, in two parts: visits that were made here, whose ids begin with their time, so that those of
    another time are not even read, and those of other systems, which have an index of their own."""
    begins = _VISITS.beginning(max(_FIRST, from_micros(earliest - 1_000)))
    # As the index says it: SQLite would not see that `imported = 1` is the same.
    imported: ColumnElement[Any] = literal_column("visits.imported")
    here = and_(Visit.visit_id >= begins, Claim.visit_id >= begins, ~imported)
    both = (
        _of_claims(asked, known, earliest)
        .where(here)
        .union_all(_of_claims(asked, known, earliest).where(imported))
        .subquery()
    )
    return select(*both.c).order_by(both.c.person, both.c.at.desc())


def _of_claims(asked: Asked, known: Known, earliest: int) -> Select[*tuple[Any, ...]]:
    at: SQLColumnExpression[int] = type_coerce(Visit.at, BigInteger)
    touch = (Visit.visit_id, Visit.type, Visit.seen_from, Visit.referral_id)
    person = known.sharer(Claim.visitor_id, Claim.merchant_id).label("person")
    return (
        select(person, Claim.visitor_id, *touch, at.label("at"), _micros(Visit.received_at))
        .join(Visit, and_(Visit.merchant_id == Claim.merchant_id, Visit.visit_id == Claim.visit_id))
        .where(known(Claim), known(Visit), Visit.type != TouchType.DIRECT)
        .where(at >= earliest, at < to_micros(asked.until))
    )


def _sales(asked: Asked, known: Known, earliest: int) -> Select[*tuple[Any, ...]]:
    """Orders, by what was known of who bought."""
    first, then = _corrected_later(known).subquery(), aliased(FormerBuyer)
    its_first = and_(first.c.merchant_id == Order.merchant_id, first.c.order_id == Order.order_id)
    its_then = and_(
        *(then.merchant_id == first.c.merchant_id, then.order_id == first.c.order_id),
        then.position == first.c.position,
    )
    click, visitor = (
        case((first.c.position.is_not(None), getattr(then, name)), else_=getattr(Order, name))
        for name in ("click_id", "visitor_id")
    )
    claimed = and_(
        *(Claim.merchant_id == Order.merchant_id, Claim.visit_id == click, visitor.is_(None)),
        Claim.received_at <= known.as_of,
    )
    named = and_(Visit.merchant_id == Order.merchant_id, Visit.visit_id == click, Visit.received_at <= known.as_of)
    corrected = exists().where(
        *(OrderCorrection.merchant_id == Order.merchant_id, OrderCorrection.order_id == Order.order_id),
        OrderCorrection.received_at > known.as_of,
    )
    buyer = known.sharer(func.coalesce(visitor, Claim.visitor_id), Order.merchant_id)
    person = func.coalesce(buyer, _NOBODY).label("person")
    own = (person, Order.order_id, Order.external_id, visitor.is_not(None), click, Order.currency, Order.net)
    times = (_micros(Order.at).label("at"), _micros(Order.received_at).label("received_at"))
    touch_times = (_micros(Visit.at).label("click_at"), _micros(Visit.received_at).label("click_received_at"))
    return (
        select(*own, Order.coupon, *times, corrected, Visit.type, Visit.seen_from, Visit.referral_id, *touch_times)
        .outerjoin(first, its_first)
        .outerjoin(then, its_then)
        .outerjoin(Claim, claimed)
        .outerjoin(Visit, named)
        .where(known(Order), Order.livemode == asked.livemode, _micros(Order.at) >= earliest)
        .order_by(person)
    )


def _corrected_later(known: Known) -> Select[*tuple[Any, ...]]:
    """The first correction of who bought that was not known yet, of each order that has one."""
    later = and_(FormerBuyer.merchant_id == known.merchant_id, FormerBuyer.until > known.as_of)
    position = func.min(FormerBuyer.position).label("position")
    return (
        select(FormerBuyer.merchant_id, FormerBuyer.order_id, position)
        .where(later)
        .group_by(FormerBuyer.merchant_id, FormerBuyer.order_id)
    )


def _micros(at: SQLColumnExpression[Any]) -> ColumnElement[int]:
    return type_coerce(at, BigInteger)


_referrals = table_of(Referral)


def _referrals_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (_referrals.c.merchant_id == given.c.merchant_id) & (_referrals.c.referral_id == given.c.referral_id)
    return select(
        *(_referrals.c[name] for name in ("referral_id", "visitor_id", "network")),
        *(_micros(_referrals.c[name]) for name in ("at", "received_at")),
        func.coalesce(_referrals.c.product_id, _referrals.c.told_product),
        func.coalesce(_referrals.c.wall_id, _referrals.c.told_wall),
        _referrals.c.kind,
    ).join_from(given, _referrals, same)


_REFERRALS: Final = Question(_referrals_of, merchant_id=BigInteger(), referral_id=id_type())
