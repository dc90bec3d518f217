"""Buying in tests: a till with the double of Stripe behind it, on a line that can be bad."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
from sqlalchemy import select
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from app.demo.stripe.double import StripeDouble
from app.demo.stripe.webhooks import Attempt, Message, Webhooks, signature
from app.kernel.database import Database
from app.kernel.ids import merchant_of
from app.orders.models import Checkout, Order
from tests.clock import TestClock
from tests.conftest import WEBHOOK_SECRET
from tests.shop import JSON, TestMerchant, ok

OTHER_SECRET = "whsec_while_it_is_rotated"


class BadLine:
    """The line to Stripe: it can be down, break off answers after the work was done, or bring kept failures."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.mend()

    def mend(self) -> None:
        self.status: int | None = None
        self.replayed = False
        self.lost = 0
        self.keys: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        self.keys += [value.decode() for name, value in scope["headers"] if name == b"idempotency-key"]
        if self.status is not None:
            await self._fail(send, self.status)
        elif self.lost:
            self.lost -= 1
            await self._app(scope, receive, _nowhere)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
            await send({"type": "http.response.body", "body": b'{"id": "cs'})
        else:
            await self._app(scope, receive, send)

    async def _fail(self, send: Send, status: int) -> None:
        body = json.dumps({"error": {"type": "api_error", "message": "An unknown error occurred"}}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if self.replayed:
            headers.append((b"idempotent-replayed", b"true"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _nowhere(_: AsgiMessage) -> None:
    return None


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
    database: Database

    def ask(self, body: JSON, **headers: str) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/checkouts", json=body, headers=headers, timeout=30)

    def checkout(self, variant: str, quantity: int = 1, **fields: Any) -> JSON:
        """An open checkout, with the id of its session at Stripe under `session`."""
        opened = ok(self.ask({"items": [{"variant": variant, "quantity": quantity}], **fields}), 201)
        return {**opened, "session": opened["url"].rpartition("/")[2]}

    def session(self, session: str) -> JSON:
        return cast(JSON, self.double.session(session))

    def listed(self, path: str, **query: str) -> list[JSON]:
        """All that Stripe lists there, newest first."""
        found: list[JSON] = []
        with httpx.Client(headers={"Authorization": f"Bearer {self.double.api_key}"}, timeout=30) as http:
            while True:
                after = {"starting_after": found[-1]["id"]} if found else {}
                page = ok(http.get(f"{self.stripe_url}{path}", params={"limit": "100", **query, **after}))
                found += page["data"]
                if not page["has_more"]:
                    return found

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

    def taken_at_stripe(self, **of: str) -> dict[str, int]:
        """What Stripe's own books say is given back or held by a bank, in what was paid: by refund and by dispute."""
        refunds = self.listed("/v1/refunds", **of)
        standing = {each["id"]: each["amount"] for each in refunds if each["status"] not in ("failed", "canceled")}
        moved = {
            each["id"]: -sum(move["amount"] for move in each["balance_transactions"])
            for each in self.listed("/v1/disputes", **of)
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
