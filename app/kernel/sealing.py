"""Secrets of others that must be read again, sealed under the server's own secret. Knows no database.

A hash would do for what is only compared; the key with which a shop signs is needed itself. Whoever has a copy of the
database, but not the server's secret, can neither read it nor put it in another's place: what it is sealed for is
part of the seal.
"""

import base64
import os
from typing import Final

from app.kernel.signing import Signer

_VERSION: Final = "1."
_NONCE: Final = 12


class Unsealable(ValueError):
    """This was not sealed here, or under another secret, or for something else."""


class Sealer:
    """Seals and opens text (AES-256-GCM) with a key of its own for one purpose."""

    def __init__(self, signer: Signer, purpose: str) -> None:
        self._key = bytes.fromhex(signer.hash("sealing", purpose))

    def seal(self, text: str, about: str) -> str:
        """`text`, readable only by `open` with the same `about`. Never the same twice."""
        # Imported here: it is heavy, and few processes ever seal anything.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(self._key).encrypt(nonce, text.encode(), about.encode())
        return _VERSION + base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed: str, about: str) -> str:
        """What was sealed. Raises `Unsealable`."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            raw = base64.b64decode(sealed.removeprefix(_VERSION), altchars=b"-_", validate=True)
            if not sealed.startswith(_VERSION):
                raise Unsealable
            return AESGCM(self._key).decrypt(raw[:_NONCE], raw[_NONCE:], about.encode()).decode()
        except (InvalidTag, ValueError):
            raise Unsealable("sealed under another secret, for something else, or not at all") from None
