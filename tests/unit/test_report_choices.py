"""What may be chosen on the report page, and how the API is asked for it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.kernel.errors import Invalid
from app.report_page.calls import Call
from app.report_page.choices import PRESETS, Choice

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
"""Already the second of March in Paris."""


def chosen(**query: str) -> Choice:
    return Choice.of({name.replace("since", "from"): value for name, value in query.items()}, PARIS, NOW)


@pytest.mark.parametrize(
    ("query", "since", "through"),
    [
        ({}, "2026-02-01", "2026-03-02"),
        ({"period": "7d"}, "2026-02-24", "2026-03-02"),
        ({"period": "90d"}, "2025-12-03", "2026-03-02"),
        ({"period": "12m"}, "2025-03-03", "2026-03-02"),
        ({"period": "month"}, "2026-03-01", "2026-03-02"),
        ({"period": "last-month"}, "2026-02-01", "2026-02-28"),
        ({"since": "2026-01-05", "through": "2026-01-05"}, "2026-01-05", "2026-01-05"),
        ({"since": "2026-02-25"}, "2026-02-25", "2026-03-02"),
        ({"through": "2026-01-30"}, "2026-01-01", "2026-01-30"),
        ({"since": "2026-01-05", "to": "2026-01-06"}, "2026-01-05", "2026-01-05"),
        ({"to": "2026-01-31"}, "2026-01-01", "2026-01-30"),
        ({"since": "2026-01-05", "through": "2026-01-05", "to": ""}, "2026-01-05", "2026-01-05"),
        ({"since": "", "through": "", "period": "", "currency": "", "mode": ""}, "2026-02-01", "2026-03-02"),
    ],
)
def test_a_period_is_whole_days_of_the_merchant(query: dict[str, str], since: str, through: str) -> None:
    choice = chosen(**query)
    assert (since, through) == (str(choice.since), str(choice.through))


def test_a_year_ago_of_a_leap_day_is_the_day_before_it() -> None:
    choice = Choice.of({"period": "12m"}, PARIS, datetime(2028, 2, 29, 12, tzinfo=UTC))
    assert "2027-03-01" == str(choice.since)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"period": "ever"}, "period"),
        ({"since": "yesterday"}, "from"),
        ({"since": "2026-02-30"}, "from"),
        ({"since": "1969-12-31"}, "from"),
        ({"through": "9999-01-01"}, "through"),
        ({"since": "1970-01-02", "through": "2040-01-01"}, "from"),
        ({"since": "2026-02-02", "through": "2026-02-01"}, "through"),
        ({"currency": "zzz"}, "currency"),
        ({"currency": "<b>"}, "currency"),
        ({"mode": "both"}, "mode"),
        ({"to": "2026-02-01T00:00:00Z"}, "to"),
        ({"since": "2026-02-01", "to": "2026-02-01"}, "to"),
        ({"through": "2026-02-01", "to": "2026-02-02"}, "to"),
        ({"until": "2026-02-01"}, "until"),
        ({"cursor": "x"}, "cursor"),
    ],
)
def test_what_cannot_be_chosen_is_named(query: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        chosen(**query)
    assert [field] == [error.pointer for error in refused.value.errors]


def test_a_page_may_know_more_names() -> None:
    choice = Choice.of({"period": "7d", "cursor": "x"}, PARIS, NOW, ["cursor"])
    assert "2026-02-24" == str(choice.since)


@pytest.mark.parametrize(
    ("asked", "found", "currency"),
    [
        ({"currency": "jpy"}, ["eur", "usd"], "jpy"),
        ({}, ["usd", "eur"], "eur"),
        ({}, ["usd", "chf"], "chf"),
        ({}, [], "eur"),
    ],
)
def test_a_currency_is_the_one_asked_for_else_ones_own_else_the_first(
    asked: dict[str, str], found: list[str], currency: str
) -> None:
    assert currency == chosen(**asked).currency_of("eur", found)


def test_the_api_is_asked_for_the_day_after_the_last() -> None:
    choice = chosen(since="2026-01-01", through="2026-01-31", currency="usd", mode="test")
    asked = (("from", "2026-01-01"), ("to", "2026-02-01"), ("currency", "usd"), ("livemode", "false"))
    assert asked == choice.parameters
    assert asked[2:] == choice.apart_from_time


def test_the_period_before_has_as_many_days_and_ends_where_this_one_begins() -> None:
    before = chosen(since="2026-03-01", through="2026-03-31").before
    assert ("2026-01-29", "2026-02-28", 31) == (str(before.since), str(before.through), before.days)
    first = chosen(since="1970-01-02", through="1970-01-09").before
    assert "1970-01-02" == str(first.since), "nothing was before the beginning"


@pytest.mark.parametrize(
    ("since", "through", "unit", "first", "count"),
    [
        ("2026-03-28", "2026-03-30", "day", "2026-03-28", 3),
        ("2026-01-01", "2026-04-30", "week", "2025-12-29", 18),
        ("2020-01-15", "2026-01-14", "month", "2020-01-01", 73),
    ],
)
def test_a_period_is_cut_into_no_more_than_can_be_told_apart(
    since: str, through: str, unit: str, first: str, count: int
) -> None:
    choice = chosen(since=since, through=through)
    assert (unit, first, count) == (choice.unit, choice.labels[0], len(choice.labels))


def test_an_address_says_only_what_was_chosen() -> None:
    assert "" == chosen().address()
    assert "?period=7d" == chosen(period="7d").address()
    days = chosen(since="2026-01-01", through="2026-01-02", mode="live")
    assert "?from=2026-01-01&through=2026-01-02&mode=live" == days.address()
    assert "?period=90d&mode=live" == days.address_of("90d")
    assert "?period=7d&currency=usd" == chosen(period="7d").address(currency="usd")


@pytest.mark.parametrize("preset", PRESETS)
def test_what_an_address_says_is_what_was_chosen(preset: str) -> None:
    choice = chosen(period=preset, currency="usd")
    said = dict(part.split("=") for part in choice.address()[1:].split("&"))
    assert choice == Choice.of(said, PARIS, NOW)


def test_a_call_can_be_typed_whatever_is_in_it() -> None:
    call = Call("/v1/sharers/it's/me", (("product", "a&b c"), ("group_by", "network,day")))
    assert "/v1/sharers/it%27s/me?product=a%26b%20c&group_by=network,day" == call.target
    assert call.curl("https://shop.example").endswith(" 'https://shop.example" + call.target + "'")
    assert call.here == "/reports" + call.target
