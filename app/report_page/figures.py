"""What templates show: tiles and rows, made of the API's answers by the other modules."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """By how much a figure grew since the period before; `direction` is `up`, `down` or `same`."""

    said: str
    direction: str


@dataclass(frozen=True)
class Tile:
    """A figure that is read first."""

    name: str
    value: str
    change: Change | None = None
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table with a bar: what it is about, where that leads, its figures in order."""

    name: str
    bar: str
    cells: Sequence[str]
    link: str | None = None
    colour: int = 0
    change: Change | None = None
    image: str | None = None
    letter: str = ""
