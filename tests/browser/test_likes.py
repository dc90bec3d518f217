"""The heart: kept, taken back, refused, without storage, and by one visitor on two walls."""

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser import foreign
from tests.browser.foreign import Elsewhere, events
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, heart, press_heart, sent_with, visitor_of
from tests.shop import JSON, TestMerchant

pytestmark = ON_ONE_DATABASE


def test_a_like_is_still_there_on_the_next_visit_and_can_be_taken_back(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    told = events(page, "like")
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    expect(heart(page)).to_have_accessible_name("Like Mug")
    visitor = press_heart(page, page)
    expect(heart(page)).to_have_accessible_name("Like Mug 1")

    page.reload()
    expect(heart(page)).to_have_attribute("aria-pressed", "true")
    assert visitor == press_heart(page, page)
    assert [{"product": mug["id"], "liked": False}] == told()
    assert shop.shopper().like(mug["id"])["likes"] == 1


def test_of_fast_presses_only_the_last_wish_is_carried_out(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    told = events(page, "like")
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    heart(page).evaluate("heart => { for (let press = 0; press < 7; press++) heart.click() }")
    page.wait_for_function("window.told.length > 0")
    assert [True] == [each["liked"] for each in told()]
    expect(heart(page)).to_have_attribute("aria-pressed", "true")
    assert shop.shopper().like(mug["id"])["likes"] == 2


def test_a_like_that_did_not_arrive_is_taken_off_the_heart_and_the_person_is_told(
    mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    expect(heart(page)).to_be_visible()
    page.route("**/v1/likes", lambda route: route.abort())
    heart(page).click()
    expect(page.get_by_role("status")).to_have_text("No connection. Please try again.")
    expect(heart(page)).to_have_attribute("aria-pressed", "false")


def test_a_refused_like_says_why(shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson) -> None:
    page = person().new_page()
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    expect(heart(page)).to_be_visible()
    assert shop.http.delete(f"/v1/products/{mug['id']}").is_success
    heart(page).click()
    expect(page.get_by_role("status")).to_have_text("Sorry, this is no longer available.")


REFUSING = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"


@pytest.mark.parametrize("storage", ["sandboxed", "throwing"])
def test_without_storage_one_still_likes_and_shares_as_one_person(
    mug: JSON, elsewhere: Elsewhere, person: NewPerson, storage: str
) -> None:
    page, element = person().new_page(), foreign.product(mug["id"])
    inside: Page | FrameLocator = page
    if storage == "sandboxed":
        inside = foreign.framed(page, elsewhere, element, "allow-scripts")
    else:
        page.add_init_script(REFUSING)
        page.goto(elsewhere.write(element))
    likes = press_heart(page, inside)
    inside.get_by_role("button", name="Share Mug").click()
    with page.expect_response("**/v1/shares") as shared:
        inside.get_by_role("button", name="Copy link").click()
    assert likes == visitor_of(shared.value)
    expect(inside.get_by_label("Your link")).to_have_value(shared.value.json()["url"])
    page.keyboard.press("Escape")
    assert likes == press_heart(page, inside)  # taken back


def test_two_walls_on_a_page_are_one_visitor_and_two_places(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    first, second = (shop.wall(mug["id"], title=title)["id"] for title in ("First", "Second"))
    page = person().new_page()
    page.goto(elsewhere.write(foreign.wall(first) + foreign.wall(second)))
    left, right = page.get_by_role("region", name="First"), page.get_by_role("region", name="Second")

    visitor = press_heart(page, left)
    expect(heart(right)).to_have_attribute("aria-pressed", "false")
    right.get_by_role("button", name="Share Mug").click()
    with page.expect_response("**/v1/shares") as shared:
        page.get_by_role("button", name="QR code").click()
    assert visitor == visitor_of(shared.value)
    assert second == sent_with(shared.value)["wall"]
    expect(right.get_by_role("dialog")).to_be_visible()
    expect(left.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("module", ["acting.js", "share.js"])
def test_a_connection_that_was_lost_for_a_moment_costs_one_press(
    mug: JSON, elsewhere: Elsewhere, person: NewPerson, module: str
) -> None:
    page = person().new_page()
    page.route(f"**/{module}", lambda route: route.abort())
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    button = page.get_by_role("button", name={"acting.js": "Like", "share.js": "Share"}[module])
    button.click()
    expect(page.get_by_role("status")).to_have_text("No connection. Please try again.")
    page.unroute(f"**/{module}")
    button.click()
    if module == "share.js":
        expect(page.get_by_role("dialog")).to_be_visible()
    else:
        expect(page.get_by_role("button", name="Like Mug 1")).to_be_visible()
