"""Who reads: a report key, sealed in a cookie that no script and no other site can use.

The key itself is in the cookie, under the server's own seal, so nothing is kept here and a key that is withdrawn ends
all that was opened with it, with the next request.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from app.kernel.clock import from_micros, to_micros
from app.kernel.sealing import Sealer, Unsealable
from app.kernel.signing import Signer
from app.merchants import keyring
from app.merchants import service as merchants
from app.report_page.calls import PATH

COOKIE: Final = "gv_report"
LASTS: Final = timedelta(hours=12)
_PURPOSE: Final = "report page"
_LONGEST_KEY: Final = 200


@dataclass(frozen=True)
class Reader:
    """Whoever signed in: the key, whose reports it reads, and whether small groups are kept from it."""

    key: str
    merchant_id: int
    shop: str
    currency: str
    timezone: str
    suppressed: bool


class Sessions:
    """Opens and recognises sessions."""

    def __init__(self, signer: Signer, own: str) -> None:
        self._signer = signer
        self._sealer = Sealer(signer, _PURPOSE)
        self._own = urlsplit(own)

    def cookie(self, key: str, now: datetime) -> str:
        """The header that begins a session with this key."""
        sealed = self._sealer.seal(f"{to_micros(now + LASTS)}.{key}", COOKIE)
        return f"{COOKIE}={sealed}; Max-Age={int(LASTS.total_seconds())}; {self._about}"

    def no_cookie(self) -> str:
        """The header that ends one."""
        return f"{COOKIE}=; Max-Age=0; {self._about}"

    def key(self, cookie: str | None, now: datetime) -> str | None:
        """The key of the session, if it is one of ours and not over."""
        try:
            until, _, key = self._sealer.open(cookie or "", COOKIE).partition(".")
        except Unsealable:
            return None
        return key if now < from_micros(int(until)) else None

    def reader(self, session: Session, key: str, now: datetime) -> Reader | None:
        """Whoever holds this report key; None for one that is unknown, withdrawn, over, or may do more than
        read reports."""
        found = keyring.find(session, self._signer, key, now) if len(key) <= _LONGEST_KEY else None
        if found is None or found.kind != "report":
            return None
        merchant = merchants.get(session, found.merchant_id)
        return Reader(
            key, merchant.merchant_id, merchant.name, merchant.currency, merchant.timezone, bool(found.suppressed)
        )

    def is_from_here(self, origin: str | None, host: str | None) -> bool:
        """Whether a form was sent by a page of this server: a browser always says of which site it was. The server
        may be reached by more names than its public one, and a page cannot choose what `Host` says."""
        if origin is None:
            return False
        said = urlsplit(origin)
        return said.scheme in ("http", "https") and said.netloc.lower() in {
            self._own.netloc.lower(),
            (host or "").lower(),
        }

    @property
    def _about(self) -> str:
        secure = "; Secure" if self._own.scheme == "https" else ""
        return f"Path={PATH}; HttpOnly; SameSite=Strict{secure}"
