"""What a merchant pastes works where it is pasted; the page on which they choose it works with and without scripts."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.demo import Demo
from tests.browser.foreign import Elsewhere, complaints
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson
from tests.shop import JSON, TestMerchant, ok

pytestmark = ON_ONE_DATABASE


@pytest.fixture
def page(person: NewPerson) -> Page:
    """An empty page."""
    return person().new_page()


PASTED = "script-src {api}/assets/"
"""Under this policy the line that tests put on every page does not run: only what was pasted."""


@pytest.fixture
def wall(shop: TestMerchant, mug: JSON) -> JSON:
    return shop.wall(mug["id"], title="Pinned")


@pytest.fixture
def code(shop: TestMerchant, wall: JSON) -> JSON:
    """What the merchant is given to paste."""
    given: JSON = ok(shop.http.get(f"/v1/walls/{wall['id']}/embed-code"))
    return given


def test_a_pinned_element_runs_the_code_that_was_pinned_and_no_other(
    page: Page, elsewhere: Elsewhere, code: JSON
) -> None:
    page.goto(elsewhere.write(code["element_pinned"], policy=PASTED))
    expect(page.get_by_role("button", name="Buy")).to_be_visible()

    other = code["element_pinned"].replace("sha384-", "sha384-A")
    page.goto(elsewhere.write(other, policy=PASTED))
    expect(page.get_by_role("link", name="Pinned")).to_be_visible()
    assert page.evaluate("customElements.get('grapevine-wall') === undefined")


def test_a_frame_shows_the_wall_in_the_room_that_it_asks_for(page: Page, elsewhere: Elsewhere, code: JSON) -> None:
    page.goto(elsewhere.write(code["iframe"], policy=PASTED))
    expect(page.frame_locator("iframe").get_by_text("Mug").first).to_be_visible()


def test_a_merchant_looks_chooses_and_copies(person: NewPerson, demo: Demo, wall: JSON) -> None:
    context = person(permissions=["clipboard-read", "clipboard-write"])
    heard, page = complaints(context), context.new_page()
    page.goto(f"{demo.url}/w/{wall['id']}/embed")
    expect(page.locator("grapevine-wall").get_by_role("button", name="Buy")).to_be_visible()
    page.get_by_role("radio", name="Dark").check()
    page.get_by_role("radio", name="List").check()
    expect(page.locator("grapevine-wall[layout=list][theme=dark]")).to_be_visible()
    assert {"layout=list", "theme=dark"} <= set(page.url.partition("?")[2].split("&"))

    page.get_by_role("button", name="Copy: Your own site", exact=True).click()
    expect(page.locator("#told")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f'<grapevine-wall wall="{wall["id"]}" cards="1" layout="list" theme="dark">' in copied

    page.get_by_role("radio", name="Frame").check()
    frame = page.locator("iframe")
    expect(frame).to_have_attribute("src", f"/embed/walls/{wall['id']}?layout=list&theme=dark")
    expect(page.frame_locator("iframe").get_by_text("Mug").first).to_be_visible()
    assert [] == heard


def test_the_merchants_page_is_a_plain_form_without_scripts(person: NewPerson, demo: Demo, wall: JSON) -> None:
    page = person(java_script_enabled=False).new_page()
    page.goto(f"{demo.url}/w/{wall['id']}/embed")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.get_by_role("radio", name="Frame").check()
    page.get_by_role("radio", name="Carousel").check()
    page.get_by_role("button", name="Show").click()
    expect(page.frame_locator("iframe").get_by_text("Mug").first).to_be_visible()
    expect(page.locator("details[open] code")).to_contain_text("layout=carousel")
    assert json.dumps("noindex") in page.content()
