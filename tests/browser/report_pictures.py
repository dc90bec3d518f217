"""The pictures of docs/reports.md: `make pictures`. No tests: what they show is tested elsewhere."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.camera import picture
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson
from tests.browser.reports import Reported, reported, sign_in
from tests.conftest import NewDatabase

pytestmark = ON_ONE_DATABASE

SHOTS = [
    ("overview", "desktop", "light", 1330),
    ("overview", "phone", "dark", 1100),
    ("year", "desktop", "dark", 760),
    ("person", "desktop", "light", 1000),
    ("tree", "desktop", "light", 900),
    ("orders", "desktop", "light", 700),
    ("order", "desktop", "light", 900),
]


@pytest.fixture(scope="module")
def reports(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    with reported(new_database("report-pictures"), tmp_path_factory.mktemp("report-pictures")) as shop:
        yield shop


@pytest.mark.parametrize(("name", "screen", "scheme", "height"), SHOTS)
def test_report_page(reports: Reported, person: NewPerson, name: str, screen: str, scheme: str, height: int) -> None:
    width = 1120 if screen == "desktop" else 390
    page = person(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
    sign_in(page, reports)
    page.goto(reports.of(name))
    expect(page.locator("main h1")).to_be_visible()
    picture(page, f"report-{name}-{screen}-{scheme}")
