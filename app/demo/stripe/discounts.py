"""A discount of a session: which coupon, and what it takes of each line. Knows no HTTP."""

from dataclasses import replace
from decimal import ROUND_HALF_UP

from app.demo.stripe.coupons import find_code
from app.demo.stripe.currencies import check_charge
from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.parameters.asked import only
from app.demo.stripe.parameters.values import Params, names
from app.demo.stripe.records.catalog import Line
from app.demo.stripe.records.offers import Discount, PromotionCode
from app.demo.stripe.records.payments import Session
from app.demo.stripe.world import World, find, new_id


def discount_asked(world: World, params: Params, account: str | None) -> Discount | None:
    """The `discounts` of a new session: at most one, a coupon or a promotion code that can be used now."""
    given = params.items("discounts")
    if not given:
        return None
    if "allow_promotion_codes" in params:
        raise StripeProblem(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
            code="parameters_exclusive",
        )
    if len(given) > 1:
        raise StripeProblem("You may only specify up to one discount.", param="discounts")
    asked = given[0]
    only(asked, names("coupon promotion_code"))
    if len(list(asked)) != 1:
        raise StripeProblem("You must specify either a coupon or a promotion code.", param="discounts[0]")
    if identifier := asked.text("promotion_code"):
        found = find(
            world.promotion_codes,
            identifier,
            account,
            param="discounts[0][promotion_code]",
            noun="promotion code",
            status=400,
        )
        return _by_code(world, found, "discounts[0][promotion_code]")
    coupon = find(
        world.coupons, asked.text("coupon") or "", account, param="discounts[0][coupon]", noun="coupon", status=400
    )
    if not coupon.valid(world.now()):
        raise StripeProblem(
            f"Coupon {coupon.id} is expired and cannot be applied.",
            code="coupon_expired",
            param="discounts[0][coupon]",
        )
    return Discount(new_id("di_1"), world.now(), coupon, None)


def enter_code(world: World, session: Session, code: str) -> None:
    """The buyer types a promotion code on the pay page; an empty one takes the last away. The session shows it.

    StripeProblem where it is none, or does not fit; then nothing has changed.
    """
    with world.lock:
        if session.status != "open":
            raise StripeProblem(f"This Checkout Session is {session.status}.")
        if session.echoed.get("allow_promotion_codes") is not True:
            raise StripeProblem("This Checkout Session takes no promotion codes.")
        discount = None
        if code.strip():
            discount = _by_code(world, find_code(world, code, session.account), "promotion_code")
        lines = priced(session.lines, discount, session.tax_basis_points)
        check_charge(session.total_of(lines), session.currency, "promotion_code")
        session.lines, session.discount = lines, discount


def ship(world: World, session: Session, option: int) -> None:
    """The buyer chooses a way of shipping, counted from 0. StripeProblem where there is none."""
    with world.lock:
        if session.status != "open" or not 0 <= option < len(session.shipping_options):
            raise StripeProblem("This way of shipping cannot be chosen.", param="shipping_option")
        before, session.shipping = session.shipping, session.shipping_options[option]
        try:
            check_charge(session.total, session.currency, "shipping_option")
        except StripeProblem:
            session.shipping = before
            raise


def priced(lines: tuple[Line, ...], discount: Discount | None, tax_basis_points: int | None) -> tuple[Line, ...]:
    """The lines, with what the discount takes of each and with tax on what is left.

    A percentage rounds half a minor unit up. What is taken is spread by the lines' amounts: each rounds what was
    taken so far, so that the sum is exact.
    """
    whole = sum(line.subtotal for line in lines)
    taken = _worth(discount, lines[0].currency, whole) if discount else 0
    done = given = 0
    result: list[Line] = []
    for line in lines:
        done += line.subtotal
        off = (taken * done * 2 + whole) // (2 * whole) - given if whole else 0
        given += off
        result.append(replace(line, discount=off, tax=_tax(line.subtotal - off, tax_basis_points or 0, line.inclusive)))
    return tuple(result)


def _worth(discount: Discount, currency: str, whole: int) -> int:
    """What the discount takes of a subtotal of `whole` minor units. StripeProblem where it may not be used."""
    coupon, promotion = discount.coupon, discount.promotion_code
    if promotion and promotion.minimum_amount is not None:
        reached = promotion.minimum_currency == currency and whole >= promotion.minimum_amount
        if not reached:
            raise StripeProblem("The order does not reach this promotion code's minimum amount.", param="discounts")
    if coupon.percent_off is not None:
        return int((whole * coupon.percent_off / 100).to_integral_value(ROUND_HALF_UP))
    if coupon.currency != currency:
        raise StripeProblem(
            f"The coupon's currency ({coupon.currency}) is not that of the Checkout Session ({currency}).",
            param="discounts",
        )
    return min(coupon.amount_off or 0, whole)


def _tax(amount: int, basis_points: int, inclusive: bool) -> int:
    """Tax on top of an amount, or inside of it. Half a minor unit rounds up."""
    base = 10_000 + basis_points if inclusive else 10_000
    return (amount * basis_points * 2 + base) // (2 * base)


def _by_code(world: World, promotion: PromotionCode, param: str) -> Discount:
    if not promotion.active(world.now()):
        raise StripeProblem("This promotion code is not active: it cannot be redeemed.", param=param)
    return Discount(new_id("di_1"), world.now(), promotion.coupon, promotion)
