"""What is held of a visitor's word and ways, for themselves to see. Knows the session and the tables, not HTTP."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.privacy.held import Part, rows
from app.referrals.models import Beacon, Claim, Identity, Referral, SharerName, Visit

_OTHERS: Final = frozenset({"visitor_id", "parent_id", "target"})
"""Who it is they know; whose link they had come by is somebody else's."""


def of_visitor(session: Session, merchant_id: int, visitor: str) -> Iterator[Part]:
    """Likes, shares, names, visits, and who the shop says they are."""
    mine = (Referral.merchant_id == merchant_id, Referral.visitor_id == visitor)
    about = "What you liked and shared, with the words you gave it; a link that you took back stays as withdrawn."
    yield Part("likes_and_shares", about, rows(session, Referral, *mine, without=_OTHERS))
    named = (SharerName.merchant_id == merchant_id, SharerName.visitor_id == visitor)
    about = "What you want to be called."
    yield Part("names", about, rows(session, SharerName, *named, without=_OTHERS))
    claims = select(Claim.visit_id).where(Claim.merchant_id == merchant_id, Claim.visitor_id == visitor)
    came = (Visit.merchant_id == merchant_id, Visit.visit_id.in_(claims))
    about = (
        "Visits through others' links, and cards of others that you saw, as far as this browser said that it was you."
    )
    yield Part("visits", about, rows(session, Visit, *came, without=frozenset({"imported"})))
    joined = (Identity.merchant_id == merchant_id, Identity.visitor_id == visitor)
    about = "Which customer of the shop you are, by the shop's own word."
    yield Part("identities", about, rows(session, Identity, *joined, without=_OTHERS))
    seen = (Beacon.merchant_id == merchant_id, Beacon.visitor_id == visitor)
    about = "What widgets showed you and what you opened in them; forgotten after a while."
    yield Part("seen", about, rows(session, Beacon, *seen, without=_OTHERS))
