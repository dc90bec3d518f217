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

from app.demo.stripe.document import StripeDocument
from app.demo.stripe.errors import no_such
from app.demo.stripe.records import Charge, Event, PaymentIntent, Record, Refund, Session
from app.demo.stripe.show import shown
from app.demo.stripe.values import JsonObject
from app.demo.stripe.webhooks import Message, Webhooks
from app.kernel.clock import Clock, to_seconds

R = TypeVar("R", Session, PaymentIntent, Charge, Refund, Event)
_ALPHABET: Final = string.ascii_letters + string.digits
_NOUNS: Final[Mapping[type[Record], str]] = {
    Session: "checkout.session",
    PaymentIntent: "payment_intent",
    Charge: "charge",
    Refund: "refund",
    Event: "event",
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
    lock: RLock = field(default_factory=RLock)
    sessions: dict[str, Session] = field(default_factory=dict)
    payment_intents: dict[str, PaymentIntent] = field(default_factory=dict)
    charges: dict[str, Charge] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    _cause: Cause = field(default_factory=Cause)

    def now(self) -> int:
        """Whole seconds since 1970."""
        return to_seconds(self.clock.now())

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
        """The record as sent, checked against the document."""
        listeners = self.webhooks.listeners(record.type) if isinstance(record, Event) else 0
        sent = shown(record, self.base_url, listeners)
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
        self.events[event.id] = event
        self.webhooks.publish(self.message(event))
        return event

    def message(self, event: Event) -> Message:
        """The event as a webhook carries it: Stripe prints it indented."""
        payload = json.dumps(self.show(event), indent=2, ensure_ascii=False).encode()
        return Message(event.id, event.type, payload)


def find(kept: Mapping[str, R], identifier: str, account: str | None, *, param: str, noun: str) -> R:
    """The account's object of this id. StripeProblem (404) where there is none, or it is another account's."""
    record = kept.get(identifier)
    if record is None or record.account != account:
        raise no_such(noun, identifier[:100], param)
    return record
