"""Who bought, as far as that may be remembered (`privacy/modes.py`). A sale is never refused for it: then nobody is
said to have bought, and the click alone says through whom they came. Knows the session, not HTTP."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from app.kernel.errors import Invalid
from app.kernel.signing import Signer
from app.merchants import service as merchants
from app.orders.corrections import Amendment
from app.orders.sales import Sale
from app.privacy import standing
from app.privacy.modes import Touchpoint


def kept(session: Session, signer: Signer, merchant_id: int, sales: Sequence[Sale]) -> list[Sale]:
    """The sales, each with its buyer only where that buyer may be kept beside it."""
    named = {sale.visitor_id for sale in sales if sale.visitor_id is not None}
    may = _may(session, signer, merchant_id, named) if named else named
    return [
        sale if sale.visitor_id is None or sale.visitor_id in may else replace(sale, visitor_id=None) for sale in sales
    ]


def buyer(session: Session, signer: Signer, merchant_id: int, visitor: str | None) -> str | None:
    """The visitor, where they may be kept beside a sale."""
    return visitor if visitor is not None and _may(session, signer, merchant_id, {visitor}) else None


def must_be_kept(session: Session, signer: Signer, merchant_id: int, asked: Amendment) -> None:
    """Raises `Invalid` for a buyer who is said to have bought and may not be kept."""
    visitor = asked.changes.get("visitor_id")
    if isinstance(visitor, str) and buyer(session, signer, merchant_id, visitor) is None:
        raise Invalid.field("/visitor", "may not be remembered: they left, did not consent, or no visitors are kept")


def _may(session: Session, signer: Signer, merchant_id: int, visitors: set[str]) -> set[str]:
    mode = merchants.privacy_of(session, merchant_id)
    owned = [(merchant_id, visitor) for visitor in visitors]
    return {visitor for _, visitor in standing.remembered(session, signer, Touchpoint.SALE, mode, owned)}
