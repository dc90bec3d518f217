"""Money: integer minor units with a currency, and exact splitting of an amount.

Pure: knows no database, no HTTP, no clock, no domain. Nothing here ever passes through a float.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Final

# Largest amount at all, of sums too: exact in JSON numbers of every language (2^53 - 1), far inside a BIGINT.
MAX_MINOR: Final = 2**53 - 1

LARGEST_AMOUNT: Final = 999_999_999_999
"""Largest single amount taken in: twelve digits are what Stripe takes at most, and sums stay far inside `MAX_MINOR`."""

# ISO 4217, list one (active codes), by number of decimals. Fund codes, which have decimals, are in it;
# metals, accounting units and test codes are not: no shop sells in them.
_CODES: Final = {
    0: "bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf",
    2: """
        aed afn all amd aoa ars aud awg azn bam bbd bdt bmd bnd bob bov brl bsd btn bwp byn bzd cad cdf
        che chf chw cny cop cou crc cup cve czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd
        gtq gyd hkd hnl htg huf idr ils inr irr jmd kes kgs khr kpw kyd kzt lak lbp lkr lrd lsl mad mdl
        mga mkd mmk mnt mop mru mur mvr mwk mxn mxv myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr
        pln qar ron rsd rub sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs tmt top
        try ttd twd tzs uah usd usn uyu uzs ved ves wst xcd xcg yer zar zmw zwg
        ang bgn hrk sll
    """,  # the last row was withdrawn lately: sales of the past, which are moved in, still carry it
    3: "bhd iqd jod kwd lyd omr tnd",
    4: "clf uyw",
}
_EXPONENTS: Final = {code: decimals for decimals, codes in _CODES.items() for code in codes.split()}
_DECIMAL: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_LONGEST_TEXT: Final = 40


def is_currency(code: str) -> bool:
    """Whether `code` is an ISO 4217 currency in lower case."""
    return code in _EXPONENTS


def exponent(currency: str) -> int:
    """Number of decimals of `currency` (eur 2, jpy 0, kwd 3). ValueError if there is no such currency."""
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise ValueError(f"{currency[:12]!r} is not an ISO 4217 currency in lower case") from None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its unit. May be negative (what is taken back is)."""

    minor: int  # smallest unit: cents of eur, yen of jpy, fils of kwd
    currency: str  # ISO 4217, lower case

    def __post_init__(self) -> None:
        exponent(self.currency)
        if type(self.minor) is not int:  # a bool is an int too, and not an amount
            raise ValueError("an amount of money is a whole number of minor units")
        if abs(self.minor) > MAX_MINOR:
            raise ValueError(f"an amount of money is at most {MAX_MINOR} minor units")


def split(total: int, weights: Sequence[Fraction | int]) -> list[int]:
    """Divide `total` minor units in the proportions of `weights`, by largest remainder.

    Every share is its exact quota rounded down or up, and the shares always sum to `total`. Of equal
    remainders the earlier weight gets the spare unit, so the caller passes its items in order of preference.
    A weight of 0 gets 0. ValueError for a negative total, a negative weight, and weights that are all 0 (or
    none). (attribution.md, rule 10)
    """
    scale = lcm(*(weight.denominator for weight in weights))
    return split_integers(total, [weight.numerator * (scale // weight.denominator) for weight in weights])


def split_integers(total: int, weights: Sequence[int]) -> list[int]:
    """`split` for weights that are whole numbers already: the same shares, the same errors, faster."""
    if total < 0:
        raise ValueError("a negative amount cannot be split: split what it takes from, then negate")
    whole = sum(weights)
    if min(weights, default=0) < 0:
        raise ValueError("a weight cannot be negative")
    if not whole:
        raise ValueError("an amount cannot be split over weights that are all zero")
    shares: list[int] = []
    rests: list[int] = []
    for weight in weights:
        share, rest = divmod(total * weight, whole)
        shares.append(share)
        rests.append(rest)
    spare = total - sum(shares)
    if spare:
        # A reversed sort keeps equal elements in their first order: the earlier weight wins a tie.
        for index in sorted(range(len(rests)), key=rests.__getitem__, reverse=True)[:spare]:
            shares[index] += 1
    return shares


def parse_decimal(text: str, currency: str) -> int:
    """Minor units of a decimal text: `("19.99", "eur")` is 1999.

    Digits, and at most one point with digits on both sides. ValueError for anything else (signs, spaces,
    thousands separators, exponents, NaN), for decimals that the currency does not have unless they are zeros
    ("1500.00" jpy is 1500), for more than `LARGEST_AMOUNT`, and for no such currency.
    """
    decimals = exponent(currency)
    match = _DECIMAL.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if match is None:
        raise ValueError(f"{text[:_LONGEST_TEXT]!r} is not an amount such as 19.99")
    units, fraction = match[1], match[2] or ""
    if fraction[decimals:].strip("0"):
        raise ValueError(f"{text!r} has more than the {decimals} decimals of {currency}")
    minor = int(units + fraction[:decimals].ljust(decimals, "0"))
    if minor > LARGEST_AMOUNT:
        raise ValueError(f"{text!r} is more than {to_decimal(LARGEST_AMOUNT, currency)}")
    return minor


def to_decimal(minor: int, currency: str) -> str:
    """Decimal text of an amount with all the decimals of its currency: `(1999, "eur")` is "19.99"."""
    decimals = exponent(currency)
    if not decimals:
        return str(minor)
    units, fraction = divmod(abs(minor), 10**decimals)
    return f"{'-' if minor < 0 else ''}{units}.{fraction:0{decimals}}"
