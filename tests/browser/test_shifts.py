"""Nothing moves on a page or in a frame of ours while it arrives: Cumulative Layout Shift is 0. For elements see
test_room.py."""

import pytest
from playwright.sync_api import ViewportSize

from tests.browser.journeys import ON_ONE_DATABASE, NewPerson
from tests.browser.places import ALL_FRAMES, FRAMES, PAGES, TALL, Places
from tests.browser.shifts import shifts, slowly, watch

pytestmark = ON_ONE_DATABASE

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_page_and_no_frame_moves(person: NewPerson, places: Places, screen: ViewportSize) -> None:
    page = person(viewport=screen).new_page()
    watch(page)
    for name in [*PAGES, ALL_FRAMES]:
        page.set_viewport_size({**screen, "height": TALL} if name == ALL_FRAMES else screen)
        places.visit(page, name)
        assert (name, []) == (name, shifts(page))
    assert len(page.frames) == 1 + len(FRAMES)


def test_no_frame_moves_when_its_style_sheets_are_late(person: NewPerson, places: Places) -> None:
    page = person(viewport=DESKTOP).new_page()
    watch(page)
    page.route("**/styles/*.css", slowly)
    page.goto(places.seen("framed wall"))  # on another site: there Chromium paints before the style sheets are here
    assert [] == shifts(page)
