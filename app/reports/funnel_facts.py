"""Counts by what no rollup knows together: several dimensions at once, filters of another one, people. The facts of the
period are counted by the database, and how many these are is known from the rollups before.

Never a wide rollup: one by all dimensions would have as many rows as there are facts (docs/decisions/0018-rollups.md).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    case,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.orm import Session

from app.attribution.engine import DIRECT_NETWORK, UNKNOWN_NETWORK
from app.kernel.http.few import Few
from app.kernel.rollups import reading
from app.kernel.rollups.reading import Counts, Period
from app.referrals.counting import BEACONS
from app.referrals.models import Visit
from app.reports import counted_facts
from app.reports.counted_facts import VISITOR
from app.reports.funnel_asked import SHARER, Question
from app.reports.kept import kept
from app.reports.ledger import NONE
from app.reports.people import Known

MOST: Final = 500_000
"""Facts that are counted for one answer: a second or two, on either database (docs/performance.md)."""
AT_ONCE: Final = Few(2, "Others are having facts counted just now; ask again in a moment.")
"""They may take all that the processors have."""
OF_REFERRALS: Final = frozenset({"likes", "shares", "visits"})
"""What is never of people who came by themselves; another system may tell of it without a network."""
_DROPPED: Final[Mapping[str, frozenset[str]]] = {
    "beacons": frozenset(BEACONS.values()),
    "visits": frozenset({"visits"}),
    "checkouts": frozenset({"checkouts"}),
}
"""What is dropped by age, and as what it is counted."""
_NEVER: Final = 2**62
"""Microseconds."""


class Facts(NamedTuple):
    """Index of the period, values of what is grouped by, and counts; and which counts nobody knows any more."""

    rows: Iterator[tuple[int, tuple[str, ...], Counts]]
    unknown: Collection[str]


class TooManyFacts(ValueError):
    """So many facts would have to be counted."""

    def __init__(self, many: int) -> None:
        super().__init__(many)
        self.many = many


def counted(session: Session, question: Question, periods: Sequence[Period]) -> Facts:
    """What `question` asks of facts in each of `periods`, which follow each other without a gap.

    What is dropped by age is not known where some of the period's may be gone. Raises `TooManyFacts`, and `Unavailable`
    where others have theirs counted.
    """
    whole = periods[0][0], periods[-1][1]
    gone = _gone(session, question, whole)
    unknown = frozenset[str]().union(*(_DROPPED[kind] for kind in gone))
    many = _how_many(session, question, whole, unknown)
    if many > MOST:
        raise TooManyFacts(many)
    asked = {"merchant_id": question.merchant_id, "since": whole[0], "until": whole[1]}
    asked |= {f"{kind}_since": _NEVER if kind in gone else whole[0] for kind in _DROPPED}
    with AT_ONCE:
        query = _query(question, periods, with_beacons="beacons" not in gone)
        found = session.execute(query, {**asked, **counted_facts.bounds(*whole)}).all()
    by_row: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
    for *row, measure, times in found:
        by_row[tuple(row)][measure] = int(times)
    return Facts(((row[0], row[1:], Counts(**counts)) for row, counts in by_row.items()), unknown)


# How many there are.


def _gone(session: Session, question: Question, whole: Period) -> Collection[str]:
    """Of which kinds there were facts in the period that may not be kept any more."""
    found = set[str]()
    for kind, since in kept(session, question.merchant_id, question.beacons_since)._asdict().items():
        if since > whole[0]:
            before = _total(session, question, (whole[0], min(since, whole[1])))
            found |= {kind} if any(before[name] for name in _DROPPED[kind]) else set()
    return found


def _how_many(session: Session, question: Question, whole: Period, unknown: Collection[str]) -> int:
    """About so many facts are looked at: those of the period; and what other systems told of any time, as its ids say
    nothing of when it was. Which referrals are theirs is not known before."""
    here = _total(session, question, whole)
    ever = _total(session, question, reading.extent(session, question.merchant_id) or whole)
    elsewhere = sum(ever[name] - here[name] for name in ("likes", "shares"))
    imported = select(literal(1)).where(Visit.merchant_id == question.merchant_id, text("visits.imported"))
    theirs = session.scalar(select(func.count()).select_from(imported.limit(MOST + 1).subquery())) or 0
    visits = 0 if "visits" in unknown else max(here["visits"], theirs)
    return sum(count for name, count in here.items() if name not in {*unknown, "visits"}) + visits + elsewhere


def _total(session: Session, question: Question, period: Period) -> Mapping[str, int]:
    found = reading.sums(session, question.merchant_id, "total", [period])
    return next(iter(found.values()), Counts())._asdict()


# Their counts.


def _query(question: Question, periods: Sequence[Period], *, with_beacons: bool) -> Select[*tuple[Any, ...]]:
    """Rows of period, values, measure and how many."""
    names = [VISITOR if name == SHARER else name for name in question.counted_by]
    facts = counted_facts.facts(names, with_beacons=with_beacons).subquery("facts").c
    period = _index(facts.starts, periods).label("period")
    values = {name: _named(name, facts[name], facts.measure).label(name) for name in names if name != VISITOR}
    by: list[ColumnElement[Any]] = [values[name] for name in question.by if name != SHARER]
    by += [facts[VISITOR]] if VISITOR in names else []
    columns = [period, *by, facts.measure]
    query = select(*columns, func.count().label("times")).where(*_chosen(question, values)).group_by(*columns)
    return _of_people(question, query.cte("alike")) if VISITOR in names else query


def _of_people(question: Question, alike: FromClause) -> Select[*tuple[Any, ...]]:
    """The same, by the people for whom visitors stand."""
    merchant = literal(question.merchant_id, BigInteger).label("merchant_id")
    visitors = select(alike.c[VISITOR], merchant).where(alike.c[VISITOR] != "").distinct().subquery("visitors").c
    known = Known(question.merchant_id, question.as_of)
    sharer = known.sharer(visitors[VISITOR], visitors.merchant_id).label(SHARER)
    people = select(visitors[VISITOR], sharer).cte("people")
    name = func.coalesce(people.c[SHARER], NONE)
    by = [name if each == SHARER else alike.c[each] for each in question.by]
    columns = [alike.c.period, *by, alike.c.measure]
    query = select(*columns, func.sum(alike.c.times)).group_by(*columns).where(*_chosen(question, {SHARER: name}))
    return query.outerjoin_from(alike, people, people.c[VISITOR] == alike.c[VISITOR])


def _chosen(question: Question, values: Mapping[str, ColumnElement[str]]) -> Iterator[ColumnElement[bool]]:
    yield from (values[name].in_(only) for name, only in question.only.items() if name in values)
    yield from (values[name].not_in(without) for name, without in question.without.items() if name in values)


def _named(dimension: str, value: ColumnElement[str], measure: ColumnElement[str]) -> ColumnElement[str]:
    """By the names that credit has: as rows of rollups are called, too (funnel_counts.py)."""
    nameless: ColumnElement[str] = literal(NONE)
    if dimension == "network":
        nameless = case((measure.in_(OF_REFERRALS), UNKNOWN_NETWORK), else_=DIRECT_NETWORK)
    return case((value == "", nameless), else_=value)


class _Stretch(NamedTuple):
    """Periods that are equally long: the place of the first, its beginning, and how long each is."""

    place: int
    since: int
    width: int


def _index(starts: ColumnElement[int], periods: Sequence[Period]) -> ColumnElement[int]:
    """In which of `periods` a quarter lies: days are equally long, but where clocks are changed."""
    all_of_them = [_Stretch(place, since, until - since) for place, (since, until) in enumerate(periods)]
    changes = [now for then, now in pairwise(all_of_them) if now.width != then.width]
    return _found(starts, [all_of_them[0], *changes])


def _found(starts: ColumnElement[int], stretches: Sequence[_Stretch]) -> ColumnElement[int]:
    """By halves, so that many months cost little more than few."""
    if len(stretches) > 1:
        half = len(stretches) // 2
        later = starts >= stretches[half].since
        return case((later, _found(starts, stretches[half:])), else_=_found(starts, stretches[:half]))
    (only,) = stretches
    return literal(only.place, Integer) + (starts - only.since) // only.width
