"""A real browser, looking at the demonstration on each database."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.demo import Demo, running
from tests.conftest import NewDatabase
from tests.shop import BROWSER


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Closed after its module: Playwright keeps an event loop in this thread, which other tests need."""
    flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield started
        started.close()


@pytest.fixture(scope="module")
def demo(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("demo"), new_database("demo")) as started:
        yield started


@pytest.fixture
def person(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Somebody with a browser of their own: nothing in common with anybody else's."""
    contexts: list[BrowserContext] = []

    def arrive(**options: object) -> BrowserContext:
        given = {"user_agent": BROWSER, "viewport": {"width": 1280, "height": 900}, "locale": "en-GB"} | options
        contexts.append(browser.new_context(**given))  # type: ignore[arg-type]
        return contexts[-1]

    yield arrive
    for context in contexts:
        context.close()
