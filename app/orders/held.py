"""What is held of what a visitor bought, for themselves to see. Knows the session and the tables, not HTTP."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.orders.models import Checkout, Order, OrderLine
from app.privacy.held import Part, rows
from app.referrals.models import Claim

_OURS: Final = frozenset({"visitor_id", "fingerprint", "stripe_key", "attempt_key", "coupon_key"})
"""What only tells two messages apart."""


def of_visitor(session: Session, merchant_id: int, visitor: str) -> Iterator[Part]:
    """Their orders, as far as it is known that they are theirs, and what they began to buy."""
    clicks = select(Claim.visit_id).where(Claim.merchant_id == merchant_id, Claim.visitor_id == visitor)
    through = and_(Order.visitor_id.is_(None), Order.click_id.in_(clicks))
    mine = (Order.merchant_id == merchant_id, or_(Order.visitor_id == visitor, through))
    about = (
        "What you bought. Your customer number, mail and card are kept as keyed hashes alone, which nobody can read "
        "and by which we only see that two orders are the same person's."
    )
    yield Part("orders", about, rows(session, Order, *mine, without=_OURS))
    bought = (OrderLine.merchant_id == merchant_id, OrderLine.order_id.in_(select(Order.order_id).where(*mine)))
    yield Part("order_lines", "The lines of these orders.", rows(session, OrderLine, *bought, without=_OURS))
    begun = (Checkout.merchant_id == merchant_id, Checkout.visitor_id == visitor)
    about = "What you took to the till here, whether it was paid or not."
    yield Part("checkouts", about, rows(session, Checkout, *begun, without=_OURS | {"device"}))
