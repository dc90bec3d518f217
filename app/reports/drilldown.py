"""The orders behind a row of the attribution report: what of each is credited there, and to whom.

By the time of the order, the ledger is read as far as a page needs; by net, all of it that the question is about, for
each page, and the database sorts. Where few quarters of an hour have anything of what is asked for, the kept sums say
which, so a rare row of years costs what it shows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import groupby, islice
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, SQLColumnExpression, and_, or_, select, type_coerce
from sqlalchemy.orm import Session

from app.attribution.engine import HOUSE
from app.attribution.models import CreditLine
from app.kernel.clock import to_micros
from app.kernel.rollups.tables import QUARTER, SPANS
from app.orders import history as sales
from app.reports import credit_sums, forest, ledger, sharers
from app.reports.credit_sums import Ledger
from app.reports.ledger import COLUMNS, NONE, Question, Sums
from app.reports.models import CreditSum
from app.reports.ranking import Order

PLACED_AT: Final = "placed_at"

_FEW: Final = 50
"""Spans of time that are read one by one; of more, what is asked for is met soon enough without."""
_AT_ONCE: Final = 1000
"""Lines of credit that are read together."""

Period = tuple[int, int]
"""Microseconds since 1970; half open."""


class Place(NamedTuple):
    """A place in the list: when the order was made (microseconds) where it is by time, and then no currency; else the
    currency and what is credited here; and the order's id."""

    currency: str
    number: int
    order_id: str


@dataclass(frozen=True)
class Credit:
    """What a referral, or nobody, has of an order. `level` is empty for what is nobody's."""

    referral: str | None
    sharer: str
    level: int | None
    network: str
    shared_to: str | None
    seen_from: str | None
    product: str | None
    wall: str | None
    kind: str | None
    reason: str | None


class Credited(NamedTuple):
    """An order of which something is credited in the row; `sums` are of that alone, in minor units. `at` in
    microseconds."""

    place: Place
    at: int
    external_id: str
    currency: str
    sums: Sums
    credits: Sequence[tuple[Credit, Sums]]

    @property
    def order_id(self) -> str:
        return self.place.order_id


class Listed(NamedTuple):
    """Orders in their order, and what the sharers in them are called, as far as they want to be named."""

    orders: Sequence[Credited]
    names: Mapping[str, str]


def page(session: Session, question: Question, order: Order, after: Place | None, most: int) -> Listed:
    """The orders after a place, as many as there are up to `most`; in an `order` by `PLACED_AT`, or by net within each
    currency. All pages together add up to the row.

    The session sees one moment (`Database.reading`).
    """
    find = _by_time if order.by == PLACED_AT else _by_net
    found = list(islice(find(session, question, order, after, most), most))
    ids = [place.order_id for place, _ in found]
    names = {row.order_id: row.external_id for row in sales.rows(session, question.merchant_id, ids)}
    listed = [
        Credited(place, lines[0].at, names[place.order_id], lines[0].currency, *_added(lines)) for place, lines in found
    ]
    people = {credit.sharer for order in listed for credit, _ in order.credits} - {NONE, HOUSE}
    return Listed(listed, sharers.newest_names(forest.made_by(session, sharers.known(question), people)))


class _Line(NamedTuple):
    at: int
    order_id: str
    currency: str
    gross: int
    refunded: int
    credit: Credit

    @property
    def place(self) -> Place:
        return Place("", self.at, self.order_id)


_Found = Iterator[tuple[Place, Sequence[_Line]]]
_at: Final = type_coerce(CreditLine.order_at, BigInteger)


def _by_time(session: Session, question: Question, order: Order, after: Place | None, _: int) -> _Found:
    within = narrowed(session, question)
    most = _AT_ONCE
    while within:
        lines = _read(session, _next_lines(question, within, descends=order.descends, after=after).limit(most))
        groups = [(place, list(group)) for place, group in groupby(lines, key=lambda line: line.place)]
        is_last = len(lines) < most
        if not is_last:
            groups.pop()  # perhaps not all of it was read
        for place, group in groups:
            if sum(line.gross for line in group) or sum(line.refunded for line in group):  # as the report counts
                yield place, group
            after = place
        if is_last:
            return
        most = _AT_ONCE if groups else 2 * most


def _next_lines(
    question: Question, within: Sequence[Period], *, descends: bool, after: Place | None
) -> Select[*tuple[Any, ...]]:
    query = _lines(question).where(_in(_at, within))
    if descends:
        query = query.order_by(_at.desc(), CreditLine.order_id.desc())
    else:
        query = query.order_by(_at, CreditLine.order_id)
    if after is None:
        return query
    if descends:
        return query.where(_at <= after.number, or_(_at < after.number, CreditLine.order_id < after.order_id))
    return query.where(_at >= after.number, or_(_at > after.number, CreditLine.order_id > after.order_id))


