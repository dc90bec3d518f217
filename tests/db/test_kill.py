"""The server killed with -9 in the middle of likes, visits, orders and webhooks: nothing acknowledged is lost, and
nothing is counted twice (promise 3). Really kills it."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.attribution.models import CreditLine
from app.demo.stripe.webhooks import signature
from app.kernel.database import Database
from app.kernel.ids import merchant_of, new_id
from app.orders.models import Order
from app.referrals.models import Referral, Visit
from tests import postgres
from tests.clock import START
from tests.conftest import ADMIN_TOKEN, WEBHOOK_SECRET
from tests.net import free_port
from tests.shop import BROWSER, JSON, ok
from tests.till import invented_session

ROOT = Path(__file__).parents[2]
HAMMERS = 3
"""Threads of each kind."""
SOLD_AT = int(START.timestamp())
BETWEEN_KILLS = 1.5
"""Seconds of work before each kill, give or take."""


@dataclass
class Server:
    """`grapevine serve` in a process of its own."""

    database_url: str
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}
        environment |= {
            "GRAPEVINE_DATABASE_URL": self.database_url,
            "GRAPEVINE_DATA_DIR": str(self.folder),
            "GRAPEVINE_PUBLIC_URL": self.url,
            "GRAPEVINE_ADMIN_TOKEN": ADMIN_TOKEN,
            "GRAPEVINE_SECRET": "secret-of-the-tests-" + "x" * 12,
            "GRAPEVINE_STRIPE_API_KEY": "sk_live_of_nobody",
            "GRAPEVINE_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        for _ in range(600):
            assert self.process.poll() is None, (self.folder / "server.log").read_text()[-3000:]
            try:
                if httpx.get(f"{self.url}/readyz", verify=False, timeout=5).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(20)


@dataclass
class Said:
    """What the server acknowledged, and what it was asked without an answer."""

    likes: dict[str, str] = field(default_factory=dict)  # like id -> its visitor's token
    visits: list[str] = field(default_factory=list)
    orders: dict[str, tuple[str, int]] = field(default_factory=dict)  # external id -> (id, net)
    asked: dict[str, tuple[int, str | None]] = field(default_factory=dict)  # external id -> (net, key)
    products: dict[str, str] = field(default_factory=dict)  # Idempotency-Key -> product id
    sessions: dict[str, int] = field(default_factory=dict)  # Stripe's session -> net; its sale and refund were sent
    received: set[str] = field(default_factory=set)  # sessions whose messages were acknowledged
    unanswered: Counter[str] = field(default_factory=Counter)


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if request.param == "sqlite":
        running = Server(f"sqlite:///{tmp_path / 'grapevine.db'}", tmp_path)
        yield running
        running.kill()
        return
    with postgres.running(durable=True) as url:
        running = Server(f"{url}/postgres", tmp_path)
        yield running
        running.kill()


class Hammer(threading.Thread):
    """Asks for one thing after the other until it is told to stop; an answer that was cut off is remembered so."""

    def __init__(
        self, kind: str, act: Callable[[httpx.Client], None], server: Server, said: Said, stop: threading.Event
    ):
        super().__init__(daemon=True)
        self._kind, self._act, self._server, self._said, self._enough = kind, act, server, said, stop
        self.failure: BaseException | None = None

    def run(self) -> None:
        while not self._enough.is_set():
            with httpx.Client(base_url=self._server.url, verify=False, timeout=20) as http:
                try:
                    while not self._enough.is_set():
                        self._act(http)
                except httpx.TransportError:
                    self._said.unanswered[self._kind] += 1
                    time.sleep(0.02)
                except BaseException as failure:
                    self.failure = failure
                    return


@dataclass
class Story:
    """What shoppers and a merchant do to the server."""

    server: Server
    merchant: str
    key: dict[str, str]
    products: list[str]
    code: str
    said: Said
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def like(self, http: httpx.Client) -> None:
        answer = http.post("/v1/likes", json={"product": random.choice(self.products)})
        if answer.status_code != 503:
            like = ok(answer, 201)
            self.said.likes[like["id"]] = like["visitor"]

    def visit(self, http: httpx.Client) -> None:
        answer = http.get(f"/r/{self.code}", headers={"User-Agent": BROWSER})
        if answer.status_code != 503:
            assert answer.status_code == 200, answer.text
            self.said.visits.append("clk_" + answer.text.split("clk_", 1)[1][:30])

    def order(self, http: httpx.Client) -> None:
        number = next(self.numbers)
        external_id, net = f"order-{number}", 100 + number
        key = f"key-{number}" if number % 2 else None
        self.said.asked[external_id] = (net, key)
        self.say_order(http, external_id)

    def say_order(self, http: httpx.Client, external_id: str) -> httpx.Response:
        net, key = self.said.asked[external_id]
        body: JSON = {"external_id": external_id, "placed_at": START.isoformat(), "currency": "eur", "net": net}
        headers = {**self.key, **({"Idempotency-Key": key} if key else {})}
        answer = http.post("/v1/orders", json=body, headers=headers)
        if answer.status_code != 503:
            self.said.orders[external_id] = (ok(answer)["id"], net)
        return answer

    def product(self, http: httpx.Client) -> None:
        """Made without an external_id: only the Idempotency-Key tells a repetition."""
        key = f"product-{next(self.numbers)}"
        self.said.products.setdefault(key, "")
        self.say_product(http, key)

    def say_product(self, http: httpx.Client, key: str) -> None:
        body = {"title": f"Made under {key}"}
        answer = http.post("/v1/products", json=body, headers={**self.key, "Idempotency-Key": key})
        if answer.status_code != 503:
            self.said.products[key] = ok(answer, 201)["id"]

    def webhook(self, http: httpx.Client) -> None:
        """Stripe tells of a sale and of a refund of ten cents."""
        number = next(self.numbers)
        self.said.sessions[f"cs_{number}"] = 200 + number
        self.say_webhook(http, f"cs_{number}")

    def say_webhook(self, http: httpx.Client, session: str) -> None:
        net, payment = self.said.sessions[session], session.replace("cs", "pi")
        tags = {"gv_merchant": self.merchant, "gv_checkout": new_id("chk", merchant_of(self.merchant), START)}
        sale = invented_session(id=session, created=SOLD_AT, amount_total=net, payment_intent=payment, metadata=tags)
        refund = {
            "id": session.replace("cs", "re"),
            "created": 2,
            "currency": "eur",
            "amount": 10,
            "status": "succeeded",
        }
        told = [
            tell(http, "checkout.session.completed", sale),
            tell(http, "refund.created", {**refund, "payment_intent": payment}),
        ]
        assert set(told) <= {200, 503}, told
        if set(told) == {200}:
            self.said.received.add(session)


def tell(http: httpx.Client, kind: str, subject: JSON) -> int:
    """Stripe's message of this kind, signed; the status that it was answered with."""
    event = {"id": f"evt_{kind}_{subject['id']}".replace(".", "_"), "object": "event", "type": kind, "created": 1}
    payload = json.dumps({**event, "livemode": True, "data": {"object": subject}}).encode()
    signed = signature(payload, [WEBHOOK_SECRET], int(time.time()))
    return http.post("/v1/stripe/webhook", content=payload, headers={"Stripe-Signature": signed}).status_code


