"""Reports without small groups: every figure, and every difference of two figures, is of enough people. Pure.

A report that merely leaves out small rows keeps nothing to itself: the total less the rows, or ten days less nine, tell
what was left out. So here a report is put together of parts that never overlap and never change with the question:

* The days of a year fall into **groups**, from the first on: each ends with the day by which enough people are in it.
  It counts on that day, whole. So a period is never told but in whole groups, wherever it begins and ends.
* Where rows tell values apart, groups are larger. In each, a value of too few people is not told apart: it goes into
  the row `(few)`; where that would be of too few, the smallest other value of the group goes there with it.

Whatever is told is a sum of such parts; so is whatever can be reckoned from it. Why so, and what it does not promise:
docs/decisions/0026-small-groups.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.kernel.periods import label

FEW: Final = "(few)"
"""The row of all that is not told apart."""
APART: Final = 10
"""Rows tell values apart only in groups of so many times the threshold: else nearly all would be `(few)`."""

_UTC: Final = ZoneInfo("UTC")


class Figures(NamedTuple):
    """So many people (or orders, which stand for them), and the amounts that they brought."""

    people: int
    amounts: tuple[int, ...] = ()


class Row(NamedTuple):
    """What is told of a value, and of a day, week or month; empty where rows are not by one."""

    value: str
    when: str
    figures: Figures


@dataclass(frozen=True)
class Days:
    """What happened on each day (as a date, `2026-11-22`), in one currency: all of it, and by value where rows are by
    one. Somebody may stand under several values, but only on one day."""

    whole: Mapping[str, Figures]
    values: Mapping[str, Mapping[str, Figures]] | None = None


class Told(NamedTuple):
    """Rows in order of time, then by value, and their total: they add up to it, but for who stands in several."""

    rows: Sequence[Row]
    total: Figures | None


def told(days: Days, threshold: int, since: str, until: str, unit: str | None = None) -> Told:
    """What may be told of `since <= day < until`, by `unit` (day, week, month) where there is one.

    `days` begins with the first day of the year of `since`, or before; days that are not over are not in it.
    """
    rows: dict[tuple[str, str], Figures] = {}
    total: Figures | None = None
    for group in _groups(days, threshold):
        if not since <= group[-1] < until:
            continue
        when = _label(group[-1], unit) if unit is not None else ""
        whole = _sum(days.whole[day] for day in group)
        total = whole if total is None else _sum([total, whole])
        for value, figures in _parted(days, group, whole, threshold).items():
            known = rows.get((when, value))
            rows[when, value] = figures if known is None else _sum([known, figures])
    return Told([Row(value, when, figures) for (when, value), figures in sorted(rows.items())], total)


def _groups(days: Days, threshold: int) -> Iterator[list[str]]:
    """Days in a row with enough people in them. What is left at the end of a year is in none."""
    several = APART if days.values is not None and threshold > 1 else 1
    group: list[str] = []
    people = part = 0
    for day in sorted(days.whole):
        if group and group[-1][:4] != day[:4]:
            group, people, part = [], 0, 0
        group.append(day)
        part += days.whole[day].people
        if part >= max(threshold, 1):  # the larger groups are made of the smaller ones, so neither cuts the other
            people, part = people + part, 0
            if people >= threshold * several:
                yield group
                group, people = [], 0


def told_apart(values: Mapping[str, Figures], whole: Figures, threshold: int) -> dict[str, Figures]:
    """Each value of enough people, and all others together as `FEW`. `whole`, of enough people, is all of them."""
    apart = {value for value, figures in values.items() if figures.people >= threshold and value != FEW}
    few = values.keys() - apart
    if few and _at_least(values, apart, few, whole) < threshold:
        smallest = min(apart, key=lambda value: (values[value].people, value))
        apart.remove(smallest)
        few.add(smallest)
    told = {value: values[value] for value in sorted(apart)}
    if few:
        together = _sum(values[value] for value in few)
        told[FEW] = together._replace(people=min(together.people, whole.people))
    return told


def _parted(days: Days, group: Sequence[str], whole: Figures, threshold: int) -> dict[str, Figures]:
    return {"": whole} if days.values is None else told_apart(_by_value(days.values, group), whole, threshold)


def _at_least(values: Mapping[str, Figures], apart: Iterable[str], few: Iterable[str], whole: Figures) -> int:
    """How many different people are among the few at least: somebody may stand under several values."""
    elsewhere = sum(values[value].people for value in apart)
    return max(whole.people - elsewhere, *(values[value].people for value in few))


def _by_value(values: Mapping[str, Mapping[str, Figures]], group: Sequence[str]) -> dict[str, Figures]:
    found: dict[str, list[Figures]] = defaultdict(list)
    for day in group:
        for value, figures in values.get(day, {}).items():
            found[value].append(figures)
    return {value: _sum(each) for value, each in found.items()}


def _sum(figures: Iterable[Figures]) -> Figures:
    each = list(figures)
    amounts = zip(*(one.amounts for one in each), strict=True)
    return Figures(sum(one.people for one in each), tuple(sum(amount) for amount in amounts))


def _label(day: str, unit: str) -> str:
    return label(datetime.combine(date.fromisoformat(day), time(12), UTC), _UTC, unit)
