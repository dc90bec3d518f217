"""A real browser, looking at the demonstration on each database."""

import os
import shutil
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.demo import Demo, running
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import wait_for
from tests.browser.places import Places, large_wall, make
from tests.clock import TestClock
from tests.conftest import NewDatabase
from tests.net import free_port, serving
from tests.shop import BROWSER, JSON, TestMerchant, ok


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Closed after its module: Playwright keeps an event loop in this thread, which other tests need."""
    flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    # What a page sends while it is being left goes under the program's own name, and a headless one is a machine's.
    flags.append(f"--user-agent={BROWSER}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield started
        started.close()


@pytest.fixture(scope="session")
def firefox_program() -> str:
    """The path of a Firefox; the test is skipped, saying so, where there is none."""
    for name in (os.environ.get("FIREFOX"), "firefox-esr", "firefox"):
        if name and (found := shutil.which(name)):
            return found
    pytest.skip("no Firefox on this machine: its tests are skipped")


@pytest.fixture(scope="session")
def demo(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One for all tests of a database, each of which makes things of its own in it."""
    with running(tmp_path_factory.mktemp("demo"), new_database("demo")) as started:
        yield started


@pytest.fixture(scope="session")
def shop(demo: Demo) -> Iterator[TestMerchant]:
    """The merchant of the demonstration."""
    merchant = TestMerchant("", demo.secret_key, demo.report_key, demo.url, TestClock())
    yield merchant
    merchant.close()


@pytest.fixture(scope="session")
def elsewhere(demo: Demo, shop: TestMerchant) -> Iterator[Elsewhere]:
    """A website on an origin of its own, which is on the merchant's list."""
    port = free_port()
    site = Elsewhere(f"http://elsewhere.localhost:{port}", demo.url)
    listed = ok(shop.http.get("/v1/merchant"))["allowed_origins"]
    ok(shop.http.patch("/v1/merchant", json={"allowed_origins": [*listed, site.origin]}))
    asking = {"Origin": site.origin, "Access-Control-Request-Method": "POST"}
    wait_for(lambda: "access-control-allow-origin" in httpx.options(f"{demo.url}/v1/likes", headers=asking).headers)
    with serving(site, port):
        yield site


@pytest.fixture(scope="session")
def places(demo: Demo, shop: TestMerchant, elsewhere: Elsewhere) -> Places:
    """What pages and embeds are judged by."""
    return make(demo, shop, elsewhere)


@pytest.fixture(scope="session")
def many(demo: Demo, shop: TestMerchant) -> JSON:
    """A wall of a thousand cards."""
    return large_wall(demo, shop)


@pytest.fixture
def mug(shop: TestMerchant) -> JSON:
    """Something to like, at €19.99."""
    return shop.product("Mug")


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
