"""How Stripe counts amounts: which currencies have which decimals there, and what can be charged. Pure.

Source: Stripe's documentation, "Supported currencies". It is not ISO 4217: isk and ugx have no decimals any more but
are sent with two, and mga is sent with none. So this table is Stripe's own and stands apart from the kernel's.
"""

from decimal import Decimal
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_symbol

from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.parameters.values import names

_ZERO_DECIMAL: Final = names("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
_THREE_DECIMAL: Final = names("bhd jod kwd omr tnd")
_WHOLE_UNITS: Final = frozenset({"isk", "ugx"})  # sent with two decimals, which must be zeros
_TWO_DECIMAL: Final = names("""
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny
    cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk
    jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio
    nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs
    top try ttd twd tzs uah ugx usd uyu uzs wst xcd xcg yer zar zmw
    """)
# The least that can be charged, in minor units; elsewhere the least is 1.
_LEAST: Final = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
    "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300,
    "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
_MOST: Final = 99_999_999  # "up to eight digits" (amount of a PaymentIntent)
_MOST_IDR: Final = 999_999_999_999


def decimals(currency: str) -> int:
    """Decimals that amounts of `currency` have at Stripe."""
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def check_currency(currency: str, param: str) -> str:
    """`currency` in lower case. StripeProblem where Stripe has no such currency."""
    lower = currency.lower()
    if lower not in _ZERO_DECIMAL | _THREE_DECIMAL | _TWO_DECIMAL:
        raise StripeProblem(f"Invalid currency: {currency[:20]}", param=param)
    return lower


def check_amount(minor: int, currency: str, param: str) -> None:
    """Refuse what Stripe cannot represent: below zero, a third decimal that is not 0, fractions of a krona."""
    step = 10 if currency in _THREE_DECIMAL else 100 if currency in _WHOLE_UNITS else 1
    if minor < 0:
        raise StripeProblem("Invalid non-negative integer", code="parameter_invalid_integer", param=param)
    if minor % step:
        raise StripeProblem(
            f"Invalid amount: amounts in {currency} must be multiples of {step}",
            code="parameter_invalid_integer",
            param=param,
        )


def check_charge(minor: int, currency: str, param: str) -> None:
    """Refuse a total that is too small or too large to be charged. A total of 0 needs no payment."""
    if 0 < minor < _LEAST.get(currency, 1):
        least = formatted(_LEAST[currency], currency)
        raise StripeProblem(
            f"The Checkout Session's total amount due must add up to at least {least} {currency}",
            code="amount_too_small",
            param=param,
        )
    most = _MOST_IDR if currency == "idr" else _MOST
    if minor > most:
        raise StripeProblem(
            f"The Checkout Session's total amount due must be no more than {formatted(most, currency)}",
            code="amount_too_large",
            param=param,
        )


def formatted(minor: int, currency: str, locale: str | None = None) -> str:
    """The amount as people of `locale` read it. An unknown locale (or `auto`) reads as English."""
    amount = Decimal(minor).scaleb(-decimals(currency))
    places = 0 if currency in _WHOLE_UNITS else decimals(currency)
    spoken = _locale(locale)
    # Babel would take the decimals from ISO 4217; the amount must read as Stripe counts it.
    standard = spoken.currency_formats["standard"].pattern
    pattern = standard.replace(".00", "." + "0" * places if places else "")
    if pattern.startswith("¤#") and get_currency_symbol(currency.upper(), spoken)[-1].isalpha():
        pattern = "¤\N{NO-BREAK SPACE}" + pattern[1:]  # CLDR's currencySpacing, which Babel leaves out
    return format_currency(amount, currency.upper(), pattern, locale=spoken, currency_digits=False)


def _locale(name: str | None) -> Locale:
    try:
        return Locale.parse((name or "en").replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale.parse("en")
