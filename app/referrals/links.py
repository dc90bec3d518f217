"""Links: many at once. Knows the session and the tables, not HTTP."""

from collections.abc import Collection, Sequence

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.referrals.models import Link, Referral


def foreseen(session: Session, codes: Collection[str]) -> Sequence[Row[Link, Referral]]:
    """Reads in one statement what `service.by_code` will be asked about these codes; as long as the answer is held,
    `session` knows it."""
    theirs = (Referral.merchant_id == Link.merchant_id) & (Referral.referral_id == Link.referral_id)
    return session.execute(select(Link, Referral).join(Referral, theirs).where(Link.code.in_(codes))).all()
