"""All that the simulated Stripe holds, and the one lock around it. Knows no HTTP server and no rule of Checkout.

Who changes something holds `lock` for the whole change; an event carries a copy of its object as it was then.
"""

import json
import secrets
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import Final, TypeVar

from app.demo.stripe.errors import no_such
from app.demo.stripe.parameters.document import StripeDocument
from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.catalog import Price, Product
from app.demo.stripe.records.offers import Coupon, PromotionCode
from app.demo.stripe.records.payments import Charge, Event, PaymentIntent, PaymentMethod, Record, Refund, Session
from app.demo.stripe.records.transfers import Account, BalanceTransaction, Dispute, Reversal, Transfer
from app.demo.stripe.shown.record import shown
from app.demo.stripe.webhooks import Message, Webhooks
from app.kernel.clock import Clock, to_seconds

R = TypeVar("R", bound=Record)
_ALPHABET: Final = string.ascii_letters + string.digits
_NOUNS: Final[Mapping[type[Record], str]] = {
    Session: "checkout.session",
    PaymentIntent: "payment_intent",
    PaymentMethod: "payment_method",
    Charge: "charge",
    Refund: "refund",
    Event: "event",
    Product: "product",
    Price: "price",
    Coupon: "coupon",
    PromotionCode: "promotion_code",
    Account: "account",
    Transfer: "transfer",
    Reversal: "transfer_reversal",
    Dispute: "dispute",
    BalanceTransaction: "balance_transaction",
}


def new_id(prefix: str, length: int = 24) -> str:
    """An id such as Stripe makes: `new_id("pi_")`."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


@dataclass(frozen=True)
class Cause:
    """The request that made something happen, as events name it."""

    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass
class World:
    """Objects by id, in order of creation. `violations` collects what the double sent against Stripe's document."""

    clock: Clock
    webhooks: Webhooks
    document: StripeDocument | None
    base_url: str = ""
    tax_basis_points: int = 0
    settles_after: int = 5
    lock: RLock = field(default_factory=RLock)
    sessions: dict[str, Session] = field(default_factory=dict)
    payment_intents: dict[str, PaymentIntent] = field(default_factory=dict)
    payment_methods: dict[str, PaymentMethod] = field(default_factory=dict)
    charges: dict[str, Charge] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    prices: dict[str, Price] = field(default_factory=dict)
    coupons: dict[str, Coupon] = field(default_factory=dict)
    promotion_codes: dict[str, PromotionCode] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    reversals: dict[str, Reversal] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    balance_transactions: dict[str, BalanceTransaction] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    _cause: Cause = field(default_factory=Cause)

    def now(self) -> int:
        """Whole seconds since 1970."""
        return to_seconds(self.clock.now())

    def record(self, identifier: str) -> Record:
        """The object of this id, of whatever kind. KeyError where there is none."""
        kinds: tuple[Mapping[str, Record], ...] = (
            self.sessions,
            self.payment_intents,
            self.payment_methods,
            self.charges,
            self.refunds,
            self.products,
            self.prices,
            self.coupons,
            self.promotion_codes,
            self.accounts,
            self.transfers,
            self.reversals,
            self.disputes,
            self.balance_transactions,
        )
        return next(kept for kind in kinds if (kept := kind.get(identifier)) is not None)

    @contextmanager
    def caused_by(self, cause: Cause) -> Iterator[None]:
        """Hold the lock; what happens meanwhile is put down to `cause`."""
        with self.lock:
            before, self._cause = self._cause, cause
            try:
                yield
            finally:
                self._cause = before

    def show(self, record: Record) -> JsonObject:
        """The record as sent, checked against the document: an event once, when it is made."""
        listeners = self.webhooks.listeners(record.type) if isinstance(record, Event) else 0
        sent = shown(record, self.now(), self.base_url, listeners)
        if not isinstance(record, Event):
            self.check(_NOUNS[type(record)], sent)
        return sent

    def check(self, schema: str, sent: JsonObject) -> None:
        """Note where `sent` is not what Stripe's document says of `schema`."""
        if self.document is not None:
            self.violations.extend(self.document.complaints(schema, sent))

    def emit(self, kind: str, record: Record, previous: JsonObject | None = None) -> Event:
        """Something happened to `record`: keep the event and send it to the endpoints."""
        event = Event(
            id=new_id("evt_1"),
            account=record.account,
            created=self.now(),
            type=kind,
            object=self.show(record),
            previous=previous,
            request_id=self._cause.request_id,
            idempotency_key=self._cause.idempotency_key,
        )
        self.check("event", self.show(event))
        self.events[event.id] = event
        self.webhooks.publish(self.message(event))
        return event

    def message(self, event: Event) -> Message:
        """The event as a webhook carries it: Stripe prints it indented."""
        payload = json.dumps(self.show(event), indent=2, ensure_ascii=False).encode()
        return Message(event.id, event.type, payload)


def find(kept: Mapping[str, R], identifier: str, account: str | None, *, param: str, noun: str, status: int = 404) -> R:
    """The account's object of this id. StripeProblem where there is none, or it is another account's: 404 for an id
    in an address; `status` 400 for one among the parameters."""
    record = kept.get(identifier)
    if record is None or record.account != account:
        raise no_such(noun, identifier[:100], param, status)
    return record
