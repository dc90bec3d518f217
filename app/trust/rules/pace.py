"""What the rules of too many likes and shares have in common. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from app.trust.found import Evidence
from app.trust.rules.rule import Threshold


class Busy(NamedTuple):
    """How many one visitor made within some minutes, and how many were made from that visitor's network block."""

    by_visitor: int
    by_block: int


def thresholds(by_visitor: int, by_block: int, unit: str) -> Mapping[str, Threshold]:
    """More than so many of one visitor's or, since many people may share one address, of one block's."""
    return {
        "by_visitor": Threshold(by_visitor, 5, 100_000, unit),
        "by_block": Threshold(by_block, 5, 100_000, unit),
        "minutes": Threshold(10, 1, 60, "minutes"),
    }


def judge(busy: Busy, thresholds: Mapping[str, int]) -> Evidence | None:
    """Doubtful where either is more than it may be."""
    if all(number <= thresholds[name] for name, number in busy._asdict().items()):
        return None
    return {"minutes": thresholds["minutes"], **busy._asdict()}
