"""What is bought in a world and what is taken back of it, and who truly earned it. Pure."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Source(NamedTuple):
    """Who brought a sale, by construction: the last touch that counts, as reports name it. Products and walls are
    numbers."""

    network: str
    shared_to: str | None
    seen_from: str | None
    product: int
    wall: int
    sharer: str
    kind: str | None
    referral: str | None


NOBODY = Source("(direct)", None, None, 0, 0, "(none)", None, None)


class Bought(NamedTuple):
    """So many of a variant, by its place in the shop; the amount in minor units is of all of them."""

    variant: int
    quantity: int
    amount: int


class TakenBack(NamedTuple):
    """A refund or chargeback, at `at` (microseconds); dropped where it failed or the dispute was won."""

    refund_id: str
    external_id: str
    reason: str
    amount: int
    at: int
    dropped_at: int | None

    def counts(self, at: int) -> bool:
        """Whether it takes back at this moment."""
        return self.at < at and (self.dropped_at is None or self.dropped_at >= at)


@dataclass(slots=True, kw_only=True)
class Sale:
    """An order as it is told, with all that will be taken back of it, and by whom it was brought."""

    order_id: str
    external_id: str
    at: int
    currency: str
    livemode: bool
    net: int
    gross: int
    lines: tuple[Bought, ...]
    source: Source
    click: str | None = None
    visitor: str | None = None
    coupon: str | None = None
    checkout: str | None = None
    """Of ours, which Stripe told of; None for a sale that the merchant told of."""
    wall: int = 0
    taken_back: list[TakenBack] = field(default_factory=list)
