"""Coupons and promotion codes: made, switched on and off, counted. Knows no session and no HTTP."""

import re
from typing import Final

from app.demo.stripe.currencies import check_amount, check_currency
from app.demo.stripe.errors import StripeProblem, missing
from app.demo.stripe.parameters.asked import changed_metadata, metadata, only, positive, required, to_come
from app.demo.stripe.parameters.values import JsonObject, Params, names
from app.demo.stripe.records.offers import Coupon, Discount, PromotionCode
from app.demo.stripe.world import World, find, new_id

_CODE: Final = re.compile(r"[A-Za-z0-9-]{1,500}", re.ASCII)
_COUPON_PARAMS: Final = names("""
    id percent_off amount_off currency name duration duration_in_months max_redemptions redeem_by metadata expand
    """)


def create_coupon(world: World, params: Params, account: str | None) -> Coupon:
    """`POST /v1/coupons`: a percentage, or an amount of a currency."""
    only(params, _COUPON_PARAMS)
    percent, amount = params.number("percent_off"), params.integer("amount_off")
    if (percent is None) == (amount is None):
        raise StripeProblem("You must pass either percent_off or amount_off.", param="percent_off")
    if percent is not None and not 0 < percent <= 100:
        raise StripeProblem("Invalid percent_off: must be above 0 and at most 100", param="percent_off")
    duration = params.text("duration") or "once"
    if duration == "repeating" and params.integer("duration_in_months") is None:
        raise missing("duration_in_months")
    identifier = params.text("id") or new_id("", 8)
    if identifier in world.coupons:
        raise StripeProblem("Coupon already exists.", code="resource_already_exists", param="id")
    coupon = Coupon(
        id=identifier,
        account=account,
        created=world.now(),
        percent_off=percent,
        amount_off=amount,
        currency=None if amount is None else _currency(params, amount),
        name=params.text("name"),
        duration=duration,
        duration_in_months=params.integer("duration_in_months"),
        max_redemptions=positive(params, "max_redemptions"),
        redeem_by=to_come(params, "redeem_by", world.now()),
        metadata=metadata(params),
    )
    world.coupons[coupon.id] = coupon
    world.emit("coupon.created", coupon)
    return coupon


def create_promotion_code(world: World, params: Params, account: str | None) -> PromotionCode:
    """`POST /v1/promotion_codes`. Among the active ones of an account a code is unique, whatever its case."""
    only(params, names("promotion code active expires_at max_redemptions restrictions metadata expand"))
    promoted = params.sub("promotion")
    coupon = find(
        world.coupons, required(promoted, "coupon"), account, param="promotion[coupon]", noun="coupon", status=400
    )
    if not coupon.valid(world.now()):
        raise StripeProblem(f"Coupon {coupon.id} is not valid any more.", param="promotion[coupon]")
    restrictions = params.sub("restrictions")
    only(restrictions, names("minimum_amount minimum_amount_currency"))
    promotion = PromotionCode(
        id=new_id("promo_1"),
        account=account,
        created=world.now(),
        code=_code(params),
        coupon=coupon,
        enabled="active" not in params or params.flag("active"),
        max_redemptions=positive(params, "max_redemptions"),
        expires_at=to_come(params, "expires_at", world.now()),
        minimum_amount=positive(restrictions, "minimum_amount"),
        minimum_currency=restrictions.text("minimum_amount_currency"),
        metadata=metadata(params),
    )
    _within(promotion)
    if promotion.enabled:
        _free(world, promotion)
    world.promotion_codes[promotion.id] = promotion
    world.emit("promotion_code.created", promotion)
    return promotion


def update_promotion_code(world: World, promotion: PromotionCode, params: Params) -> PromotionCode:
    """`POST /v1/promotion_codes/{id}`: switch it on or off, change its metadata."""
    only(params, names("active metadata expand"))
    before: JsonObject = {}
    if "active" in params and params.flag("active") != promotion.enabled:
        if params.flag("active"):
            if not promotion.redeemable(world.now()):
                raise StripeProblem("This promotion code cannot be activated any more.", param="active")
            _free(world, promotion)
        before["active"] = promotion.active(world.now())
        promotion.enabled = params.flag("active")
    if "metadata" in params:
        before["metadata"] = dict(promotion.metadata)
        promotion.metadata = changed_metadata(promotion.metadata, params)
    if before:
        world.emit("promotion_code.updated", promotion, before)
    return promotion


def find_code(world: World, code: str, account: str | None) -> PromotionCode:
    """The active promotion code that a buyer means by `code`. StripeProblem where there is none."""
    now, wanted = world.now(), code.strip().lower()
    for promotion in reversed(world.promotion_codes.values()):
        if promotion.account == account and promotion.code.lower() == wanted and promotion.active(now):
            return promotion
    raise StripeProblem("This code is invalid.", param="promotion_code")


def redeem(world: World, discount: Discount) -> None:
    """One more use: counted when a session completes, for the code and for its coupon."""
    coupon, promotion = discount.coupon, discount.promotion_code
    coupon.times_redeemed += 1
    world.emit("coupon.updated", coupon, {"times_redeemed": coupon.times_redeemed - 1})
    if promotion is not None:
        promotion.times_redeemed += 1
        world.emit("promotion_code.updated", promotion, {"times_redeemed": promotion.times_redeemed - 1})


def _currency(params: Params, amount: int) -> str:
    currency = check_currency(required(params, "currency"), "currency")
    check_amount(amount, currency, "amount_off")
    if amount == 0:
        raise StripeProblem("Invalid positive integer", code="parameter_invalid_integer", param="amount_off")
    return currency


def _code(params: Params) -> str:
    code = params.text("code")
    if code is None:
        return new_id("", 8).upper()
    if not _CODE.fullmatch(code):
        raise StripeProblem("Promotion codes may only contain alphanumeric characters and dashes.", param="code")
    return code


def _free(world: World, promotion: PromotionCode) -> None:
    for other in world.promotion_codes.values():
        same = other.account == promotion.account and other.code.lower() == promotion.code.lower()
        if same and other is not promotion and other.active(world.now()):
            raise StripeProblem(f"An active promotion code with `code: {promotion.code}` already exists.", param="code")


def _within(promotion: PromotionCode) -> None:
    """A promotion code cannot last longer than its coupon."""
    uses, end = promotion.coupon.max_redemptions, promotion.coupon.redeem_by
    if uses is not None and (promotion.max_redemptions or 0) > uses:
        raise StripeProblem("max_redemptions cannot be greater than the coupon's", param="max_redemptions")
    if end is not None and (promotion.expires_at or 0) > end:
        raise StripeProblem("expires_at cannot be after the coupon's redeem_by", param="expires_at")
    if (promotion.minimum_amount is None) != (promotion.minimum_currency is None):
        raise missing("restrictions[minimum_amount_currency]")
