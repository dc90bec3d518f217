"""Through which accounts of Stripe's merchants sell. Knows the session, not HTTP, not Stripe."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.merchants.models import Merchant


def by_merchant(session: Session) -> dict[int, str | None]:
    """The account of each merchant who has not left, by the merchant's number; None is the server's own."""
    standing = select(Merchant.merchant_id, Merchant.stripe_account).where(Merchant.closed_at.is_(None))
    return {row.merchant_id: row.stripe_account for row in session.execute(standing)}


def names(session: Session) -> dict[int, tuple[str, str]]:
    """`mer_…` and the name of each merchant there ever was, by number, for the operator's eyes."""
    everybody = select(Merchant.merchant_id, Merchant.public_id, Merchant.name)
    return {row.merchant_id: (row.public_id, row.name) for row in session.execute(everybody)}
