"""Which orders are closed: those whose journey could reach into a time whose visits are no longer kept. What was
credited of them stands; refunds take from it (docs/privacy.md, How long it is kept).

Whoever moves `visits_kept_from` on has the merchant's facts alone, so that an order is divided by all its visits, or
closed. Knows the session; which visits are dropped is decided elsewhere.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.attribution import policy_book
from app.attribution.engine import Policy, Reason, Settlement, whole_seconds
from app.attribution.engine.closed import Written, settle_closed
from app.attribution.loader import Loaded
from app.kernel.clock import from_micros
from app.kernel.ids import beginning, is_of
from app.merchants import service as merchants
from app.orders.history import OrderRow

STAYS_OPEN: Final = timedelta(days=30)
"""So long after its order the latest that was learnt of a journey still counts: claims, sign-ins, another policy."""


def reach(policy: Policy) -> timedelta:
    """How far before an order a touch can lie by which this policy divides it. Where journeys start anew after an
    order, the one before counts too, and so whoever claimed the click that it names."""
    windows = policy.windows
    longest = max(windows.click, windows.like, windows.view)
    return timedelta(seconds=2 * longest if policy.journey_reset else longest)


def days_needed(session: Session, merchant_id: int) -> int:
    """For how many days a merchant's visits must be kept: as far as any of their policies reaches, those that come
    into force later and those kept beside included, and `STAYS_OPEN`."""
    book = policy_book.open_book(session, merchant_id)
    policies = [*(version.policy for version, _ in book.lasting()), *(version.policy for version in book.beside)]
    longest = max(map(reach, policies)) + STAYS_OPEN
    return -(-longest // timedelta(days=1))


@dataclass(frozen=True)
class Closing:
    """Visits before `kept_from` may be gone."""

    merchant_id: int
    kept_from: datetime

    def settlement(
        self, row: OrderRow, loaded: Loaded, policy: Policy, written: Sequence[Written], *, is_new: bool
    ) -> Settlement | None:
        """How a closed order stands; None for one that is open. One that `is_new`, of which nothing was written under
        any policy, is divided by what there is."""
        if is_new or not self._is_closed(row, loaded, policy, written):
            return None
        return settle_closed(loaded.orders[row.order_id], loaded.facts, policy, self._in_order(written))

    def _is_closed(self, row: OrderRow, loaded: Loaded, policy: Policy, written: Sequence[Written]) -> bool:
        if from_micros(whole_seconds(row.at) * 1_000_000) - reach(policy) < self.kept_from:
            return True
        click = row.click_id
        if row.visitor_id is not None or click is None or click in loaded.facts.touches:
            return False
        # Who bought it was known by a click that is not there: was it ever?
        if is_of(click, self.merchant_id, "clk"):
            return click < beginning("clk", self.kept_from)
        stands = [line for line in written if line.amounts.gross]
        return bool(stands) and stands[-1].reason is not Reason.UNKNOWN_CLICK

    def _in_order(self, written: Sequence[Written]) -> Sequence[Written]:
        """With the earliest touch first: ids of ours begin with their time; others stand as they were written."""
        if all(is_of(touch, self.merchant_id, "clk") for touch in _touches(written)):
            return sorted(written, key=lambda line: line.key.touch or "")
        return written


def gone_before(
    session: Session, merchant_id: int, begins: datetime | None, policies: Collection[Policy] = ()
) -> date | None:
    """The day before which visits may be gone, if an answer about what happened from `begins` on (None: ever), which is
    reckoned from visits under these policies, may lack some."""
    closed = of(session, merchant_id)
    if closed is None:
        return None
    if begins is not None and begins - max(map(reach, policies), default=timedelta(0)) >= closed.kept_from:
        return None
    return closed.kept_from.date()


def of(session: Session, merchant_id: int) -> Closing | None:
    """What is closed of this merchant's; None: nothing, all visits are there."""
    kept_from = merchants.visits_kept_from(session, merchant_id)
    return None if kept_from is None else Closing(merchant_id, kept_from)


def _touches(written: Sequence[Written]) -> Iterator[str]:
    return (line.key.touch for line in written if line.key.touch is not None)
