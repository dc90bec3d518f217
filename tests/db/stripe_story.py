"""A sale at Stripe as a pool of messages, handed to the ledger one by one, without HTTP."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import func, select

from app.attribution.models import CreditLine
from app.kernel.clock import to_seconds
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.merchants import service as merchants
from app.orders import lifecycle, service
from app.orders.models import Order
from app.orders.stripe import messages
from app.orders.stripe_models import StripeEvent
from app.orders.webhooks.bookkeeper import Applied, Bookkeeper
from tests.db.selling import Market

_numbers = count(1)


@dataclass
class Story:
    """One session, with tax and shipping beside its net, and what is told of it."""

    market: Market
    net: int
    paid: int
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def here(self) -> Runtime:
        return self.market.here

    @property
    def session(self) -> str:
        return f"cs_story_{self.market.merchant}_{self.number}"

    def id(self, kind: str) -> str:
        """The id of a refund or dispute of this story."""
        return f"{kind}_{self.session}"

    def tell_of_session(self, kind: str, payment_status: str) -> Applied:
        with self.here.database.reading() as session:
            merchant = merchants.get(session, self.market.merchant).public_id
        checkout = new_id("chk", self.market.merchant, self.market.clock.now())
        said = {
            "id": self.session,
            "currency": "eur",
            "amount_total": self.paid,
            "total_details": {"amount_tax": self.paid - self.net, "amount_shipping": 0, "amount_discount": 0},
            "payment_status": payment_status,
            "metadata": {"gv_merchant": merchant, "gv_checkout": checkout},
        }
        return self._tell(f"checkout.session.{kind}", said)

    def tell_of_refund(self, kind: str, amount: int, status: str, at: int = 0) -> Applied:
        event = {"succeeded": "created", "failed": "failed"}.get(status, "updated")
        return self._tell(f"refund.{event}", self._taken(kind, amount, status, at))

    def tell_of_dispute(self, kind: str, amount: int, event: str, status: str, at: int = 0) -> Applied:
        return self._tell(f"charge.dispute.{event}", self._taken(kind, amount, status, at))

    def _taken(self, kind: str, amount: int, status: str, at: int) -> dict[str, Any]:
        created = to_seconds(self.market.clock.now()) + at
        return {"id": self.id(kind), "currency": "eur", "amount": amount, "status": status, "created": created}

    def _tell(self, kind: str, subject: dict[str, Any]) -> Applied:
        at = to_seconds(self.market.clock.now())
        subject = {"created": at, "payment_intent": f"pi_{self.session}", **subject}
        name = f"evt_{kind}_{subject['id']}_{subject.get('status')}_{subject.get('payment_status')}".replace(".", "_")
        event = {"id": name, "type": kind, "created": at, "data": {"object": subject}}
        message = messages.read(event)
        with self.here.database.transaction() as session:
            return Bookkeeper(session, self.here).receive(message, messages.session_of(message))

    def order(self) -> Order | None:
        """With its refunds, as it was committed."""
        with self.here.database.reading() as session:
            return service.by_external_id(session, self.market.merchant, self.session)

    def waiting(self) -> int:
        """How many messages are kept that could not be applied yet."""
        mine = (StripeEvent.payment_intent == f"pi_{self.session}", StripeEvent.applied_at.is_(None))
        with self.here.database.reading() as session:
            return session.scalar(select(func.count()).select_from(StripeEvent).where(*mine)) or 0

    def taken(self) -> dict[str, int]:
        """What counts of what was taken back, by external id."""
        order = self.order()
        assert order is not None
        counting = {row.external_id: row.amount for row in order.refunds if row.dropped_at is None}
        assert len(counting) == sum(row.dropped_at is None for row in order.refunds)
        return counting

    def assert_credits_add_up(self) -> None:
        """What is left of the order is divided, to the cent."""
        order = self.order()
        assert order is not None
        with self.here.database.reading() as session:
            mine = (CreditLine.merchant_id == order.merchant_id, CreditLine.order_id == order.order_id)
            total = session.scalar(select(func.sum(CreditLine.gross - CreditLine.reversed)).where(*mine))
        assert order.net - order.refunded == (total or 0)

    def status(self) -> str:
        order = self.order()
        assert order is not None
        counting = [(row.reason, row.amount) for row in order.refunds if row.dropped_at is None]
        return lifecycle.status(order.net, counting)
