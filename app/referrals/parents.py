"""The parent of a new referral, found by the server (attribution.md, "The parent is inferred").

A shopper who arrived through Ana's link and shares afresh would otherwise cut Ana out.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.ids import Malformed, is_code
from app.referrals import visits
from app.referrals.models import Claim, Link, Visit

WINDOW = timedelta(days=30)
"""The click window of the default policy."""


def infer(
    session: Session,
    merchant_id: int,
    visitor_id: str,
    *,
    product_id: str | None,
    wall_id: str | None,
    via: str | None,
    now: datetime,
) -> str | None:
    """The referral through which `visitor_id` had come: the latest claimed visit within the window, of the
    product, else of the wall, else of the merchant. `via` helps only a visitor without any visit yet."""
    visits = session.execute(
        select(Visit.referral_id, Visit.product_id, Visit.wall_id)
        .join(Claim, (Claim.merchant_id == Visit.merchant_id) & (Claim.visit_id == Visit.visit_id))
        .where(
            Claim.merchant_id == merchant_id,
            Claim.visitor_id == visitor_id,
            Visit.at >= now - WINDOW,
            Visit.at <= now,
        )
        .order_by(Visit.at.desc(), Visit.visit_id.desc())
    ).all()
    if not visits:
        return _from_via(session, merchant_id, via)
    of_product = [visit for visit in visits if product_id is not None and visit.product_id == product_id]
    of_wall = [visit for visit in visits if wall_id is not None and visit.wall_id == wall_id]
    nearest: str = (of_product or of_wall or visits)[0].referral_id
    return nearest


def _from_via(session: Session, merchant_id: int, via: str | None) -> str | None:
    """The referral behind a click id or a code, when it is this merchant's."""
    if via is None:
        return None
    if is_code(via):
        link = session.get(Link, via)
        return link.referral_id if link is not None and link.merchant_id == merchant_id else None
    try:
        visit = visits.find(session, merchant_id, via)
    except Malformed:
        return None
    return None if visit is None else visit.referral_id
