"""The shell around the engine: listens to what happens, and has the credit of the orders concerned brought up to date.

Called in the transaction of what happened, or again after it (docs/decisions/0004-events.md); doing it twice appends
nothing. What concerns few orders is done at once, so that whoever told it sees its effect as soon as they are answered;
what concerns many is marked, and left to a worker (`stale`).
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from app.attribution import affected, stale, writing
from app.attribution.affected import Reach, Touched
from app.kernel.as_of import writing_now
from app.kernel.clock import Clock
from app.kernel.outbox import Outbox
from app.orders.news import OrderChanged, OrdersRecorded
from app.referrals import coupons, turns, visits
from app.referrals.coupons import CouponChanged
from app.referrals.identities import IdentityJoined
from app.referrals.visits import VisitClaimed
from app.trust.news import StandingsChanged

FEW: Final = 100
"""Orders that somebody who tells something is made to wait for."""


@dataclass(frozen=True)
class Listeners:
    """What attribution does when something happened to a merchant's facts."""

    clock: Clock
    outbox: Outbox

    def on_order_changed(self, session: Session, event: OrderChanged) -> None:
        """Divide the order; where it is new or somebody else's now, also what its buyers bought later, as far as that
        depends on it."""
        turns.share_facts(session, event.merchant_id)
        orders = [event.order_id]
        alone = not (event.is_new or event.buyer_changed)
        if alone or not self._look_again(affected.by_orders(session, event.merchant_id, orders)):
            now = writing_now(session, event.merchant_id, self.clock)
            writing.bring_up_to_date(session, event.merchant_id, orders, now)

    def on_orders_recorded(self, session: Session, event: OrdersRecorded) -> None:
        """Divide orders that are new, and what their buyers bought later, as far as that depends on them."""
        turns.share_facts(session, event.merchant_id)
        reach = affected.by_orders(session, event.merchant_id, event.order_ids)
        if not self._look_again(reach, beside=len(event.order_ids)):
            now = writing_now(session, event.merchant_id, self.clock)
            writing.bring_up_to_date(session, event.merchant_id, event.order_ids, now)

    def on_visit_claimed(self, session: Session, event: VisitClaimed) -> None:
        """A touch was learnt of late: look again at the orders that it may have led to."""
        turns.share_facts(session, event.merchant_id)
        visit = visits.find(session, event.merchant_id, event.visit_id)
        assert visit is not None, "a claim stands for a visit"
        touched = Touched(event.visit_id, event.visitor_id, visit.at)
        self._look_again(affected.by_touches(session, event.merchant_id, [touched]))

    def on_identity_joined(self, session: Session, event: IdentityJoined) -> None:
        """People were the same all along: look again at what they bought, and at what was earned through them."""
        turns.hold_facts(session, event.merchant_id)
        self._look_again(affected.by_visitors(session, event.merchant_id, [event.visitor_id]))

    def on_coupon_changed(self, session: Session, event: CouponChanged) -> None:
        """A code speaks for another from a moment on: look again at the orders with it since then."""
        turns.hold_facts(session, event.merchant_id)
        since = coupons.find(session, event.merchant_id, event.coupon_id).at
        self._look_again(affected.by_coupons(session, event.merchant_id, [(event.code, since)]))

    def on_standings_changed(self, session: Session, event: StandingsChanged) -> None:
        """Something may earn credit no longer, or again: look again at what it did or may have led to. Whoever tells
        it has the merchant's facts alone; or shares them, tells of visits of one journey, and has that person alone."""
        turns.share_facts(session, event.merchant_id)
        reaches = affected.by_standings(
            *(session, event.merchant_id),
            referrals=event.referrals,
            visits=event.visits,
            orders=event.orders,
            eased=event.eased,
        )
        for reach in reaches:
            self._look_again(reach)

    def _look_again(self, reach: Reach, *, beside: int = 0) -> bool:
        """Whether the orders are up to date now; if they are more than a few `beside` those told of, that is
        promised."""
        orders = reach.few(FEW + beside)
        if orders is None:
            reach.mark()
            stale.promise(reach.session, self.outbox, reach.merchant_id)
            return False
        now = writing_now(reach.session, reach.merchant_id, self.clock)
        writing.bring_up_to_date(reach.session, reach.merchant_id, orders, now)
        return True
