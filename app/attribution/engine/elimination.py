"""Removal effects of a chain of few states, by taking out one state after the other.

Pure. What `removal` does for many states needs libraries whose loading alone takes longer, and memory for good.
"""

from typing import NamedTuple

_Rows = list[list[float]]
"""Of each state how many journeys go on from it: to a conversion, to null, to each state in turn. The start first."""

_ENDS = 2
"""Columns before those of the states."""


class Steps(NamedTuple):
    """The chain in whole numbers. State 0 is the start, to which nothing leads; every state leads on to an end."""

    last: list[int]  # of each state, the number of its last channel; -1 for the start
    moves: list[tuple[int, int, int]]  # from state, to state, how often
    converted: list[int]  # of each state, how many journeys converted from it
    ended: list[int]  # of each state, how many journeys ended in it, converted or not


def removal_effects(steps: Steps, channels: int) -> list[float]:
    """1 - P(convert without it) / P(convert) of each of the `channels`, from 0 to 1. Something must convert.

    Nothing is ever subtracted on the way, so rounding stays what it is in each single number.
    """
    by_channel = sorted(range(len(steps.last)), key=steps.last.__getitem__)
    row = {state: number for number, state in enumerate(by_channel)}
    rows = [
        [float(steps.converted[state]), float(steps.ended[state] - steps.converted[state]), *[0.0] * len(row)]
        for state in by_channel
    ]
    for origin, target, times in steps.moves:
        rows[row[origin]][_ENDS + row[target]] += times
    sizes = [0] * channels
    for channel in steps.last[1:]:
        sizes[channel] += 1
    conversions = sum(steps.converted)
    return [max(0.0, 1.0 - left / conversions) for left in _conversions_without_each(rows, sizes)]


def _conversions_without_each(rows: _Rows, sizes: list[int]) -> list[float]:
    """How many journeys convert that come to no state of a channel, for each channel of so many states.

    Half of the channels are taken out for the other half, and these again by halves: each time for all that are left.
    """
    if len(sizes) == 1:
        return [rows[0][0]]
    half = len(sizes) // 2
    first, others = sum(sizes[:half]), sum(sizes[half:])
    return [
        *_conversions_without_each(_first(rows, 1 + first), sizes[:half]),
        *_conversions_without_each(_first(_turned(rows, first), 1 + others), sizes[half:]),
    ]


def _turned(rows: _Rows, first: int) -> _Rows:
    """The same with the `first` states after the start behind all others."""
    begin, end = _ENDS + 1, _ENDS + 1 + first
    return [[*row[:begin], *row[end:], *row[begin:end]] for row in (rows[0], *rows[1 + first :], *rows[1 : 1 + first])]


def _first(rows: _Rows, kept: int) -> _Rows:
    """The same journeys as they go from one of the `kept` first states to the next."""
    rows = [row[:] for row in rows]
    while len(rows) > kept:
        *onward, _ = rows.pop()  # who comes back at once goes on all the same
        all_ways = sum(onward)
        for number, row in enumerate(rows):
            if come := row.pop():
                part = come / all_ways
                rows[number] = [times + part * more for times, more in zip(row, onward, strict=True)]
    return rows
