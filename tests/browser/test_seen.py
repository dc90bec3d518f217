"""What a widget reports: seen is half a card for a second, told once, also when the page is being left."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from app.kernel.database import Database
from app.referrals.models import Beacon
from tests.browser import foreign
from tests.browser.demo import Demo
from tests.browser.foreign import STRICT, Elsewhere, complaints
from tests.browser.journeys import A_LOOK, ON_ONE_DATABASE, NewPerson, press_heart, wait_for
from tests.conftest import NewDatabase
from tests.shop import JSON, TestMerchant

pytestmark = ON_ONE_DATABASE

Told = set[tuple[str, str | None]]
"""Types, and the products they are about."""

EYES = """{
  window.eyes = 0;
  const Real = IntersectionObserver;
  window.IntersectionObserver = class extends Real {
    constructor(...how) {
      super(...how);
      window.eyes += 1;
    }
  };
}"""
"""Counts who looks out for something."""


@pytest.fixture(scope="module")
def database(new_database: NewDatabase, demo: Demo) -> Iterator[Database]:
    opened = Database(f"sqlite:///{new_database.folder / 'demo'}.db")
    yield opened
    opened.close()


@pytest.fixture
def page(person: NewPerson) -> Page:
    return timed(person())


@pytest.fixture
def wall(shop: TestMerchant, mug: JSON) -> JSON:
    return shop.wall(mug["id"], shop.product("Lamp")["id"])


def kept(database: Database, wall: JSON) -> list[Beacon]:
    with database.reading() as session:
        return list(session.scalars(select(Beacon).where(Beacon.wall_id == wall["id"]).order_by(Beacon.beacon_id)))


def told(database: Database, wall: JSON) -> Told:
    return {(beacon.type, beacon.product_id) for beacon in kept(database, wall)}


def timed(context: BrowserContext) -> Page:
    """A page whose time can be moved on."""
    page = context.new_page()
    page.clock.install()
    page.add_init_script(EYES)
    return page


def looked(page: Page, milliseconds: int = 1100) -> None:
    """Let that time pass over what is to be seen now."""
    page.wait_for_function("() => window.eyes > 0")
    page.evaluate(A_LOOK)
    page.clock.fast_forward(milliseconds)


def scrolled(page: Page, top: float, milliseconds: int) -> None:
    """Stay there for that time."""
    page.evaluate("top => scrollTo({ top, behavior: 'instant' })", top)
    looked(page, milliseconds)


def beacons(page: Page) -> list[str]:
    """What is sent from now on."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if "beacons" in request.url else None)
    return sent


def hide(page: Page) -> None:
    """Let the page believe that it is being left: whatever waits is sent."""
    page.evaluate("dispatchEvent(new Event('pagehide'))")


def leave(page: Page) -> None:
    """Close the page before its time to report has come."""
    page.close(run_before_unload=True)


def all_of(wall: JSON) -> Told:
    return {("wall_view", None), *(("card_view", product) for product in wall["products"])}


def test_what_was_seen_for_a_second_is_told_also_by_a_page_that_is_closed(
    database: Database, wall: JSON, elsewhere: Elsewhere, page: Page
) -> None:
    page.goto(elsewhere.write(foreign.wall(wall["id"])))
    looked(page)
    leave(page)
    assert all_of(wall) == wait_for(lambda: told(database, wall))
    assert len(kept(database, wall)) == 3


def test_what_was_seen_for_less_or_less_than_half_is_not(
    database: Database, shop: TestMerchant, elsewhere: Elsewhere, page: Page
) -> None:
    products = [str(shop.product(f"Thing {number}")["id"]) for number in range(2)]
    wall = shop.wall(*products)
    body = f'<div id=above style="height: 2000px"></div>{foreign.wall(wall["id"], layout="list")}'
    page.goto(elsewhere.write(body + '<div style="height: 2000px"></div>'))
    cards = page.locator("[data-product]")
    expect(cards).to_have_count(2)
    looked(page)
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))  # from here on only the test makes time pass
    scrolled(page, 1800, 900)
    scrolled(page, 0, 1500)
    height = cards.nth(1).bounding_box()
    assert height is not None
    # The first card whole, of the second a third.
    scrolled(page, height["y"] + height["height"] / 3 - 900, 1500)
    leave(page)
    assert {("wall_view", None), ("card_view", products[0])} == wait_for(lambda: told(database, wall))


