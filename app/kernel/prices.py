"""Amounts as a person reads them, in a language. Pure: decimals are ISO 4217's, everything else is CLDR's."""

import re
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import NumberPattern, parse_pattern

from app.kernel.money import exponent, to_decimal

_BETWEEN_LETTER_AND_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
"""Where CLDR's `currencySpacing` puts a space: `KWD 1.999`, but `€1.99`."""


def written(minor: int, currency: str, language: str) -> str:
    """`minor` units of `currency` as `language` writes them: `19,99 €`. ValueError for no such currency."""
    locale, pattern = _pattern(language, exponent(currency))
    value = Decimal(to_decimal(minor, currency))
    # `currency_digits` would bring CLDR's decimals, which say how cash is rounded in a country.
    said = pattern.apply(value, locale, currency=currency.upper(), currency_digits=False)
    return _BETWEEN_LETTER_AND_DIGIT.sub("\u00a0", said)


@lru_cache(maxsize=256)
def _pattern(language: str, decimals: int) -> tuple[Locale, NumberPattern]:
    locale = Locale.parse(language)
    pattern: NumberPattern = parse_pattern(locale.currency_formats["standard"].pattern)
    pattern.frac_prec = (decimals, decimals)
    return locale, pattern
