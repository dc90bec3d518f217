"""Promotion codes of Stripe's that belong to a referral: a buyer gets the discount, and who passed the word the credit.
Knows the session and the gateway, not HTTP."""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from app.kernel.as_of import writing_now
from app.kernel.errors import Invalid
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.merchants.directory import Shop
from app.orders.promotions import known as known_promotions
from app.orders.promotions.models import PromotionCode
from app.orders.stripe.gateway import Gateway
from app.orders.stripe.problems import CheckoutRefused, CheckoutUnavailable, KeySpent
from app.orders.stripe.promotion import Promotion
from app.referrals import coupons
from app.referrals.models import Coupon

_POSSIBLE = re.compile(r"[A-Za-z0-9-]{1,200}")
"""Stripe's characters. It takes 500 of them; a coupon of ours has 200."""


@dataclass(frozen=True)
class Wish:
    """A promotion code as it should be: `coupon` is Stripe's, which says how much less is paid."""

    code: str
    coupon: str
    max_redemptions: int | None = None
    expires_at: datetime | None = None


Speaking = Callable[[Session, datetime], Coupon]
"""Lets the code speak for somebody from a moment on. Raises `Invalid`."""


def is_possible(code: str) -> bool:
    """Whether Stripe could know such a promotion code."""
    return _POSSIBLE.fullmatch(code) is not None


def put(here: Runtime, gateway: Gateway, shop: Shop, wish: Wish, speak: Speaking) -> Coupon:
    """Have the code at Stripe, and let it speak. What cannot speak makes no code at Stripe, and what Stripe does not
    take does not speak: so the one is tried, and undone, before the other is done.

    Raises what `speak` and `at_stripe` raise.
    """
    with suppress(_Undone), here.database.transaction() as session:
        referral_id = speak(session, here.clock.now()).referral_id or ""
        raise _Undone
    promotion = at_stripe(here, gateway, shop, wish, referral_id)
    with here.database.transaction() as session:  # its row, then the facts: as a sale with it does (bookkeeper.py)
        known_promotions.keep(session, shop.merchant_id, promotion, here.clock.now())
        return speak(session, writing_now(session, shop.merchant_id, here.clock))


class _Undone(Exception):
    """Not an error: what was tried is to leave no trace."""


def at_stripe(here: Runtime, gateway: Gateway, shop: Shop, wish: Wish, referral_id: str) -> Promotion:
    """The code at Stripe, made unless one works there that says the same. Waits for Stripe.

    Raises `Invalid` for what Stripe does not take, and for a code that works for another merchant, for nobody in
    particular, or for another of Stripe's coupons; `CheckoutUnavailable`.
    """
    standing = _working(here, gateway, shop, wish)
    if standing is not None:
        return standing
    try:
        return gateway.create_promotion_code(
            new_id("chk", shop.merchant_id, here.clock.now()),
            shop.stripe_account,
            code=wish.code,
            coupon=wish.coupon,
            max_redemptions=wish.max_redemptions,
            expires_at=wish.expires_at,
            metadata={"gv_merchant": shop.public_id, "gv_referral": referral_id},
        )
    except KeySpent:
        raise CheckoutUnavailable("Stripe failed at this; ask again in a moment.") from None
    except CheckoutRefused as refusal:
        made_meanwhile = _working(here, gateway, shop, wish)  # two who ask at once
        if made_meanwhile is not None:
            return made_meanwhile
        raise Invalid.field("/coupon", f"is not taken by Stripe: {refusal.detail}") from None


def working(gateway: Gateway, shop: Shop, code: str) -> Promotion | None:
    """The promotion code that works at Stripe under this word, whosever it is. Waits for Stripe."""
    found = gateway.promotion_code(code, shop.stripe_account)
    return found if found is not None and found.active else None


def belongs_to(session: Session, shop: Shop, promotion: Promotion) -> bool:
    """Whether the promotion code is this merchant's: others may sell through the same account."""
    owner = known_promotions.owner(session, promotion, shop.stripe_account)
    return owner is not None and owner.merchant_id == shop.merchant_id


def _working(here: Runtime, gateway: Gateway, shop: Shop, wish: Wish) -> Promotion | None:
    found = working(gateway, shop, wish.code)
    if found is None:
        return None
    with here.database.reading() as session:
        is_theirs = belongs_to(session, shop, found)
    if not is_theirs:
        raise Invalid.field("code", "works at Stripe already, and not for this merchant alone")
    if found.coupon != wish.coupon:
        raise Invalid.field("/coupon", "is not the one that this code gives at Stripe: end that code there first")
    return found


def speaking(merchant_id: int, now: datetime) -> Select[Coupon]:
    """The coupons that speak for somebody now and that Stripe knows as promotion codes."""
    known = exists().where(PromotionCode.merchant_id == merchant_id, PromotionCode.code_key == Coupon.code)
    return coupons.speaking(merchant_id, now, None).where(known)


def behind(session: Session, merchant_id: int, codes: Iterable[str]) -> Mapping[str, PromotionCode]:
    """Stripe's promotion code behind each of the codes (as codes are compared): the one that works, else the latest."""
    query = select(PromotionCode).where(PromotionCode.merchant_id == merchant_id, PromotionCode.code_key.in_(codes))
    found = session.scalars(query.order_by(PromotionCode.active, PromotionCode.known_at))
    return {each.code_key: each for each in found}  # of several, the last
