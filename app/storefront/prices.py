"""Amounts as a person reads them, in a language. Pure: decimals are ISO 4217's, everything else is CLDR's."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import NumberPattern, parse_pattern

from app.kernel.money import exponent, to_decimal
from app.storefront.cards import MoneyDict

_BETWEEN_LETTER_AND_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
"""Where CLDR's `currencySpacing` puts a space: `KWD 1.999`, but `€1.99`."""


def speaker(language: str) -> Callable[[MoneyDict], str]:
    """A function that says amounts in `language`: `19,99 €`."""
    locale = Locale.parse(language)

    def say(money: MoneyDict) -> str:
        currency = money["currency"]
        value = Decimal(to_decimal(money["amount"], currency))
        pattern = _pattern(language, exponent(currency))
        # `currency_digits` would bring CLDR's decimals, which say how cash is rounded in a country.
        said = pattern.apply(value, locale, currency=currency.upper(), currency_digits=False)
        return _BETWEEN_LETTER_AND_DIGIT.sub("\u00a0", said)

    return say


@lru_cache(maxsize=256)
def _pattern(language: str, decimals: int) -> NumberPattern:
    standard = Locale.parse(language).currency_formats["standard"]
    pattern: NumberPattern = parse_pattern(standard.pattern)
    pattern.frac_prec = (decimals, decimals)
    return pattern
