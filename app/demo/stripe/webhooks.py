"""Delivery of events to webhook endpoints: signed as Stripe signs, retried, and at a test's command held, shuffled,
repeated, delayed, sent at once. Knows bytes and addresses only, nothing of what an event means.

Waiting is measured by the machine, not by the double's clock, and so is the stamp in the signature: the receiving
library compares it with the machine's time.
"""

import hashlib
import hmac
import random
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import httpx

from app.demo.stripe.queue import DeliveryQueue

BACKOFF: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0)
"""Seconds before each further attempt. Stripe tries for three days; a simulation is not left alone that long."""


def signature(payload: bytes, secrets: Sequence[str], at: int) -> str:
    """The `Stripe-Signature` of a payload: HMAC-SHA256 of `{at}.{payload}`, one `v1` for each secret."""
    signed = str(at).encode() + b"." + payload
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={mark}" for mark in marks)])


@dataclass(frozen=True)
class Message:
    """An event as it goes out: the same bytes each time."""

    event_id: str
    type: str
    payload: bytes


@dataclass(frozen=True)
class Endpoint:
    """Where events go. `events` names the types that are wanted; empty wants all."""

    url: str
    secrets: tuple[str, ...]
    events: frozenset[str] = frozenset()

    def wants(self, event_type: str) -> bool:
        return not self.events or event_type in self.events


@dataclass(frozen=True)
class Attempt:
    """One sending. `status` is None where no answer came."""

    event_id: str
    type: str
    url: str
    status: int | None

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class _Parcel:
    endpoint: Endpoint
    message: Message
    tried: int = 0


@dataclass
class Webhooks:
    """The endpoints and what is under way to them. Thread-safe; `close` ends its threads."""

    backoff: Sequence[float] = BACKOFF
    timeout: float = 10.0
    stamp: Callable[[], float] = time.time
    ahead: Callable[[], float] = lambda: 0.0  # how many seconds the stamps are ahead of it
    attempts: list[Attempt] = field(default_factory=list)
    given_up: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._endpoints: tuple[Endpoint, ...] = ()
        self._client = httpx.Client(timeout=self.timeout, follow_redirects=False, trust_env=False)
        self._queue: DeliveryQueue[_Parcel] = DeliveryQueue(self._send)

    def register(self, url: str, *secrets: str, events: Collection[str] = ()) -> Endpoint:
        """Send events to `url` from now on, signed with each of `secrets`."""
        if not secrets:
            raise ValueError("an endpoint needs at least one signing secret")
        endpoint = Endpoint(url, tuple(secrets), frozenset(events))
        self._endpoints = (*self._endpoints, endpoint)
        return endpoint

    def unregister(self, endpoint: Endpoint) -> None:
        self._endpoints = tuple(known for known in self._endpoints if known is not endpoint)

    def listeners(self, event_type: str) -> int:
        """How many endpoints want events of this type."""
        return sum(endpoint.wants(event_type) for endpoint in self._endpoints)

    def publish(self, message: Message) -> None:
        """Send a message to all who want it, in the background."""
        for endpoint in self._endpoints:
            if endpoint.wants(message.type):
                self._queue.put(_Parcel(endpoint, message))

    def hold(self) -> None:
        """Keep what comes from now on, retries too, until `release`."""
        self._queue.hold()

    @property
    def held(self) -> list[str]:
        """Types of the events that wait, in their order."""
        return [parcel.message.type for parcel in self._queue.waiting()]

    def release(self, *, shuffle: int | None = None, repeat: int = 1, concurrency: int = 1, delay: float = 0.0) -> None:
        """Send what was held: each `repeat` times, in an order drawn from the seed `shuffle`, up to `concurrency`
        at once, after `delay` seconds. The concurrency stays in force until the next release."""
        if repeat < 1 or concurrency < 1 or delay < 0:
            raise ValueError("repeat and concurrency are at least 1, delay at least 0")

        def arranged(parcels: list[_Parcel]) -> list[_Parcel]:
            arranged = [parcel for parcel in parcels for _ in range(repeat)]
            if shuffle is not None:
                random.Random(shuffle).shuffle(arranged)  # noqa: S311 - an order that can be repeated, no secret
            return arranged

        self._queue.release(arranged, concurrency=concurrency, delay=delay)

    def deliver(
        self, message: Message, *, at: int | None = None, secrets: Sequence[str] | None = None
    ) -> list[Attempt]:
        """Send at once and wait, whatever is held; no retries. `at` and `secrets` make old and forged webhooks."""
        return [
            self._post(_Parcel(endpoint, message), at=at, secrets=secrets)
            for endpoint in self._endpoints
            if endpoint.wants(message.type)
        ]

    def drain(self, timeout: float = 10.0) -> None:
        """Wait until nothing is under way, retries included. TimeoutError says what is left."""
        if not self._queue.drained(timeout):
            raise TimeoutError(f"webhooks still under way after {timeout} s: {self.held}")

    def close(self) -> None:
        """Stop sending. What is still under way is dropped."""
        self._queue.close()
        self._client.close()

    def _send(self, parcel: _Parcel) -> None:
        attempt = self._post(parcel)
        if attempt.succeeded:
            return
        if parcel.tried < len(self.backoff):
            self._queue.put(replace(parcel, tried=parcel.tried + 1), delay=self.backoff[parcel.tried])
        else:
            self.given_up.append(attempt)

    def _post(self, parcel: _Parcel, *, at: int | None = None, secrets: Sequence[str] | None = None) -> Attempt:
        endpoint, message = parcel.endpoint, parcel.message
        stamp = int(self.stamp() + self.ahead()) if at is None else at
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (simulated; +https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(message.payload, secrets or endpoint.secrets, stamp),
        }
        try:
            status = self._client.post(endpoint.url, content=message.payload, headers=headers).status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            status = None
        attempt = Attempt(message.event_id, message.type, endpoint.url, status)
        self.attempts.append(attempt)
        return attempt
