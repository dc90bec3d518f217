"""Makes checkout sessions of checked parameters, by the rules that Stripe's document does not tell. Knows no HTTP.

What would change the amount or the course of a payment and is not simulated is refused, never ignored.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from app.demo.stripe.currencies import check_amount, check_charge, check_currency
from app.demo.stripe.errors import NotSimulated, StripeProblem, missing
from app.demo.stripe.records import Line, Session, Shipping
from app.demo.stripe.values import Params, names
from app.demo.stripe.world import World, new_id

_SHORTEST: Final = 30 * 60
_LONGEST: Final = 24 * 60 * 60
_MOST_LINES: Final = 100
_MOST_KEYS, _LONGEST_NAME, _LONGEST_VALUE = 50, 40, 500
_MOST_QUANTITY: Final = 999_999
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@<>\x00-\x1f]+@[^\s@<>.\x00-\x1f]+(\.[^\s@<>.\x00-\x1f]+)+")

_HANDLED: Final = names("""
    mode line_items metadata payment_intent_data client_reference_id success_url cancel_url expires_at
    currency customer_email payment_method_types shipping_address_collection shipping_options automatic_tax
    ui_mode expand
    """)
_ECHOED: Final = names("""
    locale submit_type billing_address_collection phone_number_collection allow_promotion_codes
    customer_creation adaptive_pricing
    """)
_INTENT_FIELDS: Final = names("""
    description receipt_email statement_descriptor statement_descriptor_suffix transfer_group
    """)


def open_session(world: World, params: Params, account: str | None) -> Session:
    """A new open session. StripeProblem names the parameter that Stripe would refuse."""
    _only(params, _HANDLED | _ECHOED)
    _mode(params)
    lines = _lines(world, params)
    currency = lines[0].currency
    session = Session(
        id=new_id("cs_test_", 58),
        account=account,
        created=world.now(),
        expires_at=_expiry(world, params),
        currency=currency,
        lines=lines,
        shipping=_shipping(params, currency),
        success_url=_url(params, "success_url") or _refuse_missing("success_url"),
        cancel_url=_url(params, "cancel_url"),
        metadata=metadata(params),
        client_reference_id=_reference(params),
        customer_email=_email(params),
        intent_metadata=metadata(params.sub("payment_intent_data")),
        intent_fields=_intent_fields(params.sub("payment_intent_data")),
        ships_to=params.sub("shipping_address_collection").texts("allowed_countries"),
        taxed=params.sub("automatic_tax").flag("enabled"),
        echoed={name: params.raw(name) for name in params if name in _ECHOED},
        methods=params.texts("payment_method_types") or ("card", later_method(currency)),
    )
    check_charge(session.total, currency, "line_items")
    world.sessions[session.id] = session
    return session


def later_method(currency: str) -> str:
    """The payment method that settles later: a debit where the double knows one, else a bank transfer."""
    return "sepa_debit" if currency == "eur" else "customer_balance"


def metadata(params: Params) -> dict[str, str]:
    """The metadata of a new object; an empty value leaves its key out."""
    given = params.mapping("metadata")
    if len(given) > _MOST_KEYS:
        raise StripeProblem(f"You can specify up to {_MOST_KEYS} keys", param=params.param("metadata"))
    for name, value in given.items():
        if len(name) > _LONGEST_NAME or len(value) > _LONGEST_VALUE:
            raise StripeProblem(
                f"Metadata names can have up to {_LONGEST_NAME} characters, and values up to {_LONGEST_VALUE}",
                param=f"{params.param('metadata')}[{name[:_LONGEST_NAME]}]",
            )
    return {name: value for name, value in given.items() if value != ""}


def _only(params: Params, names: frozenset[str]) -> None:
    for name in params:
        if name not in names:
            raise NotSimulated(f"the parameter {params.param(name)}", params.param(name))


def _refuse_missing(param: str) -> str:
    raise missing(param)


def _mode(params: Params) -> None:
    if params.text("mode") is None:
        raise missing("mode")
    if params.text("mode") != "payment":
        raise NotSimulated("a mode other than payment", "mode")
    if params.text("ui_mode") not in (None, "hosted_page"):
        raise NotSimulated("a page that is not hosted", "ui_mode")


def _lines(world: World, params: Params) -> tuple[Line, ...]:
    given = params.items("line_items")
    if not given:
        raise missing("line_items")
    if len(given) > _MOST_LINES:
        raise StripeProblem(f"You can pass at most {_MOST_LINES} line items", param="line_items")
    rate = world.tax_basis_points if params.sub("automatic_tax").flag("enabled") else 0
    lines = tuple(_line(world, item, rate) for item in given)
    currencies = {line.currency for line in lines}
    if asked := params.text("currency"):
        currencies.add(check_currency(asked, "currency"))
    if len(currencies) > 1:
        raise StripeProblem(
            f"You cannot combine currencies on a single Checkout Session: {', '.join(sorted(currencies))}",
            param="line_items",
        )
    return lines


def _line(world: World, item: Params, rate: int) -> Line:
    _only(item, frozenset({"price_data", "quantity", "metadata", "adjustable_quantity"}))
    if item.sub("adjustable_quantity").flag("enabled"):
        raise NotSimulated("quantities that the buyer changes", item.param("adjustable_quantity"))
    price = item.sub("price_data")
    if "price_data" not in item:
        raise missing(item.param("price_data"))
    _only(price, frozenset({"currency", "unit_amount", "product_data", "tax_behavior"}))
    if rate and price.text("tax_behavior") == "inclusive":
        raise NotSimulated("tax inside of prices", price.param("tax_behavior"))
    product = price.sub("product_data")
    currency = check_currency(price.text("currency") or "", price.param("currency"))
    amount, quantity = _unit_amount(price, currency), _quantity(item)
    return Line(
        id=new_id("li_1"),
        price_id=new_id("price_1"),
        product_id=new_id("prod_", 14),
        created=world.now(),
        currency=currency,
        name=product.text("name") or _refuse_missing(product.param("name")),
        description=product.text("description"),
        images=_images(product),
        product_metadata=metadata(product),
        metadata=metadata(item),
        unit_amount=amount,
        quantity=quantity,
        # Half a minor unit of tax rounds up.
        tax=(amount * quantity * rate * 2 + 10_000) // 20_000,
    )


def _unit_amount(price: Params, currency: str) -> int:
    amount = price.integer("unit_amount")
    if amount is None:
        raise missing(price.param("unit_amount"))
    check_amount(amount, currency, price.param("unit_amount"))
    return amount


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


def _images(product: Params) -> tuple[str, ...]:
    images = product.texts("images")
    if len(images) > 8:
        raise StripeProblem("You can pass at most 8 images", param=product.param("images"))
    for index, image in enumerate(images):
        _check_url(image, f"{product.param('images')}[{index}]")
    return images


def _shipping(params: Params, currency: str) -> Shipping | None:
    options = params.items("shipping_options")
    if not options:
        return None
    rate = options[0].sub("shipping_rate_data")
    if "shipping_rate_data" not in options[0]:
        raise NotSimulated("a shipping rate by its id", options[0].param("shipping_rate"))
    amount = rate.sub("fixed_amount")
    if check_currency(amount.text("currency") or "", amount.param("currency")) != currency:
        raise StripeProblem(f"Shipping must be charged in {currency}", param=amount.param("currency"))
    minor = amount.integer("amount") or 0
    check_amount(minor, currency, amount.param("amount"))
    return Shipping(new_id("shr_1"), rate.text("display_name") or "Shipping", minor)


def _expiry(world: World, params: Params) -> int:
    now = world.now()
    at = params.integer("expires_at")
    if at is None:
        return now + _LONGEST
    if at < now + _SHORTEST:
        raise StripeProblem(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            param="expires_at",
        )
    if at > now + _LONGEST:
        raise StripeProblem(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return at


def _url(params: Params, name: str) -> str | None:
    url = params.text(name)
    if url is not None:
        _check_url(url, params.param(name))
    return url


def _check_url(url: str, param: str) -> None:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid or any(character.isspace() or not character.isprintable() for character in url):
        raise StripeProblem("Not a valid URL", code="url_invalid", param=param)


def _reference(params: Params) -> str | None:
    reference = params.text("client_reference_id")
    if reference is not None and not _REFERENCE.fullmatch(reference):
        raise StripeProblem("Invalid client_reference_id", param="client_reference_id")
    return reference


def _email(params: Params) -> str | None:
    email = params.text("customer_email")
    if email is not None and not is_email(email):
        raise StripeProblem(f"Invalid email address: {email[:100]}", code="email_invalid", param="customer_email")
    return email


def is_email(text: str) -> bool:
    """Whether `text` could be an e-mail address; no more than a pay page needs."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def _intent_fields(params: Params) -> Mapping[str, str]:
    _only(params, _INTENT_FIELDS | {"metadata", "capture_method"})
    if params.text("capture_method") == "manual":
        raise NotSimulated("payments that are captured later", params.param("capture_method"))
    return {name: params.text(name) or "" for name in params if name in _INTENT_FIELDS}
