"""Pages and embeds for everybody: axe-core finds nothing, the keyboard is enough, a narrow or magnified screen holds
everything, and nothing moves for those who asked for that."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import axe
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, heart, pay, taken_over
from tests.browser.narrow import beyond
from tests.browser.places import ALL_FRAMES, ELEMENTS, PAGES, TALL, Places
from tests.shop import BROWSER, JSON

pytestmark = ON_ONE_DATABASE


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page of one reader, who looks at everything."""
    context = browser.new_context(user_agent=BROWSER, locale="en-GB", viewport={"width": 1000, "height": 900})
    yield context.new_page()
    context.close()


def opened(page: Page, places: Places, name: str) -> None:
    """Open that page, and wait until what stands in it is there."""
    page.set_viewport_size({"width": 1000, "height": TALL if name == ALL_FRAMES else 900})
    places.visit(page, name)
    if name in ELEMENTS:
        expect(page.locator("grapevine-wall section li.card .buy").first).to_be_visible()
        expect(page.locator("grapevine-product section li.card .buy")).to_be_visible()


@pytest.mark.parametrize("name", [*PAGES, ALL_FRAMES, *ELEMENTS])
def test_axe_finds_nothing_to_complain_of(page: Page, places: Places, name: str) -> None:
    opened(page, places, name)
    assert "" == axe.found(page) + axe.found(page, "dark")


@pytest.mark.parametrize("name", ["wall", "elements from right to left"])
def test_nor_with_the_share_sheet_open(page: Page, places: Places, name: str) -> None:
    opened(page, places, name)
    page.get_by_role("button", name="Share Cup of the house").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="QR code").click()
    expect(page.get_by_alt_text("QR code of your link")).to_be_visible()
    assert "" == axe.found(page) + axe.found(page, "dark")


@pytest.mark.parametrize("name", [*PAGES, ALL_FRAMES, "elements"])
def test_a_narrow_screen_and_large_letters_hold_everything(page: Page, places: Places, name: str) -> None:
    opened(page, places, name)
    page.set_viewport_size({"width": 320, "height": 640})  # 200 % of 640, 400 % of 1280 (WCAG 1.4.10)
    assert "" == "\n".join(beyond(page))
    page.set_viewport_size({"width": 640, "height": 640})
    for frame in page.frames:
        frame.evaluate("document.documentElement.style.fontSize = '200%'")  # WCAG 1.4.4
    assert "" == "\n".join(beyond(page))


_STOP = """() => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const ringed = (of) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(at, of);
    return outlineStyle === "auto" || (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2);
  };
  const { top, bottom } = at.getBoundingClientRect();
  return { name: (at.ariaLabel || at.labels?.[0]?.textContent || at.textContent).trim(), role: at.tagName.toLowerCase(),
    marked: ringed(null) || ringed("::after"), seen: bottom > 0 && top < innerHeight };
}"""


def stop(page: Page) -> JSON:
    """Where the keyboard is, in whatever frame and shadow tree."""
    for frame in page.frames:
        at: JSON = frame.evaluate(_STOP)
        if at["role"] != "iframe":
            return at
    raise AssertionError("the frame that has the focus is not there")


def tabbed(page: Page, name: str, most: int = 40) -> None:
    """Go by the Tab key to what is called `name`: each stop on the way is marked, and on the screen."""
    stops: list[str] = []
    while len(stops) < most:
        if (at := stop(page))["role"] != "body":  # else round the corner: past the last stop and before the first
            assert at["marked"], at
            assert at["seen"], at
            if at["name"].startswith(name):
                return
        stops.append(at["name"][:40])
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not on the way: {stops}")


@pytest.mark.parametrize("name", ["product", "elements"])
def test_the_keyboard_leads_from_the_heart_to_the_till(person: NewPerson, places: Places, name: str) -> None:
    page = person(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto(places.seen(name))
    expect(page.get_by_role("button", name="Like").first).to_be_visible()
    tabbed(page, "Like Cup")
    with page.expect_response("**/v1/likes") as liked:
        page.keyboard.press("Space")
    assert liked.value.ok
    assert stop(page)["name"].startswith("Like Cup")

    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    tabbed(page, "Copy link")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Link copied.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert stop(page)["name"].startswith("Share Cup")
    page.keyboard.press("Shift+Tab")
    assert stop(page)["name"].startswith("Buy")
    page.keyboard.press("Enter")
    pay(page, "keys@example.com")


def test_the_keyboard_leads_out_of_a_frame_to_the_till(person: NewPerson, places: Places) -> None:
    page = person().new_page()
    page.goto(places.seen("framed product"))
    tabbed(page, "Buy")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{places.of('product')}*")
    tabbed(page, "Buy")
    page.keyboard.press("Enter")
    pay(page, "keys@example.com")


_MOVES = """{
  window.moved = [];
  const lasting = { animationstart: "animationDuration", transitionrun: "transitionDuration" };
  const watch = (root) => {
    for (const [kind, duration] of Object.entries(lasting)) {
      root.addEventListener(kind, (event) => {
        if (parseFloat(getComputedStyle(event.target)[duration]) > 0.01)
          window.moved.push(`${kind} ${event.animationName ?? event.propertyName}`);
      }, true);
    }
  };
  watch(window);
  // Neither event leaves the shadow tree in which it happens.
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (how) {
    const root = attach.call(this, how);
    watch(root);
    return root;
  };
}"""
"""Notes what begins to move, wherever it stands."""


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_nothing_moves_for_those_who_asked_for_that(person: NewPerson, places: Places, wish: str) -> None:
    page = person(reduced_motion=wish).new_page()
    page.add_init_script(_MOVES)
    for name in ("elements", "wall"):
        opened(page, places, name)
        taken_over(page)
        heart(page).first.click()
        page.get_by_role("button", name="Share Cup of the house").first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        assert (wish == "reduce") == ([] == page.evaluate("window.moved")), page.evaluate("window.moved")
