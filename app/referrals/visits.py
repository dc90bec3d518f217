"""Visits: people who followed a link, and the claims by which a visitor says that a visit was theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.kernel.database import insert_new, table_of
from app.kernel.errors import NotFound
from app.kernel.events import Event, Events
from app.kernel.ids import merchant_of, new_id
from app.kernel.recorder import Fact
from app.referrals import turns
from app.referrals.identities import person_of
from app.referrals.models import Claim, Referral, Visit
from app.referrals.parents import Windows, usual_windows

CLAIMABLE_FOR = timedelta(minutes=30)

TOUCH_TYPE = {"share": "click", "like": "like"}
"""A visit through a share is a `click`, through a like a `like` (product.md)."""


@dataclass(frozen=True)
class VisitClaimed(Event):
    """A visit has found its visitor."""

    visit_id: str
    visitor_id: str


@dataclass(frozen=True)
class NewVisit(Fact[str]):
    """Somebody followed the link of `referral`; the answer is the click id."""

    merchant_id: int
    visit_id: str
    referral_id: str
    type: str
    product_id: str | None
    wall_id: str | None
    seen_from: str | None
    at: datetime

    @classmethod
    def through(cls, referral: Referral, seen_from: str | None, at: datetime) -> "NewVisit":
        return cls(
            merchant_id=referral.merchant_id,
            visit_id=new_id("clk", referral.merchant_id, at),
            referral_id=referral.referral_id,
            type=TOUCH_TYPE[referral.kind],
            product_id=referral.product_id,
            wall_id=referral.wall_id,
            seen_from=seen_from,
            at=at,
        )


_INSERT = insert(table_of(Visit))  # the table's own: the mapping's would look at each row by itself


def write(session: Session, visits: Sequence[NewVisit]) -> list[str]:
    """Write visits, all in one statement."""
    rows = [{**visit.__dict__, "received_at": visit.at} for visit in visits]
    session.execute(_INSERT, rows)
    return [visit.visit_id for visit in visits]


def find(session: Session, merchant_id: int, visit_id: str) -> Visit | None:
    """The visit, if it is one of this merchant's. Raises `Malformed` for what is no click id."""
    return session.get(Visit, (merchant_id, visit_id)) if merchant_of(visit_id, "clk") == merchant_id else None


def visitor_of(session: Session, merchant_id: int, visit_id: str) -> str | None:
    """Who claimed the visit, if somebody did."""
    claim = session.get(Claim, (merchant_id, visit_id))
    return None if claim is None else claim.visitor_id


def claim(
    session: Session,
    events: Events,
    merchant_id: int,
    visit_id: str,
    visitor_id: str,
    now: datetime,
    windows: Windows = usual_windows,
) -> str:
    """Bind the visit to the visitor; the click id that is theirs from now on.

    The first claim within half an hour gets this visit. A later one, or another visitor's (a copied
    address), gets a new visit of the same referral: two people are never merged (api.md, Claiming a visit).
    Raises `NotFound` for a click that is not this merchant's, and where the link is closed or the visit is so
    old (by the merchant's click window) that a new one would bring back to life what has expired.
    """
    visit = find(session, merchant_id, visit_id)
    if visit is None:
        raise NotFound
    turns.share_facts(session, merchant_id)
    turns.hold_click(session, merchant_id, visit_id)
    turns.hold_person(session, merchant_id, person_of(session, merchant_id, visitor_id))
    if now <= visit.at + CLAIMABLE_FOR and _bind(session, visit, visit_id, visitor_id, now):
        events.publish(session, VisitClaimed(merchant_id, visit_id, visitor_id))
        return visit_id
    known = _claimed_as(session, visit, visitor_id)
    if known is not None:
        return known
    if not _still_leads_here(session, visit, now, windows):
        raise NotFound
    copy_id = new_id("clk", merchant_id, now)
    if not _bind(session, visit, copy_id, visitor_id, now):  # the same visitor claims it twice in this moment
        return _claimed_as(session, visit, visitor_id) or visit_id
    _copy(session, visit, copy_id, now)
    events.publish(session, VisitClaimed(merchant_id, copy_id, visitor_id))
    return copy_id


def hold_claims(session: Session, merchant_id: int, click_id: str | None, visitor_id: str | None) -> None:
    """Let nobody claim the click, nor the buyer anything on any device, until the transaction ends; nor anybody say
    that the buyer is somebody else.

    A purchase and a claim at the same moment would else not see each other, and nobody would ever put the two
    together. Whoever is second sees what the first has written (`turns`).
    """
    turns.share_facts(session, merchant_id)
    if click_id is not None:
        turns.hold_click(session, merchant_id, click_id)
        visitor_id = visitor_id or visitor_of(session, merchant_id, click_id)
    if visitor_id is not None:
        turns.hold_person(session, merchant_id, person_of(session, merchant_id, visitor_id))


def _claimed_as(session: Session, visit: Visit, visitor_id: str) -> str | None:
    """The click id that the visitor got for this visit before."""
    return session.scalar(
        select(Claim.visit_id).where(
            Claim.merchant_id == visit.merchant_id,
            (Claim.claimed_id == visit.visit_id) | (Claim.visit_id == visit.visit_id),
            Claim.visitor_id == visitor_id,
        )
    )


def _still_leads_here(session: Session, visit: Visit, now: datetime, windows: Windows) -> bool:
    referral = session.get(Referral, (visit.merchant_id, visit.referral_id))
    if referral is None or referral.withdrawn_at is not None:
        return False
    return now - visit.at <= windows(session, {visit.merchant_id}, now)[visit.merchant_id]


def _bind(session: Session, visit: Visit, own_id: str, visitor_id: str, now: datetime) -> bool:
    return insert_new(
        session,
        Claim,
        merchant_id=visit.merchant_id,
        visit_id=own_id,
        claimed_id=visit.visit_id,
        visitor_id=visitor_id,
        at=now,
        received_at=now,
    )


def _copy(session: Session, visit: Visit, own_id: str, now: datetime) -> None:
    session.add(
        Visit(
            merchant_id=visit.merchant_id,
            visit_id=own_id,
            referral_id=visit.referral_id,
            type=visit.type,
            product_id=visit.product_id,
            wall_id=visit.wall_id,
            seen_from=None,
            at=now,
            received_at=now,
        )
    )
    session.flush()
