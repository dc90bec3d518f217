"""A share tree as a drawing: generations from left to right, each referral beside what was made of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from app.report_page.charts.scale import number

COLUMN: Final = 208
ROW: Final = 44
SMALL_ROW: Final = 24
"""Of what nothing was bought through: there is one line to say less."""
MOST_BESIDE: Final = 12
"""So many of those who had the word from one are drawn."""
_EDGE: Final = 14
_LETTERS: Final = 190
_LEAST: Final = 4.5
_MOST: Final = 11.0
"""Radii."""


class Leaf(NamedTuple):
    """A referral to be drawn: who stands above it, and what came through it and all below, which says how large."""

    name: str
    parent: str | None
    weight: int


@dataclass(frozen=True)
class Dot:
    """Where a referral stands: the one at `index` of what was given. `level` is its generation."""

    index: int
    x: str
    y: str
    radius: str
    level: int
    words_x: str


@dataclass(frozen=True)
class More:
    """Where it is said that so many are not drawn."""

    count: int
    x: str
    y: str


@dataclass(frozen=True)
class Drawing:
    """Dots from above to below, lines between them, and what is left out, in a box of `width` by `height` pixels."""

    dots: Sequence[Dot]
    lines: Sequence[str]
    more: Sequence[More]
    width: int
    height: int


def drawing(leaves: Sequence[Leaf], most: int = MOST_BESIDE) -> Drawing:
    """The drawing of `leaves`, parents before their children. Whose parent is not among them is a root. Of those beside
    each other the weightiest `most` are drawn, and stand first."""
    tree = _Tree(leaves, most)
    largest = max([1, *(leaf.weight for leaf in leaves)])
    dots, lines, more = [], [], []
    for index, y in tree.ys.items():
        x = _EDGE + tree.levels[index] * COLUMN
        radius = _LEAST + (_MOST - _LEAST) * (max(leaves[index].weight, 0) / largest) ** 0.5
        words = number(x + radius + 6)
        dots.append(Dot(index, number(x), number(y), number(radius), tree.levels[index], words))
        above = tree.parents[index]
        if above is not None:
            lines.append(_line(x - COLUMN, tree.ys[above], x, y))
    for parent, (count, y) in tree.left_out.items():
        x = _EDGE + (0 if parent is None else tree.levels[parent] + 1) * COLUMN
        more.append(More(count, number(x), number(y)))
        if parent is not None:
            lines.append(_line(x - COLUMN, tree.ys[parent], x - 8, y))
    deepest = max([0, *(tree.levels[index] for index in tree.ys)])
    return Drawing(dots, lines, more, _EDGE + deepest * COLUMN + _LETTERS, tree.height)


class _Tree:
    """Which referrals are drawn, and how far down each stands: `ys`, from above to below. Who has nobody below has a
    row of their own, everybody else shares that of the first below. However deep: no function calls itself."""

    def __init__(self, leaves: Sequence[Leaf], most: int) -> None:
        self.parents = _parents(leaves)
        self.levels = _levels(self.parents)
        self._below: dict[int | None, list[int]] = {}
        for index, above in enumerate(self.parents):
            self._below.setdefault(above, []).append(index)
        sizes = [1] * len(leaves)
        for index in range(len(leaves) - 1, -1, -1):
            above = self.parents[index]
            if above is not None:
                sizes[above] += sizes[index]
        self.ys: dict[int, float] = {}
        self.left_out: dict[int | None, tuple[int, float]] = {}
        self.height = _EDGE
        self._place([leaf.weight for leaf in leaves], sizes, most)
        self.height += _EDGE

    def _place(self, weights: Sequence[int], sizes: Sequence[int], most: int) -> None:
        hidden: dict[int | None, int] = {}
        tall: set[int] = set()
        waiting: list[tuple[int | None, int | None]] = [(None, None)]  # who, or None: those who are not drawn below
        while waiting:  # depth first, so that no two lines cross
            index, above = waiting.pop()
            if index is None and above in hidden:
                self.left_out[above] = (hidden[above], self._row(SMALL_ROW))
                continue
            beside = sorted(self._below.get(index, ()), key=lambda each: -weights[each])
            if index is not None and (weights[index] > 0 or index in tall):
                tall.update((index, *beside[:1]))  # whoever stands in the same row needs as much of it
            if index is not None:
                self.ys[index] = 0.0 if beside else self._row(ROW if index in tall else SMALL_ROW)
            if len(beside) > most:
                hidden[index] = sum(sizes[each] for each in beside[most:])
                waiting.append((None, index))
            waiting += [(each, index) for each in reversed(beside[:most])]
        for index in reversed(self.ys):
            drawn = [each for each in self._below.get(index, ()) if each in self.ys]
            if drawn:
                self.ys[index] = min(self.ys[each] for each in drawn)

    def _row(self, height: int) -> float:
        self.height += height
        return self.height - height / 2


def levels_of(leaves: Sequence[Leaf]) -> list[int]:
    """The generation of each, in order."""
    return _levels(_parents(leaves))


def _parents(leaves: Sequence[Leaf]) -> list[int | None]:
    """The place of each one's parent. Where a loop was cut, a parent comes later, and counts as none."""
    place = {leaf.name: index for index, leaf in enumerate(leaves)}
    found = [None if leaf.parent is None else place.get(leaf.parent) for leaf in leaves]
    return [above if above is not None and above < index else None for index, above in enumerate(found)]


def _levels(parents: Sequence[int | None]) -> list[int]:
    levels: list[int] = []
    for above in parents:
        levels.append(0 if above is None else levels[above] + 1)
    return levels


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    bend = number(x1 + (x2 - x1) * 0.72), number(x2 - (x2 - x1) * 0.3)
    start, end = f"{number(x1)} {number(y1)}", f"{number(x2)} {number(y2)}"
    return f"M{start}C{bend[1]} {number(y1)} {bend[0]} {number(y2)} {end}"
