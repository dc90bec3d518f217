"""Evidence about coupon codes: who used them lately. Reads only; bounded, however often a code was used."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import BigInteger, FromClause, Select, exists, select
from sqlalchemy.orm import Session, aliased

from app.kernel.database import id_type, table_of
from app.kernel.given import Question, keys_of
from app.orders.models import Order
from app.referrals.models import Claim, Identity, Visit

_FEW: Final = 500
"""Uses of a code that are put in order; where there are more, it is looked for among the shop's latest orders."""
_LATEST_ORDERS: Final = 2000
_SHOWING: Final = 200


def latest(session: Session, merchant_id: int, code: str, *, livemode: bool, most: int) -> list[str]:
    """The latest orders with the code (as codes are compared), at most so many, newest first."""
    used = select(Order.order_id).where(
        Order.merchant_id == merchant_id, Order.coupon_key == code, Order.livemode.is_(livemode)
    )
    few = session.scalars(used.limit(_FEW + 1)).all()
    if len(few) <= _FEW:
        return sorted(few, reverse=True)[:most]
    among = _latest_orders(merchant_id, _LATEST_ORDERS)
    found = select(among.c.order_id).where(among.c.coupon_key == code, among.c.livemode.is_(livemode))
    return list(session.scalars(found.order_by(among.c.order_id.desc()).limit(most)))


def strangers(session: Session, merchant_id: int, order_ids: Iterable[str]) -> set[str]:
    """Those of the orders whose buyers came through nobody: they name no visit that is known, and neither who bought
    nor anybody who is the same person ever claimed one."""
    return {order_id for (order_id,) in _STRANGERS.ask(session, keys_of(merchant_id, order_ids))}


def says_who_came(session: Session, merchant_id: int) -> bool:
    """Whether any of the shop's latest orders says who bought it, or through which visit. Where none does, everybody
    would be a stranger."""
    lately = _latest_orders(merchant_id, _SHOWING)
    says = lately.c.visitor_id.is_not(None) | lately.c.click_id.is_not(None)
    return session.scalar(select(lately.c.order_id).where(says).limit(1)) is not None


def _latest_orders(merchant_id: int, most: int) -> Any:
    """The shop's latest orders: an order's id begins with when it was told."""
    mine = select(Order.order_id, Order.coupon_key, Order.livemode, Order.visitor_id, Order.click_id)
    latest_first = mine.where(Order.merchant_id == merchant_id).order_by(Order.order_id.desc())
    return latest_first.limit(most).subquery("lately")


_orders = table_of(Order)


def _strangers(given: FromClause) -> Select[*tuple[Any, ...]]:
    order = _orders.c
    same = (order.merchant_id == given.c.merchant_id) & (order.order_id == given.c.order_id)
    named = (Visit.merchant_id == order.merchant_id) & (Visit.visit_id == order.click_id)
    came = (Claim.merchant_id == order.merchant_id) & (Claim.visitor_id == order.visitor_id)
    own, other, theirs = aliased(Identity), aliased(Identity), aliased(Claim)
    is_own = (own.merchant_id == order.merchant_id) & (own.visitor_id == order.visitor_id)
    is_other = (other.merchant_id == own.merchant_id) & (other.person == own.person)
    claimed = (theirs.merchant_id == other.merchant_id) & (theirs.visitor_id == other.visitor_id)
    elsewhere = select(own.visitor_id).join(other, is_other).join(theirs, claimed).where(is_own)
    found = select(order.order_id).join_from(given, _orders, same)
    return found.where(~exists().where(named), ~exists().where(came), ~elsewhere.exists())


_STRANGERS: Final = Question(_strangers, merchant_id=BigInteger(), order_id=id_type())
