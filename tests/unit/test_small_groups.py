"""Small groups: who asks as often as they like, and subtracts, never learns of fewer people than the threshold."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.privacy.small_groups import LARGEST, USUAL, shown, threshold_of, whole_groups
from app.reports.suppression import APART, FEW, Days, Figures, Row, told

FIRST = date(2026, 12, 20)
"""Days of these tests go over the end of a year."""


@pytest.mark.parametrize(
    ("expected", "people", "threshold"),
    [(0, 0, 5), (None, 1, 5), (None, 4, 5), (5, 5, 5), (6, 6, 5), (1, 1, 1), (1, 1, 0), (None, 99, LARGEST)],
)
def test_fewer_people_than_the_threshold_are_a_few(expected: int | None, people: int, threshold: int) -> None:
    assert expected == shown(people, threshold)


def test_a_merchant_who_said_nothing_has_the_usual_threshold() -> None:
    assert (USUAL, 0, 7) == (threshold_of(None), threshold_of(0), threshold_of(7))


@pytest.mark.parametrize(
    ("expected", "people", "threshold"),
    [
        (0, "", 5),
        (0, "abcd", 5),
        (5, "abcde", 5),
        (5, "abcdefgh", 5),
        (10, "abcdefghij", 5),
        (0, "aaaaaaaaaa", 2),  # one person who buys ten times is one person
        (4, "aaabbb", 2),
        (3, "abc", 1),
        (3, "aaa", 0),
    ],
)
def test_amounts_are_told_by_whole_groups_of_different_people(expected: int, people: str, threshold: int) -> None:
    assert expected == whole_groups(people, threshold)


@given(st.lists(st.integers(0, 12), max_size=60), st.integers(0, 6))
def test_what_is_told_later_differs_by_whole_groups(people: Sequence[int], threshold: int) -> None:
    lengths = sorted({whole_groups(people[:end], threshold) for end in range(len(people) + 1)})
    grown = [set(people[before:after]) for before, after in pairwise(lengths)]
    assert all(len(group) >= threshold for group in grown)


Order = tuple[int, tuple[str, ...]]
"""On which day, and under which values: several where its credit is divided."""


@st.composite
def orders(draw: st.DrawFn) -> list[Order]:
    """Orders of a few weeks; most have one value. The first values are common, the last are rare."""
    value = st.sampled_from("aaaaaabbbbccd")
    values = st.lists(value, min_size=1, max_size=2, unique=True).map(tuple)
    return draw(st.lists(st.tuples(st.integers(0, 24), values), max_size=90))


def amounts(made: Sequence[Order], apart: bool) -> Days:
    """Each order is worth a power of two (and of its values the first has all of it), so that a sum of money tells
    which orders it is of."""
    whole: dict[str, Figures] = defaultdict(lambda: Figures(0, (0,)))
    values: dict[str, dict[str, Figures]] = defaultdict(lambda: defaultdict(lambda: Figures(0, (0,))))
    for number, (day, under) in enumerate(made):
        on = (FIRST + timedelta(days=day)).isoformat()
        for row, key, worth in [(whole, on, 1), *((values[on], value, value == under[0]) for value in under)]:
            people, (net,) = row[key]
            row[key] = Figures(people + 1, (net + (1 << number) * worth,))
    return Days(whole, values if apart else None)


def asked(made: Sequence[Order], threshold: int, apart: bool) -> Iterator[tuple[Sequence[Row], Figures]]:
    """All answers to all questions: every period, in one row or by day, week or month."""
    days = amounts(made, apart)
    dates = [(FIRST + timedelta(days=day)).isoformat() for day in range(26)]
    for since, until in combinations(dates, 2):
        # Who asks for a year gets that year's days, from its first on.
        seen = {day: figures for day, figures in days.whole.items() if day[:4] >= since[:4] and day < until}
        known = Days(seen, days.values)
        for unit in (None, "day", "week"):
            rows, total = told(known, threshold, since, until, unit)
            if total is not None:
                yield rows, total


@settings(max_examples=30, deadline=None)
@given(orders(), st.integers(2, 4), st.booleans())
def test_no_two_answers_differ_by_fewer_people_than_the_threshold(
    made: list[Order], threshold: int, apart: bool
) -> None:
    """By day and by value, of every period: whatever is told, and whatever one gets by taking one from another."""
    sums = {total.amounts[0] for _, total in asked(made, threshold, apart)}
    if not apart or all(len(under) == 1 for _, under in made):
        sums |= {row.figures.amounts[0] for rows, _ in asked(made, threshold, apart) for row in rows}
    assert all(told_of.bit_count() >= threshold for told_of in sums)
    for one, other in combinations(sums, 2):
        if one & other in (one, other):  # the one is a part of the other: they can be subtracted
            assert (one ^ other).bit_count() >= threshold


@settings(max_examples=30, deadline=None)
@given(orders(), st.integers(2, 4))
def test_totals_by_value_and_totals_by_time_cannot_be_subtracted_either(made: list[Order], threshold: int) -> None:
    sums = {total.amounts[0] for apart in (True, False) for _, total in asked(made, threshold, apart)}
    for one, other in combinations(sums, 2):
        if one & other in (one, other):
            assert (one ^ other).bit_count() >= threshold


@settings(max_examples=30, deadline=None)
@given(orders(), st.integers(0, 4))
def test_rows_add_up_to_their_total(made: list[Order], threshold: int) -> None:
    for apart in (True, False):
        for rows, total in asked(made, threshold, apart):
            assert total.amounts == (sum(row.figures.amounts[0] for row in rows),)
            assert total.people <= sum(row.figures.people for row in rows)


def on(day: str, **values: int) -> tuple[str, dict[str, Figures]]:
    return day, {value: Figures(people, (100 * people,)) for value, people in values.items()}


def days_of(*days: tuple[str, dict[str, Figures]]) -> Days:
    whole = {day: Figures(sum(each.people for each in values.values())) for day, values in days}
    net = {day: whole[day]._replace(amounts=(100 * whole[day].people,)) for day in whole}
    return Days(net, dict(days))


def test_a_value_of_too_few_people_goes_into_a_row_with_others() -> None:
    days = days_of(on("2026-11-02", whatsapp=40, x=7, mastodon=3, email=2))
    expected = [
        Row(FEW, "", Figures(5, (500,))),
        Row("whatsapp", "", Figures(40, (4000,))),
        Row("x", "", Figures(7, (700,))),
    ]
    assert expected == told(days, 5, "2026-11-01", "2026-12-01").rows


def test_one_value_of_too_few_people_takes_the_smallest_other_one_with_it() -> None:
    days = days_of(on("2026-11-02", whatsapp=42, x=7, mastodon=1))
    expected = [Row(FEW, "", Figures(8, (800,))), Row("whatsapp", "", Figures(42, (4200,)))]
    assert expected == told(days, 5, "2026-11-01", "2026-12-01").rows


def test_who_stands_under_several_values_is_not_taken_for_several_people() -> None:
    whole = {"2026-11-02": Figures(50, (5000,))}
    # All fifty came by WhatsApp, and the same three also by X and by email: six by name, three people.
    values = {"whatsapp": Figures(50, (4400,)), "x": Figures(3, (300,)), "email": Figures(3, (300,))}
    answer = told(Days(whole, {"2026-11-02": values}), 5, "2026-11-01", "2026-12-01")
    assert [Row(FEW, "", Figures(50, (5000,)))] == answer.rows


def test_a_group_counts_on_the_day_on_which_it_became_whole() -> None:
    days = Days({f"2026-11-0{day}": Figures(2, (day,)) for day in range(1, 8)})
    assert (None, Figures(6, (6,))) == (
        told(days, 5, "2026-11-01", "2026-11-03").total,
        told(days, 5, "2026-11-03", "2026-11-06").total,
    )
    by_day = told(days, 5, "2026-11-01", "2026-11-08", "day").rows
    assert [Row("", "2026-11-03", Figures(6, (6,))), Row("", "2026-11-06", Figures(6, (15,)))] == by_day
    by_week = told(days, 5, "2026-11-01", "2026-11-08", "week").rows
    assert [Row("", "2026-11-02", Figures(12, (21,)))] == by_week
    assert ["2026-11-01"] == [row.when for row in told(days, 5, "2026-11-01", "2026-11-08", "month").rows]


def test_what_is_left_of_a_year_is_not_told_with_the_next() -> None:
    days = Days({"2026-12-30": Figures(4, (4,)), "2027-01-01": Figures(4, (40,)), "2027-01-02": Figures(1, (100,))})
    assert Figures(5, (140,)) == told(days, 5, "2026-01-01", "2027-02-01").total


def test_values_are_told_apart_only_in_groups_that_are_large_enough() -> None:
    days = [on(f"2026-11-{day:02}", whatsapp=3, x=2) for day in range(1, APART + 1)]
    assert None is told(days_of(*days[:-1]), 5, "2026-11-01", "2026-12-01").total
    expected = [Row("whatsapp", "", Figures(30, (3000,))), Row("x", "", Figures(20, (2000,)))]
    assert expected == told(days_of(*days), 5, "2026-11-01", "2026-12-01").rows


def test_large_groups_are_made_of_whole_small_ones() -> None:
    days = days_of(*(on(f"2026-11-{day:02}", whatsapp=2) for day in range(1, 18)))
    assert Figures(32, (3200,)) == told(days, 3, "2026-11-01", "2026-12-01").total  # thirty would cut one of four
    assert Figures(32, (3200,)) == told(Days(days.whole), 3, "2026-11-01", "2026-11-17").total


@pytest.mark.parametrize("threshold", [0, 1])
def test_without_a_threshold_everything_is_told(threshold: int) -> None:
    days = days_of(on("2026-11-02", whatsapp=1), on("2026-11-03", x=2))
    rows = told(days, threshold, "2026-11-01", "2026-12-01", "day").rows
    assert [("whatsapp", "2026-11-02", 1), ("x", "2026-11-03", 2)] == [
        (r.value, r.when, r.figures.people) for r in rows
    ]
