"""Receipts for what people agreed to: given, found, withdrawn. Knows the session and its own table, not HTTP."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.database import take_turn
from app.kernel.errors import NotFound
from app.kernel.ids import new_id
from app.privacy.models import Consent


def give(session: Session, merchant_id: int, visitor: str, version: str, now: datetime) -> tuple[Consent, bool]:
    """The receipt that the visitor agreed to this `version` of the page's words, and whether it is new: said again, the
    one that stands is found; after it was withdrawn, there is another."""
    take_turn(session, f"consent {merchant_id} {visitor}")
    standing = session.scalar(
        select(Consent)
        .where(Consent.merchant_id == merchant_id, Consent.visitor_id == visitor)
        .where(Consent.version == version, Consent.withdrawn_at.is_(None))
    )
    if standing is not None:
        return standing, False
    receipt = Consent(
        merchant_id=merchant_id,
        consent_id=new_id("cns", merchant_id, now),
        visitor_id=visitor,
        version=version,
        at=now,
        withdrawn_at=None,
    )
    session.add(receipt)
    session.flush()
    return receipt, True


def withdraw(session: Session, merchant_id: int, consent_id: str, visitor: str | None, now: datetime) -> None:
    """Nothing more is remembered by this receipt; twice is once. Only its own visitor may: to others there is no such
    thing (`NotFound`)."""
    receipt = session.get(Consent, (merchant_id, consent_id), with_for_update=True)
    if receipt is None or visitor is None or receipt.visitor_id != visitor:
        raise NotFound
    receipt.withdrawn_at = receipt.withdrawn_at or now
