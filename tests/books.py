"""Stripe's books beside ours, in a world of a test's own: the double on a line that a test can disturb, a server that
takes checkouts and webhooks, and what compares the two as `grapevine reconcile` does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select
from starlette.applications import Starlette

from app import main
from app.demo.stripe.double import StripeDouble
from app.kernel.clock import Clock
from app.kernel.ids import merchant_of
from app.kernel.runtime import Runtime
from app.orders.models import Checkout
from app.orders.reconciliation import runs as reconciliation
from app.orders.reconciliation.models import Reconciliation, Repair
from app.orders.stripe.gateway import Gateway
from app.orders.stripe_models import StripeEvent
from tests.clock import TestClock
from tests.conftest import merchant_at
from tests.shop import JSON, TestMerchant
from tests.stripe_document import document
from tests.stripe_lines import StripeLine
from tests.till import Till, open_till, taken, variant


@dataclass
class Books:
    """A till, and beside it another process that compares. `waited` are the pauses that it made."""

    till: Till
    here: Runtime
    gateway: Gateway
    line: StripeLine
    waited: list[float]
    merchants: list[TestMerchant] = field(default_factory=list)

    def seller(self, **fields: Any) -> TestMerchant:
        """A merchant who sells here."""
        self.merchants.append(merchant_at(self.till.url, self.till.clock, **fields))
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
        return {
            order["external_id"]: (
                order["gross"],
                order["net"],
                {name: amount for name, amount in taken(order).items() if amount},
            )
            for order in self.till.orders(merchant)
        }

    def theirs(self, merchant: TestMerchant, account: str | None = None) -> dict[str, tuple[int, int, dict[str, int]]]:
        """Stripe's books of the same merchant, who sells without tax and shipping: so what was paid is the net."""
        found = {}
        for session in self.till.listed("/v1/checkout/sessions", account):
            if session["metadata"].get("gv_merchant") != merchant.id or session["payment_status"] == "unpaid":
                continue
            taken = self.till.taken_at_stripe(account, payment_intent=session["payment_intent"])
            found[session["id"]] = (session["amount_total"], session["amount_total"], taken)
        return found


@contextmanager
def opened(database_url: str, folder: Path, clock: TestClock, machine: Clock | None = None) -> Iterator[Books]:
    """Books on a fresh database; webhooks are held. `machine` is the machine's clock, right or wrong."""
    double = StripeDouble(clock=clock, spec=document())
    line = StripeLine(double.app)
    double.app = cast(Starlette, line)
    waited: list[float] = []
    with open_till(database_url, folder, clock, double, {"jobs": False}, machine=machine) as till:
        here = main.assemble(till.settings, clock, machine)
        gateway = Gateway(till.settings, here.watch, pause=waited.append)
        books = Books(till, here, gateway, line, waited)
        yield books
        for merchant in books.merchants:
            merchant.close()
        gateway.close()
        here.database.close()
