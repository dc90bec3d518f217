"""How a merchant's buyers pay, as it is set (`checkout` of `/v1/merchant`), and as Stripe is then asked for it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import ADMIN_TOKEN
from tests.shop import JSON, TestMerchant, ok
from tests.threads import together
from tests.till import Till, items, variant

PARCEL = {"name": "Parcel", "amount": 490, "currency": "eur", "min_days": 2, "max_days": 4}
EXPRESS = {"name": "Express", "amount": 1490, "currency": "eur", "min_days": None, "max_days": 1}
SHIPPING = {"countries": ["DE", "FR"], "options": [PARCEL, EXPRESS]}
DEFAULTS = {
    "promotion_codes": False,
    "automatic_tax": False,
    "tax_behavior": "exclusive",
    "shipping": None,
    "expires_after_minutes": 120,
}


def patch(seller: TestMerchant, **checkout: Any) -> JSON:
    """The settings of checkouts after this change."""
    return dict(ok(seller.http.patch("/v1/merchant", json={"checkout": checkout}))["checkout"])


def operator(seller: TestMerchant, body: JSON, token: str = ADMIN_TOKEN) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.patch(f"{seller.base}/v1/merchants/{seller.id}", json=body, headers=headers)


def test_what_is_left_out_stays(merchant: TestMerchant) -> None:
    assert {**DEFAULTS, "promotion_codes": True} == patch(merchant, promotion_codes=True)
    shipped = {**DEFAULTS, "promotion_codes": True, "shipping": SHIPPING}
    assert shipped == patch(merchant, shipping=SHIPPING)
    assert {**shipped, "expires_after_minutes": 30} == patch(merchant, expires_after_minutes=30)
    assert {**shipped, "expires_after_minutes": 30} == patch(merchant)
    assert {**shipped, "expires_after_minutes": 30, "shipping": None} == patch(merchant, shipping=None)
    assert ok(merchant.http.patch("/v1/merchant", json={"name": "Vine"}))["checkout"]["promotion_codes"]
    assert ok(merchant.http.patch("/v1/merchant", json={"checkout": None}))["checkout"]["promotion_codes"]


def test_countries_are_written_as_iso_writes_them(merchant: TestMerchant) -> None:
    shown = patch(merchant, shipping={"countries": ["de", "DE", "fr"]})
    assert {"countries": ["DE", "FR"], "options": []} == shown["shipping"]


def test_two_changes_at_once_are_both_kept(merchant: TestMerchant) -> None:
    together(
        lambda: patch(merchant, promotion_codes=True),
        lambda: patch(merchant, automatic_tax=True),
        lambda: patch(merchant, tax_behavior="inclusive"),
        lambda: patch(merchant, expires_after_minutes=60),
    )
    both = {**DEFAULTS, "promotion_codes": True, "automatic_tax": True, "tax_behavior": "inclusive"}
    assert {**both, "expires_after_minutes": 60} == ok(merchant.http.get("/v1/merchant"))["checkout"]


@pytest.mark.parametrize(
    ("checkout", "pointer"),
    [
        ({"promotion_codes": 1}, "/checkout/promotion_codes"),
        ({"promotion_codes": "yes"}, "/checkout/promotion_codes"),
        ({"promotion_code": True}, "/checkout/promotion_code"),
        ({"tax_behavior": "none"}, "/checkout/tax_behavior"),
        ({"expires_after_minutes": 29}, "/checkout/expires_after_minutes"),
        ({"expires_after_minutes": 1441}, "/checkout/expires_after_minutes"),
        ({"expires_after_minutes": 60.5}, "/checkout/expires_after_minutes"),
        ({"shipping": {}}, "/checkout/shipping/countries"),
        ({"shipping": {"countries": []}}, "/checkout/shipping/countries"),
        ({"shipping": {"countries": ["XX"]}}, "/checkout/shipping/countries/0"),
        ({"shipping": {"countries": ["DE", "KP"]}}, "/checkout/shipping/countries/1"),
        ({"shipping": {"countries": ["DEU"]}}, "/checkout/shipping/countries/0"),
        ({"shipping": {"countries": "DE"}}, "/checkout/shipping/countries"),
        ({"shipping": {"countries": ["DE"], "options": [{**PARCEL, "name": ""}]}}, "/checkout/shipping/options/0/name"),
        (
            {"shipping": {"countries": ["DE"], "options": [{**PARCEL, "amount": -1}]}},
            "/checkout/shipping/options/0/amount",
        ),
        (
            {"shipping": {"countries": ["DE"], "options": [{**PARCEL, "currency": "xxx"}]}},
            "/checkout/shipping/options/0/currency",
        ),
        ({"shipping": {"countries": ["DE"], "options": [{**PARCEL, "min_days": 5}]}}, "/checkout/shipping/options/0"),
        ({"shipping": {"countries": ["DE"], "options": [PARCEL] * 6}}, "/checkout/shipping"),
    ],
)
def test_a_setting_that_stripe_would_not_take_is_refused(merchant: TestMerchant, checkout: JSON, pointer: str) -> None:
    answer = merchant.http.patch("/v1/merchant", json={"checkout": checkout})

    assert (422, [pointer]) == (answer.status_code, [error["pointer"] for error in answer.json()["errors"]])
    assert DEFAULTS == ok(merchant.http.get("/v1/merchant"))["checkout"]


def test_the_operator_says_which_account_sells(merchant: TestMerchant) -> None:
    assert "acct_vine" == ok(operator(merchant, {"stripe_account": "acct_vine"}))["stripe_account"]
    assert "acct_vine" == ok(merchant.http.get("/v1/merchant"))["stripe_account"]
    assert ok(operator(merchant, {"stripe_account": None}))["stripe_account"] is None

    assert 422 == operator(merchant, {}).status_code
    assert 422 == operator(merchant, {"stripe_account": "vine"}).status_code
    assert 422 == operator(merchant, {"stripe_account": None, "name": "Vine"}).status_code
    assert 401 == operator(merchant, {"stripe_account": None}, merchant.secret_key).status_code
    assert 422 == merchant.http.patch("/v1/merchant", json={"stripe_account": "acct_other"}).status_code


def test_the_buyer_is_greeted_in_their_language(till: Till, seller: TestMerchant) -> None:
    body = items({"variant": variant(seller)})
    for header, locale in (("fr-CA,fr;q=0.9", "fr-CA"), ("de-AT", "de"), ("ar", "auto")):
        opened = ok(till.ask(body, **{"Accept-Language": header}), 201)
        assert locale == till.session(opened["url"].rpartition("/")[2])["locale"]


def test_the_buyer_says_where_to_and_pays_for_the_way(till: Till, new_seller: Callable[..., TestMerchant]) -> None:
    seller = new_seller()
    patch(seller, shipping=SHIPPING)
    session = till.checkout(variant(seller, 2000), 2)["session"]

    asked = till.session(session)
    assert ["DE", "FR"] == asked["shipping_address_collection"]["allowed_countries"]
    assert 4490 == asked["amount_total"]
    till.double.pay(session)
    till.tell_all(session)
    assert [(4490, 4000)] == [(order["gross"], order["net"]) for order in till.orders(seller)]


def test_what_has_no_way_of_shipping_in_its_currency_is_refused(
    till: Till, new_seller: Callable[..., TestMerchant]
) -> None:
    priced, free = new_seller(currency="usd"), new_seller(currency="usd")
    patch(priced, shipping=SHIPPING)
    patch(free, shipping={"countries": ["US"]})

    refused = till.ask(items({"variant": variant(priced)}))

    assert (422, ["/items/0/variant"]) == (refused.status_code, [each["pointer"] for each in refused.json()["errors"]])
    assert 201 == till.ask(items({"variant": variant(free)})).status_code


def test_a_price_of_shipping_that_stripe_cannot_charge_is_refused(
    till: Till, new_seller: Callable[..., TestMerchant]
) -> None:
    seller = new_seller(currency="kwd")
    camel = {"name": "Camel", "amount": 1_234, "currency": "kwd"}
    patch(seller, shipping={"countries": ["KW"], "options": [camel]})

    refused = till.ask(items({"variant": variant(seller, 20_000)}))

    assert (422, ["/items/0/variant"]) == (refused.status_code, [each["pointer"] for each in refused.json()["errors"]])
    assert [] == till.sessions_of(seller)


def test_tax_comes_on_top_and_is_nobodys_merit(till: Till, new_seller: Callable[..., TestMerchant]) -> None:
    seller = new_seller()
    patch(seller, automatic_tax=True)
    session = till.checkout(variant(seller, 1000))["session"]

    assert (1200, 200) == (till.session(session)["amount_total"], till.session(session)["total_details"]["amount_tax"])
    till.double.pay(session)
    till.tell_all(session)
    assert [(1200, 1000)] == [(order["gross"], order["net"]) for order in till.orders(seller)]


@pytest.mark.parametrize(
    ("currency", "price", "shipping", "paid", "charged"),
    [
        ("jpy", 1500, 500, 3500, 3500),
        ("kwd", 12_340, 1_500, 26_180, 26_180),
        ("isk", 1500, 990, 3990, 399_000),
        ("ugx", 5000, 2000, 12_000, 1_200_000),
        ("mga", 150_000, 50_000, 350_000, 3500),
    ],
)
def test_every_currency_goes_through_shipping_refund_and_books(
    till: Till,
    new_seller: Callable[..., TestMerchant],
    currency: str,
    price: int,
    shipping: int,
    paid: int,
    charged: int,
) -> None:
    """`paid` is in our minor units, `charged` in Stripe's."""
    seller = new_seller(currency=currency)
    option = {"name": "Parcel", "amount": shipping, "currency": currency}
    patch(seller, shipping={"countries": ["DE"], "options": [option]})
    session = till.checkout(variant(seller, price), 2)["session"]
    assert charged == till.session(session)["amount_total"]

    completed = till.double.pay(session)
    till.double.refund(str(completed["payment_intent"]), charged)
    till.tell_all(session)

    (order,) = till.orders(seller)
    assert (currency, paid, 2 * price, 2 * price) == tuple(
        order[name] for name in ("currency", "gross", "net", "refunded")
    )


