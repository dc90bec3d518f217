"""Public identifiers: prefixed, ordered by time of creation, carrying the merchant's number. Pure.

`prod_` + 10 characters of time (milliseconds) + 8 of merchant + 12 of chance (60 bits), in Crockford's
base 32, lower case, so ids sort as bytes in the order of their creation and every look-up has both
halves of the key: (merchant, id).
"""

import re
import secrets
from collections.abc import Callable
from datetime import datetime

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {character: value for value, character in enumerate(_CROCKFORD)}
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SHAPE = re.compile(r"([a-z]{2,4})_[0-9a-hjkmnp-tv-z]{30}")

CODE_LENGTH = 9
"""Nine characters of base 58 are 52.7 bits: more than the 47 that api.md asks, and still easy to read aloud."""

_CODE = re.compile(f"[{_BASE58}]{{{CODE_LENGTH}}}")


class Malformed(ValueError):
    """Text that is no identifier of ours, or not of the expected kind."""


def _base32(value: int, length: int) -> str:
    characters = []
    for _ in range(length):
        value, digit = divmod(value, 32)
        characters.append(_CROCKFORD[digit])
    return "".join(reversed(characters))


def new_id(prefix: str, merchant: int, at: datetime) -> str:
    """A fresh identifier of `merchant` made at `at` (aware)."""
    time = _base32(int(at.timestamp() * 1000), 10)
    return f"{prefix}_{time}{_base32(merchant, 8)}{_base32(secrets.randbits(60), 12)}"


def merchant_of(identifier: str, *prefixes: str) -> int:
    """The number of the merchant to whom `identifier` belongs.

    Raises `Malformed` when the text is no identifier, or has none of the `prefixes` (where any are given).
    """
    shape = _SHAPE.fullmatch(identifier)
    if shape is None or (prefixes and shape[1] not in prefixes):
        raise Malformed(identifier[:80])
    number = 0
    for character in identifier[-20:-12]:
        number = number * 32 + _VALUES[character]
    return number


def new_code(draw: Callable[[int], int] = secrets.randbelow) -> str:
    """A code for a link: random, not guessable."""
    return "".join(_BASE58[draw(58)] for _ in range(CODE_LENGTH))


def is_code(text: str) -> bool:
    """Whether `text` has the shape of a link's code (it may still be unknown)."""
    return _CODE.fullmatch(text) is not None
