"""Whole purchases while the server is killed with -9 every second: share, link, checkout, payment at Stripe's double,
webhooks that are sent until they are taken. In the end each purchase is there once, credited, and out of stock once."""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.demo.stripe.double import StripeDouble
from app.demo.stripe.server import running
from app.demo.stripe.webhooks import Webhooks
from tests import postgres
from tests.conftest import WEBHOOK_SECRET, keys_at
from tests.served import Server
from tests.shop import BROWSER, JSON, ok
from tests.soak import SOAK
from tests.till import listed

PURCHASES, KILLS = (200, 20) if SOAK else (12, 3)
"""At least so many."""
BUYERS = 6
"""Who buy at the same time."""
ALIVE = 1.0
"""Seconds from when the server is ready until it is killed; half the time that its start took, where that is more: on a
machine with much else to do it would else be killed before it had done anything, for ever."""
PRICE = 2000
STOCK = 1000
PATIENCE = 900 if SOAK else 100
"""Seconds for all of it."""


@dataclass(frozen=True)
class Place:
    """A server that sells through a double of Stripe, both on this machine."""

    server: Server
    double: StripeDouble
    stripe_url: str

    def sessions(self) -> list[JSON]:
        """All sessions that Stripe has made."""
        return listed(self.stripe_url, self.double.api_key, "/v1/checkout/sessions")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        with _selling(f"sqlite:///{tmp_path / 'grapevine.db'}", tmp_path) as opened:
            yield opened
        return
    with postgres.running(durable=True) as url, _selling(f"{url}/postgres", tmp_path) as opened:
        yield opened


@contextmanager
def _selling(database_url: str, folder: Path) -> Iterator[Place]:
    # Stripe tries for three days; here it tries often, since the server is away most of the time.
    double = StripeDouble(webhooks=Webhooks(backoff=(0.1, 0.2, *[0.5] * 500)))
    with running(double) as stripe_url:
        stripe = {
            "GRAPEVINE_STRIPE_API_KEY": double.api_key,
            "GRAPEVINE_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "GRAPEVINE_STRIPE_API_BASE": stripe_url,
        }
        server = Server(database_url, folder, stripe)
        double.webhooks.register(f"{server.url}/v1/stripe/webhook", WEBHOOK_SECRET)
        double.webhooks.hold()
        double.webhooks.release(concurrency=4)
        try:
            yield Place(server, double, stripe_url)
        finally:
            server.kill()


@dataclass
class Killing(threading.Thread):
    """Kills the server and starts it again, until it is told to stop; then the server stands."""

    server: Server
    enough: threading.Event = field(default_factory=threading.Event)
    kills: int = 0
    failure: BaseException | None = None

    __hash__ = threading.Thread.__hash__

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        try:
            alive = ALIVE
            while not self.enough.wait(alive):
                self.server.kill()
                self.kills += 1
                began = time.monotonic()
                self.server.start()
                alive = max(ALIVE, (time.monotonic() - began) / 2)
        except BaseException as failure:
            self.failure = failure


@dataclass
class Shop:
    """A merchant with one product, and somebody who shared it."""

    place: Place
    killing: Killing
    key: dict[str, str]
    product: str
    variant: str
    code: str
    deadline: float = field(default_factory=lambda: time.monotonic() + PATIENCE)
    cut_off: Counter[str] = field(default_factory=Counter)

    def insist(self, what: str, ask: Callable[[httpx.Client], httpx.Response]) -> httpx.Response:
        """The answer, however often it must be asked for: as the widget and a person do."""
        while True:
            assert self.killing.failure is None, self.killing.failure
            assert time.monotonic() < self.deadline, f"{what} was not answered in time"
            try:
                with httpx.Client(base_url=self.place.server.url, verify=False, timeout=20) as http:
                    answer = ask(http)
            except httpx.TransportError:
                self.cut_off[what] += 1
                time.sleep(0.05)
                continue
            if answer.status_code not in (409, 503):
                assert answer.is_success, (what, answer.status_code, answer.text)
                return answer
            assert int(answer.headers["retry-after"]) > 0
            time.sleep(0.05)

    def buy(self, number: int) -> tuple[str, str]:
        """Follow the link, go to Stripe and pay. The checkout's id and the session's."""
        page = self.insist("visit", lambda http: http.get(f"/r/{self.code}", headers={"User-Agent": BROWSER}))
        click = "clk_" + page.text.split("clk_", 1)[1][:30]
        claimed = ok(self.insist("claim", lambda http: http.post(f"/v1/visits/{click}/claim")))
        headers = {"Idempotency-Key": f"purchase-{number}", "Grapevine-Visitor": claimed["visitor"]}
        body = {"items": [{"variant": self.variant, "quantity": 1}], "click": claimed["click"]}
        opened = ok(self.insist("checkout", lambda http: http.post("/v1/checkouts", json=body, headers=headers)))
        session = opened["url"].rpartition("/")[2]
        time.sleep(random.uniform(0, 0.3))
        self.place.double.pay(session, f"buyer-{number}@example.com")
        return opened["id"], session