def begin(server: Server) -> Story:
    with httpx.Client(base_url=server.url, verify=False, timeout=20) as http:
        operator = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        made = ok(http.post("/v1/merchants", json={"name": "Vine", "currency": "eur"}, headers=operator), 201)
        key = {"Authorization": f"Bearer {made['secret_key']}"}
        products = [ok(http.post("/v1/products", json={"title": "Mug"}, headers=key), 201)["id"] for _ in range(3)]
        share = ok(http.post("/v1/shares", json={"product": products[0], "network": "whatsapp"}), 201)
    return Story(server, made["id"], key, products, share["code"], Said())


def hammer_and_kill(story: Story) -> None:
    """All at once, until the server is killed; what was going on then got no answer."""
    stop = threading.Event()
    acts = {
        "likes": story.like,
        "visits": story.visit,
        "orders": story.order,
        "products": story.product,
        "webhooks": story.webhook,
    }
    hammers = [Hammer(kind, act, story.server, story.said, stop) for kind, act in acts.items() for _ in range(HAMMERS)]
    for hammer in hammers:
        hammer.start()
    time.sleep(BETWEEN_KILLS * random.uniform(0.7, 1.3))
    story.server.kill()
    stop.set()
    for hammer in hammers:
        hammer.join(30)
    failures = [hammer.failure for hammer in hammers if hammer.failure is not None]
    assert not failures, failures


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_nothing_acknowledged_is_lost_and_nothing_is_counted_twice(server: Server) -> None:
    server.start()
    story = begin(server)
    for _ in range(3):
        hammer_and_kill(story)
        server.start()
    said = story.said
    assert said.unanswered, "nothing was cut off: the kills came at the wrong time"
    assert min(map(len, (said.likes, said.visits, said.orders, said.products))) > 20, said
    assert said.received, said  # few: each start loads Stripe's library anew

    with httpx.Client(base_url=server.url, verify=False, timeout=20) as http:
        for external_id in list(said.asked):  # also what was answered: a client that is not sure asks again
            before = said.orders.get(external_id)
            story.say_order(http, external_id)
            assert before in (None, said.orders[external_id])
        for session in list(said.sessions):
            story.say_webhook(http, session)
        for key, before_id in list(said.products.items()):
            story.say_product(http, key)
            assert before_id in ("", said.products[key])
        for like_id, token in random.sample(sorted(said.likes.items()), 10):
            assert http.delete(f"/v1/likes/{like_id}", headers={"Grapevine-Visitor": token}).status_code == 200
        query = {"from": "2026-01-01", "to": "2027-01-01"}
        report = ok(http.get("/v1/reports/attribution", params=query, headers=story.key))
        listed = titles(http, story.key)
    server.kill()
    check_the_books(server.database_url, said, report)
    assert Counter(f"Made under {key}" for key in said.products) == Counter(
        {title: number for title, number in listed.items() if title.startswith("Made under")}
    )


