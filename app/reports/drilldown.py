"""The orders behind a row of the attribution report: what of each is credited there, and to whom. Newest first.

Read from the ledger by the time of the order, as far as a page needs. Where few quarters of an hour have anything of
what is asked for, the kept sums say which, so a rare row of years costs what it shows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, SQLColumnExpression, and_, or_, select, type_coerce
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine
from app.kernel.clock import to_micros
from app.kernel.rollups.tables import QUARTER, SPANS
from app.orders import history as sales
from app.reports import credit_sums, ledger
from app.reports.credit_sums import Ledger
from app.reports.ledger import COLUMNS, Question, Sums
from app.reports.models import CreditSum

_FEW: Final = 50
"""Spans of time that are read one by one; of more, what is asked for is met soon enough without."""
_AT_ONCE: Final = 1000
"""Lines of credit that are read together."""

Period = tuple[int, int]
"""Microseconds since 1970; half open."""


class Place(NamedTuple):
    """A place in the list: when the order was made (microseconds), and its id."""

    at: int
    order_id: str


class Credit(NamedTuple):
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
    """An order of which something is credited in the row; `sums` are of that alone, in minor units."""

    place: Place
    external_id: str
    currency: str
    sums: Sums
    credits: Sequence[tuple[Credit, Sums]]


def page(session: Session, question: Question, after: Place | None, most: int) -> list[Credited]:
    """The orders after a place, as many as there are up to `most`. All pages together add up to the row.

    The session sees one moment (`Database.reading`).
    """
    found: list[tuple[Place, str, dict[Credit, Sums]]] = []
    for place, currency, credits in _orders(session, question, after):
        found.append((place, currency, credits))
        if len(found) == most:
            break
    ids = [place.order_id for place, *_ in found]
    names = {row.order_id: row.external_id for row in sales.rows(session, question.merchant_id, ids)}
    return [
        Credited(place, names[place.order_id], currency, _total(credits.values()), _largest_first(credits))
        for place, currency, credits in found
    ]


def _orders(
    session: Session, question: Question, after: Place | None
) -> Iterator[tuple[Place, str, dict[Credit, Sums]]]:
    """Orders that have any credit left, with that."""
    for place, lines in _by_order(session, question, after):
        gross: Counter[Credit] = Counter()
        refunded: Counter[Credit] = Counter()
        for *_, sold, taken, credit in lines:
            gross[credit] += sold
            refunded[credit] += taken
        credits = {each: Sums(1, gross[each], refunded[each]) for each in gross if gross[each] or refunded[each]}
        if gross.total() or refunded.total():  # as the report counts
            yield place, lines[0].currency, credits


class _Line(NamedTuple):
    place: Place
    currency: str
    gross: int
    refunded: int
    credit: Credit


def _by_order(session: Session, question: Question, after: Place | None) -> Iterator[tuple[Place, list[_Line]]]:
    within = narrowed(session, question)
    if not within:
        return
    most = _AT_ONCE
    while True:
        lines = _lines(session, question, within, after, most)
        groups = [(place, list(group)) for place, group in groupby(lines, key=lambda line: line.place)]
        is_last = len(lines) < most
        if not is_last:
            groups.pop()  # perhaps not all of it was read
        for place, group in groups:
            yield place, group
            after = place
        if is_last:
            return
        most = _AT_ONCE if groups else 2 * most


def _lines(
    session: Session, question: Question, within: Sequence[Period], after: Place | None, most: int
) -> list[_Line]:
    at = type_coerce(CreditLine.order_at, BigInteger)
    columns = (at, CreditLine.order_id, CreditLine.currency, CreditLine.gross, CreditLine.reversed)
    about = (getattr(CreditLine, name) for name in Credit._fields)
    query = select(*columns, *about).where(*ledger.conditions(question), _in(at, within))
    if after is not None:
        query = query.where(at <= after.at, or_(at < after.at, CreditLine.order_id < after.order_id))
    query = query.order_by(at.desc(), CreditLine.order_id.desc()).limit(most)
    return [
        _Line(Place(moment, order_id), currency, gross, refunded, Credit(*credit))
        for moment, order_id, currency, gross, refunded, *credit in session.execute(query)
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


def _total(credits: Iterable[Sums]) -> Sums:
    total = Sums(orders=1)
    for sums in credits:
        total.add(0, sums.gross, sums.refunded)
    return total


def _largest_first(credits: Mapping[Credit, Sums]) -> list[tuple[Credit, Sums]]:
    return sorted(credits.items(), key=lambda each: (-each[1].net, each[0].level or 0, each[0].referral or ""))