def test_how_long_a_buyer_has_is_the_merchants_choice(till: Till, new_seller: Callable[..., TestMerchant]) -> None:
    for minutes, end in ((30, "2026-03-02T10:31:00Z"), (60, "2026-03-02T11:00:00Z"), (1440, "2026-03-03T09:59:00Z")):
        seller = new_seller()
        patch(seller, expires_after_minutes=minutes)
        assert end == till.checkout(variant(seller))["expires_at"]


def test_a_setting_that_changes_does_not_disturb_an_attempt_that_is_asked_again(
    till: Till, new_seller: Callable[..., TestMerchant], until_seen: Callable[[], None]
) -> None:
    """Under one key Stripe wants the same words, to the same account."""
    seller = new_seller()
    body = items({"variant": variant(seller)})
    till.line.lost = 2
    assert 503 == till.ask(body, **{"Idempotency-Key": "k", "Accept-Language": "fr"}).status_code
    (made,) = till.sessions_of(seller)

    patch(seller, shipping=SHIPPING, automatic_tax=True, expires_after_minutes=60)
    ok(operator(seller, {"stripe_account": "acct_other"}))
    until_seen()
    opened = ok(till.ask(body, **{"Idempotency-Key": "k", "Accept-Language": "de"}), 201)

    assert made["url"] == opened["url"]
    assert [made["id"]] == [session["id"] for session in till.sessions_of(seller)]
    assert "fr" == made["locale"]


def test_a_merchant_who_connects_an_account_later_sells_through_it_from_then_on(
    till: Till, new_seller: Callable[..., TestMerchant], until_seen: Callable[[], None]
) -> None:
    seller = new_seller()
    before = till.checkout(variant(seller))["session"]
    ok(operator(seller, {"stripe_account": "acct_later"}))
    until_seen()
    after = till.checkout(variant(seller))["session"]
    assert [before] == [session["id"] for session in till.sessions_of(seller)]  # on the platform's own account

    for session in (before, after):
        till.double.pay(session)
        till.tell_all(session)

    assert {before, after} == {order["external_id"] for order in till.orders(seller)}
