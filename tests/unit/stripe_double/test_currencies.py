"""Amounts as Stripe counts and people read them."""

import pytest

from app.demo.stripe.currencies import check_amount, check_charge, check_currency, formatted
from app.demo.stripe.errors import StripeProblem


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "read"),
    [
        (1999, "eur", "en", "€19.99"),
        (1999, "eur", "fr", "19,99\xa0€"),
        (123456, "usd", None, "$1,234.56"),
        (1500, "jpy", "en", "¥1,500"),
        (12340, "kwd", "en", "KWD\xa012.340"),
        (50000, "isk", "en", "ISK\xa0500"),
        (0, "eur", "auto", "€0.00"),
        (1999, "eur", "xx-nowhere", "€19.99"),
    ],
)
def test_an_amount_reads_as_people_write_it(minor: int, currency: str, locale: str | None, read: str) -> None:
    assert read == formatted(minor, currency, locale)


@pytest.mark.parametrize(("minor", "currency"), [(-1, "eur"), (1001, "kwd"), (150, "isk"), (1, "ugx")])
def test_an_amount_that_stripe_cannot_represent_is_refused(minor: int, currency: str) -> None:
    with pytest.raises(StripeProblem) as refused:
        check_amount(minor, currency, "unit_amount")
    assert (refused.value.code, refused.value.param) == ("parameter_invalid_integer", "unit_amount")


@pytest.mark.parametrize(("minor", "currency"), [(0, "eur"), (1999, "eur"), (1, "jpy"), (1230, "kwd"), (200, "isk")])
def test_other_amounts_pass(minor: int, currency: str) -> None:
    check_amount(minor, currency, "unit_amount")


@pytest.mark.parametrize(
    ("minor", "currency", "code"),
    [
        (49, "usd", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (50, "usd", None),
        (99_999_999, "usd", None),
        (0, "usd", None),
        (1, "kwd", None),
        (999_999_999_999, "idr", None),
    ],
)
def test_a_total_is_neither_too_small_nor_too_large(minor: int, currency: str, code: str | None) -> None:
    try:
        check_charge(minor, currency, "line_items")
        got = None
    except StripeProblem as problem:
        got = problem.code
    assert code == got


def test_a_currency_is_known_in_any_case_of_letters() -> None:
    assert check_currency("EUR", "currency") == "eur"
    with pytest.raises(StripeProblem):
        check_currency("xxx", "currency")
