"""How what we tell is signed, after Standard Webhooks (https://www.standardwebhooks.com). Pure.

The receiver has the same secret and makes the same signature of what came; several stand beside each other while a
secret is exchanged for another.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.kernel.clock import to_seconds

_PREFIX: Final = "whsec_"
_LENGTH: Final = 32
"""Bytes of chance in a secret; the standard asks for 24 to 64."""


def new_secret() -> str:
    """A secret that nobody can guess, as the standard writes it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_LENGTH)).decode()


def signature(secret: str, event_id: str, at: datetime, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 in base64 of id, seconds since 1970 and body with a dot between each."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{event_id}.{to_seconds(at)}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def headers(event_id: str, at: datetime, body: bytes, by: Sequence[str]) -> dict[str, str]:
    """What is said beside `body` when it is sent at `at`, signed by each of these secrets, the newest first."""
    return {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(to_seconds(at)),
        "webhook-signature": " ".join(signature(secret, event_id, at, body) for secret in by),
    }
