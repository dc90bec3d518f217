"""Visits: people who followed a link, and the claims by which a visitor says that a visit was theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.kernel.database import insert_new
from app.kernel.errors import NotFound
from app.kernel.ids import merchant_of, new_id
from app.kernel.recorder import Fact
from app.referrals.models import Claim, Referral, Visit

CLAIMABLE_FOR = timedelta(minutes=30)

TOUCH_TYPE = {"share": "click", "like": "like"}
"""A visit through a share is a `click`, through a like a `like` (product.md)."""


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


def write(session: Session, visits: Sequence[NewVisit]) -> list[str]:
    """Write visits, all in one statement."""
    rows = [{**visit.__dict__, "received_at": visit.at, "copy_of": None} for visit in visits]
    session.execute(insert(Visit), rows)
    return [visit.visit_id for visit in visits]


def find(session: Session, merchant_id: int, visit_id: str) -> Visit | None:
    """The visit, if it is one of this merchant's. Raises `Malformed` for what is no click id."""
    return session.get(Visit, (merchant_id, visit_id)) if merchant_of(visit_id, "clk") == merchant_id else None


def visitor_of(session: Session, merchant_id: int, visit_id: str) -> str | None:
    """Who claimed the visit, if somebody did."""
    claim = session.get(Claim, (merchant_id, visit_id))
    return None if claim is None else claim.visitor_id


def claim(session: Session, merchant_id: int, visit_id: str, visitor_id: str, now: datetime) -> str:
    """Bind the visit to the visitor; the click id that is theirs from now on.

    The first claim within half an hour gets this visit. A later one, or another visitor's (a copied
    address), gets a new visit of the same referral: two people are never merged (api.md, Claiming a visit).
    Raises `NotFound` for a click that is not this merchant's.
    """
    visit = find(session, merchant_id, visit_id)
    if visit is None:
        raise NotFound
    if now <= visit.at + CLAIMABLE_FOR and _bind(session, visit, visitor_id, now):
        return visit_id
    if visitor_of(session, merchant_id, visit_id) == visitor_id:
        return visit_id
    known = session.scalar(
        select(Visit.visit_id)
        .join(Claim, (Claim.merchant_id == Visit.merchant_id) & (Claim.visit_id == Visit.visit_id))
        .where(Claim.merchant_id == merchant_id, Claim.visitor_id == visitor_id, Visit.copy_of == visit_id)
        .limit(1)
    )
    if known is not None:
        return known
    copy = _copy(session, visit, now)
    _bind(session, copy, visitor_id, now)
    return copy.visit_id


def _bind(session: Session, visit: Visit, visitor_id: str, now: datetime) -> bool:
    return insert_new(
        session,
        Claim,
        merchant_id=visit.merchant_id,
        visit_id=visit.visit_id,
        visitor_id=visitor_id,
        at=now,
        received_at=now,
    )


def _copy(session: Session, visit: Visit, now: datetime) -> Visit:
    copy = Visit(
        merchant_id=visit.merchant_id,
        visit_id=new_id("clk", visit.merchant_id, now),
        referral_id=visit.referral_id,
        type=visit.type,
        product_id=visit.product_id,
        wall_id=visit.wall_id,
        seen_from=None,
        copy_of=visit.visit_id,
        at=now,
        received_at=now,
    )
    session.add(copy)
    session.flush()
    return copy
