"""Who is calling: the operator, a merchant's key, or a page. FastAPI dependencies, nothing decided elsewhere."""

import hmac
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.kernel.errors import Forbidden, OriginNotAllowed, Unauthorized
from app.kernel.http.idempotency import Owner
from app.kernel.http.work import Here
from app.merchants import service
from app.merchants.directory import Directory, Shop
from app.merchants.origins import allows_origin

_bearer = HTTPBearer(
    auto_error=False, description="`sk_…` (all of a merchant), `rk_…` (reports only) or the operator's token."
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@dataclass(frozen=True)
class Caller:
    """A merchant's key."""

    merchant_id: int
    key_id: str
    kind: str
    suppressed: bool = False
    """Whether it is shown no small groups (reports/agency.py)."""

    @property
    def owner(self) -> Owner:
        return Owner(self.merchant_id, self.key_id)


OPERATOR = Owner(0, "operator")


def _any_key(here: Here, credentials: Credentials) -> Caller:
    if credentials is None:
        raise Unauthorized("Send the key as `Authorization: Bearer sk_…`.")
    with here.database.reading() as session:
        key = service.find_key(session, here.signer, credentials.credentials)
    if key is None:
        raise Unauthorized("This key is not known, or was withdrawn.")
    return Caller(key.merchant_id, key.key_id, key.kind, bool(key.suppressed))


async def _secret_key(caller: Annotated[Caller, Depends(_any_key)]) -> Caller:
    if caller.kind != "secret":
        raise Forbidden("A report key only reads reports.")
    return caller


async def _exact_key(caller: Annotated[Caller, Depends(_any_key)]) -> Caller:
    if caller.suppressed:
        raise Forbidden("This key is shown no small groups: it reads /v1/reports/attribution and /v1/reports/funnel.")
    return caller


async def _operator(here: Here, credentials: Credentials) -> Owner:
    given = credentials.credentials.encode() if credentials is not None else b""
    if not given or not hmac.compare_digest(given, here.settings.admin_token.encode()):
        raise Unauthorized("Send the operator's token as `Authorization: Bearer …`.")
    return OPERATOR


SecretKey = Annotated[Caller, Depends(_secret_key)]
ReportKey = Annotated[Caller, Depends(_any_key)]
"""Any key. An endpoint that takes it shows no small groups to a caller who is `suppressed`."""
ExactReportKey = Annotated[Caller, Depends(_exact_key)]
"""Any key that may see everything there is to see in reports."""
Operator = Annotated[Owner, Depends(_operator)]


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
