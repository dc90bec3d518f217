"""Speaks with Stripe through its library, and turns its errors into ours.

Only `gateway` imports this, and only when there is something to say: the library costs 200 ms to load.
"""

import ipaddress
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, TypeVar, cast
from urllib.parse import urlsplit

import httpx
import stripe
from stripe.params import DisputeListParams, EventListParams, PromotionCodeCreateParams, RefundListParams
from stripe.params.checkout import SessionCreateParams, SessionListParams, SessionRetrieveParams

from app.kernel.errors import InProgress
from app.kernel.json_objects import JsonObject
from app.orders.stripe.listing import PAGE, Page
from app.orders.stripe.problems import AccountRefused, CheckoutRefused, CheckoutUnavailable, KeySpent
from app.orders.stripe.promotion import Promotion
from app.orders.stripe.session import NewSession, Session

log = logging.getLogger(__name__)

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_RETRIES = 1

Heard = Callable[[datetime], None]
"""What is called with the `Date` of each answer: Stripe's own time."""


class _Http(stripe.HTTPClient):
    """One pool of connections for all threads. The library's default leaves a session in every thread, and does
    not repeat a request whose answer broke off."""

    name = "httpx"

    def __init__(self, heard: Heard, *, trust_env: bool) -> None:
        super().__init__()
        self._heard = heard
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
        self._tell_time(answer.headers.get("date", ""))
        return answer.text, answer.status_code, answer.headers

    def close(self) -> None:
        self._http.close()

    def _tell_time(self, date: str) -> None:
        with suppress(ValueError):  # RFC 9110, section 5.6.7: always in GMT
            self._heard(parsedate_to_datetime(date).replace(tzinfo=UTC))


