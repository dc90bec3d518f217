"""All facts of a merchant at once, in the engine's words: read straight from the tables, without the loader.

What the books of a small world are compared with.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.attribution import engine
from app.attribution.engine import Facts, microseconds, whole_seconds
from app.orders.models import Order, Refund
from app.referrals.models import Claim, Coupon, Identity, Referral, Visit
from tests.db.doubted import bars


def every(session: Session, table: type[Any], merchant: int) -> list[Any]:
    return list(session.scalars(select(table).where(table.merchant_id == merchant)))


def all_facts(session: Session, merchant: int, rows: list[Order]) -> Facts:
    claims = {claim.visit_id: claim.visitor_id for claim in every(session, Claim, merchant)}

    def times(row: Any) -> dict[str, int]:
        return {"at": whole_seconds(row.at), "received_at": microseconds(row.received_at)}

    return Facts.of(
        referrals=[
            engine.Referral(each.referral_id, each.visitor_id, each.network, each.parent_id, **times(each))
            for each in every(session, Referral, merchant)
        ],
        touches=[
            engine.Touch(
                each.visit_id,
                claims.get(each.visit_id),
                engine.TouchType(each.type),
                each.seen_from,
                each.referral_id,
                whole_seconds(each.at),
                microseconds(each.received_at),
            )
            for each in every(session, Visit, merchant)
        ],
        identities=[
            engine.Identity(each.visitor_id, each.person, **times(each)) for each in every(session, Identity, merchant)
        ],
        coupons=[
            engine.Coupon(each.code, each.referral_id, **times(each)) for each in every(session, Coupon, merchant)
        ],
        orders=[
            engine.Order(
                each.external_id,
                each.visitor_id,
                each.currency,
                each.net,
                each.coupon,
                **times(each),
                click=each.click_id,
            )
            for each in rows
        ],
        refunds=[refund_of(each, order) for order in rows for each in order.refunds],
        bars=bars(session, merchant, rows),
    )


def refund_of(refund: Refund, order: Order) -> engine.Refund:
    dropped = None if refund.dropped_at is None else microseconds(refund.dropped_at)
    return engine.Refund(
        f"{refund.external_id}\0{order.external_id}\0{refund.refund_id}",
        order.external_id,
        refund.amount,
        whole_seconds(refund.at),
        microseconds(refund.received_at),
        dropped,
    )
