"""A till: the application with the double of Stripe behind it, for tests of buying."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette

from app import main
from app.demo.stripe.document import StripeDocument, find_document
from app.demo.stripe.double import StripeDouble
from app.demo.stripe.server import running
from app.kernel.database import Database
from tests.clock import START, TestClock
from tests.conftest import ADMIN_TOKEN, WEBHOOK_SECRET, NewDatabase, settings_for
from tests.net import free_port, serving
from tests.shop import TestMerchant, ok
from tests.till import OTHER_SECRET, BadLine, RememberedWebhooks, Till


@pytest.fixture(scope="session")
def shared_till(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    """One till for all tests of a database. The double sends nothing by itself: tests deliver what they want."""
    port, clock, place = free_port(), TestClock(), find_document()
    url = f"http://127.0.0.1:{port}"
    double = StripeDouble(
        clock=clock, spec=StripeDocument(place) if place else None, webhooks=RememberedWebhooks(timeout=60)
    )
    double.webhooks.register(f"{url}/v1/stripe/webhook", WEBHOOK_SECRET)
    double.webhooks.hold()
    line = BadLine(double.app)
    double.app = cast(Starlette, line)
    with running(double) as stripe_url:
        settings = settings_for(
            new_database("till"),
            tmp_path_factory.mktemp("till"),
            public_url=url,
            stripe_api_key=double.api_key,
            stripe_webhook_secret=f"{OTHER_SECRET},{WEBHOOK_SECRET}",
            stripe_api_base=stripe_url,
            reconcile=False,  # what a test holds back stays away until the test says otherwise
        )
        database = Database(settings.database)
        with serving(main.application(settings, clock), port):
            yield Till(url, stripe_url, clock, double, line, database)
        database.close()
    assert double.violations == []


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
        answer = httpx.post(
            f"{till.url}/v1/merchants",
            headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
            json={"name": "Vine & Thread", "currency": "eur", **fields},
        )
        shown = ok(answer, 201)
        made.append(
            TestMerchant(shown["id"], shown["secret_key"], shown["report_key"], till.url, till.clock, shown["currency"])
        )
        return made[-1]

    yield new
    for merchant in made:
        merchant.close()


@pytest.fixture
def seller(new_seller: Callable[..., TestMerchant]) -> TestMerchant:
    """A merchant of this test's own, who sells at the till."""
    return new_seller()
