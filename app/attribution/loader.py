"""Loads what the engine must know to settle one order: the buyer's journey, its referrals and their ancestors.

Reads the tables of referrals and orders through their services; writes nothing.
"""

from sqlalchemy.orm import Session

from app.attribution.engine import Facts, Referral, Refund, Touch, TouchType, microseconds, whole_seconds
from app.attribution.engine import Order as SettledOrder
from app.orders.models import Order
from app.referrals import history
from app.referrals.models import Referral as ReferralRow
from app.referrals.models import Visit


def load(session: Session, order: Order) -> tuple[SettledOrder, Facts]:
    """The order in the engine's words, and the facts that concern it."""
    journey = history.journey(session, order.merchant_id, order.visitor_id, order.click_id, order.at)
    touched = {visit.referral_id for visit, _ in journey.visits if visit.referral_id is not None}
    referrals = history.with_ancestors(session, order.merchant_id, touched)
    settled = _order(order)
    facts = Facts.of(
        referrals=map(_referral, referrals),
        touches=(_touch(visit, visitor) for visit, visitor in journey.visits),
        orders=[settled],
        refunds=_refunds(order),
    )
    return settled, facts


def _order(order: Order) -> SettledOrder:
    return SettledOrder(
        id=order.order_id,
        visitor=order.visitor_id,
        currency=order.currency,
        net=order.net,
        coupon=order.coupon,
        at=whole_seconds(order.at),
        received_at=microseconds(order.received_at),
        click=order.click_id,
    )


def _refunds(order: Order) -> list[Refund]:
    return [
        Refund(
            id=refund.refund_id,
            order=order.order_id,
            amount=refund.amount,
            at=whole_seconds(refund.at),
            received_at=microseconds(refund.received_at),
            dropped_at=None if refund.dropped_at is None else microseconds(refund.dropped_at),
        )
        for refund in order.refunds
    ]


def _referral(row: ReferralRow) -> Referral:
    return Referral(
        id=row.referral_id,
        visitor=row.visitor_id,
        network=row.network,
        parent=row.parent_id,
        at=whole_seconds(row.at),
        received_at=microseconds(row.received_at),
    )


def _touch(visit: Visit, visitor: str | None) -> Touch:
    return Touch(
        id=visit.visit_id,
        visitor=visitor,
        type=TouchType(visit.type),
        network=visit.seen_from,
        referral=visit.referral_id,
        at=whole_seconds(visit.at),
        received_at=microseconds(visit.received_at),
    )
