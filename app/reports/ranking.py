"""In which order the rows of a report stand, and where a page of them ends. Pure: knows rows by their names and one
number."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from pydantic_core import from_json

from app.kernel.errors import Invalid

NUMBERS: Final = ("orders", "gross", "refunded", "net")
"""Of a row, as it tells them."""
_DIGITS: Final = 10
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Order:
    """By currency, then by this: one of `NUMBERS` or a dimension. Rows that are alike come by their names."""

    by: str = "net"
    descends: bool = True


BY_NET: Final = Order()


class Place(NamedTuple):
    """Where a row stands: its currency, the number by which it is sorted (0 where by a dimension), and its names as
    JSON."""

    currency: str
    number: int
    names: str

    @classmethod
    def of(cls, currency: str, number: int, names: Sequence[str]) -> "Place":
        return cls(currency, number, json.dumps(names, ensure_ascii=False, separators=(",", ":")))

    def values(self, group_by: Sequence[str]) -> tuple[str, ...]:
        """The row's names. Raises `Invalid` for what is no row of such a report."""
        try:
            values = from_json(self.names)
        except ValueError:
            values = None
        is_row = isinstance(values, list) and all(isinstance(value, str) for value in values)
        if not is_row or len(values) != len(group_by) or any("\0" in value for value in values):
            raise Invalid.field("cursor", "is not a cursor of this list")
        return tuple(values)


def order_of(said: str, group_by: Sequence[str], numbers: Sequence[str] = NUMBERS) -> Order:
    """The order that `sort` names: with `-` in front, the largest first. Raises `Invalid` for any other."""
    by = said.removeprefix("-")
    choices = (*numbers, *group_by)
    if by not in choices:
        raise Invalid.field(
            "sort", f"must be one of {', '.join(choices)}, each also with - in front: the largest first"
        )
    return Order(by, said.startswith("-"))


@dataclass(frozen=True, slots=True)
class _Last:
    """A text that comes before those that are less."""

    text: str

    def __lt__(self, other: "_Last") -> bool:
        return other.text < self.text


Turn = tuple[str, "int | str | _Last", tuple[str, ...]]
"""What is less stands before."""


def turn(order: Order, group_by: Sequence[str], currency: str, number: int, names: tuple[str, ...]) -> Turn:
    """When it is the turn of a row with these names; `number` is the one by which rows are sorted, if they are."""
    if order.by not in group_by:
        return currency, -number if order.descends else number, names
    value = names[group_by.index(order.by)]
    value = value.zfill(_DIGITS) if order.by == "depth" else value  # as numbers: 10 comes after 9
    return currency, _Last(value) if order.descends else value, names


def page_of(turns: Iterable[tuple[Turn, _Row]], after: Turn | None, limit: int | None) -> list[_Row]:
    """The rows whose turn comes `after` a place, at most `limit` of them, in their order."""
    found = [each for each in turns if after is None or after < each[0]]
    found.sort(key=lambda each: each[0])
    return [row for _, row in found[:limit]]