def begin(place: Place) -> Shop:
    with httpx.Client(base_url=place.server.url, verify=False, timeout=20) as http:
        key = {"Authorization": f"Bearer {keys_at(place.server.url)['secret_key']}"}
        variants = [{"price": {"amount": PRICE, "currency": "eur"}, "stock": STOCK}]
        product = ok(http.post("/v1/products", json={"title": "Mug", "variants": variants}, headers=key), 201)
        share = ok(http.post("/v1/shares", json={"product": product["id"], "network": "whatsapp"}), 201)
    return Shop(place, Killing(place.server), key, product["id"], product["variants"][0]["id"], share["code"])


def buy_on_and_on(shop: Shop) -> list[tuple[str, str]]:
    """Purchases, several at a time, until there are enough of them and of killings."""
    numbers = itertools.count()

    def buy() -> list[tuple[str, str]]:
        bought = []
        while (number := next(numbers)) < PURCHASES or shop.killing.kills < KILLS:
            bought.append(shop.buy(number))
        return bought

    with ThreadPoolExecutor(BUYERS) as buyers:
        return [each for buyer in [buyers.submit(buy) for _ in range(BUYERS)] for each in buyer.result()]


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.timeout(PATIENCE + 60)
def test_each_purchase_is_there_once_however_often_the_server_is_killed(place: Place) -> None:
    place.server.start()
    shop = begin(place)
    killing = shop.killing
    killing.start()
    bought = buy_on_and_on(shop)
    killing.enough.set()
    killing.join(60)
    assert killing.failure is None, killing.failure
    assert shop.cut_off, "nothing was cut off: the kills came at the wrong time"
    place.double.webhooks.drain(60)
    assert [] == place.double.webhooks.given_up

    assert len(bought) == len(set(bought)) >= PURCHASES
    sessions = {session["id"]: session for session in place.sessions()}
    assert sorted(session for _, session in bought) == sorted(sessions), "one session for each attempt"
    assert {"paid"} == {session["payment_status"] for session in sessions.values()}
    compare(shop, sessions)


def compare(shop: Shop, sessions: dict[str, JSON]) -> None:
    """What the server says of orders, credit and stock, with what Stripe says of its sessions."""
    orders: list[JSON] = []
    query: dict[str, Any] = {"limit": 100}
    with httpx.Client(base_url=shop.place.server.url, verify=False, timeout=20, headers=shop.key) as http:
        while query.get("cursor", "") is not None:
            page = ok(http.get("/v1/orders", params=query))
            orders += page["data"]
            query["cursor"] = page["next_cursor"]
        report = ok(http.get("/v1/reports/attribution", params={"group_by": "network"}))
        (variant,) = ok(http.get(f"/v1/products/{shop.product}"))["variants"]
    assert {id: session["amount_total"] for id, session in sessions.items()} == {
        order["external_id"]: order["net"] for order in orders
    }
    assert len(sessions) == len(orders)
    (row,) = report["data"]
    assert ("whatsapp", len(orders), PRICE * len(orders)) == (row["network"], row["orders"], row["net"])
    assert STOCK - len(orders) == variant["stock"]
