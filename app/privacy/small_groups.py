"""Small groups: of fewer people than a merchant's threshold nobody who looks in public is told how many. Pure.

Two rules (docs/decisions/0026-small-groups.md). A number of people is told from the threshold on, else it is "a few"
(`shown`). Amounts of money say more than numbers: where they stand beside people they are told only for whole groups of
that size (`whole_groups`), so that nobody learns what one person paid by looking again after each sale.
"""

from collections.abc import Hashable, Sequence
from typing import Final

USUAL: Final = 5
"""The threshold of a merchant who never said another."""
LARGEST: Final = 100


def threshold_of(kept: int | None) -> int:
    """The threshold of a merchant: what was set, or the usual one. 0 and 1 tell every number."""
    return USUAL if kept is None else kept


def shown(people: int, threshold: int) -> int | None:
    """How many people may be told: None is "a few". Nobody is nobody, and is told."""
    return people if people == 0 or people >= threshold else None


def whole_groups(people: Sequence[Hashable], threshold: int) -> int:
    """How many of these, from the first on, may be told of together.

    They are in the order in which they came, one for each thing that is told of (an order, by who bought). They fall
    into groups: each ends where `threshold` different people are in it, and the last, which is not full yet, is not
    told of. So what is told at one time and what is told at any other differ by whole groups, or by nothing.
    """
    told = 0
    group: set[Hashable] = set()
    for number, person in enumerate(people, start=1):
        group.add(person)
        if len(group) >= threshold:
            told = number
            group.clear()
    return told
