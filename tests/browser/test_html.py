"""Every page and frame is valid HTML by an independent judge (npm), in each language."""

import json

import httpx

from tests.browser.journeys import ON_ONE_DATABASE
from tests.browser.places import FRAMES, PAGES, Places
from tests.shop import BROWSER
from tests.web import tools

pytestmark = ON_ONE_DATABASE


def test_every_page_and_frame_is_valid_html(places: Places) -> None:
    pages = {}
    for language in ("en", "fr"):
        for name in [*PAGES, *FRAMES]:
            headers = {"user-agent": BROWSER, "Accept-Language": language, "Accept": "text/html"}
            answer = httpx.get(places.of(name), headers=headers | places.headers(name))
            assert answer.headers["content-type"].startswith("text/html"), name
            pages[f"{name} ({language})"] = answer.text
    assert "" == "\n".join(tools.node("validate.mjs", said=json.dumps(pages)))
