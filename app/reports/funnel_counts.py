"""How many the funnel tells of: from the rollups, which know one dimension at a time, else from the facts themselves
(funnel_facts.py), under the names that credit has for everything."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.attribution.engine import DIRECT_NETWORK, UNKNOWN_NETWORK
from app.kernel.clock import from_micros, to_micros
from app.kernel.periods import QUARTER, cut, label
from app.kernel.rollups import reading
from app.kernel.rollups.reading import Counts, Period
from app.kernel.rollups.tables import Dimension
from app.reports import funnel_facts
from app.reports.funnel_asked import Question, up
from app.reports.ledger import NONE

NOTHING: Final = Counts()
MOST_PERIODS: Final = 4_000
"""Days, weeks or months that are told apart: eleven years of days."""

_NAMELESS: Final = frozenset({NONE, DIRECT_NETWORK, UNKNOWN_NETWORK})
_DAY: Final = 96 * QUARTER
_WIDTHS: Final = {"day": _DAY, "week": 7 * _DAY, "month": 30 * _DAY}
_UTC: Final = ZoneInfo("UTC")

Names = Mapping[str, str]
"""Of a part of the period: what its day, week and month are called."""


class Told(NamedTuple):
    """Counts by the names of what is grouped by, and which of them nobody knows any more."""

    counts: Mapping[tuple[str, ...], Counts]
    unknown: Collection[str] = frozenset()


def counted(session: Session, question: Question) -> Told:
    """What was counted, in each row. Raises `TooMany`, `TooManyFacts`, and `Unavailable` where others have facts
    counted."""
    names, periods = _periods(question, reading.extent(session, question.merchant_id))
    if not periods:
        return Told({})
    found: dict[tuple[str, ...], Counts] = defaultdict(Counts)
    if question.dimension is None:
        facts = funnel_facts.counted(session, question, periods)
        for index, values, counts in facts.rows:
            row = _row(question, names[index], dict(zip(question.by, values, strict=True)))
            found[row] = added(found[row], counts)
        return Told(found, facts.unknown)
    for index, shown, counts in _of_rollups(session, question, question.dimension, periods):
        row = _row(question, names[index], dict.fromkeys(question.by, shown))
        found[row] = added(found[row], counts)
    return Told(found)


def added(one: Counts, other: Counts) -> Counts:
    """Both together."""
    return Counts(*(mine + more for mine, more in zip(one, other, strict=True)))


def _row(question: Question, names: Names, values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names[name] if name in names else values[name] for name in question.group_by)


def _of_rollups(
    session: Session, question: Question, dimension: Dimension, periods: Sequence[Period]
) -> Iterator[tuple[int, str, Counts]]:
    only, without = question.only.get(dimension), question.without.get(dimension, ())
    asked = None if only is None else {*only, *("" for name in only if name in _NAMELESS)}
    found = reading.sums(session, question.merchant_id, dimension, periods, asked)
    for (index, value), of_value in found.items():
        for shown, counts in _shown(dimension, value, of_value):
            if shown not in without and (only is None or shown in only):
                yield index, shown, counts


def _shown(dimension: str, value: str, counts: Counts) -> Iterator[tuple[str, Counts]]:
    """What was counted under `value`, by the names that credit has for it. Without a network are people who came by
    themselves, whose orders are direct (attribution.md, rule 6), and what was told without one (rule 7)."""
    if value or dimension != "network":
        yield value or NONE, counts
        return
    told = counts._asdict()
    parts = {
        UNKNOWN_NETWORK: {name: count for name, count in told.items() if name in funnel_facts.OF_REFERRALS},
        DIRECT_NETWORK: {name: count for name, count in told.items() if name not in funnel_facts.OF_REFERRALS},
    }
    yield from ((name, Counts(**part)) for name, part in parts.items() if any(part.values()))


# Days, weeks and months of a time zone, in quarters of an hour.


def _periods(question: Question, extent: Period | None) -> tuple[Sequence[Names], Sequence[Period]]:
    """The parts of the period that make rows of their own, with their names; outside of `extent` nothing was counted,
    so there are none, however long the period."""
    since, until = to_micros(question.since), to_micros(question.until)
    if extent is None or extent[1] <= since or until <= extent[0]:
        return (), ()
    whole = max(since, extent[0]), min(until, extent[1])
    units = question.units
    if not units:
        return ({},), (whole,)
    narrowest = units[0] if len(units) == 1 else "day"  # a week may begin in one month and end in another
    if (whole[1] - whole[0]) // _WIDTHS[narrowest] > MOST_PERIODS:
        raise TooMany(narrowest)
    names, periods = _cut(whole, question.zone, narrowest)
    return [{unit: _label(name, unit) for unit in units} for name in names], periods


def _cut(whole: Period, zone: ZoneInfo, unit: str) -> tuple[Sequence[str], Sequence[Period]]:
    """A quarter belongs to the day in which it begins."""
    labels: list[str] = []
    periods: list[Period] = []
    edge = whole[0]
    for name, _, until in cut(from_micros(whole[0]), from_micros(whole[1]), zone, unit):
        end = up(to_micros(until))
        if edge < end:  # in some zones, a midnight once came twice
            labels.append(name)
            periods.append((edge, end))
            edge = end
    return labels, periods


def _label(day: str, unit: str) -> str:
    return label(datetime.combine(date.fromisoformat(day), time(12), UTC), _UTC, unit)


class TooMany(ValueError):
    """More than `MOST_PERIODS` of `unit` would be told apart."""

    def __init__(self, unit: str) -> None:
        super().__init__(unit)
        self.unit = unit
