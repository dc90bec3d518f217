"""The door to Stripe. Built from the settings in one place and passed; nothing is kept at module level.

What speaks through Stripe's library is loaded at the first use, so that a server starts quickly without it.
"""

import json
import threading
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

from app.kernel.errors import BadRequest
from app.orders.stripe.problems import CheckoutUnavailable
from app.orders.stripe.session import NewSession, Session
from app.settings import Settings

if TYPE_CHECKING:
    from app.orders.stripe.client import Client

_MOST_AT_ONCE = 16
"""Requests to Stripe under way. When Stripe hangs, it must not hold every thread of the server."""


class Gateway:
    """Asks Stripe, and recognises its messages. Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self._api_key = settings.stripe_api_key
        self._api_base = settings.stripe_api_base
        self._secrets = settings.stripe_webhook_secret
        self._guard = threading.Lock()
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._client: Client | None = None

    def require(self) -> None:
        """Raises `CheckoutUnavailable` where no key is set."""
        if not self._api_key:
            raise CheckoutUnavailable("No Stripe key is set on this server.", retry_after=60)

    def create_session(self, new: NewSession) -> Session:
        """Ask for a session; the same `new.key` never makes a second one.

        Raises `CheckoutUnavailable` (ask again), `InProgress`, `CheckoutRefused`, `NotChargeable`, `KeySpent`.
        Waits for Stripe up to half a minute: never call it inside a transaction.
        """
        self.require()
        if not self._free.acquire(timeout=1.0):
            raise CheckoutUnavailable("Stripe is slow at the moment; ask again in a moment.")
        try:
            return self._speaking().create_session(new)
        finally:
            self._free.release()

    def verify(self, payload: bytes, signature: str | None) -> object:
        """The JSON of a webhook that Stripe signed, with any of the endpoint's secrets, in the last five minutes.

        Raises `BadSignature`; `BadRequest` where it is not JSON; `CheckoutUnavailable` where no secret is set.
        """
        if not self._secrets:
            raise CheckoutUnavailable("No secret for Stripe's webhooks is set on this server.", retry_after=60)
        from app.orders.stripe.client import check_signature

        check_signature(payload, signature or "", self._secrets)
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

    def _speaking(self) -> "Client":
        with self._guard:
            if self._client is None:
                from app.orders.stripe.client import Client

                self._client = Client(self._api_key, self._api_base)
            return self._client


def gateway(request: Request) -> Gateway:
    """The running process's gateway."""
    found = request.app.state.gateway
    assert isinstance(found, Gateway)
    return found


StripeGateway = Annotated[Gateway, Depends(gateway)]
