"""Likes of others, as they come, in every open wall; and what becomes of it when the line is not there."""

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser import foreign
from tests.browser.demo import Demo
from tests.browser.foreign import STRICT, Elsewhere, complaints
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, heart, press_heart, wait_for
from tests.browser.shifts import NOT_YET, shifts, watch
from tests.proxy import Proxy, between
from tests.shop import JSON, TestMerchant, ok

pytestmark = ON_ONE_DATABASE

SOON = 2.0
"""Seconds within which what happens is seen."""
HIDE = """state => {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture
def wall(shop: TestMerchant, mug: JSON) -> JSON:
    return shop.wall(mug["id"], shop.product("Lamp")["id"])


@pytest.fixture
def line(demo: Demo) -> Iterator[Proxy]:
    """A line to the server that can be cut."""
    with between(urlsplit(demo.url).port or 0) as opened:
        yield opened


def streams(page: Page) -> list[Request]:
    """The streams that are asked for from now on."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/live" in request.url else None)
    return asked


def payload_says(shop: TestMerchant, wall: JSON, product: str, likes: int) -> None:
    """Wait until what is kept ready for those who ask is as new as that: it is a second old at most."""

    def told() -> bool:
        cards = ok(shop.public.get(f"/v1/walls/{wall['id']}/widget"))["cards"]
        return [likes] == [card["likes"] for card in cards if card["id"] == product]

    assert wait_for(told)


def follow(page: Page, address: str) -> list[Request]:
    """Open a page, and wait until it follows. Whatever happens from then on is heard, first or last."""
    asked = streams(page)
    with page.expect_request("**/live"):
        page.goto(address)
    return asked


def test_a_like_is_seen_in_all_open_walls_within_two_seconds(
    wall: JSON, mug: JSON, elsewhere: Elsewhere, person: NewPerson, demo: Demo
) -> None:
    grid, other, alone = (person().new_page() for _ in range(3))
    follow(grid, elsewhere.write(foreign.wall(wall["id"])))
    follow(other, elsewhere.write(foreign.wall(wall["id"], layout="list")))
    follow(alone, elsewhere.write(foreign.product(mug["id"], wall=wall["id"])))
    who = person().new_page()
    who.goto(f"{demo.url}/p/{mug['id']}")
    expect(heart(who).first).to_be_visible()
    press_heart(who, who)
    since = time.monotonic()
    for page in (grid, other, alone):
        expect(page.get_by_role("button", name="Like Mug 1")).to_be_visible(timeout=SOON * 1000)
    assert time.monotonic() - since < SOON
    press_heart(who, who)
    for page in (grid, other, alone):
        expect(page.get_by_role("button", name="Like Mug", exact=True)).to_be_visible(timeout=SOON * 1000)


