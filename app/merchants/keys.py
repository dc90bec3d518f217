"""The form of keys, and what they may do. Pure.

`sk_` or `rk_`, 32 characters of chance (187 bits), 6 of checksum, so that a secret scanner, and we, can tell
a mistyped key without a look-up.
"""

import secrets
import zlib
from collections.abc import Collection
from typing import Final, Literal, get_args

KeyKind = Literal["secret", "report"]
Scope = Literal[
    "catalogue",
    "walls",
    "orders",
    "policies",
    "history",
    "reports",
    "events",
    "webhooks",
    "connectors",
    "merchant",
    "keys",
    "privacy",
    "trust",
]
"""What a secret key can be narrowed to: the groups under which the API's page lists the calls that take a key."""

SCOPES: Final[frozenset[str]] = frozenset(get_args(Scope))
OF_REPORT_KEYS: Final = frozenset({"reports", "events"})
"""All that report keys may do, at most."""

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


def may_do_no_more(kind: str, scopes: Collection[str] | None, than: Collection[str] | None) -> bool:
    """Whether a key of this kind and these scopes (none: all that its kind may) opens nothing that a secret key with
    the scopes `than` does not open: nobody makes, from a narrow key, a wider one."""
    opens = OF_REPORT_KEYS if kind == "report" else scopes
    return than is None or (opens is not None and set(opens) <= set(than))


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), []
    for _ in range(6):
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
