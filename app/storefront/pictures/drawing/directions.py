"""Texts of both directions, in the order in which they are seen. Pure.

Of Unicode's bidirectional algorithm (UAX #9) what titles need: the base direction by the first strong letter,
runs of either direction, numbers within right-to-left text, neutral characters between them, and reordering (L2).
Brackets and embeddings are left out; `plain` text (app/networks/wording.py) has no overrides.
"""

import unicodedata
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import TypeVar

_STRONG = {"L": "L", "R": "R", "AL": "R"}
_NUMBERS = frozenset({"EN", "AN"})
_BETWEEN_NUMBERS = frozenset({"ES", "CS"})

Piece = TypeVar("Piece")


def is_right_to_left(text: str) -> bool:
    """The base direction of `text`: that of its first letter (P2 and P3)."""
    return next((_STRONG[kind] == "R" for kind in map(unicodedata.bidirectional, text) if kind in _STRONG), False)


def levels(text: str, *, right_to_left: bool) -> list[int]:
    """The level of each character: even ones are read from the left, odd ones from the right."""
    base = "R" if right_to_left else "L"
    left = 2 if right_to_left else 0
    return [{"L": left, "R": 1, "N": 2}[side] for side in _resolved(_sides(text, base), base)]


def _sides(text: str, base: str) -> list[str | None]:
    """`L` or `R` for letters, `N` for numbers within text from the right, None for what is neutral (W1 to W7)."""
    kinds = [unicodedata.bidirectional(char) for char in text]
    sides: list[str | None] = []
    last = base
    for at, kind in enumerate(kinds):
        last = _STRONG.get(kind, last)
        number = "N" if last == "R" else "L"
        around = [each in _NUMBERS for each in (kinds[max(at - 1, 0)], kinds[min(at + 1, len(kinds) - 1)])]
        joins = (kind in _BETWEEN_NUMBERS and all(around)) or (kind == "ET" and any(around))
        if kind in _STRONG:
            sides.append(last)
        elif kind in _NUMBERS or joins:
            sides.append(number)
        else:
            sides.append(sides[-1] if kind == "NSM" and sides else None)
    return sides


def _resolved(sides: Sequence[str | None], base: str) -> list[str]:
    """Neutral characters go with their neighbours where these agree, else with the whole (N1, N2)."""
    found: list[str] = []
    for at, side in enumerate(sides):
        before = found[-1] if found else base
        after = next((later for later in sides[at:] if later is not None), base)
        agreed = {"R" if each == "N" else each for each in (before, after)}
        found.append(side or (agreed.pop() if len(agreed) == 1 else base))
    return found


def as_seen(pieces: Sequence[tuple[int, Piece]]) -> list[tuple[int, Piece]]:
    """`pieces` with their levels, from left to right (L2)."""
    seen = list(pieces)
    for level in range(max((level for level, _ in seen), default=0), 0, -1):
        turned: list[tuple[int, Piece]] = []
        for high, group in groupby(seen, key=partial(_is_high, level)):
            members = list(group)
            turned += members[::-1] if high else members
        seen = turned
    return seen


def _is_high(level: int, piece: tuple[int, object]) -> bool:
    return piece[0] >= level
