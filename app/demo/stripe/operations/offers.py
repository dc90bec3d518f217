"""The API's operations on coupons and promotion codes."""

from typing import Final

from app.demo.stripe.coupons import create_coupon, create_promotion_code, update_promotion_code
from app.demo.stripe.operations.call import Call, Operations
from app.demo.stripe.operations.paging import of_account, page, refuse_filters
from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.offers import PromotionCode
from app.demo.stripe.world import World, find


def post_coupon(world: World, call: Call) -> JsonObject:
    return world.show(create_coupon(world, call.params, call.account))


def get_coupon(world: World, call: Call) -> JsonObject:
    return world.show(find(world.coupons, call.ids["coupon"], call.account, param="coupon", noun="coupon"))


def list_coupons(world: World, call: Call) -> JsonObject:
    return page(world, of_account(world.coupons.values(), call.account), call.params, "/v1/coupons")


def post_promotion_code(world: World, call: Call) -> JsonObject:
    return world.show(create_promotion_code(world, call.params, call.account))


def get_promotion_code(world: World, call: Call) -> JsonObject:
    return world.show(_promotion_code(world, call))


def update(world: World, call: Call) -> JsonObject:
    return world.show(update_promotion_code(world, _promotion_code(world, call), call.params))


def list_promotion_codes(world: World, call: Call) -> JsonObject:
    """By `code` whatever its case, `coupon`, and whether they can be used (`active`)."""
    refuse_filters(call.params, "customer", "customer_account")
    code, coupon = call.params.text("code"), call.params.text("coupon")
    active = call.params.flag("active") if "active" in call.params else None
    wanted = [
        promotion
        for promotion in of_account(world.promotion_codes.values(), call.account)
        if (code is None or promotion.code.lower() == code.lower())
        and coupon in (None, promotion.coupon.id)
        and active in (None, promotion.active(world.now()))
    ]
    return page(world, wanted, call.params, "/v1/promotion_codes")


def _promotion_code(world: World, call: Call) -> PromotionCode:
    return find(
        world.promotion_codes, call.ids["promotion_code"], call.account, param="promotion_code", noun="promotion code"
    )


OFFER_OPERATIONS: Final[Operations] = {
    ("POST", "/v1/coupons"): post_coupon,
    ("GET", "/v1/coupons"): list_coupons,
    ("GET", "/v1/coupons/{coupon}"): get_coupon,
    ("POST", "/v1/promotion_codes"): post_promotion_code,
    ("GET", "/v1/promotion_codes"): list_promotion_codes,
    ("GET", "/v1/promotion_codes/{promotion_code}"): get_promotion_code,
    ("POST", "/v1/promotion_codes/{promotion_code}"): update,
}
