"""A storm of shoppers and a merchant who ask a server for everything at once and remember what it acknowledged; and
the books that must agree with them whatever happened to the server meanwhile (promise 3)."""

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from sqlalchemy import func, select

from app.attribution.models import CreditLine
from app.demo.stripe.webhooks import signature
from app.kernel.database import Database
from app.kernel.ids import merchant_of, new_id
from app.orders.models import Order
from app.referrals.models import Referral, Visit
from tests.clock import START
from tests.conftest import WEBHOOK_SECRET, keys_at
from tests.served import Server
from tests.shop import BROWSER, JSON, ok
from tests.till import invented_session

ORIGIN = "https://blog.example"
"""Where the merchant's widgets stand."""
HAMMERS = 3
"""Threads of each kind."""
AGAIN = 4
"""So many are asked again at a time."""
SOLD_AT = int(START.timestamp())


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
    put_off: Counter[str] = field(default_factory=Counter)  # what was asked: how often it was told to come back

    def is_put_off(self, what: str, answer: httpx.Response) -> bool:
        """Whether the answer is "not now", which must say when to ask again."""
        if answer.status_code != 503:
            return False
        assert int(answer.headers["retry-after"]) > 0
        self.put_off[what] += 1
        time.sleep(0.1)  # a client waits a little
        return True


class Hammer(threading.Thread):
    """Asks for one thing after the other until it is told to stop; an answer that was cut off is remembered so."""

    def __init__(
        self,
        kind: str,
        act: Callable[[httpx.Client], None],
        server: Server,
        said: Said,
        stop: threading.Event,
        pause: float = 0.0,
    ):
        super().__init__(daemon=True)
        self._kind, self._act, self._server, self._said, self._enough = kind, act, server, said, stop
        self._pause = pause
        self.failure: BaseException | None = None

    def run(self) -> None:
        while not self._enough.is_set():
            with httpx.Client(base_url=self._server.url, verify=False, timeout=20) as http:
                try:
                    while not self._enough.is_set():
                        self._act(http)
                        self._enough.wait(self._pause)
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
        if not self.said.is_put_off("like", answer):
            like = ok(answer, 201)
            self.said.likes[like["id"]] = like["visitor"]

    def visit(self, http: httpx.Client) -> None:
        answer = http.get(f"/r/{self.code}", headers={"User-Agent": BROWSER})
        if not self.said.is_put_off("visit", answer):
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
        if not self.said.is_put_off("order", answer):
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
        if not self.said.is_put_off("product", answer):
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
        if self.said.is_put_off("webhook", told[0]) + self.said.is_put_off("webhook", told[1]) == 0:
            assert [200, 200] == [answer.status_code for answer in told]
            self.said.received.add(session)


def tell(http: httpx.Client, kind: str, subject: JSON) -> httpx.Response:
    """Stripe's message of this kind, signed, and the answer."""
    event = {"id": f"evt_{kind}_{subject['id']}".replace(".", "_"), "object": "event", "type": kind, "created": 1}
    payload = json.dumps({**event, "livemode": True, "data": {"object": subject}}).encode()
    signed = signature(payload, [WEBHOOK_SECRET], int(time.time()))
    return http.post("/v1/stripe/webhook", content=payload, headers={"Stripe-Signature": signed})


def begin(server: Server) -> Story:
    with httpx.Client(base_url=server.url, verify=False, timeout=20) as http:
        made = keys_at(server.url, allowed_origins=[ORIGIN])
        key = {"Authorization": f"Bearer {made['secret_key']}"}
        products = [ok(http.post("/v1/products", json={"title": "Mug"}, headers=key), 201)["id"] for _ in range(3)]
        share = ok(http.post("/v1/shares", json={"product": products[0], "network": "whatsapp"}), 201)
    return Story(server, made["id"], key, products, share["code"], Said())


@contextmanager
def hammering(story: Story, each: int = HAMMERS, pause: float = 0.0) -> Iterator[None]:
    """Ask for everything at once, for as long as the block lasts, with so many threads of each kind; each rests so many
    seconds after an answer."""
    stop = threading.Event()
    acts = {
        "likes": story.like,
        "visits": story.visit,
        "orders": story.order,
        "products": story.product,
        "webhooks": story.webhook,
    }
    hammers = [
        Hammer(kind, act, story.server, story.said, stop, pause) for kind, act in acts.items() for _ in range(each)
    ]
    for hammer in hammers:
        hammer.start()
    try:
        yield
    finally:
        stop.set()
        for hammer in hammers:
            hammer.join(60)
    failures = [hammer.failure for hammer in hammers if hammer.failure is not None]
    assert not failures, failures


def wait_for_something_to_lose(said: Said, turn: int) -> None:
    """On a machine with much else to do it takes longer until enough was acknowledged."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if min(map(len, (said.likes, said.visits, said.orders, said.products))) > 7 * turn and said.received:
            return
        time.sleep(0.05)


def ask_again_and_compare(story: Story) -> None:
    """Ask for everything once more, also for what was answered, as a client does that is not sure; then look into
    the server's reports and into the database. It is killed meanwhile."""
    said, server = story.said, story.server
    orders, products = dict(said.orders), dict(said.products)
    with httpx.Client(base_url=server.url, verify=False, timeout=20) as http, ThreadPoolExecutor(AGAIN) as several:
        list(several.map(partial(story.say_order, http), list(said.asked)))
        list(several.map(partial(story.say_webhook, http), list(said.sessions)))
        list(several.map(partial(story.say_product, http), list(said.products)))
        assert orders == {external_id: said.orders[external_id] for external_id in orders}
        assert {key: made or said.products[key] for key, made in products.items()} == said.products
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
