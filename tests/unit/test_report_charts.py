"""Where lines, bars and dots of the report page's drawings stand."""

from itertools import pairwise

import pytest

from app.report_page.charts.bars import colours, divided, lengths
from app.report_page.charts.drawing import COLUMN, SMALL_ROW, Leaf, drawing, levels_of
from app.report_page.charts.scale import around, number
from app.report_page.charts.timeline import timeline


@pytest.mark.parametrize(
    ("values", "unit", "ticks"),
    [
        ([], 1, (0, 1)),
        ([0, 0], 100, (0, 100)),
        ([7], 1, (0, 2, 4, 6, 8)),
        ([290_123, 4], 100, (0, 100_000, 200_000, 300_000)),
        ([-30, 95], 1, (-50, 0, 50, 100)),
        ([-5, -9], 1, (-10, -5, 0)),
        ([2**53 - 1], 100, tuple(range(0, 10**16 + 1, 5 * 10**15))),
    ],
)
def test_a_scale_has_round_numbers_and_0_and_room_for_all(values: list[int], unit: int, ticks: tuple[int, ...]) -> None:
    scale = around(values, unit)
    assert ticks == scale.ticks
    assert (ticks[0], ticks[-1]) == (scale.low, scale.high)
    assert (0.0, 1.0) == (scale.part(scale.low), scale.part(scale.high))


@pytest.mark.parametrize(("value", "said"), [(12.0, "12"), (0.005, "0.01"), (12.5, "12.5"), (100.0, "100"), (0.0, "0")])
def test_a_coordinate_is_no_longer_than_it_must_be(value: float, said: str) -> None:
    assert said == number(value)


def test_a_line_goes_through_every_day_and_the_period_before_lies_behind_it() -> None:
    drawn = timeline([0, 100, 50], [100, 0, 0, 7])
    assert ["16.67%", "50%", "83.33%"] == [column.middle for column in drawn.columns]
    assert ["208", "28", "118"] == [column.y for column in drawn.columns]
    assert ["28", "208", "208"] == [column.before_y for column in drawn.columns], "as many days as there are now"
    assert "M166.67 208L500 28L833.33 118" == drawn.line
    assert "M166.67 28L500 208L833.33 208" == drawn.before
    assert drawn.area.endswith("L833.33 208L166.67 208Z")
    assert [(tick.value, tick.y) for tick in drawn.ticks][:: len(drawn.ticks) - 1] == [(0, "208"), (100, "28")]


def test_one_day_alone_has_its_place_and_nothing_behind_it() -> None:
    drawn = timeline([5], [])
    assert ("50%", None) == (drawn.columns[0].middle, drawn.columns[0].before_y)
    assert "" == drawn.before


@pytest.mark.parametrize("count", [1, 7, 30, 92, 365])
def test_so_many_days_are_named_as_there_is_room_for_and_the_last_is_one_of_them(count: int) -> None:
    columns = timeline([1] * count, []).columns
    assert columns[-1].named
    assert sum(column.named for column in columns) <= 7


def test_bars_are_as_long_as_their_part_of_the_longest() -> None:
    assert ["100%", "50%", "0.4%", "0%", "0%"] == lengths([1_000, 500, 1, 0, -700])
    assert ["0%"] == lengths([0])
    assert [] == lengths([])


def test_a_bar_is_divided_among_all_that_is_more_than_nothing() -> None:
    parts = divided([60, -5, 0, 40], [1, 2, 3, 0])
    assert [("0%", "60%", 1), ("60%", "40%", 0)] == [(part.x, part.width, part.colour) for part in parts]
    assert [] == divided([0], [1])


def test_seven_have_a_colour_of_their_own_and_those_without_a_name_none() -> None:
    names = ["(direct)", *"abcdefghi"]
    assert [0, 1, 2, 3, 4, 5, 6, 7, 0, 0] == colours(names, ["(direct)"])


def test_a_tree_grows_to_the_right_and_what_matters_most_stands_first() -> None:
    leaves = [Leaf("a", None, 90), Leaf("b", "a", 10), Leaf("c", "a", 80), Leaf("d", "b", 0)]
    drawn = drawing(leaves)
    assert [0, 2, 1, 3] == [dot.index for dot in drawn.dots], "from above to below"
    a, c, b, d = drawn.dots
    assert [0, 1, 1, 2] == levels_of(leaves) == [dot.level for dot in (a, b, c, d)]
    assert float(b.x) - float(a.x) == COLUMN == float(d.x) - float(c.x)
    assert float(a.y) == float(c.y) < float(b.y) == float(d.y)
    assert float(a.radius) > float(c.radius) > float(b.radius) > float(d.radius)
    assert (3, []) == (len(drawn.lines), drawn.more)
    assert drawn.height > float(d.y)
    assert drawn.width > float(d.x)


def test_no_two_of_a_tree_stand_in_one_place() -> None:
    leaves = [Leaf("r", None, 5), *(Leaf(f"c{n}", "r", n % 3) for n in range(50))]
    leaves += [Leaf(f"g{n}", f"c{n % 50}", 0) for n in range(80)]
    drawn = drawing(leaves, most=100)
    assert len(leaves) == len({(dot.x, dot.y) for dot in drawn.dots})
    rows = sorted({float(dot.y) for dot in drawn.dots})
    assert all(below - above >= SMALL_ROW for above, below in pairwise(rows))


def test_of_many_beside_each_other_the_weightiest_are_drawn_and_the_others_counted() -> None:
    leaves = [Leaf("r", None, 9), *(Leaf(f"c{n}", "r", n) for n in range(6)), Leaf("g", "c0", 0), Leaf("s", None, 1)]
    drawn = drawing(leaves, most=3)
    assert ["r", "c5", "c4", "c3", "s"] == [leaves[dot.index].name for dot in drawn.dots]
    assert [4] == [more.count for more in drawn.more], "c2, c1, c0 and what came of it"
    assert [2] == [more.count for more in drawing([Leaf(str(n), None, 0) for n in range(5)], most=3).more]


def test_whose_parent_is_not_there_is_a_root_and_no_tree_is_too_deep() -> None:
    drawn = drawing([Leaf("a", "elsewhere", 0), Leaf("b", None, 0)])
    assert ([0, 0], []) == ([dot.level for dot in drawn.dots], drawn.lines)
    loop = drawing([Leaf("a", "b", 1), Leaf("b", "a", 1), Leaf("c", "c", 1)])
    assert [0, 1, 0] == [dot.level for dot in loop.dots]
    chain = drawing([Leaf(str(n), str(n - 1) if n else None, 1) for n in range(5_000)])
    assert 4_999 == chain.dots[-1].level
    assert [] == drawing([]).dots
