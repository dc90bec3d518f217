"""What led to a purchase: a buyer's visits, and the referrals that they came through up to the roots."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.kernel.ids import Malformed
from app.referrals import visits
from app.referrals.models import Claim, Referral, Visit
from app.referrals.parents import LONGEST_JOURNEY

_A_SECOND = timedelta(seconds=1)
"""Attribution counts in whole seconds: a visit in the second of the purchase came before it."""


@dataclass(frozen=True)
class Journey:
    """A buyer, where known, and the visits that may have led to the purchase, each with who claimed it."""

    buyer: str | None
    visits: tuple[tuple[Visit, str | None], ...]


def journey(
    session: Session, merchant_id: int, visitor_id: str | None, click_id: str | None, until: datetime
) -> Journey:
    """The visits up to `until` of `visitor_id`, else of whoever claimed `click_id`; and the visit `click_id` itself.

    A click that is unknown or another merchant's is no visit here.
    """
    named = _named(session, merchant_id, click_id)
    claimed_by = None if named is None else visits.visitor_of(session, merchant_id, named.visit_id)
    buyer = visitor_id or claimed_by
    found = {} if buyer is None else {visit.visit_id: visit for visit in _claimed(session, merchant_id, buyer, until)}
    known: list[tuple[Visit, str | None]] = [(visit, buyer) for visit in found.values()]
    if named is not None and named.visit_id not in found:
        known.append((named, claimed_by))
    return Journey(buyer, tuple(known))


def visits_of(merchant_id: int, visitor_id: str) -> Select[str]:
    """The ids of all visits that the visitor claimed, to be asked for inside another query."""
    return select(Claim.visit_id).where(Claim.merchant_id == merchant_id, Claim.visitor_id == visitor_id)


def with_ancestors(session: Session, merchant_id: int, referral_ids: Iterable[str]) -> list[Referral]:
    """The referrals and all their ancestors, in one query however long the chain; a loop ends it too."""
    links = select(Referral.referral_id, Referral.parent_id).where(Referral.merchant_id == merchant_id)
    known = links.where(Referral.referral_id.in_(set(referral_ids))).cte("lineage", recursive=True)
    lineage = known.union(links.join(known, Referral.referral_id == known.c.parent_id))
    found = select(Referral).where(
        Referral.merchant_id == merchant_id, Referral.referral_id.in_(select(lineage.c.referral_id))
    )
    return list(session.scalars(found))


def _named(session: Session, merchant_id: int, click_id: str | None) -> Visit | None:
    if click_id is None:
        return None
    try:
        return visits.find(session, merchant_id, click_id)
    except Malformed:
        return None


def _claimed(session: Session, merchant_id: int, visitor_id: str, until: datetime) -> Iterable[Visit]:
    return session.scalars(
        select(Visit)
        .join(Claim, (Claim.merchant_id == Visit.merchant_id) & (Claim.visit_id == Visit.visit_id))
        .where(Claim.merchant_id == merchant_id, Claim.visitor_id == visitor_id, Visit.at < until + _A_SECOND)
        .order_by(Claim.visit_id.desc())
        .limit(LONGEST_JOURNEY)
    )
