"""What a shop says of its orders, in our words. Pure: knows no shop's format, no database, no HTTP.

All of it can be kept as JSON, and nothing in it tells who the buyer is. Times are microseconds since 1970, amounts
minor units.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.orders.sales import SaleLine

HintKind = Literal["click", "code"]


class NotAnOrder(ValueError):
    """Nothing that can be read as an order or refund of the shop's; the message is a sentence that says why."""


@dataclass(frozen=True)
class Hint:
    """A click id, or a link's code, that was found with the order."""

    kind: HintKind
    text: str


@dataclass(frozen=True)
class Version:
    """A whole order, as it was at one moment."""

    changed: int  # by the shop's clock
    rank: tuple[int, ...]  # of versions of the same moment, the greater is the later
    counts: bool  # money for it has come in
    cancelled: bool
    test: bool
    placed: int
    currency: str
    paid: int  # what has come in so far, given back or not
    net: int  # the part of it after discounts, without tax and shipping
    hints: tuple[Hint, ...]  # the best first
    coupons: tuple[str, ...]
    lines: tuple[SaleLine, ...]
    customer: str | None = None  # as the shop says it; a keyed hash once it is kept
    elsewhere: tuple[str, int] | None = None  # the same total in the currency in which the buyer saw it
    refunds: tuple[str, ...] | None = None  # the refunds that stand, where the shop tells all of them each time

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Version":
        elsewhere, refunds = kept["elsewhere"], kept["refunds"]
        return cls(
            **kept
            | {
                "rank": tuple(kept["rank"]),
                "hints": tuple(Hint(**hint) for hint in kept["hints"]),
                "coupons": tuple(kept["coupons"]),
                "lines": tuple(SaleLine(**line) for line in kept["lines"]),
                "elsewhere": None if elsewhere is None else (elsewhere[0], elsewhere[1]),
                "refunds": None if refunds is None else tuple(refunds),
            }
        )


@dataclass(frozen=True)
class Move:
    """Money that went back, or is on its way: `state` is `pending`, `done` or `failed`."""

    state: Literal["pending", "done", "failed"]
    amount: int
    currency: str


@dataclass(frozen=True)
class RefundSaid:
    """A refund, as far as it was told: its movements of money by their ids."""

    id: str
    at: int
    moves: dict[str, Move]


@dataclass(frozen=True)
class ShopSaid:
    """What one message says of one order."""

    order_id: str
    version: Version | None = None
    refunds: tuple[RefundSaid, ...] = ()
    fate: Literal["deleted", "restored"] | None = None
    mail: str | None = None  # the buyer's, of this version; hashed before it is kept
