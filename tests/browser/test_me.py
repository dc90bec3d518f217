"""The sharer's own page: what their word did, told to the browser that holds the token and to nobody else."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.demo import Demo
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, open_sheet, share, wait_for
from tests.shop import JSON, Shopper, TestMerchant

pytestmark = ON_ONE_DATABASE


@pytest.fixture
def ana(demo: Demo, mug: JSON, person: NewPerson) -> Page:
    """Somebody who has just shared a mug on its hosted page."""
    page = person().new_page()
    page.goto(f"{demo.url}/p/{mug['id']}")
    share(page, open_sheet(page, "Share"))
    page.keyboard.press("Escape")
    return page


def on_me(page: Page) -> Page:
    page.get_by_role("link", name="What your word did").click()
    page.wait_for_url("**/me")
    expect(page.get_by_role("heading", name="What you liked and shared")).to_be_visible()
    return page


def friends(shop: TestMerchant, code: str, number: int) -> list[Shopper]:
    come = [shop.shopper() for _ in range(number)]
    for friend in come:
        friend.follow(code)
    return come


def test_a_sharer_finds_what_their_word_did(ana: Page, shop: TestMerchant, mug: JSON) -> None:
    page = on_me(ana)
    figures = page.locator(".word-figures")
    expect(figures).to_contain_text("none yet")
    link = page.get_by_label("Your link: Mug").input_value()
    come = friends(shop, link.rpartition("/")[2], 4)
    page.reload()
    expect(figures).to_contain_text("a few")
    come += friends(shop, link.rpartition("/")[2], 1)
    for friend in come:
        shop.order(2000, click_id=friend.click, test=True)
    page.reload()
    expect(figures.locator("div").nth(0)).to_have_text("Visits5")
    expect(figures.locator("div").nth(1)).to_have_text("Orders5")
    expect(figures.locator("div").nth(2)).to_have_text("Bought€100.00")
    expect(page.get_by_role("link", name="Mug")).to_have_attribute("href", f"/p/{mug['id']}")


def test_a_name_is_chosen_and_taken_away(ana: Page, shop: TestMerchant) -> None:
    page = on_me(ana)
    link = page.get_by_label("Your link: Mug").input_value()
    page.get_by_label("Your name").fill("Ana")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved. You are now called Ana.")
    wait_for(lambda: "Ana passed this on" in shop.shopper().http.get(link).text)
    page.get_by_label("Your name").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved. You are named nowhere any more.")
    wait_for(lambda: "Ana" not in shop.shopper().http.get(link).text)


def test_a_token_in_the_fragment_is_taken_out_of_the_address(
    demo: Demo, shop: TestMerchant, mug: JSON, person: NewPerson
) -> None:
    elsewhere = shop.shopper()
    elsewhere.share(mug["id"], "email", caption="On my own site")
    context = person()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(f"{demo.url}/me#{elsewhere.token}")
    expect(page.get_by_text("On my own site")).to_be_visible()
    assert f"{demo.url}/me" == page.url
    page.reload()
    expect(page.get_by_text("On my own site")).to_be_visible()
    assert not any("vt_" in url for url in asked)
    assert [] == context.cookies()


def test_whoever_has_shared_nothing_is_told_so(demo: Demo, person: NewPerson) -> None:
    page = person().new_page()
    page.goto(f"{demo.url}/me#vt_forged")
    expect(page.get_by_text("Nothing was liked or shared with this browser here yet.")).to_be_visible()
    assert "" == axe.found(page)


def test_without_scripts_the_page_says_why_it_needs_them(demo: Demo, person: NewPerson) -> None:
    page = person(java_script_enabled=False).new_page()
    page.goto(f"{demo.url}/me")
    expect(page.get_by_text("it needs JavaScript to ask for you")).to_be_visible()


def test_while_the_server_is_away_one_may_try_again(ana: Page) -> None:
    page = on_me(ana)
    page.route("**/v1/me", lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("No connection. Please try again.")).to_be_visible()
    page.unroute("**/v1/me")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_label("Your link: Mug")).to_be_visible()
