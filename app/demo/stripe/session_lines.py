"""The lines and ways of shipping of a new session, of checked parameters. Knows no HTTP."""

from typing import Final

from app.demo.stripe.catalog import price_of_line
from app.demo.stripe.currencies import check_amount, check_currency
from app.demo.stripe.errors import NotSimulated, StripeProblem, missing
from app.demo.stripe.parameters.asked import metadata, only, required
from app.demo.stripe.parameters.values import Params, names
from app.demo.stripe.records.catalog import Line, Shipping
from app.demo.stripe.world import World, new_id

_MOST_LINES: Final = 100
_MOST_QUANTITY: Final = 999_999
_MOST_WAYS: Final = 5


def lines_asked(world: World, params: Params, account: str | None) -> tuple[Line, ...]:
    """The lines, without tax and discount. All have one currency."""
    given = params.items("line_items")
    if not given:
        raise missing("line_items")
    if len(given) > _MOST_LINES:
        raise StripeProblem(f"You can pass at most {_MOST_LINES} line items", param="line_items")
    lines = tuple(_line(world, item, account) for item in given)
    currencies = {line.currency for line in lines}
    if asked := params.text("currency"):
        currencies.add(check_currency(asked, "currency"))
    if len(currencies) > 1:
        raise StripeProblem(
            f"You cannot combine currencies on a single Checkout Session: {', '.join(sorted(currencies))}",
            param="line_items",
        )
    return lines


def shipping_asked(world: World, params: Params, currency: str) -> tuple[Shipping, ...]:
    """The ways of shipping among which the buyer chooses."""
    options = params.items("shipping_options")
    if len(options) > _MOST_WAYS:
        raise StripeProblem(f"You can pass at most {_MOST_WAYS} shipping options", param="shipping_options")
    return tuple(_shipping(world, option, currency) for option in options)


def _line(world: World, item: Params, account: str | None) -> Line:
    only(item, names("price price_data quantity metadata adjustable_quantity"))
    if item.sub("adjustable_quantity").flag("enabled"):
        raise NotSimulated("quantities that the buyer changes", item.param("adjustable_quantity"))
    return Line(
        id=new_id("li_1"),
        price=price_of_line(world, item, account),
        quantity=_quantity(item),
        metadata=metadata(item),
    )


def _quantity(item: Params) -> int:
    quantity = item.integer("quantity")
    if quantity is None:
        raise missing(item.param("quantity"))
    if not 0 < quantity <= _MOST_QUANTITY:
        raise StripeProblem(
            "This value must be greater than or equal to 1 and not above 999999.",
            code="parameter_invalid_integer",
            param=item.param("quantity"),
        )
    return quantity


def _shipping(world: World, option: Params, currency: str) -> Shipping:
    rate = option.sub("shipping_rate_data")
    if "shipping_rate_data" not in option:
        raise NotSimulated("a shipping rate by its id", option.param("shipping_rate"))
    only(rate, names("display_name fixed_amount tax_behavior type metadata delivery_estimate"))
    amount = rate.sub("fixed_amount")
    if "fixed_amount" not in rate:
        raise missing(rate.param("fixed_amount"))
    only(amount, names("amount currency"))
    if check_currency(amount.text("currency") or "", amount.param("currency")) != currency:
        raise StripeProblem(f"Shipping must be charged in {currency}", param=amount.param("currency"))
    minor = amount.integer("amount") or 0
    check_amount(minor, currency, amount.param("amount"))
    estimate = rate.sub("delivery_estimate")
    return Shipping(
        rate_id=new_id("shr_1"),
        created=world.now(),
        name=required(rate, "display_name"),
        amount=minor,
        currency=currency,
        tax_behavior=rate.text("tax_behavior") or "unspecified",
        estimate={end: estimate.raw(end) for end in ("minimum", "maximum")} if "delivery_estimate" in rate else None,
        metadata=metadata(rate),
    )