def test_each_card_is_told_once_a_page_and_after_some_seconds_by_itself(
    database: Database, wall: JSON, elsewhere: Elsewhere, page: Page
) -> None:
    sent = beacons(page)
    page.goto(elsewhere.write(foreign.wall(wall["id"]) + '<div style="height: 3000px"></div>'))
    looked(page)
    page.clock.fast_forward(3000)
    assert all_of(wall) == wait_for(lambda: page.evaluate("1") and told(database, wall))
    scrolled(page, 2500, 1100)
    scrolled(page, 0, 1100)
    hide(page)
    assert (True, 1) == (page.evaluate("true"), len(sent))
    assert len(kept(database, wall)) == 3


def test_what_is_opened_is_told_and_kept_as_nobodys(
    database: Database, wall: JSON, mug: JSON, elsewhere: Elsewhere, page: Page
) -> None:
    page.goto(elsewhere.write(foreign.wall(wall["id"])))
    card = page.locator(f'[data-product="{mug["id"]}"]')
    press_heart(page, card)
    page.wait_for_function("Object.keys(localStorage).some(key => key.endsWith(':visitor'))")
    card.get_by_role("button", name="Share").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    card.get_by_role("button", name="Buy").click()
    page.wait_for_url("**/pay/**")
    page.go_back()
    expect(card).to_be_visible()
    page.wait_for_function("() => window.eyes > 0")
    card.get_by_role("link", name="Mug").click()
    page.wait_for_url("**/p/**")
    opened = {("share_open", mug["id"]), ("checkout_open", mug["id"]), ("card_open", mug["id"])}
    wait_for(lambda: page.evaluate("1") and opened <= told(database, wall))
    assert opened <= told(database, wall)
    assert {None} == {beacon.visitor_id for beacon in kept(database, wall)}


def refused_at_the_till(page: Page) -> None:
    page.add_init_script("addEventListener('grapevine-checkout', event => event.preventDefault())")


def test_a_till_that_the_page_refuses_was_not_opened(
    database: Database, wall: JSON, mug: JSON, elsewhere: Elsewhere, page: Page
) -> None:
    refused_at_the_till(page)
    page.goto(elsewhere.write(foreign.wall(wall["id"])))
    looked(page)
    page.get_by_role("button", name="Buy").first.click()
    leave(page)
    assert all_of(wall) == wait_for(lambda: told(database, wall))


def private(context: BrowserContext) -> None:
    context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")


def test_who_does_not_want_to_be_followed_is_not_named(
    database: Database, wall: JSON, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    someone = person()
    private(someone)
    page = timed(someone)
    page.goto(elsewhere.write(foreign.wall(wall["id"])))
    press_heart(page, page.locator("[data-product]").first)
    sent = beacons(page)
    looked(page)
    leave(page)
    assert all_of(wall) == wait_for(lambda: told(database, wall))
    assert "vt_" not in "".join(sent)
    assert {None} == {beacon.visitor_id for beacon in kept(database, wall)}


def test_a_page_behind_others_sees_nothing(database: Database, wall: JSON, elsewhere: Elsewhere, page: Page) -> None:
    sent = beacons(page)
    page.add_init_script("Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })")
    page.goto(elsewhere.write(foreign.wall(wall["id"])))
    looked(page, 1800)
    hide(page)
    assert (True, []) == (page.evaluate("true"), sent)
    assert set() == told(database, wall)
    page.evaluate("""() => {
      Object.defineProperty(document, 'visibilityState', { value: 'visible' });
      document.dispatchEvent(new Event('visibilitychange'));
    }""")
    looked(page)
    leave(page)
    assert all_of(wall) == wait_for(lambda: told(database, wall))


def test_reports_that_cannot_be_sent_are_nobodys_trouble(
    database: Database, wall: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    someone = person()
    heard, page = complaints(someone), timed(someone)
    page.goto(elsewhere.write(foreign.wall(wall["id"]), policy=STRICT))
    looked(page)
    hide(page)
    assert all_of(wall) == wait_for(lambda: page.evaluate("1") and told(database, wall))
    assert heard == []
    page.route("**/v1/beacons", lambda route: route.abort())
    page.reload()
    looked(page)
    with page.expect_event("requestfailed"):
        hide(page)
    assert wait_for(lambda: page.evaluate("1") and heard)
    page.wait_for_timeout(100)
    assert all("net::ERR_FAILED" in each for each in heard), heard  # the browser's own word, no error of ours
