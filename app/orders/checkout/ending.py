"""How a checkout goes on, and what becomes of the stock that it holds: sold when it is paid, given back when nobody can
pay it any more. Knows the session and the tables; whoever calls holds the checkout's row."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.catalog import stock
from app.orders import lifecycle
from app.orders.models import Checkout

_ENDS: Final = {"paid": stock.sell, "expired": stock.release, "failed": stock.release}


def go_on(session: Session, checkout: Checkout, heard: str, now: datetime) -> None:
    """Bring the checkout to its furthest state, and its stock with it."""
    checkout.status = lifecycle.furthest(checkout.status, heard)
    tell_stock(session, checkout, now)


def tell_stock(session: Session, checkout: Checkout, now: datetime) -> None:
    """What the checkout holds is sold, or given back, by its state. Each happens once, however often it is told."""
    end = _ENDS.get(checkout.status)
    if end is not None:
        end(session, checkout.merchant_id, checkout.checkout_id, now)
