"""Public identifiers: prefixed, ordered by time of creation, carrying the merchant's number. Knows no database.

`prod_` + 10 characters of time (milliseconds) + 8 of merchant + 12 of chance (59 bits), in Crockford's
base 32, lower case, so ids sort as bytes in the order of their creation and every look-up has both
halves of the key: (merchant, id).
"""

import os
import re
import threading
from datetime import datetime
from functools import lru_cache

from app.kernel.clock import from_micros

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_VALUES = {character: value for value, character in enumerate(_CROCKFORD)}
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SHAPE = re.compile(r"([a-z]{2,4})_[0-9a-hjkmnp-tv-z]{30}")

CODE_LENGTH = 9
"""Nine characters of base 58 are 52.7 bits: more than the 47 that api.md asks, and still easy to read aloud."""

_CODE = re.compile(f"[{_BASE58}]{{{CODE_LENGTH}}}")


class Malformed(ValueError):
    """Text that is no identifier of ours, or not of the expected kind."""


class _Randomness:
    """The system's randomness, fetched in pieces: some systems take 90 µs to be asked. No byte is used twice."""

    _PIECE = 4096

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: a forked process must neither use its parent's bytes nor wait for its parent's threads."""
        self._guard = threading.Lock()
        self._bytes = b""
        self._used = 0

    def bits(self, count: int) -> int:
        """An integer of `count` bits, each as likely as another."""
        size = (count + 7) // 8
        with self._guard:
            if self._used + size > len(self._bytes):
                self._bytes, self._used = os.urandom(self._PIECE), 0
            piece = self._bytes[self._used : self._used + size]
            self._used += size
        return int.from_bytes(piece) >> (size * 8 - count)

    def below(self, limit: int) -> int:
        """An integer from 0 to `limit` - 1, each as likely as another: what is too great is drawn again."""
        count = (limit - 1).bit_length()
        while (drawn := self.bits(count)) >= limit:
            pass
        return drawn


class _Chance:
    """The part that nobody can guess, of the ids of one kind and one millisecond. It grows, by steps that nobody can
    guess either, so that what was made in a row (an import, a batch) also sorts in a row."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._last = _random.bits(59)

    def next(self) -> int:
        """60 bits, greater than those before: there is room for half a million, then it begins anew."""
        with self._guard:
            if self._last >= 2**60 - 2**40:
                self._last = _random.bits(59)
            self._last += 1 + _random.bits(40)
            return self._last


@lru_cache(maxsize=256)
def _chance(prefix: str, millisecond: int) -> _Chance:  # noqa: ARG001 - what it is remembered by
    """The last milliseconds are remembered: of two threads, one may still be about the one that is just over."""
    return _Chance()


_random = _Randomness()
if hasattr(os, "register_at_fork"):  # where processes can fork at all
    os.register_at_fork(after_in_child=_random.forget)
    os.register_at_fork(after_in_child=_chance.cache_clear)


def _base32(value: int, length: int) -> str:
    """`value` in `length` characters, an even number: two at a time, since ids are made by the thousand."""
    pairs = []
    for _ in range(length // 2):
        value, pair = divmod(value, 1024)
        pairs.append(_PAIRS[pair])
    return "".join(reversed(pairs))


def _sixty_bits(value: int) -> str:
    """`_base32(value, 12)` in a third of the time: it is part of each id."""
    return (
        f"{_PAIRS[value >> 50]}{_PAIRS[value >> 40 & 1023]}{_PAIRS[value >> 30 & 1023]}"
        f"{_PAIRS[value >> 20 & 1023]}{_PAIRS[value >> 10 & 1023]}{_PAIRS[value & 1023]}"
    )


@lru_cache(maxsize=256)
def _head(prefix: str, millisecond: int, merchant: int) -> str:
    """What ids have in common that are made in the same millisecond for the same merchant: those of a crowd."""
    return f"{prefix}_{_base32(millisecond, 10)}{_base32(merchant, 8)}"


def beginning(prefix: str, at: datetime) -> str:
    """How the ids of this moment begin, whoever's they are: those that were made later are greater."""
    return f"{prefix}_{_base32(int(at.timestamp() * 1000), 10)}"


def new_id(prefix: str, merchant: int, at: datetime) -> str:
    """A fresh identifier of `merchant` made at `at` (aware)."""
    millisecond = int(at.timestamp() * 1000)
    return _head(prefix, millisecond, merchant) + _sixty_bits(_chance(prefix, millisecond).next())


def new_ids(prefix: str, merchant: int, at: datetime, count: int) -> list[str]:
    """`count` fresh identifiers, each greater than the one before."""
    millisecond = int(at.timestamp() * 1000)
    head = _head(prefix, millisecond, merchant)
    chance = _chance(prefix, millisecond)
    return [head + _sixty_bits(chance.next()) for _ in range(count)]


def id_after(identifier: str) -> str:
    """A fresh identifier that is greater than this one and carries its moment: for what must come after it, though
    another machine's clock may have been ahead."""
    number = 0
    for character in identifier[-12:]:
        number = number * 32 + _VALUES[character]
    return identifier[:-12] + _sixty_bits(number + 1 + _random.bits(20))


def id_from(prefix: str, merchant: int, at: datetime, secret: bytes) -> str:
    """The identifier of `merchant` that follows from `at` and `secret` (8 bytes or more): the same again each time.

    As hard to guess as `secret` is.
    """
    return _head(prefix, int(at.timestamp() * 1000), merchant) + _sixty_bits(int.from_bytes(secret[:8]) >> 4)


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


def made_when(identifier: str) -> datetime | None:
    """When it says that it was made, to a millisecond; nothing of what is no identifier."""
    if _SHAPE.fullmatch(identifier) is None:
        return None
    millisecond = 0
    for character in identifier[-30:-20]:
        millisecond = millisecond * 32 + _VALUES[character]
    return from_micros(millisecond * 1000)


def is_of(identifier: str, merchant: int, prefix: str) -> bool:
    """Whether `identifier` is one of `merchant`'s, of the kind `prefix`. Text that is no identifier is not."""
    try:
        return merchant_of(identifier, prefix) == merchant
    except Malformed:
        return False


def new_code() -> str:
    """A code for a link: random, not guessable."""
    drawn = _random.below(58**CODE_LENGTH)
    characters = []
    for _ in range(CODE_LENGTH):
        drawn, character = divmod(drawn, 58)
        characters.append(_BASE58[character])
    return "".join(characters)


def is_code(text: str) -> bool:
    """Whether `text` has the shape of a link's code (it may still be unknown)."""
    return _CODE.fullmatch(text) is not None
