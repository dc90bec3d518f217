"""The shell around the engine: loads what happened, lets the engine decide, appends the difference.

Called for each change of an order, in the transaction of that change. Calling it again appends nothing.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.attribution import loader
from app.attribution.engine import Amounts, Facts, LineKey, Policy, Settlement, Source, difference, settle
from app.attribution.models import CreditLine
from app.kernel.clock import Clock
from app.kernel.ids import new_id
from app.orders import service as orders
from app.orders.models import Order
from app.referrals import history, visits
from app.referrals.models import Referral
from app.referrals.visits import VisitClaimed

POLICY = Policy()
POLICY_VERSION = 1
"""The default policy of attribution.md, in force for every merchant."""


def on_order_changed(clock: Clock, session: Session, event: orders.OrderChanged) -> None:
    """Bring an order's credits up to date."""
    order = orders.get(session, event.merchant_id, event.order_id, lock=True)
    bring_up_to_date(session, order, clock.now())


def on_visit_claimed(clock: Clock, session: Session, event: VisitClaimed) -> None:
    """A touch that was learnt of late: bring the orders of its visitor up to date that it may have led to."""
    visit = visits.find(session, event.merchant_id, event.visit_id)
    assert visit is not None, "a claim stands for a visit"
    clicks = history.visits_of(event.merchant_id, event.visitor_id)
    for order in orders.touched_by(session, visit, event.visitor_id, clicks):
        bring_up_to_date(session, orders.get(session, event.merchant_id, order.order_id, lock=True), clock.now())


def bring_up_to_date(session: Session, order: Order, now: datetime) -> None:
    """Append what is missing, so that the order's credit lines are what the engine says."""
    settlement, facts = settled(session, order)
    changes = difference(_written(session, order), settlement.lines)
    if not changes:
        return
    origin = _origins(session, order, settlement, facts)
    reasons = {line.key: line.reason for line in settlement.lines}
    for key, change in changes.items():
        session.add(
            CreditLine(
                merchant_id=order.merchant_id,
                credit_id=new_id("crd", order.merchant_id, now),
                order_id=order.order_id,
                policy="current",
                policy_version=POLICY_VERSION,
                source=key.source,
                touch=key.touch,
                referral=key.referral,
                network=key.network,
                sharer=key.sharer,
                level=key.level,
                reason=reasons.get(key),
                currency=order.currency,
                gross=change.gross,
                reversed=change.reversed,
                livemode=order.livemode,
                order_at=order.at,
                written_at=now,
                **origin(key),
            )
        )
    session.flush()


def settled(session: Session, order: Order) -> tuple[Settlement, Facts]:
    """What the engine says of the order as it is known now, and the facts that it judged by."""
    order_settled, facts = loader.load(session, order)
    return settle(order_settled, facts, POLICY), facts


def ledger(session: Session, order: Order) -> list[CreditLine]:
    """The order's credit lines as they were appended, oldest first."""
    query = select(CreditLine).where(CreditLine.merchant_id == order.merchant_id, CreditLine.order_id == order.order_id)
    return list(session.scalars(query.order_by(CreditLine.credit_id)))


def key_of(line: CreditLine) -> LineKey:
    """The natural key under which the engine knows a written line."""
    return LineKey(Source(line.source), line.touch, line.referral, line.level, line.sharer, line.network)


def _written(session: Session, order: Order) -> list[tuple[LineKey, Amounts]]:
    return [(key_of(line), Amounts(line.gross, line.reversed)) for line in ledger(session, order)]


class _Origins:
    """Where a line's credit came from, as reports ask for it: the same on every level of a source, so that
    totals by product, wall or network do not depend on the upline (attribution.md, rule 7)."""

    def __init__(self, facts: Facts, touched: Mapping[str, Referral]) -> None:
        self._facts = facts
        self._touched = touched

    def __call__(self, key: LineKey) -> dict[str, str | None]:
        touch = None if key.touch is None else self._facts.touches.get(key.touch)
        referral_id = key.referral if touch is None else touch.referral
        referral = None if referral_id is None else self._touched.get(referral_id)
        return {
            "source_referral": referral_id,
            "shared_to": None if referral is None else referral.network,
            "seen_from": None if touch is None else touch.network,
            "product": None if referral is None else referral.product_id,
            "wall": None if referral is None else referral.wall_id,
            "kind": None if referral is None else referral.kind,
        }


def _origins(session: Session, order: Order, settlement: Settlement, facts: Facts) -> _Origins:
    touched = {line.source_referral for line in settlement.lines} | {line.referral for line in ledger(session, order)}
    rows = history.with_ancestors(session, order.merchant_id, {each for each in touched if each is not None})
    return _Origins(facts, {row.referral_id: row for row in rows})