class Client:
    """A connection to one Stripe. Threads may share it."""

    def __init__(self, api_key: str, api_base: str, heard: Heard = lambda _: None) -> None:
        # The environment's proxy is the way to the real Stripe; it does not lead to a simulated one on this machine.
        self._http = _Http(heard, trust_env=not _is_loopback(api_base))
        self._api_base = api_base
        self._stripe = stripe.StripeClient(
            api_key, base_addresses={"api": api_base}, max_network_retries=_RETRIES, http_client=self._http
        )
        self._sessions = self._stripe.v1.checkout.sessions
        self._codes = self._stripe.v1.promotion_codes

    def create_session(self, new: NewSession) -> Session:
        """Raises `CheckoutUnavailable`, `CheckoutRefused`, `InProgress`, `KeySpent`, `NotChargeable`."""
        parameters = cast(SessionCreateParams, new.parameters())
        try:
            made = self._sessions.create(parameters, _options(new.account, new.key))
        except stripe.InvalidRequestError as error:
            if error.param == "expires_at":  # reckoned by a clock that was wrong; Stripe's answer has told the time
                raise KeySpent from error
            _refuse(error)
        except stripe.StripeError as error:
            _refuse(error)
        if made.url is None:
            raise KeySpent  # it was made long ago under this key, and is over
        return Session(made.id, made.url, datetime.fromtimestamp(made.expires_at, UTC))

    def session(self, session_id: str, account: str | None) -> JsonObject | None:
        """A session as it stands, its payment and the charge whole in it; None where Stripe knows none of this name."""
        whole: SessionRetrieveParams = {"expand": ["payment_intent.latest_charge"]}
        return _one(lambda: self._sessions.retrieve(session_id, whole, _options(account)))

    def expire_session(self, session_id: str, account: str | None) -> None:
        """Nobody can pay it any more. One that is over, paid or unknown stays as it is."""
        try:
            self._sessions.expire(session_id, options=_options(account))
        except stripe.InvalidRequestError as error:
            log.info("session %s is not expired: %r", session_id, error)
        except stripe.StripeError as error:
            _refuse(error)

    def sessions(self, since: datetime, account: str | None, after: str | None, until: datetime | None = None) -> Page:
        """Sessions that were made from `since` on, newest first. Where `until` is said, those made until then, for a
        buyer who waits; else each with its payment and the charge whole in it."""
        asked = _asked(SessionListParams, since, after)
        if until is None:
            asked["expand"] = ["data.payment_intent.latest_charge"]
        else:
            asked["created"] = {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
        return _page(lambda: self._sessions.list(asked, _options(account)))

    def refunds(self, since: datetime, account: str | None, after: str | None) -> Page:
        """Refunds that were made from `since` on, newest first."""
        return _page(lambda: self._stripe.v1.refunds.list(_asked(RefundListParams, since, after), _options(account)))

    def disputes(self, since: datetime, account: str | None, after: str | None) -> Page:
        """Disputes that were opened from `since` on, newest first."""
        return _page(lambda: self._stripe.v1.disputes.list(_asked(DisputeListParams, since, after), _options(account)))

    def events(self, types: Sequence[str], since: datetime, account: str | None, after: str | None) -> Page:
        """Events of these types from `since` on, newest first; Stripe keeps them for 30 days."""
        asked = _asked(EventListParams, since, after)
        asked["types"] = list(types)
        return _page(lambda: self._stripe.v1.events.list(asked, _options(account)))

    def promotion_code(self, code: str, account: str | None) -> Promotion | None:
        """The promotion code that buyers type in so, whatever its case; one that works before one that does not."""
        page = _page(lambda: self._codes.list({"code": code, "limit": PAGE}, _options(account)))
        found = [promotion for each in page.data if (promotion := Promotion.of(each)) is not None]
        return next((each for each in found if each.active), found[0] if found else None)

    def promotion_code_by_id(self, promotion_id: str, account: str | None) -> Promotion | None:
        """None where Stripe knows none of this name."""
        said = _one(lambda: self._codes.retrieve(promotion_id, options=_options(account)))
        return None if said is None else Promotion.of(said)

    def create_promotion_code(self, key: str, account: str | None, parameters: Mapping[str, object]) -> Promotion:
        """Raises `CheckoutUnavailable`, `CheckoutRefused`, `InProgress`, `KeySpent`."""
        asked = cast(PromotionCodeCreateParams, parameters)
        made = Promotion.of(_said(lambda: self._codes.create(asked, _options(account, key))))
        if made is None:
            raise CheckoutUnavailable("Stripe's answer is not a promotion code.")
        return made

    def ask_the_time(self) -> None:
        """Have `heard` called, if Stripe answers at all: to a question without a key, whose answer does not matter."""
        with suppress(stripe.StripeError):
            self._http.request("GET", f"{self._api_base}/v1/balance", {})

    def close(self) -> None:
        self._http.close()


def _options(account: str | None, key: str | None = None) -> stripe.RequestOptions:
    options: stripe.RequestOptions = {}
    if account is not None:
        options["stripe_account"] = account
    if key is not None:
        options["idempotency_key"] = key
    return options


def _json(answer: stripe.StripeObject) -> JsonObject:
    """What Stripe said, as it said it. Raises `CheckoutUnavailable` where it is not an object."""
    said = answer.last_response.data if answer.last_response is not None else None
    if not isinstance(said, dict):
        raise CheckoutUnavailable("Stripe's answer is not an object.")
    return said


Asked = TypeVar("Asked", SessionListParams, EventListParams, RefundListParams, DisputeListParams)


def _asked(kind: Callable[..., Asked], since: datetime, after: str | None) -> Asked:
    """What every list is asked for."""
    asked = kind(created={"gte": int(since.timestamp())}, limit=PAGE)
    if after is not None:
        asked["starting_after"] = after
    return asked


def _page(ask: Callable[[], stripe.StripeObject]) -> Page:
    return Page.of(_said(ask))


def _said(ask: Callable[[], stripe.StripeObject]) -> JsonObject:
    """What Stripe answers. Turns its errors into ours."""
    try:
        return _json(ask())
    except stripe.StripeError as error:
        _refuse(error)


def _one(retrieve: Callable[[], stripe.StripeObject]) -> JsonObject | None:
    """The object; None where there is none. Turns Stripe's errors into ours."""
    try:
        return _json(retrieve())
    except stripe.StripeError as error:
        if isinstance(error, stripe.InvalidRequestError) and error.http_status == 404:
            return None
        _refuse(error)


def _is_loopback(address: str) -> bool:
    """Whether the address is of this machine: `localhost`, 127.0.0.0/8, ::1."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        raise AccountRefused(retry_after=5) from error
    wait = headers.get("retry-after", "")
    raise CheckoutUnavailable(retry_after=min(int(wait), 60) if wait.isdecimal() else 5) from error


def _sentence(error: stripe.InvalidRequestError | stripe.CardError) -> str | None:
    """Stripe's words, where they are about something that the caller sent."""
    return error.user_message[:500] if error.param and error.user_message else None
