"""Elements that a page moves about, hides, squeezes into narrow boxes, or shows in an older browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import foreign
from tests.browser.foreign import Elsewhere, complaints
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, open_sheet, taken_over
from tests.shop import JSON, TestMerchant, ok

pytestmark = ON_ONE_DATABASE

SOON = 2000
"""Milliseconds within which what happens is seen."""
STYLE = "(node, name) => getComputedStyle(node)[name]"
CLEAR = "rgba(0, 0, 0, 0)"

Opened = Callable[[str], Page]


@pytest.fixture
def wall(shop: TestMerchant, mug: JSON) -> JSON:
    return shop.wall(mug["id"], *(shop.product(f"Lamp {number}")["id"] for number in range(8)))


@pytest.fixture
def opened(elsewhere: Elsewhere, person: NewPerson) -> Opened:
    """A page elsewhere with elements in it, which have taken over and are finished."""

    def go(body: str) -> Page:
        page = person().new_page()
        with page.expect_request("**/live"):
            page.goto(elsewhere.write(body))
        taken_over(page)
        return page

    return go


def style(page: Page, selector: str, name: str) -> str:
    """A computed style of the first that fits."""
    return str(page.locator(selector).first.evaluate(STYLE, name))


def move(page: Page) -> None:
    """As sortable lists and page builders do it."""
    page.evaluate("document.getElementById('there').append(document.getElementById('here').firstElementChild)")


def test_an_element_that_is_moved_keeps_all_its_looks(wall: JSON, opened: Opened) -> None:
    page = opened(f"<div id=here>{foreign.wall(wall['id'], layout='carousel')}</div><div id=there></div>")
    expect(page.locator(".turn.on")).to_have_css("position", "absolute")
    before = page.locator("grapevine-wall").bounding_box()
    move(page)
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(page.locator(".turn.on")).to_have_css("position", "absolute")
    assert before == page.locator("grapevine-wall").bounding_box()


def test_one_that_is_moved_with_its_sheet_open_can_share_again(wall: JSON, opened: Opened) -> None:
    page = opened(f"<div id=here>{foreign.wall(wall['id'])}</div><div id=there></div>")
    open_sheet(page, "Share Mug")
    move(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
    open_sheet(page, "Share Lamp 1")
    expect(page.get_by_role("heading", name="Share Lamp 1")).to_be_visible()


def test_one_that_is_moved_into_a_frame_is_dressed_there(wall: JSON, elsewhere: Elsewhere, person: NewPerson) -> None:
    visitor = person()
    heard, page = complaints(visitor), visitor.new_page()
    frame = "<iframe width=900 height=600 srcdoc='<div id=there></div>'></iframe>"
    page.goto(elsewhere.write(f"<div id=here>{foreign.wall(wall['id'])}</div>{frame}"))
    taken_over(page)
    page.evaluate(
        "frames[0].document.getElementById('there').append(document.getElementById('here').firstElementChild)"
    )
    buy = page.frame_locator("iframe").locator(".buy").first
    expect(buy).to_have_css("background-color", "rgb(91, 42, 134)")
    expect(page.frame_locator("iframe").locator(".say")).to_have_css("position", "sticky")
    assert [] == heard


def test_what_was_out_of_the_page_is_told_again_of_likes(
    shop: TestMerchant, wall: JSON, mug: JSON, opened: Opened
) -> None:
    page = opened(f"<div id=here>{foreign.wall(wall['id'])}</div>")
    ended: list[str] = []
    page.on("requestfailed", lambda request: ended.append(request.url))
    page.evaluate("window.away = document.querySelector('grapevine-wall'); away.remove()")
    page.wait_for_timeout(200)
    assert ["/live" in each for each in ended] == [True]
    shop.shopper().like(mug["id"])
    with page.expect_request("**/live*"):
        page.evaluate("here.append(away)")
    expect(page.get_by_role("button", name="Like Mug 1")).to_be_visible(timeout=SOON)
    shop.shopper().like(mug["id"])
    expect(page.get_by_role("button", name="Like Mug 2")).to_be_visible(timeout=SOON)


def test_what_is_written_in_the_sheet_stays_when_the_wall_changes(wall: JSON, opened: Opened) -> None:
    page = opened(foreign.wall(wall["id"]))
    sheet = open_sheet(page, "Share Mug")
    sheet.get_by_text("Add").first.click()
    words = sheet.locator("textarea")
    words.fill("Look at this")
    page.evaluate("document.querySelector('grapevine-wall').setAttribute('layout', 'list')")
    expect(page.locator("section.list dialog:modal")).to_be_visible()
    expect(words).to_have_value("Look at this")
    expect(words).to_be_focused()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)


def test_a_share_button_stands_in_the_line_and_can_be_hidden(
    shop: TestMerchant, elsewhere: Elsewhere, person: NewPerson
) -> None:
    merchant = ok(shop.http.get("/v1/merchant"))["id"]
    page = person().new_page()
    button = foreign.element("share", merchant, "Pass it on", merchant=merchant)
    page.goto(
        elsewhere.write(f"<p>Before {button} after</p><p>{button.replace(' merchant', ' hidden merchant', 1)}</p>")
    )
    expect(page.get_by_role("button", name="Pass it on").first).to_be_visible()
    expect(page.locator("grapevine-share").first).to_have_css("display", "inline-block")
    assert page.locator("grapevine-share").first.evaluate("node => node.offsetWidth < innerWidth / 2")
    expect(page.locator("grapevine-share").nth(1)).to_be_hidden()


@pytest.mark.parametrize("box", ["display:inline-block", "float:left", "display:table-cell", "width:fit-content"])
def test_a_box_that_shrinks_leaves_room_for_a_card(
    mug: JSON, elsewhere: Elsewhere, person: NewPerson, box: str
) -> None:
    page = person().new_page()
    page.goto(elsewhere.write(f'<div style="{box}">{foreign.product(mug["id"])}</div>'))
    taken_over(page)
    assert page.locator("grapevine-product").evaluate("node => node.offsetWidth") >= 140


def test_a_browser_without_light_dark_shows_the_light_colours(
    wall: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person(color_scheme="dark").new_page()

    def older(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("light-dark(", "unheard-of("))

    page.route("**/assets/**", older)
    page.goto(elsewhere.write(foreign.wall(wall["id"])))
    expect(page.locator(".buy").first).to_have_css("background-color", "rgb(91, 42, 134)")
    expect(page.locator(".card").first).to_have_css("background-color", "rgb(255, 255, 255)")
    sheet = open_sheet(page, "Share Mug")
    expect(sheet).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(sheet).to_have_css("color", "rgb(29, 26, 36)")
    assert CLEAR != style(page, ".network .dot", "backgroundColor")


COUNTING = """window.resizes = 0;
const add = window.addEventListener;
window.addEventListener = (type, ...rest) => {
  window.resizes += type === "resize";
  add.call(window, type, ...rest);
};"""


def test_drawn_anew_an_element_listens_to_its_page_only_once(
    shop: TestMerchant, wall: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    page.add_init_script(COUNTING)
    with page.expect_request("**/live"):
        page.goto(elsewhere.write(foreign.wall(wall["id"])))
    page.wait_for_function("window.resizes === 1")
    ok(shop.http.patch(f"/v1/walls/{wall['id']}", json={"products": [*wall["products"], shop.product("Jug")["id"]]}))
    page.get_by_role("button", name="Show what is new").click()
    expect(page.get_by_role("link", name="Jug")).to_be_visible()
    page.wait_for_timeout(200)
    assert 1 == page.evaluate("window.resizes")
