"""Through whom an order of another shop came: the click id or code in it, and what is learnt of it later."""

from collections.abc import Callable

import pytest

from app.kernel.ids import new_id
from tests.clock import START
from tests.other_shops import OtherShop, attribute, meta, shopify_order, updated, woocommerce_order
from tests.shop import JSON, Shopper, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]


@pytest.fixture
def shopify(merchant: TestMerchant) -> OtherShop:
    return OtherShop(merchant, "shopify")


@pytest.fixture
def link(merchant: TestMerchant, ana: Shopper) -> JSON:
    """Ana's link, made and followed before the example orders were placed."""
    merchant.clock.set(START.replace(day=1, hour=8))
    return ana.share(merchant.product("Mug")["id"])


def credited(shop: OtherShop) -> list[tuple[str | None, int]]:
    """Sharer and net of each line of the only order's credit."""
    explained = shop.merchant.explanation(shop.order()["id"])
    return [(line["sharer"], line["net"]) for line in explained["lines"]]


@pytest.mark.parametrize(
    "where", ["attribute", "landing", "note", "coupon", "meta", "hidden meta", "entry", "customer note", "woo coupon"]
)
def test_the_click_in_an_order_brings_the_sale_to_whoever_passed_the_word(
    merchant: TestMerchant, ana: Shopper, link: JSON, where: str
) -> None:
    click = merchant.shopper().follow(link["code"])
    address = f"https://vine.example/product/mug/?gv_click={click}"
    places: dict[str, JSON] = {
        "attribute": {"note_attributes": attribute(gv_click=click)},
        "landing": {"landing_site": f"/products/mug?gv_click={click}&utm_source=x"},
        "note": {"note": f"via {click}"},
        "coupon": {"discount_codes": [{"code": click.upper(), "amount": "0.00", "type": "percentage"}]},
        "meta": {"meta_data": meta(gv_click=click)},
        "hidden meta": {"meta_data": meta(_gv_click=click)},
        "entry": {"meta_data": [{"id": 1, "key": "_wc_order_attribution_session_entry", "value": address}]},
        "customer note": {"customer_note": f"via {click}"},
        "woo coupon": {"coupon_lines": [{"id": 1, "code": click}]},
    }
    order = places[where]
    if where in ("attribute", "landing", "note", "coupon"):
        shop = OtherShop(merchant, "shopify")
        shop.tell("orders/paid", shopify_order(**order))
    else:
        shop = OtherShop(merchant, "woocommerce")
        shop.tell("order.created", woocommerce_order(**order))
    assert click == shop.order()["click_id"]
    assert [(ana.id, 9000)] == credited(shop)


@pytest.mark.parametrize("where", ["attribute", "landing", "note", "coupon"])
def test_the_code_of_a_link_in_an_order_does_so_too(shopify: OtherShop, ana: Shopper, link: JSON, where: str) -> None:
    code = link["code"]
    places: dict[str, JSON] = {
        "attribute": {"note_attributes": attribute(gv_code=code)},
        "landing": {"landing_site": f"/r/{code}?x=1"},
        "note": {"note": f"I come from {link['url']}"},
        "coupon": {"discount_codes": [{"code": code, "amount": "1.00", "type": "percentage"}]},
    }
    order = places[where]
    shopify.tell("orders/paid", shopify_order(**order))
    assert code == shopify.order()["coupon"]
    assert [(ana.id, 9000)] == credited(shopify)


def test_the_first_good_one_wins(shopify: OtherShop, link: JSON, new_merchant: NewMerchant) -> None:
    merchant = shopify.merchant
    click = merchant.shopper().follow(link["code"])
    other = merchant.shopper().follow(link["code"])
    foreign = new_id("clk", 10**6, START)
    order = shopify_order(
        note_attributes=attribute(gv_click=foreign), landing_site=f"/?gv_click={click}", note=f"or {other}"
    )
    shopify.tell("orders/paid", order)
    assert (click, "TENOFF") == (shopify.order()["click_id"], shopify.order()["coupon"])


def test_a_click_that_is_nobodys_is_kept_as_it_came(shopify: OtherShop) -> None:
    foreign = new_id("clk", 10**6, START)
    shopify.tell("orders/paid", shopify_order(landing_site=f"/?gv_click={foreign}"))
    assert foreign == shopify.order()["click_id"]
    explained = shopify.merchant.explanation(shopify.order()["id"])
    assert "unknown_click" in str(explained)


def test_of_several_discounts_the_one_that_speaks_for_somebody_is_the_orders_coupon(
    shopify: OtherShop, ana: Shopper, link: JSON
) -> None:
    ok(shopify.merchant.http.put("/v1/coupons/ANA10", json={"referral": link["id"]}))
    codes = [{"code": code, "amount": "1.00", "type": "percentage"} for code in ("FREESHIP", "ana10")]
    shopify.merchant.clock.set(START)
    shopify.tell("orders/paid", shopify_order(processed_at="2026-03-02T12:00:00+01:00", discount_codes=codes))
    assert "ana10" == shopify.order()["coupon"]
    assert [(ana.id, 9000)] == credited(shopify)


def test_a_click_that_the_shop_learns_later_corrects_the_order(shopify: OtherShop, ana: Shopper, link: JSON) -> None:
    click = shopify.merchant.shopper().follow(link["code"])
    shopify.tell("orders/paid", shopify_order())
    assert [("(none)", 9000)] == credited(shopify)
    shopify.tell("orders/updated", updated(1, note_attributes=attribute(gv_click=click)))
    assert [(ana.id, 9000)] == credited(shopify)


def test_what_the_merchant_corrected_here_stays_until_the_shop_says_something_else_of_it(
    shopify: OtherShop, ana: Shopper, link: JSON
) -> None:
    click = shopify.merchant.shopper().follow(link["code"])
    shopify.tell("orders/paid", shopify_order())
    order = shopify.order()["id"]
    ok(shopify.merchant.http.patch(f"/v1/orders/{order}", json={"click_id": click}))
    shopify.tell("orders/updated", updated(1, tags="packed", subtotal_price="95.20", total_price="101.15"))
    assert (click, 7810) == (shopify.order()["click_id"], shopify.order()["net"])
    ok(shopify.merchant.http.patch(f"/v1/orders/{order}", json={"cancelled": True}))
    shopify.tell("orders/updated", updated(2, tags="sent"))
    assert "cancelled" == shopify.order()["status"]


def test_another_merchants_link_brings_nothing(shopify: OtherShop, new_merchant: NewMerchant) -> None:
    other = new_merchant()
    theirs = other.shopper().share(other.product("Mug")["id"])
    shopify.tell("orders/paid", shopify_order(note_attributes=attribute(gv_code=theirs["code"])))
    assert "TENOFF" == shopify.order()["coupon"]
    assert [("(none)", 9000)] == credited(shopify)
