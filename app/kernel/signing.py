"""Signatures and keyed hashes under the server's secret. Pure.

One secret, one derived key per purpose, so that a signature made for one thing proves nothing elsewhere.
"""

import base64
import hashlib
import hmac
from functools import lru_cache

_KEYS = 1000
"""So many derived keys are remembered: there are a few purposes, and one for each merchant."""


class Signer:
    """Makes and checks signatures (128 bits, base64url) and keyed hashes for named purposes."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("the secret must have at least 16 bytes")
        self._secret = secret
        self._key = lru_cache(_KEYS)(self._derived)  # of its own: a secret ends with its signer

    def _derived(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, purpose.encode(), hashlib.sha256)

    def _mac(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self._key(purpose), text.encode(), hashlib.sha256)

    def sign(self, purpose: str, text: str) -> str:
        """A signature of `text`, 22 characters."""
        return base64.urlsafe_b64encode(self._mac(purpose, text)[:16]).rstrip(b"=").decode()

    def verify(self, purpose: str, text: str, signature: str) -> bool:
        """Whether `signature` is ours; takes the same time whatever the answer."""
        return hmac.compare_digest(self.sign(purpose, text).encode(), signature.encode("utf-8", "replace"))

    def hash(self, purpose: str, text: str) -> str:
        """A keyed hash for look-ups of what is not stored in clear, 64 hexadecimal digits."""
        return self._mac(purpose, text).hex()

    def customer_hash(self, merchant: int, customer: str) -> str:
        """How a customer is remembered: as a hash keyed per merchant, whatever the case and spaces of the mail."""
        return self.hash(f"customer:{merchant}", customer.strip().casefold())
