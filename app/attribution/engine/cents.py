"""Cents: an order's net over its sources and their levels, and refunds over what is left (rules 10 and 11).

Pure arithmetic on whole minor units: knows neither touches nor people. Sources are passed earliest first, the
levels of each from level 0 to the house.
"""

from collections.abc import Sequence

from app.kernel.money import split_integers

Table = list[list[int]]  # minor units of each level of each source


def over_sources(net: int, weights: Sequence[int]) -> list[int]:
    """`net` over the sources by largest remainder; a tie goes to the source nearest to the purchase."""
    return split_integers(net, weights[::-1])[::-1]


def over_levels(cents: int, weights: Sequence[int]) -> list[int]:
    """One source's `cents` over its levels by largest remainder; a tie goes to level 0 first, the house last."""
    return [cents] if len(weights) == 1 else split_integers(cents, weights)


def take_back(left: Table, amount: int) -> tuple[Table, int]:
    """What is left of every level after `amount` was taken back, and how much could be taken.

    The amount is cut at what is left of the order, then goes by largest remainder over what is left of each
    source, then over what is left of each of its levels. Nothing falls below zero.
    """
    of_sources = [sum(levels) for levels in left]
    taken = min(amount, sum(of_sources))
    if not taken:
        return left, 0
    parts = over_sources(taken, of_sources)
    after = [
        [level - take for level, take in zip(levels, split_integers(part, levels), strict=True)] if part else levels
        for levels, part in zip(left, parts, strict=True)
    ]
    return after, taken
