"""The aggregate models once more, from their definitions, in exact fractions: slow, plain, and without the engine."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import combinations
from math import comb

from app.attribution.engine import Path

_CONVERTED = "converted"
_State = tuple[str, ...] | str
_Chain = dict[_State, dict[_State, Fraction]]


def removal_effects(paths: Iterable[Path], order: int) -> dict[str, Fraction]:
    """1 - P(convert with the channel sent to null) / P(convert), by elimination of one state after the other."""
    chain = _chain(paths, order)
    channels = {state[-1] for state in chain if state}
    whole = _conversion(chain, None)
    return {channel: 1 - _conversion(chain, channel) / whole for channel in channels}


def conversion(paths: Iterable[Path], order: int) -> Fraction:
    """P(convert)."""
    return _conversion(_chain(paths, order), None)


def shares(effects: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Each effect's part of all of them."""
    return {channel: effect / sum(effects.values()) for channel, effect in effects.items()}


def shapley(paths: Iterable[Path]) -> dict[str, Fraction]:
    """What each channel adds to the coalitions of the others, weighed as Shapley did."""
    worth: dict[frozenset[str], int] = defaultdict(int)
    for path in paths:
        worth[frozenset(path.channels)] += path.conversions
    channels = sorted({channel for journey in worth for channel in journey})
    sets = [frozenset(some) for size in range(len(channels) + 1) for some in combinations(channels, size)]
    value = {some: sum(times for journey, times in worth.items() if journey <= some) for some in sets}
    return {
        channel: sum(
            (
                Fraction(value[some | {channel}] - value[some], len(channels) * comb(len(channels) - 1, len(some)))
                for some in sets
                if channel not in some
            ),
            Fraction(0),
        )
        for channel in channels
    }


def _chain(paths: Iterable[Path], order: int) -> _Chain:
    """Probabilities of the steps; those to null are left out."""
    counted: dict[_State, dict[_State, int]] = defaultdict(lambda: defaultdict(int))
    left: dict[_State, int] = defaultdict(int)
    for channels, conversions, nulls in paths:
        for place in range(len(channels) + 1):
            state = channels[max(0, place - order) : place]
            left[state] += conversions + nulls
            if place < len(channels):
                counted[state][channels[max(0, place + 1 - order) : place + 1]] += conversions + nulls
            else:
                counted[state][_CONVERTED] += conversions
    return {
        state: {to: Fraction(times, left[state]) for to, times in steps.items() if times}
        for state, steps in counted.items()
        if left[state]
    }


def _conversion(chain: _Chain, without: str | None) -> Fraction:
    steps = {
        state: {to: part for to, part in to_states.items() if to == _CONVERTED or to[-1] != without}
        for state, to_states in chain.items()
        if not state or state[-1] != without
    }
    for state in [state for state in steps if state]:
        onward = steps.pop(state)
        stays = onward.pop(state, Fraction(0))
        for others in steps.values():
            reached = others.pop(state, None)
            if reached is not None:
                for to, part in onward.items():
                    others[to] = others.get(to, Fraction(0)) + reached * part / (1 - stays)
    return steps[()].get(_CONVERTED, Fraction(0))
