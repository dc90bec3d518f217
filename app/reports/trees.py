"""Share trees and how the word spread in them (attribution.md, "Trees and spread"). Pure: knows no database.

A referral is a position in a list, its parent another position. Everything takes time linear in the referrals, and
nothing recurses: a chain may be a hundred thousand long.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, zip_longest
from statistics import median
from typing import TypeVar

ROOT = -1
"""The parent of what has none."""
_SECOND = 1_000_000

Group = TypeVar("Group", bound=Hashable)


@dataclass(frozen=True)
class Forest:
    """Trees of referrals. `parents`, `levels` and `roots` are by position; a root's parent is `ROOT`.

    `generations[g]` are the positions of level g, in the order given. `loops` are the loops that were there (facts
    of other systems may form some), each cut above the first of its members in the order given.
    """

    parents: Sequence[int]
    levels: Sequence[int]
    roots: Sequence[int]
    generations: Sequence[Sequence[int]]
    loops: Sequence[Sequence[int]]

    @classmethod
    def of(cls, links: Sequence[tuple[str, str | None]]) -> "Forest":
        """The forest of `links`: an id, and its parent's. Each id comes once; a parent that is not there is none."""
        positions = {name: position for position, (name, _) in enumerate(links)}
        parents = [ROOT if parent is None else positions.get(parent, ROOT) for _, parent in links]
        loops = _loops(parents)
        for loop in loops:
            parents[min(loop)] = ROOT
        levels, roots = _levels(parents)
        generations: list[list[int]] = [[] for _ in range(max(levels, default=-1) + 1)]
        for position, level in enumerate(levels):
            generations[level].append(position)
        return cls(parents, levels, roots, generations, loops)

    def subtree_sums(self, values: Iterable[int]) -> list[int]:
        """For each position the sum of `values` of itself and of everything below it (rule 12).

        In what was a loop everybody is everybody's ancestor, so each of its members has the sum of all.
        """
        sums = self._summed_up(values)
        for loop in self.loops:
            whole = sums[min(loop)]
            for position in loop:
                sums[position] = whole
        return sums

    def distances(self) -> list[int]:
        """For each position the sum of distances that the edge above it adds to its tree: over a whole tree they
        add up to W, the sum of the distances of all pairs.

        An edge is crossed by every pair that it parts: those below it times the others.
        """
        sizes = self._summed_up([1] * len(self.parents))
        return [size * (sizes[root] - size) for size, root in zip(sizes, self.roots, strict=True)]

    def waits(self, made_at: Sequence[int]) -> dict[int, int]:
        """For each position but the roots the whole seconds between its parent and itself; times are microseconds,
        and count from the second in which they are. Below zero where somebody's clock was wrong."""
        return {
            position: made_at[position] // _SECOND - made_at[parent] // _SECOND
            for position, parent in enumerate(self.parents)
            if parent != ROOT
        }

    def _summed_up(self, values: Iterable[int]) -> list[int]:
        sums = list(values)
        for generation in reversed(self.generations[1:]):
            for position in generation:
                sums[self.parents[position]] += sums[position]
        return sums


@dataclass
class Shape:
    """How some trees look together. `breadth[g]` counts the referrals of generation g, the roots being 0."""

    trees: int = 0
    breadth: list[int] = field(default_factory=list)
    largest: int = 0  # referrals of the largest tree
    distance: int = 0  # W: the distances of all pairs of one tree
    pairs: int = 0  # of referrals in one tree

    def __add__(self, other: "Shape") -> "Shape":
        """These trees and those."""
        return Shape(
            trees=self.trees + other.trees,
            breadth=[sum(counts) for counts in zip_longest(self.breadth, other.breadth, fillvalue=0)],
            largest=max(self.largest, other.largest),
            distance=self.distance + other.distance,
            pairs=self.pairs + other.pairs,
        )

    @property
    def referrals(self) -> int:
        return sum(self.breadth)

    @property
    def depth(self) -> int:
        """Generations below the roots: 0 where nobody passed on what they got."""
        return len(self.breadth) - 1

    @property
    def branching(self) -> list[Fraction]:
        """N(g+1)/N(g) for each generation but the last."""
        return [Fraction(after, before) for before, after in pairwise(self.breadth)]

    @property
    def structural_virality(self) -> Fraction | None:
        """The mean distance over all pairs of one tree, 2W/(n(n-1)); None where no two are in one tree.

        1 is a pair; just under 2 a star, where one person told everybody; the longer the chains, the more.
        """
        return Fraction(self.distance, self.pairs) if self.pairs else None


def shapes(forest: Forest, groups: Mapping[int, Group]) -> dict[Group, Shape]:
    """The shape of the trees of each group; `groups` tells the group of each root."""
    found: dict[Group, Shape] = {}
    for group in groups.values():
        found.setdefault(group, Shape()).trees += 1
    for generation in forest.generations:  # a tree leaves out none, so neither does a group of whole trees
        for group, count in Counter(groups[forest.roots[position]] for position in generation).items():
            found[group].breadth.append(count)
    for root, size in Counter(forest.roots).items():
        shape = found[groups[root]]
        shape.largest = max(shape.largest, size)
        shape.pairs += size * (size - 1) // 2
    for root, distance in zip(forest.roots, forest.distances(), strict=True):
        found[groups[root]].distance += distance
    return found


def k_factor(sharers: int, invitations: int, converted: int) -> Fraction | None:
    """Invitations per sharer x the part of them that became sharers; None without sharers.

    `converted` of the `invitations` became sharers. So it is the new sharers that a sharer makes, on average: above 1
    the word grows by itself.
    """
    if not sharers or not invitations:
        return Fraction(0) if sharers else None
    return Fraction(invitations, sharers) * Fraction(converted, invitations)


def median_wait(waits: Iterable[int]) -> float | None:
    """The median of `waits` (seconds); None where there are none. Those below zero say nothing, and are left out."""
    said = [wait for wait in waits if wait >= 0]
    return median(said) if said else None


def _loops(parents: Sequence[int]) -> list[list[int]]:
    """The loops that following `parents` runs into."""
    seen = [ROOT] * len(parents)  # from where each was first reached
    loops = []
    for start in range(len(parents)):
        position = start
        while position != ROOT and seen[position] == ROOT:
            seen[position] = start
            position = parents[position]
        if position != ROOT and seen[position] == start:
            loop = [position]
            while parents[loop[-1]] != position:
                loop.append(parents[loop[-1]])
            loops.append(loop)
    return loops


def _levels(parents: Sequence[int]) -> tuple[list[int], list[int]]:
    """The level and the root of each position. There are no loops."""
    levels, roots = [ROOT] * len(parents), [ROOT] * len(parents)
    for start in range(len(parents)):
        path = []
        position = start
        while position != ROOT and levels[position] == ROOT:
            path.append(position)
            position = parents[position]
        level, root = (-1, path[-1]) if position == ROOT else (levels[position], roots[position])
        for below in reversed(path):
            level += 1
            levels[below], roots[below] = level, root
    return levels, roots
