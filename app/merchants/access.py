"""Who is calling: the operator, a merchant's key, or a page. FastAPI dependencies, nothing decided elsewhere."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.kernel.errors import Forbidden, OriginNotAllowed, Unauthorized
from app.kernel.http.idempotency import Owner
from app.kernel.http.parameters import refuse_unknown
from app.kernel.http.rates.wrapper import KEY_IS_RIGHT
from app.kernel.http.work import Here
from app.merchants import keyring
from app.merchants.audit import By
from app.merchants.directory import Directory, Shop
from app.merchants.origins import allows_origin

_bearer = HTTPBearer(
    auto_error=False, description="`sk_…` (all of a merchant), `rk_…` (reports only) or the operator's token."
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class ScopeMissing(Forbidden):
    code, title = "scope_missing", "This key was narrowed to other calls"


@dataclass(frozen=True)
class Caller(By):
    """A merchant's key, as it calls now. Whoever changes something for it tells the audit trail so (audit.py)."""

    key_id: str
    kind: str = "secret"
    suppressed: bool = False
    """Whether it is shown no small groups (reports/agency.py)."""
    scopes: frozenset[str] | None = None
    """To which groups of calls it was narrowed; None: to none."""
    expires_at: datetime | None = None

    @property
    def owner(self) -> Owner:
        return Owner(self.merchant_id, self.key_id)


OPERATOR = Owner(0, "operator")


@dataclass(frozen=True)
class OperatorCall:
    """The operator, as they call now."""

    at: datetime

    @property
    def owner(self) -> Owner:
        return OPERATOR

    def on(self, merchant_id: int) -> By:
        """As whoever changes something of this merchant's."""
        return By(merchant_id, None, self.at)


def _any_key(here: Here, credentials: Credentials, request: Request) -> Caller:
    if credentials is None:
        raise Unauthorized("Send the key as `Authorization: Bearer sk_…`.")
    now = here.clock.now()
    with here.database.reading() as session:
        key = keyring.find(session, here.signer, credentials.credentials, now)
    if key is None:
        raise Unauthorized("This key is not known, was withdrawn, or has expired.")
    setattr(request.state, KEY_IS_RIGHT, True)
    scopes = None if key.scopes is None else frozenset(key.scopes)
    _within(scopes, request)
    _understand(request)
    return Caller(key.merchant_id, key.key_id, now, key.kind, bool(key.suppressed), scopes, key.expires_at)


def _within(scopes: frozenset[str] | None, request: Request) -> None:
    """Raises `ScopeMissing` where a key was narrowed to other calls than this: a call is of the group under which the
    API's page lists it, and one that is of none is for keys that may do everything."""
    if scopes is None:
        return
    tags = request.scope["route"].tags
    scope = str(tags[0]) if tags else "none"
    if scope not in scopes:
        raise ScopeMissing(f"This call needs the scope `{scope}`, and this key has: {', '.join(sorted(scopes))}.")


def _understand(request: Request) -> None:
    """Who may ask is told what cannot be asked for."""
    if request.method == "GET":
        refuse_unknown(request)


async def _secret_key(caller: Annotated[Caller, Depends(_any_key)]) -> Caller:
    if caller.kind != "secret":
        raise Forbidden("A report key only reads reports.")
    return caller


async def _exact_key(caller: Annotated[Caller, Depends(_any_key)]) -> Caller:
    if caller.suppressed:
        raise Forbidden("This key is shown no small groups: it reads /v1/reports/attribution and /v1/reports/funnel.")
    return caller


async def _operator(here: Here, credentials: Credentials, request: Request) -> OperatorCall:
    given = credentials.credentials.encode() if credentials is not None else b""
    if not given or not hmac.compare_digest(given, here.settings.admin_token.encode()):
        raise Unauthorized("Send the operator's token as `Authorization: Bearer …`.")
    setattr(request.state, KEY_IS_RIGHT, True)
    _understand(request)
    return OperatorCall(here.clock.now())


SecretKey = Annotated[Caller, Depends(_secret_key)]
ReportKey = Annotated[Caller, Depends(_any_key)]
"""Any key. An endpoint that takes it shows no small groups to a caller who is `suppressed`."""
ExactReportKey = Annotated[Caller, Depends(_exact_key)]
"""Any key that may see everything there is to see in reports."""
Operator = Annotated[OperatorCall, Depends(_operator)]


def directory_of(request: Request) -> Directory:
    """The shops that public calls find."""
    found = request.app.state.directory
    assert isinstance(found, Directory)
    return found


async def _shops(request: Request) -> Directory:
    return directory_of(request)


Shops = Annotated[Directory, Depends(_shops)]


def admit(request: Request, shop: Shop) -> None:
    """Raises `OriginNotAllowed` for a page whose origin is not on the shop's list.

    What was decided is left for the CORS headers (app/merchants/cors.py).
    """
    origin = request.headers.get("origin")
    if origin is None:
        return
    own = request.app.state.runtime.settings.public_url
    request.state.origin_allowed = allows_origin(shop.allowed_origins, origin, own)
    if not request.state.origin_allowed:
        raise OriginNotAllowed(f"{origin[:200]} is not on this merchant's list of origins.")
