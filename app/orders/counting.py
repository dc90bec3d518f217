"""How many orders there are, for work that will go through them (`history.page`). Writes nothing."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.orders.models import Order


def are_any(session: Session, merchant_id: int, since: datetime | None = None) -> bool:
    """Whether there is an order that was made from `since` on."""
    return session.scalar(select(Order.order_id).where(*_made(merchant_id, since)).limit(1)) is not None


def count(session: Session, merchant_id: int, since: datetime | None = None) -> int:
    """How many orders were made from `since` on."""
    return session.scalar(select(func.count()).select_from(Order).where(*_made(merchant_id, since))) or 0


def _made(merchant_id: int, since: datetime | None) -> list[ColumnElement[bool]]:
    return [Order.merchant_id == merchant_id, *([] if since is None else [Order.at >= since])]
