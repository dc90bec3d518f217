"""What people do in a browser, in several steps, and what is seen of it afterwards."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, Response, expect

from tests.shop import JSON

NewPerson = Callable[..., BrowserContext]
Seen = TypeVar("Seen")

ON_ONE_DATABASE = [
    pytest.mark.browser,
    pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session"),
]
"""The marks of a module that shows the browser's part, for which one database is enough."""

A_LOOK = "new Promise(done => new IntersectionObserver(done).observe(document.body))"
"""A script, after which whoever looked out before has been told what is to be seen now."""


def heart(card: Page | FrameLocator | Locator) -> Locator:
    """The button of a like."""
    return card.get_by_role("button", name="Like")


def press_heart(page: Page, card: Page | FrameLocator | Locator) -> str:
    """Press it and wait until that counts; the visitor for whom it does."""
    before = heart(card).get_attribute("aria-pressed")
    with page.expect_response(lambda answer: "/v1/likes" in answer.url and answer.ok) as answered:
        heart(card).click()
    expect(heart(card)).to_have_attribute("aria-pressed", "false" if before == "true" else "true")
    return visitor_of(answered.value)


def taken_over(page: Page) -> None:
    """Wait until an element shows its cards: what stands there before may be gone under a press at that moment."""
    shown = page.locator("grapevine-wall section[lang], grapevine-product section[lang]")
    expect(shown.locator("[data-product]").first).to_be_visible()


def buy(page: Page, email: str, *, scripts: bool = True) -> None:
    """From the first "Buy" on the page, whose element has taken over where scripts run, to the thanks."""
    if scripts:
        taken_over(page)
    page.get_by_role("button", name="Buy").first.click()
    pay(page, email)


def pay(page: Page, email: str) -> None:
    """From the till, where the press of "Buy" has led, to the thanks."""
    page.wait_for_url("**/pay/**")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Pay €").click()
    page.wait_for_url("**/thanks/**")
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()


def open_sheet(page: Page | FrameLocator, name: str = "Send this page") -> Locator:
    """Press the button `name` of a share; the sheet."""
    page.get_by_role("button", name=name).click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_be_visible()
    return sheet


def share(page: Page, sheet: Locator, name: str = "Copy link") -> JSON:
    """Press the button `name`: what was sent, with what was answered."""
    with page.expect_response("**/v1/shares") as answered:
        sheet.get_by_role("button", name=name, exact=True).click()
    return {"sent": sent_with(answered.value), **answered.value.json()}


def visitor_of(answered: Response) -> str:
    """The visitor for whom a call was made: the token that was sent, else the new one in the answer."""
    token = answered.request.headers.get("grapevine-visitor") or answered.json()["visitor"]
    return str(token).removeprefix("vt_").partition(".")[0]


def sent_with(answered: Response) -> JSON:
    """The fields of the call that was answered."""
    return dict(answered.request.post_data_json or {})


def wait_for(look: Callable[[], Seen]) -> Seen:
    """What `look` sees, once it sees something: Stripe's webhook may take a moment."""
    deadline = time.monotonic() + 15
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return seen
