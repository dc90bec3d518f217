"""A catalogue, captions and names full of scripts, in everything that we show: Chromium runs none of them, asks nobody
for anything, and no policy has to step in."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, Request, expect

from tests.browser import foreign
from tests.browser.demo import Demo
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson
from tests.shop import BROWSER, JSON, Shopper, TestMerchant, ok

pytestmark = ON_ONE_DATABASE

_DATA: Final = json.loads((Path(__file__).parents[1] / "data" / "hostile.json").read_text("utf-8"))["texts"]
TEXTS: Final[list[str]] = [*_DATA["markup"], *_DATA["css"], *_DATA["tables"][:6], *_DATA["direction"][:4]]
TOGETHER: Final = 12
"""Texts in one description."""

WATCH: Final = """
window.ran = [];
for (const name of ["alert", "confirm", "prompt", "msgbox"]) window[name] = () => window.ran.push(name);
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  window.ran.push(`${violatedDirective} ${blockedURI}`));
"""
"""What a page does that it should not: a text that runs, and one that would, had a policy not kept it from that."""

PLANTED: Final = """() => [...document.querySelectorAll("*")].flatMap(function each(element) {
  const inside = element.shadowRoot ? [...element.shadowRoot.querySelectorAll("*")].flatMap(each) : [];
  const wrong = [...element.attributes].filter(({ name, value }) => {
    const leads = /^(href|src|action|data|xlink:href)$/i.test(name);
    if (/^on/i.test(name)) return true;
    return leads && (/^[\\s\\x00-\\x1f]*(java|vb)script:/i.test(value) || /x\\.invalid/.test(value));
  });
  const isScript = element.localName === "script" && element.type !== "application/ld+json";
  const told = wrong.map(({ name, value }) => `${element.localName} ${name}=${value}`);
  return [...inside, ...told, ...(isScript && element.text.includes("alert(1)") ? ["script"] : [])];
})"""
"""Elements that a text became."""


@dataclass(frozen=True)
class Hostile:
    """What the merchant sells, and who passed it on."""

    products: list[str]
    wall: str
    code: str
    sharer: Shopper


@pytest.fixture(scope="module")
def hostile(shop: TestMerchant) -> Hostile:
    texts = [text for text in TEXTS if "\x00" not in text and text.strip()]
    products = []
    for place in range(0, len(texts), TOGETHER):
        some = texts[place : place + TOGETHER]
        variants = [{"title": text, "sku": text[:60], "price": {"amount": 1999, "currency": "eur"}} for text in some]
        about: JSON = {"description": "\n".join(some), "brand": some[0], "tags": some}
        products.append(shop.product(some[-1], variants=variants, **about)["id"])
    wall = shop.wall(*products, title=texts[0])["id"]
    sharer = shop.shopper()
    share = sharer.share(products[0], caption=texts[7][:200], wall=wall)
    ok(sharer.http.patch("/v1/me", json={"name": "<img src=x onerror=alert(1)>"}, headers=sharer.headers))
    friend = shop.shopper()
    friend.follow(share["code"])
    now = datetime.now(UTC).isoformat()
    shop.order(5000, click_id=friend.click, test=True, coupon="=1+1", placed_at=now)
    return Hostile(products, wall, share["code"], sharer)


@pytest.fixture
def watched(person: NewPerson) -> Iterator[Page]:
    """A page that notices whatever runs and whatever is asked of strangers."""
    context: BrowserContext = person()
    context.add_init_script(WATCH)
    strange: list[str] = []

    def note(request: Request) -> None:
        if "x.invalid" in request.url:
            strange.append(request.url)

    def refuse(dialog: Dialog) -> None:
        strange.append(dialog.message)
        dialog.dismiss()

    context.on("request", note)
    page = context.new_page()
    page.on("dialog", refuse)
    yield page
    assert [] == strange


def is_harmless(page: Page) -> None:
    """Nothing ran in the page or in a frame of it, and nothing stands there that a text planted."""
    for frame in page.frames:
        assert [] == frame.evaluate("window.ran"), frame.url
        assert [] == frame.evaluate(PLANTED), frame.url


@pytest.mark.parametrize("planted", ["<img src=x onerror=alert(1)>", "<a href=' javascript:alert(1)'>x</a>"])
def test_what_watches_would_see_it(demo: Demo, person: NewPerson, planted: str) -> None:
    page = person().new_page()
    page.add_init_script(WATCH)
    page.goto("about:blank")
    page.set_content(planted)
    with pytest.raises(AssertionError):
        is_harmless(page)


def test_no_page_and_no_frame_runs_what_a_catalogue_says(demo: Demo, hostile: Hostile, watched: Page) -> None:
    paths = [f"/w/{hostile.wall}", f"/w/{hostile.wall}/embed", f"/embed/walls/{hostile.wall}", f"/r/{hostile.code}"]
    paths += [f"/embed/r/{hostile.code}", f"/embed/products/{hostile.products[0]}"]
    paths += [f"/p/{product}" for product in hostile.products]
    for path in paths:
        watched.goto(demo.url + path)
        is_harmless(watched)
        for block in watched.locator('script[type="application/ld+json"]').all_text_contents():
            assert json.loads(block)


def test_no_element_on_another_website_runs_it(
    demo: Demo, hostile: Hostile, elsewhere: Elsewhere, watched: Page
) -> None:
    answer = ok(httpx.get(f"{demo.url}/oembed", params={"url": f"{demo.url}/r/{hostile.code}"}))
    body = foreign.wall(hostile.wall) + foreign.product(hostile.products[0]) + answer["html"]
    watched.goto(elsewhere.write(body))
    expect(watched.locator("grapevine-wall li.card:not(.bone)")).to_have_count(len(hostile.products))
    watched.wait_for_load_state("networkidle")
    is_harmless(watched)


def test_the_sharers_own_page_and_the_reports_do_not_run_it(demo: Demo, hostile: Hostile, watched: Page) -> None:
    watched.goto(f"{demo.url}/me#{hostile.sharer.token}")
    expect(watched.get_by_role("heading", name="What you liked and shared")).to_be_visible()
    is_harmless(watched)
    watched.goto(f"{demo.url}/reports")
    watched.locator('input[name="key"]').fill(demo.report_key)
    with watched.expect_navigation():
        watched.keyboard.press("Enter")
    for path in ("", "/sharers", "/orders", f"/sharers/{hostile.sharer.id}"):
        answer = watched.goto(f"{demo.url}/reports{path}")
        assert answer is not None
        assert 200 == answer.status, path
        is_harmless(watched)


def test_pictures_and_feeds_are_what_they_say_and_run_nothing(demo: Demo, hostile: Hostile, watched: Page) -> None:
    for path, kind in ((f"/r/{hostile.code}.svg", "image/svg+xml"), (f"/w/{hostile.wall}/feed.xml", "xml")):
        answer = httpx.get(demo.url + path, headers={"User-Agent": BROWSER})
        assert kind in answer.headers["content-type"]
        assert "nosniff" == answer.headers["x-content-type-options"], path
        watched.goto(demo.url + path)
        is_harmless(watched)
    feed = ok(httpx.get(f"{demo.url}/w/{hostile.wall}/feed.json"))
    watched.set_content("".join(item.get("content_html", "") for item in feed["items"]))
    is_harmless(watched)


def test_no_cell_of_a_table_is_a_formula(demo: Demo, hostile: Hostile) -> None:
    headers = {"Authorization": f"Bearer {demo.report_key}"}
    for path in ("sharers", "reports/attribution?group_by=product", "reports/orders"):
        answer = httpx.get(
            f"{demo.url}/v1/{path}{'&' if '?' in path else '?'}format=csv&livemode=false", headers=headers
        )
        assert 200 == answer.status_code, answer.text
        rows = list(csv.reader(io.StringIO(answer.text)))
        assert len(rows) > 1, path
        for cell in (each for row in rows for each in row if each):
            assert cell[0] not in "=+@\t\r", cell
            assert cell[0] != "-" or cell[1:].replace(".", "").isdecimal(), cell
