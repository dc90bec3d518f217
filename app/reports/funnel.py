"""The funnel: what was seen, said, visited, begun and bought, by one dimension and over time.

Counts are read from the rollups (app/kernel/rollups), so an answer costs what it shows; orders and net are sums of
credit lines, as in the attribution report. Each fact counts once under each dimension.
Counts have no currency. All of them stand in the rows of the merchant's own, or of the one that is asked for: those add
up to its total. They are told once more beside what was sold in another.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.attribution.engine import DIRECT_NETWORK, UNKNOWN_NETWORK
from app.attribution.policies import CURRENT
from app.kernel.clock import from_micros, to_micros
from app.kernel.periods import QUARTER, cut
from app.kernel.rollups import reading
from app.kernel.rollups.reading import Counts, Period
from app.kernel.rollups.tables import DIMENSIONS as COUNTED
from app.kernel.rollups.tables import Dimension
from app.reports import attribution, ledger
from app.reports.asked import Asked
from app.reports.ledger import NONE, UNITS

BY: Final[tuple[Dimension, ...]] = tuple(name for name in COUNTED if name != "total")
DIMENSIONS: Final = (*BY, *UNITS)
NOTHING: Final = Counts()
MOST_PERIODS: Final = 4_000
"""Days, weeks or months that are told apart: eleven years of days."""
_OF_REFERRALS: Final = frozenset({"likes", "shares", "visits"})
"""What is never of people who came by themselves; another system may tell of it without a network."""


@dataclass(frozen=True, kw_only=True)
class Question(Asked):
    """What is asked of the funnel. The period is whole quarters of an hour; `only` and `without` are about one
    dimension, the one that is grouped by where there is one."""

    own_currency: str
    by: Dimension | None = None
    unit: str | None = None
    policy: str = CURRENT

    @property
    def group_by(self) -> tuple[str, ...]:
        return tuple(name for name in (self.by, self.unit) if name is not None)

    @property
    def dimension(self) -> Dimension:
        """The one under which all that is asked is counted."""
        filtered = next((name for name in BY if name in self.only or name in self.without), None)
        return self.by or filtered or "total"


@dataclass
class Step:
    """What is told of a row: counts, distinct orders, and their net in minor units of the row's currency."""

    counts: Counts = NOTHING
    orders: int = 0
    net: int = 0


@dataclass(frozen=True)
class Report:
    """Rows by their dimensions and currency, in order of currency, time, and then most visits first; a total for the
    merchant's own currency, and for each in which something was sold."""

    rows: Sequence[tuple[Mapping[str, str], str, Step]]
    totals: Mapping[str, Step]


@dataclass
class _Row:
    """All currencies of one combination of dimensions."""

    counts: Counts = NOTHING
    sales: dict[str, ledger.Sums] = field(default_factory=dict)

    def steps(self, own_currency: str) -> Iterator[tuple[str, Step]]:
        if any(self.counts) and own_currency not in self.sales:
            yield own_currency, Step(self.counts)
        for currency, sums in self.sales.items():
            yield currency, Step(self.counts, sums.orders, sums.net)


def answer(session: Session, question: Question) -> Report:
    """The funnel that `question` asks for. Raises `TooMany`."""
    grouped: dict[tuple[str, ...], _Row] = defaultdict(_Row)
    total = _Row()
    for names, counts in _counted(session, question):
        grouped[names].counts = _sum(grouped[names].counts, counts)
        total.counts = _sum(total.counts, counts)
    credit = attribution.answer(session, _credit(question))
    for row in credit.rows:
        grouped[tuple(row.dimensions[name] for name in question.group_by)].sales[row.currency] = row.sums
    total.sales |= credit.totals
    own = question.currency or question.own_currency
    rows = [
        (dict(zip(question.group_by, names, strict=True)), currency, step)
        for names, row in grouped.items()
        for currency, step in row.steps(own)
    ]
    rows.sort(key=lambda row: place(question.unit, row))
    return Report(rows, {own: Step(), **dict(total.steps(own))})


def _counted(session: Session, question: Question) -> Iterator[tuple[tuple[str, ...], Counts]]:
    """What was counted, under the names of the row where it belongs."""
    dimension = question.dimension
    labels, periods = _periods(question, reading.extent(session, question.merchant_id))
    only, without = question.only.get(dimension), question.without.get(dimension, ())
    asked = None if only is None else {*only, *("" for name in only if name in _NAMELESS)}
    found = reading.sums(session, question.merchant_id, dimension, periods, asked)
    for (index, value), of_value in found.items():
        for shown, counts in _shown(dimension, value, of_value):
            if shown not in without and (only is None or shown in only):
                names = {question.by: shown, question.unit: labels[index]}
                yield tuple(names[name] for name in question.group_by), counts


