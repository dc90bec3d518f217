"""Nothing moves on a page or in a frame of ours while it arrives: Cumulative Layout Shift is 0. For elements see
test_room.py."""

import time

import pytest
from playwright.sync_api import Page, Route

from tests.browser.journeys import ON_ONE_DATABASE, NewPerson
from tests.browser.places import FRAMES, PAGES, Places

pytestmark = ON_ONE_DATABASE

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

WATCH = """
window.shifted = [];
const name = ({ node }) => node?.outerHTML?.slice(0, 120) ?? "what is gone";
new PerformanceObserver((list) => list.getEntries().forEach(({ value, sources }) =>
  window.shifted.push([value, ...sources.map(name)]))).observe({ type: "layout-shift", buffered: true });
"""

SETTLED = """new Promise((done) => requestAnimationFrame(() => setTimeout(done, 150)))"""


def shifts(page: Page) -> list[list[object]]:
    """Every shift of the layout until now, with what was moved, in the page and its frames."""
    page.evaluate(SETTLED)
    return [shift for frame in page.frames for shift in frame.evaluate("window.shifted")]


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_page_and_no_frame_moves(person: NewPerson, places: Places, screen: dict[str, int]) -> None:
    page = person(viewport=screen).new_page()
    page.add_init_script(WATCH)
    for name in [*PAGES, *FRAMES]:
        page.goto(places.seen(name))
        assert (name, []) == (name, shifts(page))


def test_no_frame_moves_when_its_style_sheets_are_late(person: NewPerson, places: Places) -> None:
    page = person(viewport=DESKTOP).new_page()
    page.add_init_script(WATCH)
    page.route("**/styles/*.css", slowly)
    page.goto(places.seen("framed wall"))  # on another site: there Chromium paints before the style sheets are here
    assert [] == shifts(page)


def slowly(route: Route) -> None:
    time.sleep(0.2)
    route.continue_()
