"""Nothing moves on a page or in a frame of ours while it arrives: Cumulative Layout Shift is 0. For elements see
test_room.py."""

import asyncio
import re

import httpx
import pytest
from playwright.sync_api import ViewportSize
from starlette.types import Receive, Scope, Send

from tests.browser.journeys import ON_ONE_DATABASE, NewPerson
from tests.browser.places import ALL_FRAMES, FRAMES, PAGES, TALL, Places
from tests.browser.shifts import shifts, slowly, watch
from tests.net import free_port, serving

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


class Halting:
    """Passes a page on, but lets what comes after a piece of it wait, as a line does that stands still."""

    def __init__(self, html: str, piece: str) -> None:
        found = re.search(piece, html)
        assert found
        self._halves = html[: found.end()].encode(), html[found.end() :].encode()

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._halves[0], "more_body": True})
        await asyncio.sleep(0.5)
        await send({"type": "http.response.body", "body": self._halves[1]})


def test_no_button_moves_whose_words_come_after_it(person: NewPerson, places: Places) -> None:
    html = httpx.get(places.of("thanks"), headers={"Accept": "text/html"}).text
    halting = Halting(html.replace('="/', f'="{places.api}/'), r'<a class="buy wide" href=".*?">')
    page = person(viewport=PHONE).new_page()
    watch(page)
    port = free_port()
    with serving(halting, port):
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_role("link", name="Back to the shop").wait_for()
        assert [] == shifts(page)
