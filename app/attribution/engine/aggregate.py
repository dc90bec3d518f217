"""Aggregate models: what every journey of a period, converted or not, says together of its channels.

Pure. A channel is a network, a product or a wall: here it is only a name. This file knows what a journey is to
these models, the Shapley value, and how an amount is divided by what they found; `markov` is a file of its own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from app.kernel.money import split

_DIGITS = 13
"""Decimals to which a share that passed through double precision is taken when it divides an amount: it is no
more exact than that, and two channels that are equal must not differ by the noise of a computation."""


class Path(NamedTuple):
    """The channels of equal journeys, earliest first, repeats included, and how these journeys ended.

    A journey without any channel led straight to its end: it is counted, and no channel has a part in it.
    """

    channels: tuple[str, ...]
    conversions: int
    nulls: int  # journeys that ended without a conversion


class Coalitions:
    """Counts journeys for the Shapley value. Its memory does not grow with them, only with their channels."""

    def __init__(self) -> None:
        self._parts: Counter[tuple[str, int]] = Counter()  # (channel, channels it shares with): conversions

    def add(self, path: Path) -> None:
        """Count the journeys of `path`. ValueError for a number below zero."""
        if not times(path):
            return
        channels = set(path.channels)
        for channel in channels:
            self._parts[channel, len(channels)] += path.conversions

    def credits(self) -> dict[str, Fraction]:
        """Conversions of each channel, exactly, by name; also of those that have none."""
        credits: dict[str, Fraction] = {}
        for (channel, among), conversions in sorted(self._parts.items()):
            credits[channel] = credits.get(channel, Fraction(0)) + Fraction(conversions, among)
        return credits


def shapley(paths: Iterable[Path]) -> dict[str, Fraction]:
    """The conversions that each channel is worth, exactly (attribution.md, aggregate models).

    The worth of a set of channels is the conversions of the journeys whose channels all lie in it. Its Shapley
    value is an even split of each journey over its distinct channels. The credits add up to the conversions of
    all journeys that had a channel. ValueError for a number below zero.
    """
    coalitions = Coalitions()
    for path in paths:
        coalitions.add(path)
    return coalitions.credits()


def divide(total: int, shares: Mapping[str, Fraction] | Mapping[str, float]) -> dict[str, int]:
    """`total` (minor units, or conversions) over the channels in the proportions of `shares`, adding up to it.

    Largest remainder; a tie goes to the name that comes first. Fractions are taken exactly, doubles to 13
    decimals. ValueError for a total below zero, and for a total above it where no channel has a share.
    """
    channels = sorted(shares)
    if not total:
        return dict.fromkeys(channels, 0)
    parts = split(total, [_exactly(shares[channel]) for channel in channels])
    return dict(zip(channels, parts, strict=True))


def times(path: Path) -> int:
    """How many journeys `path` stands for. ValueError for a number below zero."""
    if path.conversions < 0 or path.nulls < 0:
        raise ValueError("a path cannot have occurred less than never")
    return path.conversions + path.nulls


def _exactly(share: Fraction | float) -> Fraction:
    return share if isinstance(share, Fraction) else Fraction(round(share, _DIGITS))
