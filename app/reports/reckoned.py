"""What the counts should be by the facts, and where they differ: one statement, so one moment of everything.

Facts and what they add to the counts are committed together (app/kernel/rollups/appending). So at every moment the
counts and what is not folded yet are as many as the facts, and a difference, once found, stays the same whatever is
written meanwhile: until somebody mends it.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, CompoundSelect, Select, case, func, literal, select, union_all
from sqlalchemy.orm import Session

from app.kernel.database import table_of
from app.kernel.rollups.appending import Change
from app.kernel.rollups.tables import DIMENSIONS, MEASURES, QUARTER, SPANS, Rollup, RollupDelta
from app.referrals.counting import BEACONS
from app.reports import counted_facts
from app.reports.counted_facts import words


class Span(NamedTuple):
    """A wider span whose counts are not those of its quarters, and by how much they are too few."""

    dimension: str
    width: int
    starts: int
    value: str
    counts: tuple[int, ...]


def differences(
    session: Session,
    merchant_id: int,
    since: int,
    until: int,
    beacons_since: int,
    visits_since: int = 0,
    checkouts_since: int = 0,
) -> list[Change]:
    """What must be added to the counts of the quarters that begin in `since <= t < until` to make them those of the
    facts, in microseconds since 1970. Of what may have been dropped only as far as it is kept (`reports/kept`)."""
    times = {"beacons_since": beacons_since, "visits_since": visits_since, "checkouts_since": checkouts_since}
    asked = {"merchant_id": merchant_id, "since": since, "until": until, **times}
    found = session.execute(_DIFFERENCES, {**asked, **counted_facts.bounds(since, until)})
    return [Change(merchant_id, row[0], row[1], row[2], _whole(row[3:])) for row in found]


def uneven(session: Session, merchant_id: int) -> list[Span]:
    """The wider spans that are not the sum of their quarters: whoever folds changes all of them at once."""
    found = session.execute(_UNEVEN, {"merchant_id": merchant_id})
    return [Span(row[0], row[1], row[2], row[3], _whole(row[4:])) for row in found]


def _whole(counts: Iterable[Any]) -> tuple[int, ...]:
    return tuple(map(int, counts))


# Counts by the facts, less the counts that stand.


def _by_facts() -> Iterator[Select[*tuple[Any, ...]]]:
    facts = counted_facts.facts().cte("facts")
    alike = select(*facts.c, func.count().label("times")).group_by(*facts.c).cte("alike")
    for dimension in DIMENSIONS:
        value = words(literal("")) if dimension == "total" else alike.c[dimension]
        counts = (func.sum(case((alike.c.measure == name, alike.c.times), else_=0)) for name in MEASURES)
        about = (alike.c.starts, words(literal(dimension)).label("dimension"), value.label("value"))
        query = select(*about, *(count.label(name) for count, name in zip(counts, MEASURES, strict=True)))
        yield query.group_by(alike.c.starts, *([] if dimension == "total" else [value]))


def _standing(mapped: type[Rollup] | type[RollupDelta]) -> Select[*tuple[Any, ...]]:
    counts = table_of(mapped).c
    dropped: dict[str, Any] = dict.fromkeys(BEACONS.values(), counted_facts.beacons_since)
    dropped |= {"visits": counted_facts.visits_since, "checkouts": counted_facts.checkouts_since}
    less = (
        case((counts.starts >= dropped[name], -counts[name]), else_=0) if name in dropped else -counts[name]
        for name in MEASURES
    )
    query = select(counts.starts, words(counts.dimension), counts.value, *less)
    return query.where(
        counts.merchant_id == counted_facts.merchant_id,
        counts.starts >= counted_facts.since,
        counts.starts < counted_facts.until,
    )


def _different(parts: CompoundSelect[*tuple[Any, ...]], about: Collection[str]) -> Select[*tuple[Any, ...]]:
    all_of = parts.subquery("all_of").c
    sums = [func.sum(all_of[name]) for name in MEASURES]
    names = [all_of[name] for name in about]
    some = sums[0] != 0
    for each in sums[1:]:
        some |= each != 0
    return select(*names, *sums).group_by(*names).having(some).order_by(*names)


def _of_quarters() -> Select[*tuple[Any, ...]]:
    rollups = table_of(Rollup).c
    return _standing(Rollup).where(rollups.dimension.in_(DIMENSIONS), rollups.span == QUARTER)


def _of_spans() -> Iterator[Select[*tuple[Any, ...]]]:
    rollups = table_of(Rollup).c
    ours = (rollups.merchant_id == counted_facts.merchant_id, rollups.dimension.in_(DIMENSIONS))
    for width in SPANS[1:]:
        starts = rollups.starts - rollups.starts % width
        about = (rollups.dimension, literal(width, BigInteger).label("width"), starts.label("starts"), rollups.value)
        counts = (rollups[name].label(name) for name in MEASURES)
        yield select(*about, *counts).where(*ours, rollups.span == QUARTER)
    wide = (rollups.dimension, rollups.span, rollups.starts, rollups.value)
    yield select(*wide, *(-rollups[name] for name in MEASURES)).where(*ours, rollups.span.in_(SPANS[1:]))


_DIFFERENCES: Final = _different(
    union_all(*_by_facts(), _of_quarters(), _standing(RollupDelta)), ("starts", "dimension", "value")
)
_UNEVEN: Final = _different(union_all(*_of_spans()), ("dimension", "width", "starts", "value"))
