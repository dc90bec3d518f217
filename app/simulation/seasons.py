"""When things happen: days of a merchant's time zone, how much happens on each, and at which hour. Pure.

A day is the merchant's own, from midnight to midnight, so that what happened on it is known without asking when it was
in UTC; the two days of a year on which clocks are changed are an hour shorter and longer.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from app.kernel.clock import to_micros
from app.kernel.money import split_integers
from app.simulation.chance import Chance, Ints
from app.simulation.options import Options

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
_OF_WEEK = (90, 88, 94, 100, 116, 132, 120)
_HOURS = np.array(
    [6, 3, 2, 1, 1, 2, 5, 12, 20, 26, 30, 34, 40, 36, 32, 33, 36, 42, 50, 60, 66, 58, 40, 18], dtype=float
)
_HOLIDAYS = (((11, 20), (11, 30), 170), ((12, 1), (12, 23), 190), ((12, 24), (12, 26), 40), ((12, 31), (12, 31), 60))
_MORE_HOLIDAYS = (((1, 1), (1, 1), 45), ((2, 8), (2, 14), 140), ((5, 1), (5, 1), 60), ((8, 1), (8, 20), 80))
_LAST_MINUTE: Final = 60 * SECOND


class Span(NamedTuple):
    """A merchant's day: from `start` until before `end` (microseconds since 1970, UTC)."""

    number: int  # from 0
    date: date
    start: int
    end: int


class Quota(NamedTuple):
    """How much happens on a day."""

    visits: int
    likes: int
    shares: int
    beacons: int
    orders: int


def days(options: Options, zone: ZoneInfo) -> Iterator[Span]:
    """The days of the world, as they are there."""
    for number in range(options.days):
        day = options.first_day + timedelta(days=number)
        midnights = (datetime.combine(each, time.min, zone) for each in (day, day + timedelta(days=1)))
        start, end = (to_micros(each) for each in midnights)
        yield Span(number, day, start, end)


def quotas(options: Options, facts: int, orders: int) -> list[Quota]:
    """How `facts` and `orders` of one merchant come over the days. They add up exactly."""
    weights = [_weight(options, number) for number in range(options.days)]
    sold = split_integers(orders, weights)
    return [_quota(all_of_it, sales) for all_of_it, sales in zip(split_integers(facts, weights), sold, strict=True)]


def shares_of_merchants(total: int, merchants: int) -> list[int]:
    """How a total is divided among so many merchants: the first is the largest. They add up exactly."""
    return split_integers(total, [1_000_000 // (number + 1) for number in range(merchants)])


def moments(span: Span, count: int, chance: Chance) -> Ints:
    """So many moments of the day, more of them when people are awake; none in its last minute."""
    hours = chance.choose(_HOURS, count) + chance.uniform(count)
    return span.start + (hours / len(_HOURS) * (span.end - span.start - _LAST_MINUTE)).astype(np.int64)


def after(moments: Ints, wait: Ints, span: Span, chance: Chance) -> Ints:
    """A while after each of `moments`, `wait` long where the day is; where it would be over, any time until then."""
    left = span.end - moments
    cut = (chance.uniform(len(moments)) * (left - 1)).astype(np.int64)
    return moments + np.where(wait < left, wait, cut)


def label(day: date, unit: str) -> str:
    """The day, week (its Monday) or month (its first day), as reports name it."""
    if unit == "week":
        day -= timedelta(days=day.weekday())
    return (day.replace(day=1) if unit == "month" else day).isoformat()


def _quota(facts: int, orders: int) -> Quota:
    visits, likes, shares, beacons = split_integers(facts, (22, 5, 4, 69))
    if not likes + shares:  # where nobody passes the word on, nobody can follow it
        visits, shares = (visits - 1, 1) if visits else (0, 0)
    return Quota(visits, likes, shares, beacons, orders)


def _weight(options: Options, number: int) -> int:
    day = options.first_day + timedelta(days=number)
    weight = _OF_WEEK[day.weekday()] * (60 + 80 * number // options.days)
    for begin, end, percent in (*_HOLIDAYS, *_MORE_HOLIDAYS):
        if begin <= (day.month, day.day) <= end:
            weight = weight * percent // 100
    return weight
