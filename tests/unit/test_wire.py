"""What the shapes of JSON let in, and what they refuse."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from app.kernel.http.wire import LARGEST_AMOUNT, Amount, Body, Currency, MoneyWire, Name, Text, Timestamp, moment


class Shape(Body):
    """One field of each kind."""

    text: Text = ""
    name: Name = "Ana"
    currency: Currency = "eur"
    amount: Amount = 0
    at: Timestamp = datetime(2026, 1, 1, tzinfo=UTC)
    money: MoneyWire | None = None


@pytest.mark.parametrize(
    "text", ["", "Ana", "é", "日本語", "👨‍👩‍👧", "a\nb\tc", "<script>", "\u202e", "\x01", "\ufffe"]
)
def test_text_is_text(text: str) -> None:
    assert text.strip() == Shape(text=text).text


@pytest.mark.parametrize(
    "text", ["\x00", "a\x00b", "\ud800", "a\udfffb", "\udc00\ud800", 1, 1.0, True, None, [], {}, b"\xff"]
)
def test_text_that_no_database_holds_and_what_is_no_text_are_refused(text: Any) -> None:
    with pytest.raises(ValidationError):
        Shape(text=text)


@pytest.mark.parametrize("name", ["", " ", "\n\t", "x" * 201])
def test_a_name_is_neither_empty_nor_endless(name: str) -> None:
    with pytest.raises(ValidationError):
        Shape(name=name)


def test_white_space_around_text_goes() -> None:
    assert Shape(name="  Ana ").name == "Ana"


@pytest.mark.parametrize(("said", "kept"), [("eur", "eur"), ("EUR", "eur"), ("Jpy", "jpy"), ("kwd", "kwd")])
def test_a_currency_is_kept_in_lower_case(said: str, kept: str) -> None:
    assert kept == Shape(currency=said).currency


@pytest.mark.parametrize(
    "said", ["", "eu", "euro", "xxx", "€", "e\x00r", "\ud800ur", 978, None, ["eur"], "ＥＵＲ", "İ"]
)
def test_what_is_no_currency_is_refused(said: Any) -> None:
    with pytest.raises(ValidationError):
        Shape(currency=said)


@pytest.mark.parametrize("minor", [0, 1, 1999, LARGEST_AMOUNT])
def test_amounts_are_whole_minor_units(minor: int) -> None:
    assert minor == Shape(amount=minor).amount


@pytest.mark.parametrize(
    "minor",
    [
        -1,
        LARGEST_AMOUNT + 1,
        2**63,
        10**400,
        19.99,
        19.0,
        1e3,
        float("nan"),
        float("inf"),
        "1999",
        "",
        True,
        False,
        None,
    ],
)
def test_what_is_no_amount_is_refused(minor: Any) -> None:
    with pytest.raises(ValidationError):
        Shape(amount=minor)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("2026-11-22T09:30:00Z", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
        ("2026-11-22T09:30:00+05:45", datetime(2026, 11, 22, 3, 45, tzinfo=UTC)),
        ("2026-11-22T09:30:00.123456Z", datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_kept_in_utc(said: str, kept: datetime) -> None:
    assert kept == Shape.model_validate({"at": said}).at


@pytest.mark.parametrize(
    "said",
    [
        "2026-11-22T09:30:00",  # no offset
        "2026-11-22",
        "yesterday",
        "",
        1_700_000_000,
        "1700000000",
        1.5,
        True,
        None,
        "2026-02-30T00:00:00Z",
        "0001-01-01T00:00:00+10:00",  # before the first year, in UTC
        "9999-12-31T23:59:59-10:00",
        "1969-12-31T23:59:59Z",
        "99999-01-01T00:00:00Z",
    ],
)
def test_what_is_no_moment_is_refused(said: Any) -> None:
    with pytest.raises(ValidationError):
        Shape.model_validate({"at": said})


def test_a_time_is_written_in_utc_with_z() -> None:
    assert '"at":"2026-01-01T00:00:00Z"' in Shape().model_dump_json()
    assert moment(None) is None
    assert moment(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "money", [{}, {"amount": 1}, {"currency": "eur"}, {"amount": 1, "currency": "eur", "vat": 1}, 5, []]
)
def test_money_is_an_amount_with_its_currency_and_nothing_else(money: Any) -> None:
    with pytest.raises(ValidationError):
        Shape(money=money)


def test_a_field_with_a_typo_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Shape.model_validate({"curency": "eur"})
