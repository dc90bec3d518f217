"""Coupons, promotion codes and discounts as Stripe shows them. Pure."""

from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.offers import Coupon, Discount, PromotionCode
from app.demo.stripe.shown.parts import nulls


def coupon(it: Coupon, now: int) -> JsonObject:
    return {
        "id": it.id,
        "object": "coupon",
        "amount_off": it.amount_off,
        "created": it.created,
        "currency": it.currency,
        "duration": it.duration,
        "duration_in_months": it.duration_in_months,
        "livemode": False,
        "max_redemptions": it.max_redemptions,
        "metadata": dict(it.metadata),
        "name": it.name,
        "percent_off": None if it.percent_off is None else float(it.percent_off),
        "redeem_by": it.redeem_by,
        "times_redeemed": it.times_redeemed,
        "valid": it.valid(now),
    }


def promotion_code(it: PromotionCode, now: int) -> JsonObject:
    return {
        "id": it.id,
        "object": "promotion_code",
        "active": it.active(now),
        "code": it.code,
        "created": it.created,
        "customer": None,
        "customer_account": None,
        "expires_at": it.expires_at,
        "livemode": False,
        "max_redemptions": it.max_redemptions,
        "metadata": dict(it.metadata),
        "promotion": {"coupon": it.coupon.id, "type": "coupon"},
        "restrictions": {
            "first_time_transaction": False,
            "minimum_amount": it.minimum_amount,
            "minimum_amount_currency": it.minimum_currency,
        },
        "times_redeemed": it.times_redeemed,
    }


def discount_amount(amount: int, it: Discount, session_id: str) -> JsonObject:
    """How much a discount took, as breakdowns say it."""
    discount: JsonObject = {
        "id": it.id,
        "object": "discount",
        **nulls("customer customer_account end invoice invoice_item subscription subscription_item"),
        "checkout_session": session_id,
        "promotion_code": it.promotion_code.id if it.promotion_code else None,
        "source": {"coupon": it.coupon.id, "type": "coupon"},
        "start": it.start,
    }
    return {"amount": amount, "discount": discount}


def applied(it: Discount) -> JsonObject:
    """A discount among a session's `discounts`."""
    if it.promotion_code:
        return {"coupon": None, "promotion_code": it.promotion_code.id}
    return {"coupon": it.coupon.id, "promotion_code": None}
