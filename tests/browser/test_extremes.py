"""The elements where it is much, and where there is nobody: a thousand cards, no server, a server that goes away."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route, expect

from tests.browser import foreign
from tests.browser.demo import Demo
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, heart, press_heart
from tests.browser.places import MANY
from tests.net import free_port
from tests.shop import JSON, TestMerchant

pytestmark = ON_ONE_DATABASE

LATE_MS = 200
"""No task of ours may keep the page from answering for longer, on a machine that does other things too."""

NEAR = 200
"""Pictures that a browser fetches ahead of where one is: Chromium takes those within some screens."""

LONG_TASKS = """
window.long = [];
new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => window.long.push(duration)))
  .observe({ type: "longtask", buffered: true });
"""


def test_a_thousand_cards_are_there_and_only_what_is_near_is_fetched(
    elsewhere: Elsewhere, person: NewPerson, many: JSON
) -> None:
    page = person().new_page()
    pictures: list[str] = []
    page.on("request", lambda call: pictures.append(call.url) if ".png?" in call.url else None)
    page.add_init_script(LONG_TASKS)
    page.goto(elsewhere.write(foreign.wall(many["id"], cards="60")))
    cards = page.locator("grapevine-wall li.card")
    expect(page.get_by_role("button", name="Buy: ").first).to_be_visible()
    expect(cards).to_have_count(MANY)
    expect(page.locator("li.card:not(.bone) .buy")).to_have_count(MANY)
    assert page.evaluate("Math.max(0, ...window.long)") < LATE_MS
    assert 0 < len(pictures) < NEAR

    last = cards.last
    last.scroll_into_view_if_needed()
    assert last.evaluate("card => card.getBoundingClientRect().bottom") <= 900
    press_heart(page, last)
    expect(heart(last)).to_have_attribute("aria-pressed", "true")


NOT_NEEDED = re.compile(r"/elements/(?!grapevine\.js)[a-z-]+\.js|/v1/(?!walls/\w+/widget$)|/live$|\.png")
"""Later files, other calls, pictures."""


def test_the_first_card_waits_for_nothing_but_its_own_payload(
    shop: TestMerchant, demo: Demo, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(NOT_NEEDED, hold)
    page.route(f"**/v1/walls/{demo.wall}/widget", hold)
    body = foreign.wall(demo.wall) + foreign.wall(shop.wall(mug["id"])["id"]) + foreign.product(mug["id"])
    page.goto(elsewhere.write(body), wait_until="commit")
    expect(page.get_by_role("button", name="Buy: Mug")).to_be_visible()
    asked = {urlsplit(route.request.url).path.rpartition("/")[2] for route in held}
    assert {"after.js", "widget"} <= asked
    for route in held:
        route.abort()


def test_where_the_server_is_away_from_the_start_the_fallback_is_all_there_is(
    elsewhere: Elsewhere, person: NewPerson
) -> None:
    there = elsewhere.write("<h1>By hand</h1>")
    link = f'<a href="{there}">See our favourites</a>'
    inside = "".join(f"<grapevine-{kind}>{link}</grapevine-{kind}>" for kind in ("wall", "product", "share"))
    page = person().new_page()
    page.goto(elsewhere.write(inside, api=f"http://127.0.0.1:{free_port()}"))
    links = page.get_by_role("link", name="See our favourites")
    expect(links).to_have_count(3)
    links.last.click()
    expect(page.get_by_role("heading", name="By hand")).to_be_visible()


def test_what_was_open_stays_usable_when_the_line_is_cut_and_works_again_after(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    context = person()
    page = context.new_page()
    page.goto(elsewhere.write(foreign.wall(shop.wall(mug["id"])["id"])))
    card = page.locator("grapevine-wall li.card").first
    press_heart(page, card)
    context.set_offline(True)
    card.get_by_role("button", name="Share").click()
    says_that_it_is_cut_off(page)
    heart(card).click()
    expect(heart(card)).to_have_attribute("aria-pressed", "true")  # what the server knows
    buy = card.get_by_role("button", name="Buy")
    buy.click()
    expect(buy).to_have_attribute("aria-busy", "false")  # given up
    says_that_it_is_cut_off(page)
    context.set_offline(False)
    press_heart(page, card)


def says_that_it_is_cut_off(page: Page) -> None:
    expect(page.get_by_role("status").filter(has_text="No connection. Please try again.").first).to_be_visible()
