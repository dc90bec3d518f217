"""Tills: the application with the double of Stripe behind it, for tests of buying; Stripe's books beside ours; and who
passes the word."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.demo.stripe.double import StripeDouble
from app.merchants import directory
from app.storefront import shelf
from tests.api.funnels import tell
from tests.books import Books, opened
from tests.clock import START, TestClock
from tests.conftest import WEBHOOK_SECRET, AppServer, NewDatabase, merchant_at, timetable_looked_at_once
from tests.shop import BROWSER, JSON, Shopper, TestMerchant
from tests.stripe_document import document
from tests.till import OTHER_SECRET, RememberedWebhooks, Till, open_till

_numbers = count(1)
_AFTER_THE_STORY = START + timedelta(days=1, seconds=1)
_A_TENTH = 0.1


@pytest.fixture(scope="session")
def shared_till(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    """One till for all tests of a database."""
    clock = TestClock()
    double = StripeDouble(clock=clock, spec=document(), webhooks=RememberedWebhooks(timeout=60))
    settings = {
        "stripe_webhook_secret": f"{OTHER_SECRET},{WEBHOOK_SECRET}",
        "reconcile": False,  # what a test holds back stays away until the test says otherwise
    }
    with ExitStack() as running:
        with timetable_looked_at_once():
            folder = tmp_path_factory.mktemp("till")
            till = running.enter_context(open_till(new_database("till"), folder, clock, double, settings))
        yield till


@pytest.fixture
def till(shared_till: Till) -> Till:
    """The shared till, with its clock set to the beginning and a good line to Stripe."""
    shared_till.clock.set(START)
    shared_till.line.mend()
    shared_till.double.faults.mend()
    return shared_till


@pytest.fixture
def new_seller(till: Till) -> Iterator[Callable[..., TestMerchant]]:
    """Makes merchants who sell at the till."""
    made: list[TestMerchant] = []

    def new(**fields: Any) -> TestMerchant:
        made.append(merchant_at(till.url, till.clock, **fields))
        return made[-1]

    yield new
    for merchant in made:
        merchant.close()


@pytest.fixture
def seller(new_seller: Callable[..., TestMerchant]) -> TestMerchant:
    """A merchant of this test's own, who sells at the till."""
    return new_seller()


@pytest.fixture
def books(new_database: NewDatabase, tmp_path: Path) -> Iterator[Books]:
    """Books of this test's own, on a fresh database."""
    with opened(new_database(f"books-{next(_numbers)}"), tmp_path, TestClock()) as ready:
        yield ready


@pytest.fixture
def product(merchant: TestMerchant) -> str:
    """The id of something to be shared."""
    return str(merchant.product()["id"])


@pytest.fixture
def ana(merchant: TestMerchant) -> Shopper:
    """Somebody who passes the word."""
    return merchant.shopper()


@pytest.fixture
def bo(merchant: TestMerchant) -> Shopper:
    """Somebody else who does."""
    return merchant.shopper()


@pytest.fixture
def http(app_server: AppServer) -> Iterator[httpx.Client]:
    """A person's browser."""
    with httpx.Client(base_url=app_server.url, headers={"User-Agent": BROWSER}, timeout=30) as client:
        yield client


@pytest.fixture
def until_seen(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Waits until what was changed is seen by everybody. What servers keep in memory grows old in a tenth of its time
    here, or these tests would mostly sleep; that a second is enough is shown by those that wait for A_SECOND."""
    for kept in (directory, shelf):
        monkeypatch.setattr(kept, "FRESH_FOR", _A_TENTH * kept.FRESH_FOR)
    monkeypatch.setattr(shelf, "AHEAD", _A_TENTH * shelf.AHEAD)
    return lambda: time.sleep(1.5 * _A_TENTH)


@pytest.fixture(scope="module")
def story_told(shared_server: AppServer) -> Iterator[tuple[TestMerchant, JSON]]:
    """Where the funnel's story was told, once for a file; and what is known of it."""
    shared_server.clock.set(START)
    shop = merchant_at(shared_server.url, shared_server.clock)
    yield shop, tell(shop, shared_server.clock)
    shop.close()


@pytest.fixture
def shop(story_told: tuple[TestMerchant, JSON], clock: TestClock) -> TestMerchant:
    """Where the funnel's story was told, for tests that change nothing."""
    clock.set(_AFTER_THE_STORY)
    return story_told[0]


@pytest.fixture
def known(story_told: tuple[TestMerchant, JSON]) -> JSON:
    """Who and what the story is about."""
    return story_told[1]
