"""The report page in a browser: for everybody, on any screen, with scripts and without."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import axe
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson
from tests.browser.narrow import beyond
from tests.browser.reports import PLACES, Reported, reported, sign_in
from tests.conftest import NewDatabase
from tests.shop import BROWSER
from tests.soak import SOAK
from tests.web import tools

pytestmark = ON_ONE_DATABASE


@pytest.fixture(scope="module")
def reports(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    with reported(new_database("report-page"), tmp_path_factory.mktemp("report-page")) as shop:
        yield shop


@pytest.fixture(scope="module")
def places(reports: Reported) -> dict[str, str]:
    return {name: reports.of(name) for name in PLACES}


@pytest.fixture(scope="module")
def page(browser: Browser, reports: Reported) -> Iterator[Page]:
    """A page of one reader, who looks at everything."""
    context = browser.new_context(user_agent=BROWSER, locale="en-GB", viewport={"width": 1000, "height": 900})
    shown = context.new_page()
    sign_in(shown, reports)
    yield shown
    context.close()


def opened(page: Page, places: dict[str, str], name: str) -> list[str]:
    """Open that page, all that can be unfolded on it too; what the browser complained of."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    if name == "door":
        page.context.storage_state()
        cookies = page.context.cookies()
        page.context.clear_cookies()
        page.goto(places[name])
        page.context.add_cookies(cookies)  # type: ignore[arg-type]
    else:
        page.goto(places[name])
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    return complaints


LOOKED_AT = PLACES if SOAK else ["overview", "person", "orders", "order", "door"]


@pytest.mark.parametrize("name", LOOKED_AT)
def test_axe_finds_nothing_to_complain_of(page: Page, places: dict[str, str], name: str) -> None:
    page.set_viewport_size({"width": 1000, "height": 900})
    complaints = opened(page, places, name)
    assert "" == axe.found(page) + axe.found(page, "dark")
    assert [] == [each for each in complaints if "404" not in each]


@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_narrow_screen_and_large_letters_hold_everything(page: Page, places: dict[str, str], name: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    opened(page, places, name)
    assert "" == "\n".join(beyond(page))
    page.set_viewport_size({"width": 640, "height": 640})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert "" == "\n".join(beyond(page))


def test_a_phone_shows_what_an_order_came_to(page: Page, places: dict[str, str]) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, places, "orders")
    table = page.locator(".report-listed")
    amounts = table.locator("tbody td:nth-child(2)")
    assert "Net" == table.locator("thead th:nth-child(2)").inner_text()
    boxes = [amounts.nth(row).bounding_box() for row in range(amounts.count())]
    assert boxes
    assert [] == [box for box in boxes if box is None or box["x"] < 0 or box["x"] + box["width"] > 360]
    assert 0 == page.locator(".report-wide").first.evaluate("(one) => one.scrollWidth - one.clientWidth")


def test_everything_can_be_done_without_scripts(reports: Reported, person: NewPerson) -> None:
    page = person(java_script_enabled=False).new_page()
    sign_in(page, reports)
    page.get_by_label("From", exact=True).fill("2026-02-20")
    page.get_by_label("To, included").fill("2026-02-21")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("20.*21.*2026"))
    net = page.locator(".report-figure").first.inner_text()
    page.get_by_text("As a table").first.click()
    expect(page.locator(".report-tall tbody tr")).to_have_count(2)
    page.get_by_text("The calls behind it").first.click()
    page.get_by_role("link", name="JSON").first.click()
    assert "2026-02-20" in page.content()
    page.go_back()
    page.get_by_role("link", name="Orders", exact=True).click()
    expect(page.locator(".report-total")).to_contain_text(net)
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="Why it is credited so")).to_be_visible()
    page.get_by_role("link", name="People", exact=True).click()
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="What became of their word")).to_be_visible()
    page.locator(".report-tree circle").first.click()
    expect(page.get_by_role("heading", level=1, name="What became of it")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Report key")).to_be_visible()


def test_a_day_says_its_figures_when_it_is_pointed_at(page: Page, places: dict[str, str]) -> None:
    page.set_viewport_size({"width": 1000, "height": 900})
    page.goto(places["overview"])
    column = page.locator(".column").nth(20)
    said = column.locator(".said")
    expect(said).to_be_hidden()
    column.locator(".hit").hover()
    expect(said).to_be_visible()
    rows = page.locator(".report-tall tbody tr").nth(20)
    page.get_by_text("As a table").first.click()
    assert rows.locator("td").nth(1).inner_text() in (said.text_content() or "")


def test_a_call_is_copied_by_a_press_and_works_where_it_is_pasted(reports: Reported, person: NewPerson) -> None:
    page = person(permissions=["clipboard-read", "clipboard-write"]).new_page()
    sign_in(page, reports)
    page.get_by_text("The calls behind it").first.click()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    typed = page.evaluate("navigator.clipboard.readText()")
    address = typed.split("'")[1]
    assert 200 == httpx.get(address, headers={"Authorization": f"Bearer {reports.key}"}).status_code
    assert reports.key not in typed
    assert "$KEY" in typed


def test_every_page_is_valid_html(reports: Reported, places: dict[str, str]) -> None:
    pages = {}
    for language in ("en", "fr"):
        headers = {"Origin": reports.world.server.url, "Accept-Language": language}
        with httpx.Client(headers=headers, follow_redirects=True, verify=False, timeout=30) as reader:
            pages[f"door ({language})"] = reader.get(reports.url).text
            reader.post(f"{reports.url}/session", data={"key": reports.key})
            pages |= {f"{name} ({language})": reader.get(places[name]).text for name in PLACES if name != "door"}
    assert "" == "\n".join(tools.node("validate.mjs", said=json.dumps(pages)))
