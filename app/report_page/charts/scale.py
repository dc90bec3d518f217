"""Scales: round numbers between which figures stand, and places on them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

_STEPS: Final = (1, 2, 5, 10)
_MOST_LINES: Final = 4
"""Spaces between the lines of a chart, at least where nothing is below zero."""


@dataclass(frozen=True)
class Scale:
    """From `low` to `high`, with `ticks` at round numbers, `low` and `high` among them."""

    low: int
    high: int
    ticks: tuple[int, ...]

    def part(self, value: int) -> float:
        """Where `value` stands between `low` (0) and `high` (1)."""
        return float(Fraction(value - self.low, self.high - self.low))


def around(values: Iterable[int], unit: int = 1) -> Scale:
    """The scale on which all `values` stand, and 0. Its lines are whole multiples of `unit`: no line of a chart of
    cents need stand at a part of a euro."""
    known = [0, *values]
    step = _step(max(known) - min(known), unit)
    low, high = min(known) // step * step, -(-max(known) // step) * step
    if low == high:
        high = step
    return Scale(low, high, tuple(range(low, high + 1, step)))


def _step(span: int, unit: int) -> int:
    """The least of 1, 2, 5, 10, 20 ... units of which a few are enough."""
    size = unit
    while True:
        for step in _STEPS:
            if step * size * _MOST_LINES >= span:
                return step * size
        size *= 10


def percent(part: float) -> str:
    """A part as SVG says it: `12.5%`."""
    return f"{number(part * 100)}%"


def number(value: float) -> str:
    """A coordinate, no longer than an eye can tell."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
