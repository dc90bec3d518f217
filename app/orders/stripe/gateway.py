"""The door to Stripe. Built from the settings in one place and passed; nothing is kept at module level.

What speaks through Stripe's library is loaded at the first use, so that a server starts quickly without it.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

from app.kernel.clock_watch import STRIPE, ClockWatch
from app.kernel.errors import BadRequest
from app.kernel.http.turnstile import Turnstile
from app.kernel.json_objects import JsonObject
from app.orders.stripe.freshness import Freshness
from app.orders.stripe.listing import Answer, Fetch, Page, patiently, walk
from app.orders.stripe.problems import BadSignature, CheckoutUnavailable
from app.orders.stripe.promotion import Promotion
from app.orders.stripe.session import NewSession, Session
from app.settings import Settings

if TYPE_CHECKING:
    from app.orders.stripe.client import Client

log = logging.getLogger(__name__)

_MOST_AT_ONCE = 16
"""Requests to Stripe under way. When Stripe hangs, it must not hold every thread of the server."""
_LOOKED_THROUGH = timedelta(hours=1, minutes=1)
_MOST_PAGES = 5
"""How far, and how long, a session is looked for whose buyer waits."""
_PATIENCE = 1.0
"""Seconds that a request waits to be one of them."""


class Gateway:
    """Asks Stripe, and recognises its messages. Threads may share it.

    What asks waits for Stripe up to half a minute: never call it inside a transaction. It raises
    `CheckoutUnavailable` (ask again), `CheckoutRefused` and `InProgress`, and what is said below.
    """

    def __init__(self, settings: Settings, watch: ClockWatch, pause: Callable[[float], None] = time.sleep) -> None:
        self._api_key = settings.stripe_api_key
        self._api_base = settings.stripe_api_base
        self._secrets = settings.stripe_webhook_secret
        self._watch = watch
        self._pause = pause
        self._freshness = Freshness(watch, lambda: self._speaking().ask_the_time())
        self._guard = threading.Lock()
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._client: Client | None = None
        self.shoppers = Turnstile(_MOST_AT_ONCE, _PATIENCE, _slow)
        """Those who want to pay: while Stripe hangs they wait without a thread, and not for long. (The semaphore cannot
        do that: it is for whoever asks in a thread of its own, such as a comparison or a webhook.)"""

    @property
    def has_key(self) -> bool:
        """Whether Stripe can be asked at all."""
        return bool(self._api_key)

    def require(self) -> None:
        """Raises `CheckoutUnavailable` where no key is set."""
        if not self._api_key:
            raise CheckoutUnavailable("No Stripe key is set on this server.", retry_after=60)

    def create_session(self, new: NewSession) -> Session:
        """Ask for a session; the same `new.key` never makes a second one. Raises `NotChargeable`, `KeySpent` too."""
        with self._asking() as client:
            return client.create_session(new)

    def find_session(self, checkout_id: str, since: datetime, account: str | None) -> Session | None:
        """The open session of this checkout that was made in the hour from `since` on, where an answer of Stripe's was
        lost: a buyer waits, so only the newest 500 of that hour are gone through.

        One that was made later, or is not among those, is not found, and its checkout gets another. They are never
        both paid unnoticed: of all sessions of a checkout a buyer is shown the one that is kept in its row, and the
        address of any older one has never left this process, since its answer was lost. It ends by itself, which
        says nothing of the checkout; and if somebody pays it all the same, found in Stripe's own pages, its tags
        make it an order of its own.
        """
        until = since + _LOOKED_THROUGH

        def fetch(after: str | None) -> Page:
            return self._page(lambda client: partial(client.sessions, since, account, until=until), after)

        for said in walk(fetch, _MOST_PAGES):
            if said.get("client_reference_id") == checkout_id and (found := _open_session(said)) is not None:
                return found
        return None

    def session(self, session_id: str, account: str | None) -> JsonObject | None:
        """A session as it stands, its payment and the charge whole in it; None where Stripe knows none of this name."""
        with self._asking() as client:
            return client.session(session_id, account)

    def expire_session(self, session_id: str, account: str | None) -> None:
        """Nobody can pay it any more. One that is over or paid stays as it is."""
        with self._asking() as client:
            client.expire_session(session_id, account)

    def sessions(self, since: datetime, account: str | None) -> Iterator[JsonObject]:
        """Sessions that were made from `since` on, each with its payment and the charge whole in it. This and all
        lists: newest first; a page is fetched when it is wanted, and asked for again through a short trouble."""
        return self._walk(lambda client: partial(client.sessions, since, account))

    def events(self, since: datetime, types: Sequence[str], account: str | None) -> Iterator[JsonObject]:
        """Events of these types (20 at most) from `since` on. Stripe keeps them for 30 days."""
        return self._walk(lambda client: partial(client.events, types, since, account))

    def refunds(self, since: datetime, account: str | None) -> Iterator[JsonObject]:
        """Refunds that were made from `since` on."""
        return self._walk(lambda client: partial(client.refunds, since, account))

    def disputes(self, since: datetime, account: str | None) -> Iterator[JsonObject]:
        """Disputes that were opened from `since` on."""
        return self._walk(lambda client: partial(client.disputes, since, account))

    def patiently(self, ask: Callable[[], Answer]) -> Answer:
        """The answer, asked for again and again through a short trouble: for work in which nobody waits for us."""
        return patiently(ask, self._pause)

    def promotion_code(self, code: str, account: str | None) -> Promotion | None:
        """The promotion code that buyers type in so, whatever its case; one that works before one that does not."""
        with self._asking() as client:
            return client.promotion_code(code, account)

    def promotion_code_by_id(self, promotion_id: str, account: str | None) -> Promotion | None:
        """The promotion code of this id; None where Stripe knows none."""
        with self._asking() as client:
            return client.promotion_code_by_id(promotion_id, account)

    def create_promotion_code(
        self,
        key: str,
        account: str | None,
        *,
        code: str,
        coupon: str,
        max_redemptions: int | None,
        expires_at: datetime | None,
        metadata: Mapping[str, str],
    ) -> Promotion:
        """A code that gives Stripe's `coupon`; the same `key` never makes a second one. Raises `KeySpent` too."""
        asked: dict[str, object] = {
            "code": code,
            "promotion": {"type": "coupon", "coupon": coupon},
            "metadata": dict(metadata),
        }
        if max_redemptions is not None:
            asked["max_redemptions"] = max_redemptions
        if expires_at is not None:
            asked["expires_at"] = int(expires_at.timestamp())
        with self._asking() as client:
            return client.create_promotion_code(key, account, asked)

    def verify(self, payload: bytes, signature: str | None) -> object:
        """The JSON of a webhook that Stripe signed, with any of the endpoint's secrets, in the last five minutes.
        Where this machine's clock seems to be wrong, Stripe's own time decides (freshness.py).

        Raises `BadSignature`; `BadRequest` where it is not JSON; `CheckoutUnavailable` where no secret is set.
        """
        if not self._secrets:
            raise CheckoutUnavailable("No secret for Stripe's webhooks is set on this server.", retry_after=60)
        from app.orders.stripe.signatures import signed_at

        if not self._freshness.accepts(signed_at(payload, signature or "", self._secrets)):
            log.warning("a webhook that was signed more than five minutes ago was refused: a repetition by a stranger?")
            raise BadSignature("The signature is too old.")
        try:
            return cast(object, json.loads(payload))
        except (ValueError, RecursionError):
            raise BadRequest("The body is not valid JSON.") from None

    def close(self) -> None:
        """Let go of the connections."""
        with self._guard:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _walk(self, lister: "Callable[[Client], Fetch]") -> Iterator[JsonObject]:
        return walk(lambda after: self.patiently(lambda: self._page(lister, after)))

    def _page(self, lister: "Callable[[Client], Fetch]", after: str | None) -> Page:
        with self._asking() as client:
            return lister(client)(after)

    @contextmanager
    def _asking(self) -> Iterator["Client"]:
        """One of the few lines to Stripe."""
        self.require()
        if not self._free.acquire(timeout=_PATIENCE):
            raise _slow()
        try:
            yield self._speaking()
        finally:
            self._free.release()

    def _speaking(self) -> "Client":
        with self._guard:
            if self._client is None:
                from app.orders.stripe.client import Client

                self._client = Client(self._api_key, self._api_base, partial(self._watch.heard, STRIPE))
            return self._client


def _open_session(said: JsonObject) -> Session | None:
    """The session, where it can still be paid."""
    identifier, url, end = said.get("id"), said.get("url"), said.get("expires_at")
    if not isinstance(identifier, str) or not isinstance(url, str) or not isinstance(end, int):
        return None
    return Session(identifier, url, datetime.fromtimestamp(end, UTC)) if said.get("status") == "open" else None


def _slow() -> CheckoutUnavailable:
    return CheckoutUnavailable("Stripe is slow at the moment; ask again in a moment.")


def gateway(request: Request) -> Gateway:
    """The running process's gateway."""
    found = request.app.state.gateway
    assert isinstance(found, Gateway)
    return found


StripeGateway = Annotated[Gateway, Depends(gateway)]
