"""Buying in tests: a till with the double of Stripe behind it, on a line that can be bad (stripe_lines.py)."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import httpx
from sqlalchemy import select
from starlette.applications import Starlette

from app import main
from app.demo.stripe.double import StripeDouble
from app.demo.stripe.server import running
from app.demo.stripe.webhooks import Attempt, Message, Webhooks, signature
from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.ids import merchant_of
from app.orders.models import Checkout, Order
from app.settings import Settings
from tests.clock import TestClock
from tests.conftest import WEBHOOK_SECRET, settings_for
from tests.net import free_port, serving
from tests.shop import JSON, TestMerchant, ok
from tests.stripe_lines import BadLine

OTHER_SECRET = "whsec_while_it_is_rotated"


@dataclass
class RememberedWebhooks(Webhooks):
    """Webhooks of which a till knows what was to be told, also while they are held."""

    published: list[Message] = field(default_factory=list)

    def publish(self, message: Message) -> None:
        self.published.append(message)
        super().publish(message)


@dataclass(frozen=True)
class Till:
    """Where tests buy, and hand over Stripe's messages one by one."""

    url: str
    stripe_url: str
    clock: TestClock
    double: StripeDouble
    line: BadLine
    settings: Settings
    database: Database

    def ask(self, body: JSON, **headers: str) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/checkouts", json=body, headers=headers, timeout=30)

    def checkout(self, variant: str, quantity: int = 1, **fields: Any) -> JSON:
        """An open checkout, with the id of its session at Stripe under `session`."""
        opened = ok(self.ask({"items": [{"variant": variant, "quantity": quantity}], **fields}), 201)
        return {**opened, "session": opened["url"].rpartition("/")[2]}

    def session(self, session: str) -> JSON:
        return cast(JSON, self.double.session(session))

    def listed(self, path: str, account: str | None = None, **query: str) -> list[JSON]:
        """All that Stripe lists there, of a connected account where one is named; newest first."""
        return listed(self.stripe_url, self.double.api_key, path, account, **query)

    def sessions_of(self, merchant: TestMerchant) -> list[JSON]:
        """All sessions that Stripe has made for the merchant."""
        sessions = self.listed("/v1/checkout/sessions")
        return [each for each in sessions if each["metadata"].get("gv_merchant") == merchant.id]

    def payment(self, session: str) -> str:
        """The payment of a session that somebody paid."""
        return str(self.session(session)["payment_intent"])

    def dispute(self, session: str, amount: int | None = None, *, inquiry: bool = False) -> str:
        """The buyer's bank takes the payment back, or only asks; the id of the dispute."""
        return str(self.double.dispute(self.payment(session), amount, inquiry=inquiry)["id"])

    def refund(self, session: str, amount: int | None = None, *, pending: bool = False) -> str:
        """Give back what was paid, or a part of it; the id of the refund."""
        return str(self.double.refund(self.payment(session), amount, pending=pending)["id"])

    def taken_at_stripe(self, account: str | None = None, **of: str) -> dict[str, int]:
        """What Stripe's own books say is given back or held by a bank, in what was paid: by refund and by dispute."""
        refunds = self.listed("/v1/refunds", account, **of)
        standing = {each["id"]: each["amount"] for each in refunds if each["status"] not in ("failed", "canceled")}
        moved = {
            each["id"]: -sum(move["amount"] for move in each["balance_transactions"])
            for each in self.listed("/v1/disputes", account, **of)
        }
        return standing | {dispute: amount for dispute, amount in moved.items() if amount}

    def told(self, session: str) -> list[JSON]:
        """Every event so far of the session and its payment, oldest first."""
        payment = self.session(session)["payment_intent"]
        names = [str(name).encode() for name in (session, payment) if name is not None]
        return [
            cast(JSON, json.loads(message.payload))
            for message in self.published
            if any(name in message.payload for name in names)
        ]

    @property
    def published(self) -> Sequence[Message]:
        """All that Stripe had to tell so far, oldest first."""
        webhooks = self.double.webhooks
        if isinstance(webhooks, RememberedWebhooks):
            return tuple(webhooks.published)
        return [self.double.message(str(event["id"])) for event in self.double.events()]

    def told_once(self, session: str) -> dict[str, JSON]:
        """The first event of each kind of the session and its payment."""
        told: dict[str, JSON] = {}
        for event in self.told(session):
            told.setdefault(str(event["type"]), event)
        return told

    def tell(self, *events: JSON, expect: int = 200) -> None:
        """Deliver events in this order."""
        for event in events:
            answers = self.double.webhooks.deliver(self.double.message(event["id"]))
            assert [expect] == [answer.status for answer in answers], event["type"]

    def tell_all(self, session: str) -> None:
        self.tell(*self.told(session))

    def invent(
        self,
        kind: str,
        subject: JSON,
        *,
        id: str,
        created: int | None = None,
        secrets: Sequence[str] = (),
        **fields: Any,
    ) -> int | None:
        """Deliver an event that the double never made; the status that it was answered with."""
        at = int(self.clock.now().timestamp()) if created is None else created
        event = {"id": id, "object": "event", "type": kind, "created": at, "livemode": False, **fields}
        payload = json.dumps({**event, "data": {"object": subject}}).encode()
        answers: list[Attempt] = self.double.webhooks.deliver(
            Message(id, kind, payload), secrets=tuple(secrets) or None
        )
        return answers[0].status

    def post(self, payload: bytes, secret: str = WEBHOOK_SECRET, age: int = 0, **headers: str) -> httpx.Response:
        """A webhook by hand."""
        signed = signature(payload, [secret], int(time.time()) - age)
        return httpx.post(
            f"{self.url}/v1/stripe/webhook",
            content=payload,
            headers={"Stripe-Signature": signed, **headers},
            timeout=30,
        )

    def status(self, checkout: JSON) -> str:
        """What is kept of the checkout."""
        with self.database.reading() as session:
            return session.get_one(Checkout, (merchant_of(checkout["id"], "chk"), checkout["id"])).status

    def orders(self, merchant: TestMerchant) -> list[JSON]:
        """All of the merchant's orders, newest first, page by page."""
        found: list[JSON] = []
        cursor: dict[str, str] = {}
        while True:
            page = ok(merchant.http.get("/v1/orders", params={"limit": "100", **cursor}))
            found += page["data"]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    def order_of(self, merchant: TestMerchant, session: str) -> JSON:
        """The merchant's order of that session."""
        (order,) = [order for order in self.orders(merchant) if order["external_id"] == session]
        return order

    def order_row(self, merchant: TestMerchant) -> Order:
        """The merchant's only order, with what the API does not show."""
        with self.database.reading() as session:
            return session.scalars(select(Order).where(Order.merchant_id == merchant_of(merchant.id, "mer"))).one()


