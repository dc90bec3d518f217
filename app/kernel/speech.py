"""Filling in what is said, in every language at once: amounts, times, parts and counts as each language writes them.

Pure: knows CLDR through Babel, and the tables of words that it is given.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Final, NamedTuple

from babel import Locale
from babel.lists import format_list
from babel.numbers import format_decimal
from babel.units import format_unit

from app.kernel.money import Money
from app.kernel.prices import written

Said = dict[str, str]
"""The same, by language (ISO 639): `{"en": ..., "fr": ...}`."""

_HIGH = re.compile(r" (?=[;:!?%»])|(?<=«) ")
_LARGEST_READABLE = 1_000
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


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


class Speech:
    """Says what stands in tables of the same keys, a table for each language. Of numbers it needs the keys `percent`,
    `part.about` and `part.tiny` where it is given such, and for each noun that is counted `….one` and `….other`."""

    def __init__(self, english: Mapping[str, str], french: Mapping[str, str]) -> None:
        # A line must not break before or inside such punctuation.
        unbroken = {key: _HIGH.sub("\u00a0", text) for key, text in french.items()}
        self.tables: Final[Mapping[str, Mapping[str, str]]] = {"en": english, "fr": unbroken}

    def say(self, key: str, **values: Value) -> Said:
        """The sentence `key` with `values` filled in. KeyError if there is none, or a value is missing."""
        return {language: self._fill(language, key, values) for language in self.tables}

    def _fill(self, language: str, key: str, values: Mapping[str, Value]) -> str:
        filled = {name: self._written(language, value) for name, value in values.items()}
        return self.tables[language][key].format_map(filled)

    def _written(self, language: str, value: Value) -> str:
        match value:
            case Money(minor, currency):
                return written(minor, currency, language)
            case Part(of_one):
                return self._part(language, of_one)
            case Percent(basis_points):
                return self._percent(language, Decimal(basis_points) / 100)
            case Seconds(seconds):
                return _duration(language, seconds)
            case Count(noun, number):
                return self._fill(language, f"{noun}.{_plural(language, number)}", {"count": number})
            case Word(key):
                return self.tables[language][key]
            case dict():
                return value[language]
            case int():
                return str(format_decimal(value, locale=language))
            case _:
                return value

    def _part(self, language: str, part: Fraction) -> str:
        if part.denominator <= _LARGEST_READABLE:
            return fraction(part)
        percent = Decimal(percentage(part))
        if not percent:
            return self.tables[language]["part.tiny"]
        return self._fill(language, "part.about", {"percent": {language: self._percent(language, percent)}})

    def _percent(self, language: str, percent: Decimal) -> str:
        number = str(format_decimal(percent, format="#,##0.####", locale=language))
        return self.tables[language]["percent"].format(number=number)


def together(*sentences: Said) -> Said:
    """Sentences one after the other, one at least."""
    return {language: " ".join(sentence[language] for sentence in sentences) for language in sentences[0]}


def listed(items: list[Said]) -> Said:
    """Items as each language lists them, one at least: `a, b and c`."""
    return {language: format_list([item[language] for item in items], locale=language) for language in items[0]}


def percentage(part: Fraction) -> str:
    """`part` of one in percent, as a decimal number with at most four decimals, half to even: `33.3333`."""
    digits = f"{Decimal(round(part * 1_000_000)) / 10_000:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def fraction(part: Fraction) -> str:
    """`part` exactly: `1/3`."""
    return f"{part.numerator}/{part.denominator}"


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
