"""Which orders hang on people, on clicks, on coupon codes, and on earlier orders of the same people.

Parts of statements, as in `app.referrals.reach`, whose words these are. Executes nothing.
"""

from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy import FromClause, Select, func, select

from app.orders.models import Order
from app.referrals import reach
from app.referrals.models import Claim
from app.referrals.reach import MERCHANT, second_of

Orders: TypeAlias = Sequence[Select[str]]
"""The ids of orders, to be put together by a union; one may come several times."""


def of_people(visitors: FromClause) -> Orders:
    """The orders since `since` of whoever is or was the same person as one of `visitors`: those that say so, and
    those that only name a click which one of them claimed."""
    everyone = reach.everyone(visitors)
    claimed = reach.claimed_by(everyone)
    said = select(Order.order_id).join(everyone, Order.visitor_id == everyone.c.visitor_id)
    return (
        said.where(Order.merchant_id == MERCHANT, Order.at >= everyone.c.since),
        naming(claimed).where(Order.visitor_id.is_(None), Order.at >= claimed.c.since),
    )


def naming(touches: FromClause) -> Select[str]:
    """The orders that name one of `touches`, whenever they were made."""
    orders = select(Order.order_id).join(touches, Order.click_id == touches.c.visit_id)
    return orders.where(Order.merchant_id == MERCHANT)


def with_code(codes: FromClause) -> Select[str]:
    """The orders with one of the coupon `codes` (as codes are compared), made since its `since`."""
    orders = select(Order.order_id).join(codes, Order.coupon_key == codes.c.code)
    return orders.where(Order.merchant_id == MERCHANT, Order.at >= codes.c.since)


def these(orders: FromClause) -> Select[str]:
    """Those of `orders` that are the merchant's."""
    return select(Order.order_id).join(orders, Order.order_id == orders.c.order_id).where(Order.merchant_id == MERCHANT)


def these_and_later(orders: FromClause) -> Orders:
    """`orders`, and those that the same people made in their second or later."""
    buyer = func.coalesce(Order.visitor_id, Claim.visitor_id).label("visitor_id")
    buyers = (
        select(buyer, second_of(Order.at).label("since"))
        .join(orders, Order.order_id == orders.c.order_id)
        .outerjoin(Claim, (Claim.merchant_id == Order.merchant_id) & (Claim.visit_id == Order.click_id))
        .where(Order.merchant_id == MERCHANT)
    )
    return (these(orders), *of_people(buyers.cte("buyers")))
