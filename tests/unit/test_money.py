"""Money is exact."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.money import (
    LARGEST_AMOUNT,
    MAX_MINOR,
    Money,
    exponent,
    is_currency,
    parse_decimal,
    split,
    split_integers,
    to_decimal,
)

CURRENCIES = ["eur", "jpy", "kwd", "clf"]
weights = st.lists(st.one_of(st.integers(0, 10**6), st.fractions(0, 100)), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize(
    ("currency", "decimals"), [("eur", 2), ("jpy", 0), ("kwd", 3), ("clf", 4), ("isk", 0), ("mga", 2), ("bgn", 2)]
)
def test_a_currency_has_the_decimals_of_iso_4217(currency: str, decimals: int) -> None:
    assert is_currency(currency)
    assert exponent(currency) == decimals


@pytest.mark.parametrize("code", ["EUR", "Eur", "", "eu", "euro", "xau", "xxx", "btc", "e" * 10_000])
def test_what_is_no_currency_in_lower_case_is_refused(code: str) -> None:
    assert not is_currency(code)
    with pytest.raises(ValueError, match="not an ISO 4217 currency"):
        Money(1, code)


def test_money_may_be_negative_and_compares_by_value() -> None:
    assert Money(-5, "eur") == Money(-5, "eur") != Money(-5, "usd")


@pytest.mark.parametrize("minor", [1.0, True, "1", None, MAX_MINOR + 1, -MAX_MINOR - 1])
def test_money_is_a_whole_number_that_every_language_can_hold(minor: object) -> None:
    with pytest.raises(ValueError, match="amount of money"):
        Money(minor, "eur")  # type: ignore[arg-type]


def test_of_equal_remainders_the_earlier_weight_wins() -> None:
    assert split(10_000, [1, 1, 1]) == [3334, 3333, 3333]
    assert split(2, [1, 1, 1]) == [1, 1, 0]


def test_the_largest_remainder_wins_before_the_earlier_weight() -> None:
    assert split(100, [Fraction(1, 6), Fraction(1, 3), Fraction(1, 2)]) == [17, 33, 50]
    assert split(1, [1, 2]) == [0, 1]


def test_a_weight_of_zero_gets_zero() -> None:
    assert split(7, [0, 3, 0, 3]) == [0, 4, 0, 3]
    assert split(0, [1, 0]) == [0, 0]


@given(st.integers(0, MAX_MINOR), weights)
def test_shares_sum_to_the_total_and_are_quotas_rounded_down_or_up(total: int, parts: list[int | Fraction]) -> None:
    shares = split(total, parts)
    whole = sum(map(Fraction, parts))
    assert sum(shares) == total
    assert all(abs(share - total * part / whole) < 1 for share, part in zip(shares, parts, strict=True))


@given(st.integers(0, 10**9), st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(any), st.integers(1, 99))
def test_only_proportions_matter(total: int, parts: list[int], factor: int) -> None:
    assert split_integers(total, parts) == split(total, [Fraction(part, factor) for part in parts])


@pytest.mark.parametrize(
    ("total", "parts", "why"),
    [
        (-1, [1], "negative amount"),
        (1, [], "all zero"),
        (1, [0, 0], "all zero"),
        (0, [0], "all zero"),
        (1, [2, -1], "cannot be negative"),
        (1, [1, -1], "cannot be negative"),
        (1, [Fraction(-1, 2)], "cannot be negative"),
    ],
)
def test_what_cannot_be_split_is_refused(total: int, parts: list[int | Fraction], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        split(total, parts)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("19.99", "eur", 1999),
        ("19.9", "eur", 1990),
        ("19", "eur", 1900),
        ("0", "eur", 0),
        ("007.50", "eur", 750),
        ("1500", "jpy", 1500),
        ("1500.00", "jpy", 1500),
        ("19.990", "eur", 1999),
        ("1.234", "kwd", 1234),
        ("1.2345", "clf", 12345),
        ("9999999999.99", "eur", LARGEST_AMOUNT),
        ("999999999999", "jpy", LARGEST_AMOUNT),
    ],
)
def test_decimal_text_becomes_minor_units(text: str, currency: str, minor: int) -> None:
    assert parse_decimal(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", "1.", ".5", "1,50", "1 000", " 1", "1\n", "-1", "+1", "1e3", "NaN", "inf", "0x10", "1_000"],
        *["١٢", "1.2.3", "19.999", "90071992547409.92", "9" * 30, "9" * 10_000, "0." + "0" * 10_000],
    ],
)
def test_text_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_decimal(text, "eur")
    assert len(str(caught.value)) < 100


def test_an_amount_in_no_currency_is_refused() -> None:
    for convert in (lambda: parse_decimal("1", "EUR"), lambda: to_decimal(1, "EUR")):
        with pytest.raises(ValueError, match="ISO 4217"):
            convert()


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(1999, "eur", "19.99"), (5, "eur", "0.05"), (-5, "eur", "-0.05"), (0, "kwd", "0.000"), (-7, "jpy", "-7")],
)
def test_minor_units_become_decimal_text(minor: int, currency: str, text: str) -> None:
    assert to_decimal(minor, currency) == text


@pytest.mark.parametrize(
    ("currency", "largest"), [("eur", "9999999999.99"), ("jpy", "999999999999"), ("kwd", "999999999.999")]
)
def test_the_largest_amount_is_told_in_the_decimals_of_its_currency(currency: str, largest: str) -> None:
    with pytest.raises(ValueError, match=f"is more than {largest}$"):
        parse_decimal("1000000000000", currency)


@given(st.integers(0, LARGEST_AMOUNT), st.sampled_from(CURRENCIES))
def test_text_and_minor_units_are_the_same_amount(minor: int, currency: str) -> None:
    assert parse_decimal(to_decimal(minor, currency), currency) == minor
