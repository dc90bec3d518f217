"""Public identifiers: prefixed, ordered by time of creation, carrying the merchant's number. Knows no database.

`prod_` + 10 characters of time (milliseconds) + 8 of merchant + 12 of chance (59 bits), in Crockford's
base 32, lower case, so ids sort as bytes in the order of their creation and every look-up has both
halves of the key: (merchant, id).
"""

import re
import secrets
import threading
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


class _Chance:
    """The part that nobody can guess. Within one millisecond of one process it grows, by steps that nobody can
    guess either, so that what was made in a row (an import, a batch) also sorts in a row."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._millisecond = -1
        self._last = 0

    def after(self, millisecond: int) -> int:
        """60 bits, greater than those given for the same millisecond before."""
        with self._guard:
            if millisecond != self._millisecond or self._last >= 2**60 - 2**40:
                self._millisecond, self._last = millisecond, secrets.randbits(59)
            else:
                self._last += 1 + secrets.randbits(40)
            return self._last


_chance = _Chance()


def _base32(value: int, length: int) -> str:
    characters = []
    for _ in range(length):
        value, digit = divmod(value, 32)
        characters.append(_CROCKFORD[digit])
    return "".join(reversed(characters))


def new_id(prefix: str, merchant: int, at: datetime) -> str:
    """A fresh identifier of `merchant` made at `at` (aware)."""
    millisecond = int(at.timestamp() * 1000)
    return f"{prefix}_{_base32(millisecond, 10)}{_base32(merchant, 8)}{_base32(_chance.after(millisecond), 12)}"


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
