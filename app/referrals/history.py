"""What led to a purchase: a buyer's visits, and the referrals that they came through up to the roots."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.ids import Malformed
from app.referrals import visits
from app.referrals.models import Claim, Referral, Visit


@dataclass(frozen=True)
class Journey:
    """A buyer, where known, and the visits that may have led to the purchase, each with who claimed it."""

    buyer: str | None
    visits: tuple[tuple[Visit, str | None], ...]


def journey(session: Session, merchant_id: int, visitor_id: str | None, click_id: str | None) -> Journey:
    """The visits of `visitor_id`, else of whoever claimed `click_id`; and the visit `click_id` itself.

    A click that is unknown or another merchant's is no visit here.
    """
    named = _named(session, merchant_id, click_id)
    claimed_by = None if named is None else visits.visitor_of(session, merchant_id, named.visit_id)
    buyer = visitor_id or claimed_by
    found = {} if buyer is None else {visit.visit_id: visit for visit in _claimed(session, merchant_id, buyer)}
    known: list[tuple[Visit, str | None]] = [(visit, buyer) for visit in found.values()]
    if named is not None and named.visit_id not in found:
        known.append((named, claimed_by))
    return Journey(buyer, tuple(known))


def with_ancestors(session: Session, merchant_id: int, referral_ids: Iterable[str]) -> list[Referral]:
    """The referrals and all their ancestors, in one query a generation; a loop ends it too."""
    found: dict[str, Referral] = {}
    wanted = set(referral_ids)
    while wanted:
        generation = session.scalars(
            select(Referral).where(Referral.merchant_id == merchant_id, Referral.referral_id.in_(wanted))
        ).all()
        found |= {referral.referral_id: referral for referral in generation}
        wanted = {referral.parent_id for referral in generation if referral.parent_id is not None} - found.keys()
    return list(found.values())


def _named(session: Session, merchant_id: int, click_id: str | None) -> Visit | None:
    if click_id is None:
        return None
    try:
        return visits.find(session, merchant_id, click_id)
    except Malformed:
        return None


def _claimed(session: Session, merchant_id: int, visitor_id: str) -> Iterable[Visit]:
    return session.scalars(
        select(Visit)
        .join(Claim, (Claim.merchant_id == Visit.merchant_id) & (Claim.visit_id == Visit.visit_id))
        .where(Claim.merchant_id == merchant_id, Claim.visitor_id == visitor_id)
    )
