"""Periods as spans (app/kernel/rollups/reading.py): every quarter of an hour exactly once, in few parts."""

import random
from collections import Counter

import pytest

from app.kernel.rollups.reading import Part, parts
from app.kernel.rollups.tables import QUARTER, SPANS

HOUR, DAY = SPANS[1], SPANS[2]


def quarters(found: list[Part]) -> Counter[int]:
    """How often each quarter is counted, added up."""
    times: Counter[int] = Counter()
    for part in found:
        assert part.since % part.width == part.until % part.width == 0
        for starts in range(part.since // QUARTER, part.until // QUARTER):
            times[starts] += part.times
    return Counter({starts: count for starts, count in times.items() if count})


def spans(found: list[Part]) -> int:
    """How many rows of one value are read."""
    return sum((part.until - part.since) // part.width for part in found)


def test_every_quarter_of_a_period_counts_once_and_no_other() -> None:
    chance = random.Random(18)
    for _ in range(2000):
        since = chance.randrange(0, 200 * 96)
        until = since + chance.choice([0, 1, 2, 3, 5, 96, 97, 1536, chance.randrange(1, 5000)])
        expected = Counter(dict.fromkeys(range(since, until), 1))
        assert expected == quarters(parts(since * QUARTER, until * QUARTER)), (since, until)


@pytest.mark.parametrize(
    ("offset", "most"), [(0, 1), (1 * HOUR, 3), (-5 * HOUR, 11), (23 * QUARTER, 15), (51 * QUARTER, 27)]
)
def test_a_day_of_any_zone_is_few_spans(offset: int, most: int) -> None:
    for day in range(40):
        found = parts(day * DAY + 400 * DAY + offset, (day + 1) * DAY + 400 * DAY + offset)
        assert most >= spans(found)


def test_thirty_years_are_few_spans_whenever_they_begin() -> None:
    chance = random.Random(30)
    for _ in range(100):
        since = chance.randrange(96 * 365) * QUARTER
        assert 760 >= spans(parts(since, since + 30 * 365 * DAY))


def test_what_is_not_whole_quarters_is_refused() -> None:
    for period in ((1, QUARTER), (0, QUARTER + 1)):
        with pytest.raises(ValueError, match="whole"):
            parts(*period)
