"""What if: all orders of a period under any policy, as it was known at any time. Stores nothing.

Orders pass by in batches; what is kept of them are sums, and how each is shown where they are asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.attribution.batches import settled_batches
from app.attribution.engine import Policy, Settlement, Tally
from app.kernel.errors import Invalid

MOST_ORDERS: Final = 10_000
"""Orders that are listed in one answer."""

MOST_LINES: Final = 300_000
"""Lines of all orders of one answer: thirty to an order."""


@dataclass(frozen=True)
class Asked:
    """Orders made from `since` until before `until` (None: without that end), as they were known at `as_of` (None:
    now)."""

    merchant_id: int
    policy: Policy
    since: datetime | None
    until: datetime | None
    as_of: datetime | None
    livemode: bool
    orders: bool


@dataclass(frozen=True)
class Preview:
    """The totals of all orders; and the orders as they are shown, by (at, id), where they were asked for."""

    tally: Tally
    orders: Sequence[str]


def preview(session: Session, asked: Asked, show: Callable[[Settlement], str]) -> Preview:
    """Settle what is asked for; `show` tells an order. Raises `Invalid` for more than is listed in one answer."""
    tally, lines = Tally(), 0
    shown: list[tuple[int, str, str]] = []
    for batch in settled_batches(
        session,
        asked.merchant_id,
        [asked.policy],
        since=asked.since,
        until=asked.until,
        livemode=asked.livemode,
        as_of=asked.as_of,
    ):
        for settlement in batch.settlements[0]:
            tally.add(settlement, batch.loaded.facts)
            if asked.orders:
                shown.append((settlement.order.at, settlement.order.id, show(settlement)))
                lines += len(settlement.lines)
        if len(shown) > MOST_ORDERS or lines > MOST_LINES:
            most = f"{MOST_ORDERS:,} orders and {MOST_LINES:,} lines"
            raise Invalid.field("/orders", f"lists at most {most}: narrow from and to, or ask with false")
    return Preview(tally, [text for _, _, text in sorted(shown)])
