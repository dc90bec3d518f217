"""What reaches the cards from outside once they are drawn: counts, and a payload fetched anew.

A later module stands here in the place of after.js: it keeps what that one is given.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import foreign
from tests.browser.foreign import Elsewhere, complaints, events
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, heart, press_heart, wait_for
from tests.browser.shifts import ONCE_THERE_ARE_CARDS, shifts, watch
from tests.shop import JSON, TestMerchant, ok

pytestmark = ON_ONE_DATABASE

KEEPS = "window.given = []; export const after = shown => window.given.push(shown);"


def listening(page: Page) -> None:
    """Whatever an element hands to after.js is in `window.given`."""
    headers = {"Access-Control-Allow-Origin": "*"}
    page.route("**/after.js", lambda route: route.fulfill(body=KEEPS, content_type="text/javascript", headers=headers))


def open_wall(page: Page, elsewhere: Elsewhere, wall: str, **attributes: str) -> None:
    listening(page)
    page.goto(elsewhere.write(foreign.wall(wall, **attributes)))
    page.wait_for_function("window.given?.length")


def test_each_element_hands_over_once_what_it_shows(
    mug: JSON, shop: TestMerchant, elsewhere: Elsewhere, person: NewPerson
) -> None:
    wall = shop.wall(mug["id"])["id"]
    page = person().new_page()
    listening(page)
    page.goto(elsewhere.write(foreign.wall(wall) + foreign.product(mug["id"]) + foreign.wall(wall)))
    page.wait_for_function("window.given?.length == 3")
    page.wait_for_load_state("networkidle")
    given = page.evaluate(
        """window.given.map(({ element, section, payload, place, arrival }) => [element.localName, section.isConnected,
        !!(payload.cards ?? payload.product), place.wall ?? null, [...place.counts.keys()], arrival])"""
    )
    on_wall = ["grapevine-wall", True, True, wall, [mug["id"]], None]
    alone = ["grapevine-product", True, True, None, [mug["id"]], None]
    assert sorted([on_wall, alone, on_wall], key=str) == sorted(given, key=str)


def test_a_count_from_outside_is_shown_and_agrees_with_the_persons_own_like(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    open_wall(page, elsewhere, shop.wall(mug["id"])["id"])
    tell = f"likes => window.given[0].place.counts.get('{mug['id']}')(likes)"
    page.evaluate(tell, 1234)
    expect(heart(page)).to_have_accessible_name("Like Mug 1.2k")
    page.evaluate(tell, 3)
    press_heart(page, page)  # the server knows of this one only
    expect(heart(page)).to_have_accessible_name("Like Mug 1")
    page.evaluate(tell, 8)  # of which this person is one
    expect(heart(page)).to_have_accessible_name("Like Mug 8")
    press_heart(page, page)
    expect(heart(page)).to_have_accessible_name("Like Mug 7")


def test_drawn_anew_a_wall_keeps_what_is_as_it_was_with_choice_focus_and_scroll(
    shop: TestMerchant, elsewhere: Elsewhere, person: NewPerson
) -> None:
    scarf = shop.product("Scarf", variants=[{"title": size, "price": euros(15)} for size in ("Small", "Large")])
    others = [shop.product(f"Thing {number}")["id"] for number in range(9)]
    wall = shop.wall(scarf["id"], *others, layout="carousel")["id"]
    page = person().new_page()
    watch(page, ONCE_THERE_ARE_CARDS)
    open_wall(page, elsewhere, wall)
    page.get_by_label("Choose an option of Scarf").select_option("Large")
    page.get_by_role("button", name="Share Thing 8").focus()
    page.evaluate("before => { window.list = document.querySelector('grapevine-wall').shadowRoot.querySelector('ul') }")
    scrolled = page.evaluate("window.list.scrollLeft")
    assert scrolled > 0

    lamp = shop.product("Lamp")["id"]
    ok(shop.http.patch(f"/v1/products/{others[0]}", json={"title": "Thing renamed"}))
    shop.shopper().like(others[8], wall=wall)
    ok(shop.http.patch(f"/v1/walls/{wall}", json={"products": [scarf["id"], *others[:5], *others[6:], lamp]}))
    wait_for(lambda: "Lamp" in shop.public.get(f"/v1/walls/{wall}/widget").text)
    page.evaluate("window.given[0].place.redraw()")

    names = ["Scarf", "Thing renamed", *(f"Thing {number}" for number in (1, 2, 3, 4, 6, 7, 8)), "Lamp"]
    expect(page.locator("li.card .title")).to_have_text(names)
    expect(page.get_by_label("Choose an option of Scarf")).to_have_value(scarf["variants"][1]["id"])
    expect(page.get_by_role("button", name="Share Thing 8")).to_be_focused()
    expect(page.get_by_role("button", name="Like Thing 8 1")).to_be_visible()
    assert (scrolled, []) == (page.evaluate("window.list.scrollLeft"), shifts(page))
    page.wait_for_function("window.given.length == 2")  # what is new is handed over too
    assert [10] == page.evaluate("[window.given[1].place.counts.size]")


def test_drawn_anew_while_the_server_is_away_all_stays_as_it_is(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    open_wall(page, elsewhere, shop.wall(mug["id"])["id"])
    page.route("**/widget", lambda route: route.abort())
    page.evaluate("window.given[0].place.redraw()")
    expect(heart(page)).to_be_visible()


def test_without_what_comes_after_all_that_is_seen_works(mug: JSON, elsewhere: Elsewhere, person: NewPerson) -> None:
    page = person().new_page()
    page.route("**/after.js", lambda route: route.abort())
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    press_heart(page, page)
    page.get_by_role("button", name="Share Mug").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert [] == failures


@pytest.mark.parametrize("answer", ["<p>Hello</p>", "{}", "null", '{"words": {}, "wall": {}, "cards": 7}'])
def test_an_answer_that_makes_no_sense_leaves_the_fallback(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson, answer: str
) -> None:
    page = person().new_page()
    told = events(page, "error")
    headers = {"Access-Control-Allow-Origin": "*"}
    page.route("**/widget", lambda route: route.fulfill(body=answer, headers=headers))
    page.goto(elsewhere.write(foreign.wall(shop.wall(mug["id"])["id"], "<a href='/there'>There</a>")))
    page.wait_for_function("window.told.length == 1")
    expect(page.get_by_role("link", name="There")).to_be_visible()
    assert len(told()) == 1


def test_another_layout_is_taken_up_at_once_and_another_wall_too(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    lamp = shop.product("Lamp")["id"]
    first, second = shop.wall(mug["id"], lamp)["id"], shop.wall(lamp)["id"]
    context = person()
    heard, page = complaints(context), context.new_page()
    page.goto(elsewhere.write(foreign.wall(first)))
    element = page.locator("grapevine-wall")
    expect(element.locator("section.grid li.card")).to_have_count(2)
    element.evaluate("wall => wall.setAttribute('layout', 'single')")
    expect(element.locator("section.single li.card")).to_have_count(1)
    expect(element.get_by_role("spinbutton", name="How many of Mug")).to_be_visible()
    element.evaluate("(wall, other) => wall.setAttribute('wall', other)", second)
    expect(element.locator("li.card .title")).to_have_text("Lamp")
    element.evaluate("wall => document.body.append(wall)")  # moved: as it was
    expect(element.locator("li.card .title")).to_have_text("Lamp")
    assert [] == heard


def euros(whole: int) -> JSON:
    return {"amount": whole * 100, "currency": "eur"}
