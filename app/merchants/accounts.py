"""Through which accounts of Stripe's merchants sell. Knows the session, not HTTP, not Stripe.

Who has left is among them: no key of theirs works, but their books stay, and what they sold may still be given back.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.ids import Malformed, merchant_of
from app.merchants.models import Merchant


def by_merchant(session: Session) -> dict[int, str | None]:
    """The account of each merchant there ever was, by the merchant's number; None is the server's own."""
    everybody = select(Merchant.merchant_id, Merchant.stripe_account)
    return {row.merchant_id: row.stripe_account for row in session.execute(everybody)}


def in_use(session: Session, at: datetime) -> set[str | None]:
    """The accounts of those merchants who have not left, or left only after `at`."""
    stood = Merchant.closed_at.is_(None) | (Merchant.closed_at > at)
    return set(session.scalars(select(Merchant.stripe_account).where(stood).distinct()))


def holder(session: Session, public_id: str) -> Merchant | None:
    """The merchant of that name, whether they have left or not; None where there is none."""
    try:
        merchant = session.get(Merchant, merchant_of(public_id, "mer"))
    except Malformed:
        return None
    return merchant if merchant is not None and merchant.public_id == public_id else None


def names(session: Session) -> dict[int, tuple[str, str]]:
    """`mer_…` and the name of each merchant there ever was, by number, for the operator's eyes."""
    everybody = select(Merchant.merchant_id, Merchant.public_id, Merchant.name)
    return {row.merchant_id: (row.public_id, row.name) for row in session.execute(everybody)}
