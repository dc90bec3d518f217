"""Hosted pages in a browser without JavaScript: complete to look at, to pass on, and to buy from."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.demo import Demo
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, pay, wait_for
from tests.shop import JSON, Shopper, TestMerchant

pytestmark = ON_ONE_DATABASE


@pytest.fixture
def shirt(shop: TestMerchant) -> JSON:
    """In two sizes, three of the larger one left."""
    euros = {"amount": 2500, "currency": "eur"}
    sizes = [{"title": "Small", "price": euros}, {"title": "Large", "price": euros, "stock": 3}]
    return shop.product("Shirt", variants=sizes, description="Warm.\n\nAnd dry.")


@pytest.fixture
def page(person: NewPerson) -> Page:
    return person(java_script_enabled=False).new_page()


def bought(shop: TestMerchant, sharer: Shopper) -> list[tuple[object, object]]:
    """Networks and nets of the orders that `sharer` brought, once there are some."""
    rows = wait_for(
        lambda: [row for row in shop.report("network,sharer", livemode="false")["data"] if row["sharer"] == sharer.id]
    )
    return [(row["network"], row["net"]) for row in rows]


def test_a_friend_buys_two_of_a_size_with_a_code_and_the_sharer_is_credited(
    shop: TestMerchant, shirt: JSON, page: Page
) -> None:
    ana, bea = shop.shopper(), shop.shopper()
    link, code = ana.share(shirt["id"], "whatsapp"), bea.share(shirt["id"], "telegram")["code"]
    page.goto(link["url"])
    page.get_by_label("Choose an option of Shirt").select_option("Large")
    page.get_by_label("How many of Shirt").fill("2")
    page.get_by_text("Have a code?").click()
    page.get_by_label("Your code").fill(code)
    page.get_by_role("button", name="Buy").click()
    expect(page.get_by_text("50.00").first).to_be_visible()
    pay(page, "cy@example.com")
    assert [] == page.context.cookies()
    # The code that was typed in speaks for Bea, whoever's link it was (attribution.md, rule 5).
    assert [("telegram", 5000)] == bought(shop, bea)


def test_a_refusal_leads_back_to_what_was_chosen(demo: Demo, shirt: JSON, page: Page) -> None:
    page.goto(f"{demo.url}/p/{shirt['id']}")
    page.get_by_label("Choose an option of Shirt").select_option("Large")
    page.get_by_label("How many of Shirt").fill("4")
    page.get_by_role("button", name="Buy").click()
    expect(page.get_by_role("heading", name="Not that many left")).to_be_visible()

    page.get_by_role("link", name="Go back").click()
    expect(page.get_by_label("How many of Shirt")).to_have_value("4")
    expect(page.get_by_label("Choose an option of Shirt")).to_have_value(shirt["variants"][1]["id"])
    page.get_by_label("How many of Shirt").fill("3")
    page.get_by_role("button", name="Buy").click()
    page.wait_for_url("**/pay/**")


def test_a_page_is_passed_on_by_links(demo: Demo, shop: TestMerchant, shirt: JSON, page: Page) -> None:
    wall = shop.wall(shirt["id"], title="Best of")
    for path in (f"/p/{shirt['id']}", f"/w/{wall['id']}"):
        page.goto(demo.url + path)
        page.get_by_text("Share", exact=True).click()
        to = page.get_by_role("link", name="WhatsApp")
        expect(to).to_be_visible()
        (text,) = parse_qs(urlsplit(to.get_attribute("href") or "").query)["text"]
        assert text.endswith(demo.url + path)


def test_from_a_product_one_comes_to_what_else_is_on_its_wall_and_stays_credited(
    shop: TestMerchant, shirt: JSON, page: Page
) -> None:
    scarf = shop.product("Scarf", 1500)
    wall = shop.wall(shirt["id"], scarf["id"])
    ana = shop.shopper()
    page.goto(ana.share(shirt["id"], "bluesky", wall=wall["id"])["url"])
    page.get_by_role("link", name="Scarf").click()
    page.get_by_role("button", name="Buy").click()
    pay(page, "di@example.com")
    assert [("bluesky", 1500)] == bought(shop, ana)


@pytest.mark.parametrize("layout", ["grid", "list", "carousel", "single"])
def test_every_card_of_a_wall_can_be_reached(demo: Demo, shop: TestMerchant, page: Page, layout: str) -> None:
    names = ["Cup", "Plate", "Bowl"]
    wall = shop.wall(*(shop.product(name)["id"] for name in names), layout=layout)
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{demo.url}/w/{wall['id']}")
    for name in names:
        expect(page.get_by_role("link", name=name)).to_have_count(1)
    assert page.get_by_role("button", name="Buy").count() == (1 if layout == "single" else 3)


def test_nothing_is_wider_than_a_small_phone(demo: Demo, shop: TestMerchant, person: NewPerson) -> None:
    long = "Donaudampfschifffahrtsgesellschaftskapitänsmützenständer" * 2
    product = shop.product(long, description=long, images=[f"{demo.blog}{n}.jpg" for n in range(6)])
    wall = shop.wall(product["id"], shop.product("Cup")["id"], title=long)
    small = person(viewport={"width": 320, "height": 640}, java_script_enabled=True).new_page()
    for path in (f"/p/{product['id']}?wall={wall['id']}", f"/w/{wall['id']}", f"/embed/walls/{wall['id']}"):
        small.goto(demo.url + path)
        assert small.evaluate("document.documentElement.scrollWidth") <= 320, path
