"""Opting out, in widgets and on one's own page; what the browser says; and merchants who keep no visitors."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.choosing import Calls, Landing, at_hand, bound, landing_of, mode, seen_by
from tests.browser.demo import Demo
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, heart, open_sheet, press_heart, share
from tests.shop import JSON, TestMerchant

pytestmark = ON_ONE_DATABASE


@pytest.fixture
def none(shop: TestMerchant) -> Iterator[None]:
    """The merchant keeps no visitors."""
    yield from mode(shop, "none")


@pytest.fixture
def landing(shop: TestMerchant, elsewhere: Elsewhere) -> Landing:
    return landing_of(shop, elsewhere)


def test_who_opts_out_is_counted_and_known_no_more(landing: Landing, person: NewPerson) -> None:
    context = person()
    page, calls = context.new_page(), Calls.of(context)
    landing.write()
    assert bound(page, landing.visit())
    with page.expect_response("**/v1/me/opt-out") as answered:
        page.evaluate("grapevine.optOut()")
    assert {"opted_out": True} == answered.value.json()
    calls.sent.clear()
    page.goto(landing.visit())
    expect(heart(page)).to_be_visible()
    assert {False} == seen_by(page, calls)
    assert [] == calls.names()
    page.evaluate("grapevine.comeBack()")
    assert bound(page, landing.visit())


def test_whoever_opts_out_before_they_are_known_stays_so_when_they_like_something(
    landing: Landing, person: NewPerson
) -> None:
    context = person()
    page, calls = context.new_page(), Calls.of(context)
    page.add_init_script("(window.grapevine ??= []).push(['optOut'])")
    landing.write()
    page.goto(landing.visit())
    expect(heart(page)).to_be_visible()
    with page.expect_response("**/v1/me/opt-out") as answered:
        press_heart(page, page)
    assert {"opted_out": True} == answered.value.json()
    assert ["POST likes", "POST me"] == calls.names()


@pytest.mark.parametrize(("asked", "value"), [("globalPrivacyControl", "true"), ("doNotTrack", "'1'")])
def test_what_the_browser_says_comes_before_what_the_page_says(
    landing: Landing, person: NewPerson, asked: str, value: str
) -> None:
    context = person()
    context.add_init_script(f"Object.defineProperty(navigator, '{asked}', {{ value: {value} }})")
    page, calls = context.new_page(), Calls.of(context)
    landing.write(consent="1")
    page.goto(landing.visit())
    expect(heart(page)).to_be_visible()
    at_hand(page)
    page.evaluate("grapevine.consent('2')")
    assert {False} == seen_by(page, calls)
    assert [] == calls.names()


def test_a_share_button_passes_a_consent_on(
    demo: Demo, shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    merchant = shop.public.get(f"/v1/products/{mug['id']}/widget").json()["merchant"]
    button = f'<grapevine-share merchant="{merchant}" consent="1">Pass on</grapevine-share>'
    with page.expect_response("**/v1/consents") as answered:
        page.goto(elsewhere.write(button))
    assert 201 == answered.value.status


def test_where_no_visitors_are_kept_a_like_is_not_offered_to_be_taken_back(
    none: None, landing: Landing, person: NewPerson
) -> None:
    page = person().new_page()
    landing.write()
    page.goto(landing.visit())
    expect(heart(page)).to_be_visible()
    heart(page).click()
    expect(heart(page)).to_have_accessible_name("Like Lamp 1")
    heart(page).click()
    expect(page.get_by_role("status")).to_have_text("This like was counted for nobody, so it cannot be taken back.")
    expect(heart(page)).to_have_attribute("aria-pressed", "true")
    expect(heart(page)).to_have_accessible_name("Like Lamp 1")


def test_one_opts_out_and_comes_back_on_ones_own_page_with_the_keyboard_alone(
    demo: Demo, shop: TestMerchant, mug: JSON, person: NewPerson
) -> None:
    context = person()
    page, calls = context.new_page(), Calls.of(context)
    page.goto(f"{demo.url}/p/{mug['id']}")
    share(page, open_sheet(page, "Share"))
    page.goto(f"{demo.url}/me")
    button = page.get_by_role("button", name="Opt out")
    button.press("Enter")
    expect(page.get_by_role("status")).to_have_text("You have opted out.")
    assert axe.found(page) == ""
    code = shop.shopper().share(mug["id"])["code"]
    calls.sent.clear()
    page.goto(f"{demo.url}/r/{code}")
    expect(heart(page).first).to_be_visible()
    page.goto(f"{demo.url}/me")
    back = page.get_by_role("button", name="Be remembered again")
    expect(back).to_be_visible()
    assert [] == calls.names()
    back.press("Enter")
    expect(page.get_by_role("status")).to_have_text("You are remembered again from now on.")
    assert bound(page, f"{demo.url}/r/{code}")


def test_who_is_not_known_yet_can_opt_out_too(demo: Demo, shop: TestMerchant, mug: JSON, person: NewPerson) -> None:
    context = person()
    page, calls = context.new_page(), Calls.of(context)
    page.goto(f"{demo.url}/me")
    page.get_by_role("button", name="Opt out").click()
    expect(page.get_by_role("status")).to_have_text("You have opted out.")
    page.goto(f"{demo.url}/r/{shop.shopper().share(mug['id'])['code']}")
    expect(heart(page).first).to_be_visible()
    at_hand(page)
    with page.expect_response("**/v1/me/opt-out"):
        press_heart(page, page)
    assert ["POST likes", "POST me"] == calls.names()
