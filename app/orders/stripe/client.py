"""Speaks with Stripe through its library, and turns its errors into ours.

Only `gateway` imports this, and only when there is something to say: the library costs 200 ms to load.
"""

import ipaddress
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn, cast
from urllib.parse import urlsplit

import httpx
import stripe
from stripe.params.checkout import SessionCreateParams

from app.kernel.errors import InProgress
from app.orders.stripe.problems import BadSignature, CheckoutRefused, CheckoutUnavailable, KeySpent
from app.orders.stripe.session import NewSession, Session

log = logging.getLogger(__name__)

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_RETRIES = 1
TOLERANCE = 300
"""Seconds that a signature is good for (Stripe's own choice)."""


class _Http(stripe.HTTPClient):
    """One pool of connections for all threads. The library's default leaves a session in every thread, and does
    not repeat a request whose answer broke off."""

    name = "httpx"

    def __init__(self, *, trust_env: bool) -> None:
        super().__init__()
        self._http = httpx.Client(timeout=_TIMEOUT, trust_env=trust_env)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        try:
            answer = self._http.request(method, url, headers=headers, content=post_data)
        except httpx.HTTPError as error:
            failure: stripe.StripeError = stripe.APIConnectionError(  # type: ignore[no-untyped-call]
                f"{type(error).__name__}: {error}", should_retry=True
            )
            raise failure from error
        return answer.text, answer.status_code, answer.headers

    def close(self) -> None:
        self._http.close()


class Client:
    """A connection to one Stripe. Threads may share it."""

    def __init__(self, api_key: str, api_base: str) -> None:
        # The environment's proxy is the way to the real Stripe; it does not lead to a simulated one on this machine.
        self._http = _Http(trust_env=not _is_loopback(api_base))
        self._stripe = stripe.StripeClient(
            api_key, base_addresses={"api": api_base}, max_network_retries=_RETRIES, http_client=self._http
        )

    def create_session(self, new: NewSession) -> Session:
        """Raises `CheckoutUnavailable`, `CheckoutRefused`, `InProgress`, `KeySpent`, `NotChargeable`."""
        options: stripe.RequestOptions = {"idempotency_key": new.key}
        if new.account is not None:
            options["stripe_account"] = new.account
        parameters = cast(SessionCreateParams, new.parameters())
        try:
            made = self._stripe.v1.checkout.sessions.create(parameters, options)
        except stripe.StripeError as error:
            _refuse(error)
        if made.url is None:
            raise KeySpent  # it was made long ago under this key, and is over
        return Session(made.id, made.url, datetime.fromtimestamp(made.expires_at, UTC))

    def close(self) -> None:
        self._http.close()


def _is_loopback(address: str) -> bool:
    """Whether the address is of this machine: `localhost`, 127.0.0.0/8, ::1."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_signature(payload: bytes, signature: str, secrets: tuple[str, ...]) -> None:
    """Raises `BadSignature` unless one of `secrets` signed the payload within the last five minutes.

    The age is taken by the machine's clock, as Stripe's library does it.
    """
    if not signature.isascii():
        raise BadSignature("The signature is malformed.")
    secret = next((each for each in secrets if _is_signed(payload, signature, each, None)), None)
    if secret is None:
        raise BadSignature("The signature is missing or was not made with this endpoint's secret.")
    if not _is_signed(payload, signature, secret, TOLERANCE):
        log.warning("a webhook signed more than %s s ago was refused; does this machine's clock run fast?", TOLERANCE)
        raise BadSignature("The signature is too old.")


def _is_signed(payload: bytes, signature: str, secret: str, tolerance: int | None) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(payload, signature, secret, tolerance))
    except (stripe.SignatureVerificationError, ValueError):  # ValueError: the payload is not UTF-8
        return False


def _refuse(error: stripe.StripeError) -> NoReturn:
    """Raise what the error means for us. What is the operator's to mend is logged, not told to shoppers."""
    headers = error.headers or {}
    failed = error.http_status is not None and error.http_status >= 500
    if isinstance(error, stripe.IdempotencyError) or (failed and "idempotent-replayed" in headers):
        raise KeySpent from error
    if error.http_status == 409:
        raise InProgress from error
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError):
        log.warning("Stripe refuses a checkout: %r", error)
        raise CheckoutRefused(_sentence(error)) from error
    log.error("Stripe cannot be asked: %r", error)
    wait = headers.get("retry-after", "")
    raise CheckoutUnavailable(retry_after=min(int(wait), 60) if wait.isdecimal() else 5) from error


def _sentence(error: stripe.InvalidRequestError | stripe.CardError) -> str | None:
    """Stripe's words, where they are about something that the caller sent."""
    return error.user_message[:500] if error.param and error.user_message else None
