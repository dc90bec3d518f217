"""Bars: one beside each figure of a list, and one that is divided among them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.report_page.charts.scale import percent

COLOURS: Final = 7
"""So many parts have a colour of their own; all after them share one."""
LEAST: Final = 0.004
"""What is not nothing is seen."""


@dataclass(frozen=True)
class Segment:
    """A part of a divided bar, with the number of its colour: from 1, 0 for those that share one."""

    x: str
    width: str
    colour: int


def lengths(values: Sequence[int]) -> list[str]:
    """How long the bar of each value is, the greatest one's being all there is. Below zero there is no bar."""
    most = max([0, *values])
    return [percent(max(value / most, LEAST)) if value > 0 else "0%" for value in values]


def divided(values: Sequence[int], colours: Sequence[int]) -> list[Segment]:
    """One bar for all values that are more than 0, each as long as its part of their sum."""
    whole = sum(value for value in values if value > 0)
    found, begin = [], 0
    for value, colour in zip(values, colours, strict=True):
        if value > 0:
            found.append(Segment(percent(begin / whole), percent(value / whole), colour))
            begin += value
    return found


def colours(names: Sequence[str], greys: Sequence[str]) -> list[int]:
    """The number of each name's colour, in their order; `greys` have none."""
    free = iter(range(1, COLOURS + 1))
    return [0 if name in greys else next(free, 0) for name in names]
