"""Ids and codes by the thousand, in the shapes of `kernel.ids`, from a chance that is given. Pure."""

import numpy as np
from numpy.typing import NDArray

from app.kernel import ids
from app.simulation.chance import Chance, Ints, Words

_DIGITS = np.frombuffer(b"0123456789abcdefghjkmnpqrstvwxyz", dtype=np.uint8)
_BASE58 = np.frombuffer(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", dtype=np.uint8)
_TIME, _MERCHANT, _CHANCE = 10, 8, 12
_MILLISECOND = 1000


def new_ids(prefix: str, merchant: int, at: Ints, chance: Chance) -> Words:
    """An identifier of `merchant` for each moment of `at` (microseconds), as `kernel.ids.new_ids` makes them."""
    head = np.frombuffer(f"{prefix}_".encode(), dtype=np.uint8)
    width = len(head) + _TIME + _MERCHANT + _CHANCE
    letters = np.empty((len(at), width), dtype=np.uint8)
    letters[:, : len(head)] = head
    begin = len(head)
    for values, length in (
        ((at // _MILLISECOND).astype(np.uint64), _TIME),
        (np.full(1, merchant, dtype=np.uint64), _MERCHANT),
        (chance.raw(len(at)) >> np.uint64(5), _CHANCE),
    ):
        letters[:, begin : begin + length] = _base32(values, length)
        begin += length
    return _words(letters)


def new_codes(count: int, chance: Chance) -> Words:
    """Codes of links, as `kernel.ids.new_code` makes them."""
    drawn = chance.raw(count) >> np.uint64(11)
    letters = np.empty((count, ids.CODE_LENGTH), dtype=np.uint8)
    for place in range(ids.CODE_LENGTH):
        letters[:, place] = _BASE58[(drawn % np.uint64(58)).astype(np.intp)]
        drawn = drawn // np.uint64(58)
    return _words(letters)


def _base32(values: NDArray[np.uint64], length: int) -> NDArray[np.uint8]:
    places = np.arange(length - 1, -1, -1, dtype=np.uint64) * np.uint64(5)
    digits = (values[:, None] >> places[None, :]) & np.uint64(31)
    return _DIGITS[digits.astype(np.intp)]


def _words(letters: NDArray[np.uint8]) -> Words:
    count, width = letters.shape
    text = letters.tobytes().decode("ascii")
    found = np.empty(count, dtype=object)
    found[:] = [text[begin : begin + width] for begin in range(0, count * width, width)]
    return found
