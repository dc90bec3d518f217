"""The click id on somebody else's page: taken from the address, claimed, kept, and brought along to the till."""

from dataclasses import dataclass
from itertools import count

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import foreign
from tests.browser.demo import Demo
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, buy, pay, wait_for
from tests.shop import JSON, Shopper, TestMerchant

pytestmark = ON_ONE_DATABASE

_numbers = count(1)


@dataclass(frozen=True)
class Passed:
    """A lamp that `sharer` passed on with `share`; the link lands on the merchant's own page, `address`."""

    product: str
    wall: str
    address: str
    sharer: Shopper
    share: JSON


@pytest.fixture
def lamp(shop: TestMerchant, elsewhere: Elsewhere) -> Passed:
    path = f"/lamp-{next(_numbers)}"
    address = f"{elsewhere.origin}{path}?lang=en#look"
    product = shop.product("Lamp", url=address)["id"]
    wall = shop.wall(product, landing="merchant")["id"]
    elsewhere.write(foreign.product(product, wall=wall) + foreign.wall(wall), path)
    sharer = shop.shopper()
    return Passed(product, wall, address, sharer, sharer.share(product, "telegram", wall=wall))


def credited(demo: Demo, sharer: Shopper) -> list[tuple[object, object]]:
    """Networks and numbers of the orders that `sharer` brought, once there are some."""
    rows = wait_for(lambda: [row for row in demo.report("network,sharer") if row["sharer"] == sharer.id])
    return [(row["network"], row["orders"]) for row in rows]


def claims(context: BrowserContext) -> list[str]:
    """The claims that are made from now on."""
    made: list[str] = []
    context.on("request", lambda call: made.append(call.url) if call.url.endswith("/claim") else None)
    return made


def claimed(page: Page, address: str) -> None:
    """Open `address`, and wait until the visit is claimed."""
    with page.expect_response("**/claim") as answered:
        page.goto(address)
    assert answered.value.status == 200


def test_a_link_to_the_merchants_page_is_claimed_there_and_credits_the_sale_that_follows(
    demo: Demo, elsewhere: Elsewhere, lamp: Passed, person: NewPerson
) -> None:
    bo = person()
    made, page = claims(bo), bo.new_page()
    claimed(page, lamp.share["url"])
    assert lamp.address == page.url  # nobody's referral is copied with it
    page.wait_for_function("""Object.values(localStorage).some(text => text.includes('"claimed":true'))""")

    page.goto(elsewhere.write(foreign.wall(lamp.wall)))  # another day, another page of the same site
    buy(page, "bo@example.com")
    assert [("telegram", 1)] == credited(demo, lamp.sharer)
    assert len(made) == 1  # by two elements, and on two pages


@pytest.mark.parametrize(("asked", "value"), [("globalPrivacyControl", "true"), ("doNotTrack", "'1'")])
def test_who_asks_not_to_be_followed_is_not_and_the_sharer_still_earns_the_sale(
    demo: Demo, lamp: Passed, person: NewPerson, asked: str, value: str
) -> None:
    headers = {"globalPrivacyControl": {"Sec-GPC": "1"}, "doNotTrack": {"DNT": "1"}}[asked]
    bo = person(extra_http_headers=headers)
    made, page = claims(bo), bo.new_page()
    page.add_init_script(f"Object.defineProperty(navigator, '{asked}', {{ value: {value} }})")
    page.goto(lamp.share["url"])
    assert lamp.address == page.url
    buy(page, "bo@example.com")
    assert [("telegram", 1)] == credited(demo, lamp.sharer)
    assert [] == made


def test_the_way_to_a_page_of_ours_carries_the_click_only_when_it_is_gone(
    demo: Demo, lamp: Passed, person: NewPerson
) -> None:
    page = person().new_page()
    claimed(page, lamp.share["url"])
    title = page.get_by_role("link", name="Lamp").first
    plain = f"{demo.url}/p/{lamp.product}"
    expect(title).to_have_attribute("href", plain)
    with page.expect_request(lambda request: request.url.startswith(f"{plain}?gv_click=clk_")):
        title.click()
    page.wait_for_url(plain)
    buy(page, "bo@example.com")
    assert [("telegram", 1)] == credited(demo, lamp.sharer)


def test_a_claim_that_did_not_arrive_is_made_by_the_next_page(
    elsewhere: Elsewhere, lamp: Passed, person: NewPerson
) -> None:
    page = person().new_page()
    page.route("**/claim", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.goto(lamp.share["url"])
    page.unroute("**/claim")
    claimed(page, elsewhere.write(foreign.wall(lamp.wall)))


def test_a_share_of_somebody_who_came_by_a_link_has_that_link_as_its_parent(lamp: Passed, person: NewPerson) -> None:
    page = person().new_page()
    claimed(page, lamp.share["url"])
    page.get_by_role("button", name="Share Lamp").first.click()
    with page.expect_response("**/v1/shares") as shared:
        page.get_by_role("button", name="Copy link").click()
    assert lamp.share["id"] == shared.value.json()["parent"]


def test_in_a_frame_that_holds_its_page_the_till_opens_in_a_window_each_time(
    elsewhere: Elsewhere, mug: JSON, person: NewPerson
) -> None:
    page = person().new_page()
    may = "allow-scripts allow-popups allow-popups-to-escape-sandbox"
    button = foreign.framed(page, elsewhere, foreign.product(mug["id"]), may).get_by_role("button", name="Buy")
    for _ in range(2):
        with page.expect_popup() as opened:
            button.click()
        pay(opened.value, "bo@example.com")
        assert opened.value.evaluate("opener") is None


def test_in_a_frame_that_lets_nobody_out_the_person_is_told(elsewhere: Elsewhere, mug: JSON, person: NewPerson) -> None:
    page = person().new_page()
    frame = foreign.framed(page, elsewhere, foreign.product(mug["id"]), "allow-scripts")
    frame.get_by_role("button", name="Buy").click()
    expect(frame.get_by_role("status")).to_have_text("That did not work. Please try again.")


A_MONTH_LATER = """for (const [key, text] of Object.entries(localStorage)) {
  const { at, seen, ...kept } = JSON.parse(text);
  const month = 30 * 24 * 3600 * 1000;
  if (at) localStorage[key] = JSON.stringify({ ...kept, at: at - month, seen: seen && seen - month });
}"""


def test_a_click_that_is_too_old_is_deleted(elsewhere: Elsewhere, lamp: Passed, person: NewPerson) -> None:
    page = person().new_page()
    claimed(page, lamp.share["url"])
    assert 2 == page.evaluate("JSON.stringify(localStorage)").count("clk_")
    page.evaluate(A_MONTH_LATER)
    for _ in range(2):
        with page.expect_response("**/acting.js"):
            page.goto(elsewhere.write(foreign.wall(lamp.wall)))
        page.wait_for_function("!JSON.stringify(localStorage).includes('clk_')")
    assert "grapevine:arrival" not in page.evaluate("Object.keys(localStorage)")
