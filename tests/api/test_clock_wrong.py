"""The machine's clock is ten minutes wrong: the health page and the log say so, and nothing stops."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest

from app.demo.stripe.double import StripeDouble
from app.demo.stripe.server import running
from app.kernel.clock_watch import log as watch_log
from tests.books import Books, opened
from tests.clock import TestClock
from tests.conftest import WEBHOOK_SECRET, NewDatabase, keys_at
from tests.served import Server
from tests.shop import JSON, ok
from tests.till import variant

_numbers = count(1)


class WrongClock:
    """The machine's clock, so much too fast (or, less than nothing, too slow)."""

    def __init__(self, fast: timedelta) -> None:
        self.fast = fast

    def now(self) -> datetime:
        return datetime.now(UTC) + self.fast


@pytest.fixture(params=[600, -600], ids=["fast", "slow"])
def machine(request: pytest.FixtureRequest) -> WrongClock:
    return WrongClock(timedelta(seconds=request.param))


@pytest.fixture
def books(new_database: NewDatabase, tmp_path: Path, machine: WrongClock) -> Iterator[Books]:
    with opened(new_database(f"wrong-clock-{next(_numbers)}"), tmp_path, TestClock(), machine) as ready:
        yield ready


def word(machine: WrongClock) -> str:
    """What the health page says, give or take a second or two."""
    return "fast by " if machine.fast > timedelta(0) else "slow by "


def is_about_ten_minutes(said: str) -> bool:
    return 597 <= int(said.split()[2]) <= 603


def test_webhooks_are_taken_checkout_goes_on_and_people_are_told(
    books: Books, machine: WrongClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=watch_log.name)
    till, seller = books.till, books.seller()
    first = till.checkout(variant(seller))
    till.double.pay(first["session"])
    till.tell_all(first["session"])
    second = till.checkout(variant(seller))
    till.double.pay(second["session"])
    till.tell_all(second["session"])

    assert books.theirs(seller) == books.ours(seller)
    assert 2 == len(books.ours(seller))
    shown = ok(httpx.get(f"{till.url}/readyz"), 200)
    assert ("ok", True) == (shown["status"], shown["clock"].startswith(word(machine)))
    assert is_about_ten_minutes(shown["clock"])
    assert [f"this machine's clock is {shown['clock']}: nothing stops, but set it right"] == shown["warnings"]
    told = [record for record in caplog.records if record.name == watch_log.name]
    assert [logging.WARNING] == [record.levelno for record in told]
    assert word(machine) in told[0].getMessage()

    machine.fast = timedelta(0)  # somebody has set it right
    third = till.checkout(variant(seller))
    till.double.pay(third["session"])
    till.tell_all(third["session"])
    shown = ok(httpx.get(f"{till.url}/readyz"), 200)
    assert ("ok", []) == (shown["clock"], shown["warnings"])
    assert logging.INFO == caplog.records[-1].levelno


def test_the_first_webhook_after_a_start_is_judged_by_stripes_own_time(books: Books) -> None:
    payload = b'{"object": "event", "id": "evt_1", "type": "customer.created", "created": 1, "data": {"object": {}}}'

    assert 200 == books.till.post(payload).status_code
    assert "ok" != ok(httpx.get(f"{books.till.url}/readyz"))["clock"]
    assert 1 == sum(seen.path == "/v1/balance" for seen in books.till.double.faults.seen)
    assert 200 == books.till.post(payload).status_code
    assert 1 == sum(seen.path == "/v1/balance" for seen in books.till.double.faults.seen)


@pytest.mark.parametrize("age", [301 + 5, 610, 4000])
def test_a_webhook_that_was_caught_and_is_sent_again_later_is_still_refused(books: Books, age: int) -> None:
    payload = b'{"object": "event", "id": "evt_2", "type": "customer.created", "created": 1, "data": {"object": {}}}'

    refused = books.till.post(payload, age=age)

    assert (400, "bad_signature") == (refused.status_code, refused.json()["code"])
    assert "evt_2" not in books.kept()
    assert 200 == books.till.post(payload, age=280).status_code


def test_what_is_signed_is_believed_as_well_as_can_be_while_stripe_cannot_be_asked(
    books: Books, machine: WrongClock
) -> None:
    """A fast clock finds every message old, and nobody can tell it that it is wrong: Stripe sends them again later."""
    payload = b'{"object": "event", "id": "evt_3", "type": "customer.created", "created": 1, "data": {"object": {}}}'
    books.till.double.faults.down()

    assert (200 if machine.fast < timedelta(0) else 400) == books.till.post(payload).status_code

    books.till.double.faults.down(False)
    machine.fast += timedelta(seconds=61)  # it is asked at most once a minute
    assert 200 == books.till.post(payload).status_code


@pytest.mark.parametrize("seconds", [600, -600], ids=["fast", "slow"])
def test_a_server_of_its_own_whose_clock_is_wrong_goes_on(
    new_database: NewDatabase, tmp_path: Path, seconds: int
) -> None:
    """Stripe, and all that it signs, is as far behind as the server's clock is fast: to the server it is the same."""
    double = StripeDouble(clock=WrongClock(timedelta(seconds=-seconds)))
    double.faults.clock_ahead = timedelta(seconds=-seconds)
    with running(double) as stripe_url:
        key = {"GRAPEVINE_STRIPE_API_KEY": double.api_key, "GRAPEVINE_STRIPE_API_BASE": stripe_url}
        server = Server(new_database(f"wrong-server-{next(_numbers)}"), tmp_path, key)
        server.start()
        try:
            double.webhooks.register(f"{server.url}/v1/stripe/webhook", WEBHOOK_SECRET)
            # As long, or as short, as Stripe allows: by a wrong clock it is too long, or too short.
            orders = buy(double, server, lasting=1440 if seconds > 0 else 30)
            said = ok(httpx.get(f"{server.url}/readyz", verify=False), 200)
        finally:
            server.kill()

    assert [2000] == [order["gross"] for order in orders]
    assert said["clock"].startswith("fast by " if seconds > 0 else "slow by ")
    assert is_about_ten_minutes(said["clock"])
    assert f"clock is {said['clock'][:8]}" in server.log
    assert [True] * len(double.webhooks.attempts) == [attempt.succeeded for attempt in double.webhooks.attempts]


def buy(double: StripeDouble, server: Server, lasting: int) -> list[JSON]:
    """A purchase from the making of the shop to the webhook, in a checkout `lasting` so many minutes; the orders."""
    headers = {"Authorization": f"Bearer {keys_at(server.url)['secret_key']}"}
    with httpx.Client(base_url=server.url, timeout=30, verify=False) as http:
        ok(http.patch("/v1/merchant", headers=headers, json={"checkout": {"expires_after_minutes": lasting}}))
        price = {"amount": 2000, "currency": "eur"}
        mug = ok(http.post("/v1/products", headers=headers, json={"title": "Mug", "variants": [{"price": price}]}))
        wanted = {"items": [{"variant": mug["variants"][0]["id"], "quantity": 1}]}
        session = ok(http.post("/v1/checkouts", json=wanted), 201)["url"].rpartition("/")[2]
        double.pay(session)
        double.webhooks.drain(30)
        return list(ok(http.get("/v1/orders", headers=headers))["data"])
