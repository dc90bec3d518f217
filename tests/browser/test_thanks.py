"""After a purchase: the thanks offer to pass on what was bought, as a word of the friend who brought the buyer."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import foreign
from tests.browser.demo import Demo
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, buy, open_sheet, share, wait_for
from tests.shop import JSON, TestMerchant, ok

pytestmark = ON_ONE_DATABASE


@pytest.fixture
def lamp(shop: TestMerchant, elsewhere: Elsewhere) -> JSON:
    """A lamp that Ana passed on; her link leads to a page of the merchant's own, where it stands as an element."""
    address = f"{elsewhere.origin}/lamp"
    product = shop.product("Lamp", url=address)["id"]
    wall = shop.wall(product, landing="merchant")["id"]
    elsewhere.write(foreign.product(product, wall=wall), "/lamp")
    return {"product": product, "share": shop.shopper().share(product, "telegram", wall=wall)}


def follow_and_buy(context: BrowserContext, link: str) -> Page:
    page = context.new_page()
    with page.expect_response("**/claim"):
        page.goto(link)
    buy(page, "bo@example.com")
    return page


def test_who_has_bought_through_a_friend_passes_that_friends_word_on(demo: Demo, lamp: JSON, person: NewPerson) -> None:
    page = follow_and_buy(person(), lamp["share"]["url"])
    assert page.url.startswith(f"{demo.url}/thanks/")  # another origin, which knows nothing of the visitor
    sheet = open_sheet(page, "Share")
    expect(sheet).to_have_accessible_name("Share Lamp")
    shared = share(page, sheet)
    assert lamp["product"] == shared["sent"]["product"]
    assert lamp["share"]["id"] == shared["parent"]


def test_whoever_is_given_the_address_of_the_thanks_is_taken_for_nobody_else(
    demo: Demo, shop: TestMerchant, lamp: JSON, person: NewPerson
) -> None:
    bought = follow_and_buy(person(), lamp["share"]["url"])
    cy = person()
    asked: list[str] = []
    cy.on("request", lambda request: asked.append(request.url))
    page = cy.new_page()
    page.goto(bought.url)
    expect(page.get_by_role("button", name="Share")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert [] == [url for url in asked if "/claim" in url]

    page.get_by_role("link", name="Lamp").click()
    page.wait_for_url("**/p/**")
    buy(page, "cy@example.com")
    earned = wait_for(lambda: found if len(found := _earned(shop, lamp["product"])) == 2 else [])
    assert [False, True] == sorted(earned)  # Ana's by Bo's order, nobody's by Cy's


def _earned(shop: TestMerchant, product: str) -> list[bool]:
    """Of the orders of this lamp, whether somebody earned them."""
    listed = ok(shop.http.get("/v1/orders", params={"limit": 100}))["data"]
    mine = [order["id"] for order in listed if any(line.get("product") == product for line in order["lines"])]
    lines = [shop.explanation(order)["lines"] for order in mine]
    return [any(line["net"] and line["sharer"] != "(none)" for line in each) for each in lines]
