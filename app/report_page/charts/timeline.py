"""Sums over time as a line, with those of the period before behind it. Pure.

Across, places are parts of whatever width there is; down, pixels. So letters keep their size on any screen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.report_page.charts.scale import Scale, around, number, percent

HEIGHT: Final = 240
_TOP: Final = 28
_BOTTOM: Final = 208
WIDTH: Final = 1000
"""Of the box in which the lines are drawn, which is stretched."""
_MOST_NAMES: Final = 7


@dataclass(frozen=True)
class Tick:
    """A line across, and what it stands for."""

    y: str
    value: int


@dataclass(frozen=True)
class Column:
    """A day, week or month: where it begins, how wide it is, and what stands in its middle."""

    index: int
    x: str
    width: str
    middle: str
    y: str
    before_y: str | None
    side: str  # start, middle, end: on which side of it its long words begin
    label_side: str  # the same of its short ones
    named: bool


@dataclass(frozen=True)
class Timeline:
    """The drawing. `line`, `area` and `before` are paths in a box of `WIDTH` by `HEIGHT`."""

    columns: Sequence[Column]
    ticks: Sequence[Tick]
    line: str
    area: str
    before: str
    zero: str


def timeline(values: Sequence[int], before: Sequence[int], unit: int = 1) -> Timeline:
    """The drawing of `values`, of which there is at least one, with as many of `before` as there are beside them."""
    earlier = before[: len(values)]
    scale = around([*values, *earlier], unit)
    y = _places(scale)
    middles = [(index + 0.5) / len(values) for index in range(len(values))]
    points = [(middle * WIDTH, y(value)) for middle, value in zip(middles, values, strict=True)]
    back = [(middle * WIDTH, y(value)) for middle, value in zip(middles, earlier, strict=False)]
    zero = y(0)
    return Timeline(
        columns=_columns(values, earlier, middles, y),
        ticks=[Tick(number(y(value)), value) for value in scale.ticks],
        line=_path(points),
        area=f"{_path(points)}L{number(points[-1][0])} {number(zero)}L{number(points[0][0])} {number(zero)}Z",
        before=_path(back),
        zero=number(zero),
    )


def _places(scale: Scale) -> Callable[[int], float]:
    return lambda value: _BOTTOM - scale.part(value) * (_BOTTOM - _TOP)


def _columns(
    values: Sequence[int], earlier: Sequence[int], middles: Sequence[float], y: Callable[[int], float]
) -> list[Column]:
    count = len(values)
    every = -(-count // _MOST_NAMES)
    return [
        Column(
            index=index,
            x=percent(index / count),
            width=percent(1 / count),
            middle=percent(middle),
            y=number(y(values[index])),
            before_y=number(y(earlier[index])) if index < len(earlier) else None,
            side="start" if middle < 0.2 else "end" if middle > 0.8 else "middle",
            label_side="start" if middle < 0.04 else "end" if middle > 0.96 else "middle",
            named=index % every == (count - 1) % every,
        )
        for index, middle in enumerate(middles)
    ]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if index else 'M'}{number(x)} {number(y)}" for index, (x, y) in enumerate(points))