@contextmanager
def open_till(
    database_url: str,
    folder: Path,
    clock: TestClock,
    double: StripeDouble,
    settings: Mapping[str, object] = MappingProxyType({}),
    *,
    machine: Clock | None = None,
    stripe_port: int = 0,
    books: str | None = None,
) -> Iterator[Till]:
    """A till on a database of its own. The double sends nothing by itself: tests deliver or release what they want.

    `settings` are others than the usual of the server, `machine` its machine's clock, right or wrong. `books` is where
    the till itself finds the database, if not where the server does.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    double.webhooks.register(f"{url}/v1/stripe/webhook", WEBHOOK_SECRET)
    double.webhooks.hold()
    line = BadLine(double.app)
    double.app = cast(Starlette, line)
    with running(double, port=stripe_port) as stripe_url:
        usual: dict[str, Any] = {
            "public_url": url,
            "stripe_api_key": double.api_key,
            "stripe_webhook_secret": WEBHOOK_SECRET,
            "stripe_api_base": stripe_url,
        }
        made = settings_for(database_url, folder, **{**usual, **settings})
        database = Database(books or made.database)
        with serving(main.application(made, clock, machine), port):
            yield Till(url, stripe_url, clock, double, line, made, database)
        database.close()
    assert double.violations == []


def listed(stripe_url: str, api_key: str, path: str, account: str | None = None, **query: str) -> list[JSON]:
    """All that the Stripe there lists, newest first."""
    headers = {"Authorization": f"Bearer {api_key}"} | ({"Stripe-Account": account} if account is not None else {})
    found: list[JSON] = []
    with httpx.Client(base_url=stripe_url, headers=headers, timeout=30, verify=False) as http:
        while True:
            after = {"starting_after": found[-1]["id"]} if found else {}
            page = ok(http.get(path, params={"limit": "100", **query, **after}))
            found += page["data"]
            if not page["has_more"]:
                return found


def variant(merchant: TestMerchant, price: int | None = 2000, **fields: Any) -> str:
    """The id of a new product's variant."""
    return str(merchant.product(price=price, **fields)["variants"][0]["id"])


def taken(order: JSON) -> dict[str, int]:
    """What counts of what was taken back of the order: of its net, by the id at Stripe."""
    return {each["external_id"]: each["amount"] for each in order["refunds"] if each["dropped_at"] is None}


def assert_credits_add_up(merchant: TestMerchant, order: JSON) -> None:
    """What is left of the order is divided, to the cent."""
    lines = merchant.explanation(order["id"])["lines"]
    assert order["net"] - order["refunded"] == sum(line["net"] for line in lines)


def items(*wanted: object) -> JSON:
    """The body of a checkout."""
    return {"items": list(wanted)}


def invented_session(**fields: Any) -> JSON:
    """A session that the double never made, for `Till.invent`."""
    return {
        "id": "cs_test_invented",
        "object": "checkout.session",
        "mode": "payment",
        "created": 1,
        "currency": "eur",
        "amount_total": 1000,
        "payment_status": "paid",
        "payment_intent": "pi_invented",
        "metadata": {},
        **fields,
    }
