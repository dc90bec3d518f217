"""What is held of somebody, on their own page: told, taken along, and erased after being asked twice."""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.demo import Demo
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, open_sheet, share, wait_for
from tests.browser.test_me import on_me
from tests.shop import JSON

pytestmark = ON_ONE_DATABASE


@pytest.fixture
def ana(demo: Demo, mug: JSON, person: NewPerson) -> Page:
    """Somebody who has shared a mug, on their own page."""
    page = person().new_page()
    page.goto(f"{demo.url}/p/{mug['id']}")
    share(page, open_sheet(page, "Share"))
    page.keyboard.press("Escape")
    return on_me(page)


def test_what_is_held_is_told_and_taken_along(ana: Page, tmp_path: Path) -> None:
    ana.get_by_role("button", name="Show what is held").click()
    expect(ana.get_by_text("Likes and shares: 1")).to_be_visible()
    with ana.expect_download() as taken:
        ana.get_by_role("button", name="Download").click()
    taken.value.save_as(file := tmp_path / taken.value.suggested_filename)
    told = json.loads(file.read_text())
    assert ("grapevine.json", True) == (file.name, told["visitor"].startswith("vis_"))
    assert "" == axe.found(ana)


def test_somebody_is_erased_by_keyboard_and_only_when_they_are_sure(ana: Page, demo: Demo) -> None:
    link = ana.get_by_label("Your link: Mug").input_value()
    button = ana.get_by_role("button", name="Erase me")
    button.press("Enter")
    keep = ana.get_by_role("button", name="Keep it")
    expect(keep).to_be_focused()
    if folder := os.environ.get("GRAPEVINE_SHOTS"):
        ana.screenshot(path=f"{folder}/erase.png", full_page=True)
    assert "" == axe.found(ana)
    keep.press("Enter")
    expect(button).to_be_focused()
    expect(keep).to_be_hidden()
    assert 200 == ana.request.get(link, headers={"Accept": "text/html"}).status
    button.press("Enter")
    keep.press("Tab")
    sure = ana.get_by_role("button", name="Erase everything now")
    expect(sure).to_be_focused()
    sure.press("Enter")
    expect(ana.get_by_role("status")).to_have_text("You are erased. This browser is nobody’s now.")
    expect(button).to_have_count(0)
    wait_for(lambda: 410 == ana.request.get(link, headers={"Accept": "text/html"}).status)
    ana.reload()
    expect(ana.get_by_text("Nothing was liked or shared with this browser here yet.")).to_be_visible()
    assert "vis_" not in ana.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
