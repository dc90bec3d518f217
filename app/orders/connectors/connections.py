"""Which shops of other systems a merchant has connected. Knows the session and the tables, not HTTP.

Each has a secret with which it signs its messages: base64 of HMAC-SHA256 over the body, in both systems.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.errors import NotFound, Unavailable
from app.kernel.sealing import Sealer, Unsealable
from app.kernel.signing import Signer
from app.orders.connectors import shopify, woocommerce
from app.orders.connectors.models import Connector

TOPICS: Final = MappingProxyType({"shopify": shopify.TOPICS, "woocommerce": woocommerce.TOPICS})
"""The systems that can be connected, with what each should send."""

MAKES_ITS_OWN_SECRET: Final = frozenset({"shopify"})
"""Systems that tell the merchant a secret; to the others we may tell one."""

_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Vault:
    """Keeps the secrets of connected shops."""

    sealer: Sealer

    @classmethod
    def of(cls, signer: Signer) -> "Vault":
        return cls(Sealer(signer, "connectors"))

    def put(self, merchant_id: int, system: str, secret: str) -> str:
        return self.sealer.seal(secret, f"{merchant_id} {system}")

    def get(self, connector: Connector) -> str:
        """Raises `Unavailable` where it was sealed under another secret of the server: the shop will send again."""
        try:
            return self.sealer.open(connector.secret, f"{connector.merchant_id} {connector.system}")
        except Unsealable:
            raise Unavailable(
                "The secret of this shop cannot be read: GRAPEVINE_SECRET is another than when it was connected.",
                retry_after=3600,
            ) from None


def known_system(system: str) -> str:
    """The system. Raises `NotFound` for one that cannot be connected."""
    if system not in TOPICS:
        raise NotFound(f"There are connectors for {' and '.join(TOPICS)}.")
    return system


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def connect(session: Session, vault: Vault, merchant_id: int, system: str, secret: str, now: datetime) -> Connector:
    """From now on `secret` signs the shop's messages; no other does."""
    connector = session.get(Connector, (merchant_id, system), with_for_update=True)
    if connector is None:
        connector = Connector(merchant_id=merchant_id, system=system, created_at=now)
        session.add(connector)
    elif connector.withdrawn_at is not None:
        connector.created_at, connector.withdrawn_at = now, None
    connector.secret, connector.hint = vault.put(merchant_id, system, secret), secret[-4:]
    connector.refused_at = connector.trouble = connector.trouble_at = None
    session.flush()
    return connector


def disconnect(session: Session, merchant_id: int, system: str, now: datetime) -> None:
    """Believe no message of the shop's any more, and forget its secret. Raises `NotFound`."""
    connector = connected(session, merchant_id, system)
    connector.secret, connector.hint, connector.withdrawn_at = "", "", now


def connected(session: Session, merchant_id: int, system: str) -> Connector:
    """The merchant's shop. Raises `NotFound` where none is connected."""
    connector = session.get(Connector, (merchant_id, known_system(system)))
    if connector is None or connector.withdrawn_at is not None:
        raise NotFound
    return connector


def all_connected(session: Session, merchant_id: int) -> dict[str, Connector]:
    """The merchant's shops by system."""
    query = select(Connector).where(Connector.merchant_id == merchant_id, Connector.withdrawn_at.is_(None))
    return {connector.system: connector for connector in session.scalars(query)}


def is_signed(body: bytes, signature: str | None, secret: str) -> bool:
    """Whether the shop has signed the body; takes the same time whatever the answer."""
    right = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256))
    return hmac.compare_digest(right, (signature or "").encode("utf-8", "replace"))


def is_stale(noted: datetime | None, now: datetime) -> bool:
    """Whether a moment is worth noting again: not with each message, or all would wait for one row."""
    return noted is None or not timedelta() <= now - noted < _NOTED_EVERY
