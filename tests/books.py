"""Stripe's books beside ours, in a world of a test's own: the double on a line that a test can disturb, a server that
takes checkouts and webhooks, and what compares the two as `grapevine reconcile` does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import httpx
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import main
from app.demo.stripe.document import StripeDocument, find_document
from app.demo.stripe.double import StripeDouble
from app.demo.stripe.server import running
from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.ids import merchant_of
from app.kernel.runtime import Runtime
from app.orders import reconciliation
from app.orders.models import Checkout
from app.orders.stripe.gateway import Gateway
from app.orders.stripe_models import Reconciliation, Repair, StripeEvent
from app.settings import Settings
from tests.clock import TestClock
from tests.conftest import ADMIN_TOKEN, WEBHOOK_SECRET, settings_for
from tests.net import free_port, serving
from tests.shop import JSON, TestMerchant, ok
from tests.till import BadLine, Till, variant


@dataclass
class Line:
    """The line to Stripe for what is looked up there. `refuses` is an account that has withdrawn its permission;
    `spoils` the id of an event of whose object something else comes out: `spoiled`."""

    app: ASGIApp
    refuses: str = ""
    spoils: str = ""
    spoiled: JSON = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
        elif self.refuses and (b"stripe-account", self.refuses.encode()) in scope["headers"]:
            await _answer(send, 403, b'{"error": {"type": "invalid_request_error", "message": "no access"}}')
        elif self.spoils:
            await self._spoil(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _spoil(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, keep)
        said = json.loads(b"".join(message.get("body", b"") for message in sent))
        for event in said["data"]:
            if event["id"] == self.spoils:
                event["data"]["object"].update(self.spoiled)
        await _answer(send, 200, json.dumps(said).encode())


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Books:
    """A till, and beside it another process that compares. `waited` are the pauses that it made."""

    till: Till
    settings: Settings
    here: Runtime
    gateway: Gateway
    line: Line
    waited: list[float]
    merchants: list[TestMerchant] = field(default_factory=list)

    def seller(self, **fields: Any) -> TestMerchant:
        """A merchant who sells here."""
        answer = httpx.post(
            f"{self.till.url}/v1/merchants",
            headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
            json={"name": "Vine & Thread", "currency": "eur", **fields},
        )
        shown = ok(answer, 201)
        keys = shown["secret_key"], shown["report_key"]
        self.merchants.append(TestMerchant(shown["id"], *keys, self.till.url, self.till.clock, shown["currency"]))
        return self.merchants[-1]

    def reconcile(self, since: datetime | None = None) -> list[Reconciliation]:
        return reconciliation.reconcile(self.here, self.gateway, since)

    def repairs(self) -> list[tuple[str, str]]:
        """What was repaired, in the order of its happening: Stripe's type of event, Stripe's object."""
        with self.till.database.reading() as session:
            found = session.scalars(select(Repair).order_by(Repair.happened_at, Repair.repair_id)).all()
            return [(each.type, each.object_id) for each in found]

    def sell_and_take_back(self, seller: TestMerchant, sales: int, click: str | None = None) -> None:
        """So many sales, each with something else to follow it: nothing, a part given back, all of it in two steps,
        a dispute that is lost, one that is won."""
        mug, double = variant(seller), self.till.double
        fields = {"click": click} if click is not None else {}
        for number in range(sales):
            session = str(self.till.checkout(mug, 1 + number % 3, **fields)["session"])
            double.pay(session)
            if number % 5 == 1:
                self.till.refund(session, 500)
            elif number % 5 == 2:
                self.till.refund(session, 700)
                self.till.refund(session)
            elif number % 5 > 2:
                double.close_dispute(self.till.dispute(session), won=number % 5 == 4)

    def trouble(self, *troubles: int | None, path: str | None = None) -> None:
        """What befalls the next questions to Stripe there, each one: a status, or None for an answer that is lost."""
        for status in troubles:
            if status is None:
                self.till.double.faults.lose_answers(path=path, method="GET")
            else:
                self.till.double.faults.answer(status, path=path, method="GET")

    def kept(self) -> set[str]:
        """The ids of all messages that are kept."""
        with self.till.database.reading() as session:
            return set(session.scalars(select(StripeEvent.event_id)))

    def checkout(self, opened: JSON) -> Checkout:
        with self.till.database.reading() as session:
            return session.get_one(Checkout, (merchant_of(opened["id"], "chk"), opened["id"]))

    def ours(self, merchant: TestMerchant) -> dict[str, tuple[int, int, dict[str, int]]]:
        """Our books of a merchant: paid, net, and what counts of what was taken back, by session."""
        found = merchant.http.get("/v1/orders", params={"limit": 100})
        return {
            order["external_id"]: (
                order["gross"],
                order["net"],
                {
                    each["external_id"]: each["amount"]
                    for each in order["refunds"]
                    if each["dropped_at"] is None and each["amount"]
                },
            )
            for order in ok(found)["data"]
        }

    def theirs(self, merchant: TestMerchant, account: str | None = None) -> dict[str, tuple[int, int, dict[str, int]]]:
        """Stripe's books of the same merchant, who sells without tax and shipping: so what was paid is the net."""
        found = {}
        for session in self._listed("/v1/checkout/sessions", account):
            if session["metadata"].get("gv_merchant") != merchant.id or session["payment_status"] == "unpaid":
                continue
            taken = self._taken(session["payment_intent"], account)
            found[session["id"]] = (session["amount_total"], session["amount_total"], taken)
        return found

    def _taken(self, payment: str, account: str | None) -> dict[str, int]:
        refunds = self._listed("/v1/refunds", account, payment_intent=payment)
        given = {each["id"]: each["amount"] for each in refunds if each["status"] not in ("failed", "canceled")}
        disputes = self._listed("/v1/disputes", account, payment_intent=payment)
        held = {each["id"]: -sum(move["amount"] for move in each["balance_transactions"]) for each in disputes}
        return given | {dispute: amount for dispute, amount in held.items() if amount}

    def _listed(self, path: str, account: str | None, **query: str) -> list[JSON]:
        headers = {"Authorization": f"Bearer {self.till.double.api_key}"}
        headers |= {"Stripe-Account": account} if account is not None else {}
        found: list[JSON] = []
        with httpx.Client(base_url=self.till.stripe_url, headers=headers, timeout=30) as http:
            while True:
                after = {"starting_after": found[-1]["id"]} if found else {}
                page = ok(http.get(path, params={"limit": "100", **query, **after}))
                found += page["data"]
                if not page["has_more"]:
                    return found