def _credit(question: Question) -> ledger.Question:
    asked = {name: getattr(question, name) for name in Asked.__dataclass_fields__}
    return ledger.Question(**asked, group_by=question.group_by, policy=question.policy)


def place(unit: str | None, row: tuple[Mapping[str, str], str, Step]) -> tuple[object, ...]:
    """What is less stands before: by currency, time, most visits, most net, and name."""
    names, currency, step = row
    when = names[unit] if unit is not None else ""
    return (currency, when, -step.counts.visits, -step.net, tuple(names.values()))


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(*(mine + more for mine, more in zip(one, other, strict=True)))


_NAMELESS: Final = frozenset({NONE, DIRECT_NETWORK, UNKNOWN_NETWORK})


def _shown(dimension: str, value: str, counts: Counts) -> Iterator[tuple[str, Counts]]:
    """What was counted under `value`, by the names that credit has for it. Without a network are people who came by
    themselves, whose orders are direct (attribution.md, rule 6), and what was told without one (rule 7)."""
    if value or dimension != "network":
        yield value or NONE, counts
        return
    parts = {
        UNKNOWN_NETWORK: {name: count for name, count in counts._asdict().items() if name in _OF_REFERRALS},
        DIRECT_NETWORK: {name: count for name, count in counts._asdict().items() if name not in _OF_REFERRALS},
    }
    yield from ((name, Counts(**part)) for name, part in parts.items() if any(part.values()))


# Days, weeks and months of a time zone, in quarters of an hour.


def _periods(question: Question, extent: Period | None) -> tuple[Sequence[str], Sequence[Period]]:
    """The parts of the period that make rows of their own, with their names; outside of `extent` nothing was counted,
    so there are none, however long the period."""
    since, until = to_micros(question.since), to_micros(question.until)
    if extent is None or extent[1] <= since or until <= extent[0]:
        return (), ()
    whole = max(since, extent[0]), min(until, extent[1])
    if question.unit is None:
        return ("",), (whole,)
    if (whole[1] - whole[0]) // _WIDTHS[question.unit] > MOST_PERIODS:
        raise TooMany(question.unit)
    return _cut(whole, question.zone, question.unit)


_DAY: Final = 96 * QUARTER
_WIDTHS: Final = {"day": _DAY, "week": 7 * _DAY, "month": 30 * _DAY}


def _cut(whole: Period, zone: ZoneInfo, unit: str) -> tuple[Sequence[str], Sequence[Period]]:
    """A quarter belongs to the day in which it begins."""
    labels: list[str] = []
    periods: list[Period] = []
    edge = whole[0]
    for name, _, until in cut(from_micros(whole[0]), from_micros(whole[1]), zone, unit):
        end = _up(to_micros(until))
        if edge < end:  # in some zones, a midnight once came twice
            labels.append(name)
            periods.append((edge, end))
            edge = end
    return labels, periods


def _up(micros: int) -> int:
    """The beginning of a quarter, not before."""
    return -(-micros // QUARTER) * QUARTER


def whole_quarters(since: datetime, until: datetime, now: datetime, said: Collection[str]) -> tuple[datetime, datetime]:
    """The period in whole quarters of an hour. Where `to` was not `said`, it is the end of the quarter that is running;
    `from`, its beginning. An end that is not over yet is rounded up, which changes nothing.

    Raises `NotWhole` for any other that was said and lies within a quarter.
    """
    begin, end = to_micros(since), to_micros(until)
    if "from" in said and begin % QUARTER:
        raise NotWhole("from", begin)
    if "to" not in said:
        end += 1
    elif until < now and end % QUARTER:
        raise NotWhole("to", end)
    return from_micros(begin // QUARTER * QUARTER), from_micros(_up(end))


class TooMany(ValueError):
    """More than `MOST_PERIODS` of `unit` would be told apart."""

    def __init__(self, unit: str) -> None:
        super().__init__(unit)
        self.unit = unit


class NotWhole(ValueError):
    """A moment within a quarter of an hour, `before` and `after` it the nearest that can be asked for."""

    def __init__(self, name: str, micros: int) -> None:
        super().__init__(name)
        self.name = name
        self.before = from_micros(micros // QUARTER * QUARTER)
        self.after = from_micros(micros // QUARTER * QUARTER + QUARTER)
