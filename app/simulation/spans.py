"""The counts of hours, days and sixteen days, as quarters of an hour fill them day by day. Pure.

A merchant's day need not begin with a day of UTC, so the last of each kind stay open until the next day has come.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from app.kernel.rollups.tables import MEASURES, SPANS, Dimension
from app.simulation.chance import Ints

_FOR_EVER: Final = 2**62


class Full(NamedTuple):
    """Spans of one width of which all is known: when each begins, for each value, as a number, of which there is
    anything in it, and how many of each measure."""

    dimension: Dimension
    width: int
    starts: Ints
    values: Ints
    counts: Ints


class _Open(NamedTuple):
    """Spans that follow one another, the first of this number: how many of each value and measure."""

    first: int
    table: Ints


class Spans:
    """One merchant's spans that are still open."""

    def __init__(self) -> None:
        self._open: dict[tuple[Dimension, int], _Open] = {}

    def add(self, dimension: Dimension, values: int, starts: Ints, which: Ints, counts: Ints) -> None:
        """Add quarters of an hour: when each begins, of `which` of so many `values`, how many of each measure. None is
        earlier than what is full."""
        if not len(starts):
            return
        for width in SPANS[1:]:
            number = starts // width
            first, standing = self._open.get((dimension, width), _Open(int(number.min()), _none(0, values)))
            missing = int(number.max()) + 1 - first - len(standing)
            table = np.concatenate((standing, _none(max(missing, 0), values)))
            np.add.at(table, (number - first, which), counts)
            self._open[dimension, width] = _Open(first, table)

    def full(self, until: int = _FOR_EVER) -> Iterator[Full]:
        """Those that end by then; they are open no more."""
        for (dimension, width), (first, table) in self._open.items():
            ended = min(max(until // width - first, 0), len(table))
            place, value = np.nonzero(table[:ended].any(axis=2))
            yield Full(dimension, width, (first + place) * width, value, table[place, value])
            self._open[dimension, width] = _Open(first + ended, table[ended:])


def _none(many: int, values: int) -> Ints:
    return np.zeros((many, values, len(MEASURES)), dtype=np.int64)