def titles(http: httpx.Client, key: dict[str, str]) -> Counter[str]:
    """How often each title stands in the list of products."""
    found: Counter[str] = Counter()
    query: dict[str, Any] = {"limit": 100}
    while True:
        page = ok(http.get("/v1/products", params=query, headers=key))
        found.update(product["title"] for product in page["data"])
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def check_the_books(database_url: str, said: Said, report: JSON) -> None:
    database = Database(database_url)
    with database.reading() as session:
        likes = Counter(session.scalars(select(Referral.referral_id).where(Referral.kind == "like")))
        visits = Counter(session.scalars(select(Visit.visit_id)))
        orders = list(session.scalars(select(Order)))
        credited = dict(
            session.execute(select(CreditLine.order_id, func.sum(CreditLine.gross)).group_by(CreditLine.order_id)).all()
        )
    database.close()
    assert not [like for like in said.likes if likes[like] != 1]
    assert not [visit for visit in said.visits if visits[visit] != 1]
    assert said.orders == {row.external_id: (row.order_id, row.net) for row in orders if row.source == "api"}
    assert {session: (net, 10) for session, net in said.sessions.items()} == {
        row.external_id: (row.net, row.refunded) for row in orders if row.source == "stripe"
    }
    assert len(orders) == len(said.asked) + len(said.sessions)
    assert {row.order_id: row.net for row in orders} == credited
    (total,) = report["totals"]
    gross = sum(net for net, _ in said.asked.values()) + sum(said.sessions.values())
    assert (len(orders), gross, 10 * len(said.sessions)) == (total["orders"], total["gross"], total["refunded"])
