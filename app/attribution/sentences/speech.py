"""Filling in what is said, in every language at once: amounts, times, parts and counts as each language writes them.

Pure: knows the two tables of words, and CLDR through Babel; no order and no policy.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Final, NamedTuple

from babel import Locale
from babel.lists import format_list
from babel.numbers import format_decimal
from babel.units import format_unit

from app.attribution.sentences.english import ENGLISH
from app.attribution.sentences.french import FRENCH
from app.kernel.money import Money
from app.kernel.prices import written

Said = dict[str, str]
"""The same, by language (ISO 639): `{"en": ..., "fr": ...}`."""

_HIGH = re.compile(r" (?=[;:!?%»])|(?<=«) ")
_LARGEST_READABLE = 1_000
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))

TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": ENGLISH,
    # A line must not break before or inside such punctuation.
    "fr": {key: _HIGH.sub("\u00a0", text) for key, text in FRENCH.items()},
}


class Part(NamedTuple):
    """A part of something: `1/3` where that can be read, else a percentage."""

    of_one: Fraction


class Percent(NamedTuple):
    """A percentage, given in basis points."""

    basis_points: int


class Seconds(NamedTuple):
    """A length of time: `2 days and 3 hours`."""

    seconds: int


class Count(NamedTuple):
    """So many of something; `noun` is the beginning of its keys."""

    noun: str
    number: int


class Word(NamedTuple):
    """A piece of a sentence that has its own key."""

    key: str


Value = str | int | Money | Part | Percent | Seconds | Count | Word | Said


def say(key: str, **values: Value) -> Said:
    """The sentence `key` with `values` filled in. KeyError if there is none, or a value is missing."""
    return {language: _fill(language, key, values) for language in TABLES}


def together(*sentences: Said) -> Said:
    """Sentences one after the other."""
    return {language: " ".join(sentence[language] for sentence in sentences) for language in TABLES}


def listed(items: list[Said]) -> Said:
    """Items as each language lists them: `a, b and c`."""
    return {language: format_list([item[language] for item in items], locale=language) for language in TABLES}


def rounded(by: Fraction) -> Iterator[Said]:
    """What rounding to whole minor units added, or took away (below zero); nothing where it did neither."""
    if by:
        yield say("rounded.up" if by > 0 else "rounded.down", part=Part(abs(by)))


def percentage(part: Fraction) -> str:
    """`part` of one in percent, as a decimal number with at most four decimals, half to even: `33.3333`."""
    digits = f"{Decimal(round(part * 1_000_000)) / 10_000:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def fraction(part: Fraction) -> str:
    """`part` exactly: `1/3`."""
    return f"{part.numerator}/{part.denominator}"


def _fill(language: str, key: str, values: Mapping[str, Value]) -> str:
    filled = {name: _written(language, value) for name, value in values.items()}
    return TABLES[language][key].format_map(filled)


def _written(language: str, value: Value) -> str:
    match value:
        case Money(minor, currency):
            return written(minor, currency, language)
        case Part(of_one):
            return _part(language, of_one)
        case Percent(basis_points):
            return _percent(language, Decimal(basis_points) / 100)
        case Seconds(seconds):
            return _duration(language, seconds)
        case Count(noun, number):
            return _fill(language, f"{noun}.{_plural(language, number)}", {"count": number})
        case Word(key):
            return TABLES[language][key]
        case dict():
            return value[language]
        case int():
            return str(format_decimal(value, locale=language))
        case _:
            return value


def _part(language: str, part: Fraction) -> str:
    if part.denominator <= _LARGEST_READABLE:
        return fraction(part)
    percent = Decimal(percentage(part))
    if not percent:
        return TABLES[language]["part.tiny"]
    return _fill(language, "part.about", {"percent": {language: _percent(language, percent)}})


def _percent(language: str, percent: Decimal) -> str:
    number = str(format_decimal(percent, format="#,##0.####", locale=language))
    return TABLES[language]["percent"].format(number=number)


def _duration(language: str, seconds: int) -> str:
    parts = []
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(str(format_unit(count, f"duration-{unit}", locale=language)))
    return format_list(parts or [str(format_unit(0, "duration-second", locale=language))], locale=language)


def _plural(language: str, count: int) -> str:
    return "one" if _locale(language).plural_form(count) == "one" else "other"


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)