def _by_net(session: Session, question: Question, order: Order, after: Place | None, most: int) -> _Found:
    within = narrowed(session, question)
    if not within:
        return
    found = ledger.by_order(question, [], [_in(_at, within)]).c
    net = found.gross - found.refunded
    query = select(found.currency, net, found.order_id)
    if after is not None:
        further = net < after.number if order.descends else net > after.number
        later = or_(further, and_(net == after.number, found.order_id > after.order_id))
        query = query.where(or_(found.currency > after.currency, and_(found.currency == after.currency, later)))
    query = query.order_by(found.currency, net.desc() if order.descends else net, found.order_id).limit(most)
    places = [Place(currency, int(number), order_id) for currency, number, order_id in session.execute(query)]
    ids = [place.order_id for place in places]
    lines: dict[str, list[_Line]] = defaultdict(list)
    for line in _read(session, _lines(question).where(CreditLine.order_id.in_(ids))):
        lines[line.order_id].append(line)
    yield from ((place, lines[place.order_id]) for place in places)


def _lines(question: Question) -> Select[*tuple[Any, ...]]:
    about = (getattr(CreditLine, field.name) for field in fields(Credit))
    numbers = (CreditLine.gross, CreditLine.reversed)
    query = select(_at, CreditLine.order_id, CreditLine.currency, *numbers, *about)
    return query.where(*ledger.conditions(question))


def _read(session: Session, query: Select[*tuple[Any, ...]]) -> list[_Line]:
    return [
        _Line(at, order_id, currency, gross, refunded, Credit(*credit))
        for at, order_id, currency, gross, refunded, *credit in session.execute(query)
    ]


def narrowed(session: Session, question: Question) -> list[Period]:
    """Where in the period there may be anything of what is asked for. In order; as few periods as may be."""
    whole = [(to_micros(question.since), to_micros(question.until))]
    named = next(((name, values) for name, values in question.only.items() if name in COLUMNS), None)
    if named is None:
        return whole
    theirs = Ledger(question.merchant_id, question.policy, question.livemode)
    marked = credit_sums.marks(session, theirs, whole[0][0] - QUARTER, whole[0][1])
    if len(marked) > _FEW:
        return whole
    within = whole
    for width in reversed(SPANS):
        spans = _spans_with(session, theirs, *named, width, within) if within else ()
        if len(spans) > _FEW:
            break
        within = _clipped(((starts, starts + width) for starts in spans), whole[0])
    return _clipped((*within, *((starts, starts + QUARTER) for starts in marked)), whole[0])


def _spans_with(
    session: Session, theirs: Ledger, dimension: str, values: Sequence[str], width: int, within: Sequence[Period]
) -> Sequence[int]:
    """The spans of one width in which something was ever written under one of the values; not all, where many."""
    mine = [getattr(CreditSum, name) == value for name, value in theirs._asdict().items()]
    begun = [(since - since % width, until) for since, until in within]
    about = (CreditSum.dimension == dimension, CreditSum.span == width, CreditSum.value.in_(values))
    query = select(CreditSum.starts).distinct().where(*mine, *about, _in(CreditSum.starts, begun))
    return session.scalars(query.order_by(CreditSum.starts).limit(_FEW + 1)).all()


def _clipped(periods: Iterable[Period], whole: Period) -> list[Period]:
    """The parts that lie in the whole, in order, joined where they meet."""
    joined: list[Period] = []
    for since, until in sorted((max(since, whole[0]), min(until, whole[1])) for since, until in periods):
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(until, joined[-1][1])
        elif since < until:
            joined.append((since, until))
    return joined


def _in(column: SQLColumnExpression[int], periods: Sequence[Period]) -> ColumnElement[bool]:
    return or_(*(and_(column >= since, column < until) for since, until in periods))


def _added(lines: Sequence[_Line]) -> tuple[Sums, list[tuple[Credit, Sums]]]:
    """Of the order as it is credited here, and of each who has any of that: the largest first."""
    total, each = Sums(orders=1), defaultdict[Credit, Sums](partial(Sums, orders=1))
    for line in lines:
        total.add(0, line.gross, line.refunded)
        each[line.credit].add(0, line.gross, line.refunded)
    credits = [(credit, sums) for credit, sums in each.items() if sums.gross or sums.refunded]
    return total, sorted(credits, key=lambda one: (-one[1].net, one[0].level or 0, *map(str, vars(one[0]).values())))
