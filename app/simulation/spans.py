"""The counts of hours, days and sixteen days, as quarters of an hour fill them day by day. Pure.

A merchant's day need not begin with a day of UTC, so the last of each kind stay open until the next day has come.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from app.kernel.rollups.tables import MEASURES, SPANS, Dimension
from app.simulation.chance import Ints

_FOR_EVER: Final = 2**62


class Full(NamedTuple):
    """A span of which all is known: the values, as numbers, of which there is anything, how many of each measure."""

    dimension: Dimension
    width: int
    starts: int
    values: Ints
    counts: Ints


class Spans:
    """One merchant's spans that are still open."""

    def __init__(self) -> None:
        self._open: dict[tuple[Dimension, int], dict[int, Ints]] = defaultdict(dict)

    def add(self, dimension: Dimension, values: int, starts: Ints, which: Ints, counts: Ints) -> None:
        """Add quarters of an hour: when each begins, of `which` of so many `values`, how many of each measure."""
        if not len(starts):
            return
        for width in SPANS[1:]:
            first = int(starts.min()) // width
            place = starts // width - first
            many = int(place.max()) + 1
            table = np.zeros((many * values, len(MEASURES)), dtype=np.int64)
            np.add.at(table, place * values + which, counts)
            standing = self._open[dimension, width]
            for number, part in enumerate(table.reshape(many, values, len(MEASURES))):
                begin = (first + number) * width
                standing[begin] = standing[begin] + part if begin in standing else part

    def full(self, until: int = _FOR_EVER) -> Iterator[Full]:
        """Those that end by then; they are open no more."""
        for (dimension, width), standing in self._open.items():
            for begin in [each for each in standing if each + width <= until]:
                table = standing.pop(begin)
                found = np.flatnonzero(table.any(axis=1))
                if len(found):
                    yield Full(dimension, width, begin, found, table[found])
