"""The touches that come of beacons: somebody known saw the card of a referral (attribution.md, touches of type `view`).

Knows the session and the tables, not HTTP. They are promised with the reports (beacons.py) and written after them.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.kernel import journal
from app.kernel.as_of import writing_now
from app.kernel.clock import Clock, from_micros
from app.kernel.database import Database, insert_new
from app.kernel.events import Events
from app.kernel.ids import id_from
from app.kernel.outbox import Message
from app.kernel.signing import Signer
from app.merchants import service as merchants
from app.privacy import standing
from app.privacy.modes import Touchpoint
from app.referrals import turns
from app.referrals.beacons import Seen, Shown
from app.referrals.identities import person_of
from app.referrals.models import Claim, Visit
from app.referrals.visits import VisitClaimed

_SAME_VIEW: Final = timedelta(hours=1)


def keep_promise(database: Database, events: Events, signer: Signer, clock: Clock, message: Message) -> None:
    """Write the touches that could not be written when they were reported."""
    seen = [(Shown(*card), from_micros(at)) for *card, at in message.payload["seen"]]
    with database.transaction() as session:
        now = writing_now(session, message.merchant_id, clock)
        touch(session, events, signer, message.payload["visitor"], seen, now)


def touch(session: Session, events: Events, signer: Signer, visitor_id: str, seen: Seen, now: datetime) -> None:
    """A proven visitor saw the cards of one merchant's referrals: touches of type `view` (attribution.md); nothing,
    where that may not be remembered of them (`modes.py`).

    Seen again within the same hour, it is the same view. The same turns are taken as by a claim, so that an order at
    this very moment and the view see each other.
    """
    merchant_id = seen[0][0].merchant_id
    mode = merchants.privacy_of(session, merchant_id)
    if not standing.is_remembered(session, signer, Touchpoint.VIEW, mode, merchant_id, visitor_id):
        return
    turns.share_facts(session, merchant_id)
    turns.hold_person(session, merchant_id, person_of(session, merchant_id, visitor_id))
    for referral, at in seen:
        visit_id = _view_of(referral, visitor_id, at)
        mine: dict[str, object] = {"merchant_id": merchant_id, "visit_id": visit_id, "claimed_id": visit_id}
        if insert_new(session, Claim, **mine, visitor_id=visitor_id, at=at, received_at=now):
            session.add(
                Visit(
                    merchant_id=merchant_id,
                    visit_id=visit_id,
                    referral_id=referral.referral_id,
                    type="view",
                    product_id=referral.product_id,
                    wall_id=referral.wall_id,
                    at=at,
                    received_at=now,
                )
            )
            session.flush()
            journal.note(session, merchant_id, "visit.recorded", [visit_id], now)
            journal.note(session, merchant_id, "visit.claimed", [visit_id], now)
            events.publish(session, VisitClaimed(merchant_id, visit_id, visitor_id))


def _view_of(referral: Shown, visitor_id: str, at: datetime) -> str:
    """The id of this visitor's view of that card in that hour; nobody else can guess it."""
    hour = datetime.fromtimestamp(at.timestamp() // _SAME_VIEW.total_seconds() * _SAME_VIEW.total_seconds(), at.tzinfo)
    digest = hashlib.sha256(f"view {referral.referral_id} {visitor_id}".encode()).digest()
    return id_from("clk", referral.merchant_id, hour, digest)
