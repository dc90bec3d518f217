"""What explanations are made of: the two tables of words, said by `kernel/speech.py`. Pure."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from app.attribution.sentences.english import ENGLISH
from app.attribution.sentences.french import FRENCH
from app.kernel.speech import (
    Count,
    Part,
    Percent,
    Said,
    Seconds,
    Speech,
    Value,
    Word,
    fraction,
    listed,
    percentage,
    together,
)

__all__ = [
    "TABLES",
    "Count",
    "Part",
    "Percent",
    "Said",
    "Seconds",
    "Value",
    "Word",
    "fraction",
    "listed",
    "percentage",
    "rounded",
    "say",
    "together",
]

_SPEECH: Final = Speech(ENGLISH, FRENCH)
TABLES: Final = _SPEECH.tables
say = _SPEECH.say


def rounded(by: Fraction) -> Iterator[Said]:
    """What rounding to whole minor units added, or took away (below zero); nothing where it did neither."""
    if by:
        yield say("rounded.up" if by > 0 else "rounded.down", part=Part(abs(by)))
