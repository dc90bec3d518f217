"""Which orders hang on people, on clicks, on coupon codes, and on earlier orders of the same people.

Parts of statements, as in `app.referrals.reach`, whose words these are. Executes nothing.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from sqlalchemy import BigInteger, FromClause, func, select, type_coerce

from app.orders.models import FormerBuyer, Order
from app.referrals import reach
from app.referrals.models import Claim
from app.referrals.reach import Ids, of, second_of

Orders: TypeAlias = Sequence[Ids]
"""Orders, to be put together by a union; one may come several times."""


def of_people(visitors: FromClause) -> Orders:
    """The orders since `since` of whoever is or was the same person as one of `visitors`: those that say so, and
    those that only name a click which one of them claimed."""
    everyone = reach.everyone(visitors)
    claimed = reach.claimed_by(everyone)
    said = _IDS.join_from(everyone, Order, of(Order, everyone, Order.visitor_id, "visitor_id"))
    return (
        said.where(everyone.c.since <= _AT),
        naming(claimed).where(Order.visitor_id.is_(None), claimed.c.since <= _AT),
    )


def naming(touches: FromClause) -> Ids:
    """The orders that name one of `touches`, whenever they were made."""
    return _IDS.join_from(touches, Order, of(Order, touches, Order.click_id, "visit_id"))


def with_code(codes: FromClause) -> Ids:
    """The orders with one of the coupon `codes` (as codes are compared), made since its `since`."""
    return _IDS.join_from(codes, Order, of(Order, codes, Order.coupon_key, "code")).where(codes.c.since <= _AT)


def these(orders: FromClause) -> Ids:
    """Those of `orders` that there are."""
    return _IDS.join_from(orders, Order, of(Order, orders, Order.order_id, "order_id"))


def these_and_later(orders: FromClause) -> Orders:
    """`orders`, and those that the same people made in their second or later; and also whoever had bought them until
    they were corrected."""
    buyer = func.coalesce(Order.visitor_id, Claim.visitor_id).label("visitor_id")
    buyers = (
        select(Order.merchant_id, buyer, second_of(Order.at).label("since"))
        .join_from(orders, Order, of(Order, orders, Order.order_id, "order_id"))
        .outerjoin(Claim, (Claim.merchant_id == Order.merchant_id) & (Claim.visit_id == Order.click_id))
    )
    was_theirs = (FormerBuyer.merchant_id == Order.merchant_id) & (FormerBuyer.order_id == Order.order_id)
    former = (
        select(
            Order.merchant_id,
            func.coalesce(FormerBuyer.visitor_id, Claim.visitor_id).label("visitor_id"),
            second_of(Order.at).label("since"),
        )
        .join_from(orders, Order, of(Order, orders, Order.order_id, "order_id"))
        .join(FormerBuyer, was_theirs)
        .outerjoin(Claim, (Claim.merchant_id == Order.merchant_id) & (Claim.visit_id == FormerBuyer.click_id))
    )
    return (these(orders), *of_people(buyers.union(former).cte("buyers")))


_IDS: Final = select(Order.merchant_id, Order.order_id)
_AT: Final = type_coerce(Order.at, BigInteger) + 0
"""As a sum, no index knows it: orders are found by whose they are. SQLite, which does not count rows, would take the
index by time for the better one."""
