"""The form of keys. Pure.

`sk_` or `rk_`, 32 characters of chance (187 bits), 6 of checksum, so that a secret scanner, and we, can tell
a mistyped key without a look-up.
"""

import secrets
import zlib
from typing import Literal

KeyKind = Literal["secret", "report"]

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PREFIX: dict[KeyKind, str] = {"secret": "sk_", "report": "rk_"}


def new_key(kind: KeyKind) -> str:
    """A fresh key in clear: shown once, never stored."""
    body = _PREFIX[kind] + "".join(secrets.choice(_ALPHABET) for _ in range(32))
    return body + _checksum(body)


def is_well_formed(key: str) -> bool:
    """Whether the checksum fits."""
    return (
        len(key) == 41 and key.isascii() and key.startswith(tuple(_PREFIX.values())) and _checksum(key[:-6]) == key[-6:]
    )


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), []
    for _ in range(6):
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