@contextmanager
def opened(database_url: str, folder: Path, clock: TestClock, machine: Clock | None = None) -> Iterator[Books]:
    """Books on a fresh database; webhooks are held. `machine` is the machine's clock, right or wrong."""
    port, place = free_port(), find_document()
    url = f"http://127.0.0.1:{port}"
    double = StripeDouble(clock=clock, spec=StripeDocument(place) if place else None)
    double.webhooks.register(f"{url}/v1/stripe/webhook", WEBHOOK_SECRET)
    double.webhooks.hold()
    line = Line(double.app)
    bad_line = BadLine(line)
    double.app = cast(Starlette, bad_line)
    with running(double) as stripe_url:
        settings = settings_for(
            database_url,
            folder,
            public_url=url,
            stripe_api_key=double.api_key,
            stripe_webhook_secret=WEBHOOK_SECRET,
            stripe_api_base=stripe_url,
            jobs=False,
        )
        database = Database(settings.database)
        here = main.assemble(settings, clock, machine)
        waited: list[float] = []
        gateway = Gateway(settings, here.watch, pause=waited.append)
        with serving(main.application(settings, clock, machine), port):
            till = Till(url, stripe_url, clock, double, bad_line, database)
            books = Books(till, settings, here, gateway, line, waited)
            yield books
            for merchant in books.merchants:
                merchant.close()
        gateway.close()
        here.database.close()
        database.close()
    assert double.violations == []