def test_ones_own_like_is_not_counted_twice(
    shop: TestMerchant, wall: JSON, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    follow(page, elsewhere.write(foreign.wall(wall["id"])))
    press_heart(page, page.locator("[data-product]").first)
    expect(page.get_by_role("button", name="Like Mug 1", exact=True)).to_be_visible()
    shop.shopper().like(mug["id"])  # heard after one's own, or together with it
    expect(page.get_by_role("button", name="Like Mug 2", exact=True)).to_be_visible()


def test_two_streams_serve_a_page_and_what_else_stands_there_is_told_by_them_or_asks(
    shop: TestMerchant, wall: JSON, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    page.clock.install()
    lantern = shop.product("Lantern")["id"]
    third = shop.wall(mug["id"], lantern)
    walls = foreign.wall(wall["id"]), foreign.wall(shop.wall(mug["id"])["id"]), foreign.wall(third["id"])
    asked = follow(page, elsewhere.write("".join(walls) + foreign.wall(wall["id"], layout="list")))
    expect(page.get_by_role("button", name="Like Mug")).to_have_count(4)
    shop.shopper().like(mug["id"])
    expect(page.get_by_role("button", name="Like Mug 1")).to_have_count(4, timeout=SOON * 1000)
    shop.shopper().like(lantern)
    payload_says(shop, third, lantern, 1)
    page.clock.fast_forward(20_000)
    expect(page.get_by_role("button", name="Like Lantern 1")).to_be_visible()
    assert len(asked) == 2


def test_cut_off_one_goes_on_where_one_was(
    shop: TestMerchant, wall: JSON, mug: JSON, elsewhere: Elsewhere, person: NewPerson, line: Proxy
) -> None:
    page = person().new_page()
    asked = follow(page, elsewhere.write(foreign.wall(wall["id"], api=f"http://127.0.0.1:{line.port}")))
    shop.shopper().like(mug["id"])
    expect(page.get_by_role("button", name="Like Mug 1")).to_be_visible()
    line.hang()
    line.cut()
    shop.shopper().like(mug["id"])
    line.flow()
    expect(page.get_by_role("button", name="Like Mug 2")).to_be_visible(timeout=15_000)
    assert len(asked) >= 2
    position = asked[-1].all_headers()["last-event-id"].partition("-")[0]
    assert int(position) > 0


def refused(page: Page, how: str, address: str) -> None:
    """Open a page whose stream is refused, or held back until it counts as dead."""
    page.clock.install()
    page.route("**/live*", lambda route: route.abort() if how == "aborted" else route.fulfill(status=503))
    asked = streams(page)
    page.goto(address)
    wait_for(lambda: page.evaluate("1") and asked)


def test_who_is_refused_a_stream_asks_from_time_to_time(
    shop: TestMerchant, wall: JSON, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    address = elsewhere.write(foreign.wall(wall["id"]))
    pages = {how: person().new_page() for how in ("aborted", "full")}
    for how, page in pages.items():
        refused(page, how, address)
    pages["full"].wait_for_timeout(300)
    for page in pages.values():
        page.clock.fast_forward(16_000)  # the time after which a line that says nothing counts as dead
    pages["full"].wait_for_timeout(300)
    for likes in (1, 2):
        shop.shopper().like(mug["id"])
        payload_says(shop, wall, mug["id"], likes)
        for page in pages.values():
            page.clock.fast_forward(20_000)
        for page in pages.values():
            expect(page.get_by_role("button", name=f"Like Mug {likes}")).to_be_visible()


def test_who_is_refused_a_stream_does_not_ask_at_once_as_everybody_else_would(
    wall: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/widget") else None)
    refused(page, "full", elsewhere.write(foreign.wall(wall["id"])))
    page.wait_for_timeout(300)
    assert 1 == len(asked)
    page.clock.fast_forward(4000)
    wait_for(lambda: page.evaluate("1") and len(asked) == 2)


def test_a_hidden_page_holds_no_line_and_goes_on_when_it_is_seen_again(
    shop: TestMerchant, wall: JSON, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page, other = person().new_page(), person().new_page()
    address = elsewhere.write(foreign.wall(wall["id"]))
    asked = follow(page, address)
    follow(other, address)
    shop.shopper().like(mug["id"])
    expect(page.get_by_role("button", name="Like Mug 1")).to_be_visible()
    ended: list[str] = []
    page.on("requestfailed", lambda request: ended.append(request.url))
    page.evaluate(HIDE, "hidden")
    wait_for(lambda: page.evaluate("1") and ended)
    assert "/live" in ended[0]
    shop.shopper().like(mug["id"])
    expect(other.get_by_role("button", name="Like Mug 2")).to_be_visible()
    page.wait_for_timeout(200)
    expect(page.get_by_role("button", name="Like Mug 1")).to_be_visible()
    with page.expect_request(lambda request: "/live?after=" in request.url):
        page.evaluate(HIDE, "visible")
    expect(page.get_by_role("button", name="Like Mug 2")).to_be_visible(timeout=SOON * 1000)
    assert len(asked) == 2


def test_new_cards_are_announced_and_move_nothing_until_one_asks_for_them(
    shop: TestMerchant, wall: JSON, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    watch(page, NOT_YET)
    follow(page, elsewhere.write(foreign.wall(wall["id"]) + "<p id=below>Below</p>"))
    page.evaluate("watchShifts()")
    before = page.locator("#below").bounding_box()
    jug = shop.product("Jug")["id"]
    ok(shop.http.patch(f"/v1/walls/{wall['id']}", json={"products": [jug, *wall["products"]]}))
    fresh = page.get_by_role("button", name="Show what is new")
    expect(fresh).to_be_visible()
    expect(page.get_by_role("status").filter(has=fresh)).to_have_count(1)
    assert before == page.locator("#below").bounding_box()
    assert [] == shifts(page)
    expect(page.get_by_role("link", name="Jug")).to_have_count(0)
    fresh.click()
    expect(page.get_by_role("link", name="Jug")).to_be_visible()
    expect(fresh).to_have_count(0)
    shop.shopper().like(jug)
    expect(page.get_by_role("button", name="Like Jug 1")).to_be_visible(timeout=SOON * 1000)


def test_a_strict_policy_has_nothing_to_complain_about(
    shop: TestMerchant, wall: JSON, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    visitor = person()
    heard, page = complaints(visitor), visitor.new_page()
    follow(page, elsewhere.write(foreign.wall(wall["id"]), policy=STRICT))
    shop.shopper().like(mug["id"])
    expect(page.get_by_role("button", name="Like Mug 1")).to_be_visible(timeout=SOON * 1000)
    assert heard == []
