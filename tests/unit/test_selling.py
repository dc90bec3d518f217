"""A merchant's settings for checkouts, and what Stripe is asked for because of them."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.merchants.selling import COUNTRIES, Selling, Shipping, ShippingOption
from app.orders.stripe.amounts import NotChargeable
from app.orders.stripe.session import Item, NewSession, Terms
from app.orders.stripe.tags import Tags
from tests.clock import START
from tests.stripe_document import request_of

PARCEL = ShippingOption("Parcel", 490, "eur", 2, 4)
EXPRESS = ShippingOption("Express", 1490, "eur", max_days=1)
AIRMAIL = ShippingOption("Airmail", 1500, "jpy")
EVERYTHING = Selling(
    promotion_codes=True,
    automatic_tax=True,
    tax_behavior="inclusive",
    shipping=Shipping(("DE", "FR"), (PARCEL, AIRMAIL, EXPRESS)),
    expires_after_minutes=60,
)


@pytest.mark.parametrize("selling", [Selling(), EVERYTHING, replace(EVERYTHING, shipping=Shipping(("CH",)))])
def test_settings_are_the_same_after_they_were_kept(selling: Selling) -> None:
    assert selling == Selling.from_json(json.loads(json.dumps(selling.to_json())))


def test_where_nothing_was_set_the_defaults_hold() -> None:
    assert Selling(False, False, "exclusive", None, 120) == Selling.from_json(None) == Selling.from_json({})


@pytest.mark.parametrize(("wanted", "lives"), [(30, 31), (31, 31), (120, 120), (1439, 1439), (1440, 1439)])
def test_a_session_lives_as_long_as_stripe_allows_with_a_minute_to_spare(wanted: int, lives: int) -> None:
    assert timedelta(minutes=lives) == Selling(expires_after_minutes=wanted).lives


def test_our_list_of_countries_is_stripes() -> None:
    asked = request_of("POST", "/v1/checkout/sessions")
    if asked is None:
        pytest.skip("Stripe's OpenAPI document is not at hand")
    collected: Any = asked["properties"]["shipping_address_collection"]
    assert {*collected["properties"]["allowed_countries"]["items"]["enum"]} == COUNTRIES


def parameters(terms: Terms | None, currency: str = "eur") -> dict[str, Any]:
    """What Stripe is asked for under these terms."""
    new = NewSession(
        key="k",
        account=None,
        currency=currency,
        items=[Item("Mug", 2000, 1, None)],
        tags=Tags("mer_1", "chk_1"),
        success_url="https://shop.example/done",
        cancel_url="https://shop.example/",
        expires_at=START,
        terms=terms,
    )
    return new.parameters()


def added(terms: Terms, currency: str = "eur") -> dict[str, Any]:
    """What the terms alone add."""
    plain = parameters(None, currency)
    return {name: value for name, value in parameters(terms, currency).items() if name not in plain}


def test_by_itself_only_the_language_is_added() -> None:
    assert {"locale": "fr"} == added(Terms("fr", Selling()))
    assert parameters(None)["line_items"] == parameters(Terms("fr", Selling()))["line_items"]


def test_shipping_is_offered_in_the_sales_currency_with_its_days() -> None:
    asked = added(Terms("auto", replace(EVERYTHING, automatic_tax=False)))

    assert {"allowed_countries": ["DE", "FR"]} == asked["shipping_address_collection"]
    assert [
        {
            "shipping_rate_data": {
                "display_name": "Parcel",
                "type": "fixed_amount",
                "fixed_amount": {"amount": 490, "currency": "eur"},
                "delivery_estimate": {"minimum": {"unit": "day", "value": 2}, "maximum": {"unit": "day", "value": 4}},
            }
        },
        {
            "shipping_rate_data": {
                "display_name": "Express",
                "type": "fixed_amount",
                "fixed_amount": {"amount": 1490, "currency": "eur"},
                "delivery_estimate": {"maximum": {"unit": "day", "value": 1}},
            }
        },
    ] == asked["shipping_options"]


def test_shipping_without_options_only_asks_where_to() -> None:
    asked = added(Terms("auto", Selling(shipping=Shipping(("CH",)))))
    assert {"locale": "auto", "shipping_address_collection": {"allowed_countries": ["CH"]}} == asked


def test_shipping_costs_what_it_says_in_stripes_own_units() -> None:
    boat = ShippingOption("Boat", 1500, "isk")
    asked = added(Terms("auto", Selling(shipping=Shipping(("IS",), (boat,)))), "isk")
    (option,) = asked["shipping_options"]
    assert {"amount": 150_000, "currency": "isk"} == option["shipping_rate_data"]["fixed_amount"]

    crumbs = ShippingOption("Camel", 1_234, "kwd")
    with pytest.raises(NotChargeable):
        added(Terms("auto", Selling(shipping=Shipping(("KW",), (crumbs,)))), "kwd")


def test_with_automatic_tax_every_price_says_whether_tax_is_in_it() -> None:
    asked = parameters(Terms("auto", EVERYTHING))

    assert {"enabled": True} == asked["automatic_tax"]
    assert ["inclusive"] == [line["price_data"]["tax_behavior"] for line in asked["line_items"]]
    rates = [option["shipping_rate_data"]["tax_behavior"] for option in asked["shipping_options"]]
    assert ["inclusive", "inclusive"] == rates


def test_a_code_that_is_applied_already_leaves_no_room_for_another() -> None:
    terms = Terms("auto", Selling(promotion_codes=True))
    assert {"locale": "auto", "allow_promotion_codes": True} == added(terms)
    applied = {"locale": "auto", "discounts": [{"promotion_code": "promo_1"}]}
    assert applied == added(replace(terms, promotion="promo_1"))
    assert applied == added(Terms("auto", Selling(), "promo_1"))
