"""What the rules of one's own mail and card have in common: who shared has bought just so. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.trust.found import Evidence

MOST_TOLD: Final = 10


class SameBuyer(NamedTuple):
    """An order, and those orders of its sharer's that were paid with the same card or told with the same mail."""

    order: str
    same_person: bool
    orders: Sequence[str]


def told(seen: SameBuyer) -> Evidence | None:
    """The orders that are alike; None where there are none, or where sharer and buyer are known to be one person:
    then attribution's own rule is about them (attribution.md, rule 2)."""
    if seen.same_person or not seen.orders:
        return None
    return {"order": seen.order, "alike": len(seen.orders), "orders": sorted(seen.orders)[:MOST_TOLD]}
