"""Periods are half-open, and days are the days of a place."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.clock import from_micros, to_micros
from app.kernel.errors import Invalid
from app.kernel.periods import QUARTER, label, moment, period, said_utc

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
PARIS, KATHMANDU, LORD_HOWE, NEW_YORK = map(
    ZoneInfo, ("Europe/Paris", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York")
)


@pytest.mark.parametrize(
    ("text", "zone", "at"),
    [
        ("2026-11-22", ZoneInfo("UTC"), "2026-11-22T00:00:00+00:00"),
        ("2026-11-22", PARIS, "2026-11-21T23:00:00+00:00"),
        ("2026-07-01", PARIS, "2026-06-30T22:00:00+00:00"),
        ("2026-11-22", KATHMANDU, "2026-11-21T18:15:00+00:00"),
        ("2026-07-01", LORD_HOWE, "2026-06-30T13:30:00+00:00"),
        ("2026-11-22T09:30:00Z", PARIS, "2026-11-22T09:30:00+00:00"),
        ("2026-11-22T09:30:00+05:45", PARIS, "2026-11-22T03:45:00+00:00"),
        ("1970-01-01", PARIS, "1970-01-01T00:00:00+00:00"),  # the contract's times begin there
        ("1970-01-01", NEW_YORK, "1970-01-01T05:00:00+00:00"),
    ],
)
def test_a_bare_date_means_its_midnight_in_the_zone(text: str, zone: ZoneInfo, at: str) -> None:
    assert datetime.fromisoformat(at) == moment(text, zone, "from")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "2026-11-22T09:30:00",
        "20261122",
        "1700000000",
        "\x00" * 10,
        "0001-01-01",
        "9999-12-31",
        "0001-01-01T00:00:00+10:00",
        "9999-12-31T23:59:59-10:00",
        "1969-12-30",
        "2026-W01-1",
    ],
)
def test_what_is_no_moment_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        moment(text, PARIS, "from")
    assert ["from"] == [error.pointer for error in refused.value.errors]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-19", datetime(2026, 11, 19, tzinfo=UTC)),
        ("2026-11-19T08:30Z", datetime(2026, 11, 19, 8, 30, tzinfo=UTC)),
        ("2026-11-19T08:30+05:30", datetime(2026, 11, 19, 3, tzinfo=UTC)),
        ("2026-11-19T08:30", datetime(2026, 11, 19, 8, 30, tzinfo=UTC)),
        ("0001-01-01T00:00", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_is_said_to_a_command_is_in_utc_where_it_does_not_say_otherwise(text: str, at: datetime) -> None:
    assert at == said_utc(text, "--since")


def test_who_says_no_moment_to_a_command_is_told_how() -> None:
    assert said_utc(None, "--since") is None
    for text in ("", "yesterday", "2026-02-30", "0001-01-01T00:00+05:00", "9999-12-31T23:59-05:00"):
        with pytest.raises(Invalid, match="--since must be a date or a time, such as 2026-11-19"):
            said_utc(text, "--since")


def test_the_default_is_the_last_thirty_days() -> None:
    assert (NOW - timedelta(days=30), NOW) == period(None, None, PARIS, NOW)


def test_a_day_in_which_summer_time_begins_has_23_hours() -> None:
    since, until = period("2026-03-29", "2026-03-30", PARIS, NOW)
    assert timedelta(hours=23) == until.astimezone(UTC) - since.astimezone(UTC)


def test_a_day_in_which_summer_time_ends_has_25_hours_and_half_an_hour_less_on_lord_howe() -> None:
    since, until = period("2026-10-25", "2026-10-26", PARIS, NOW)
    assert timedelta(hours=25) == until.astimezone(UTC) - since.astimezone(UTC)
    since, until = period("2026-04-05", "2026-04-06", LORD_HOWE, NOW)
    assert timedelta(hours=24, minutes=30) == until.astimezone(UTC) - since.astimezone(UTC)


@pytest.mark.parametrize(
    ("begin", "end"), [("2026-03-02", "2026-03-02"), ("2026-03-02", "2026-03-01"), ("2027-01-01", None)]
)
def test_a_period_must_not_be_empty(begin: str, end: str | None) -> None:
    with pytest.raises(Invalid, match="later than from"):
        period(begin, end, PARIS, NOW)


@pytest.mark.parametrize(
    ("at", "zone", "unit", "shown"),
    [
        ("2026-03-28T22:59:59+00:00", PARIS, "day", "2026-03-28"),
        ("2026-03-28T23:00:00+00:00", PARIS, "day", "2026-03-29"),
        ("2026-03-29T21:59:59+00:00", PARIS, "day", "2026-03-29"),
        ("2026-03-29T22:00:00+00:00", PARIS, "day", "2026-03-30"),
        ("2026-03-28T18:14:59+00:00", KATHMANDU, "day", "2026-03-28"),
        ("2026-03-28T18:15:00+00:00", KATHMANDU, "day", "2026-03-29"),
        ("2026-07-01T13:30:00+00:00", LORD_HOWE, "day", "2026-07-02"),
        ("2026-03-01T12:00:00+00:00", PARIS, "week", "2026-02-23"),
        ("2026-03-02T12:00:00+00:00", PARIS, "week", "2026-03-02"),
        ("2026-01-01T12:00:00+00:00", PARIS, "week", "2025-12-29"),
        ("2026-03-31T22:30:00+00:00", PARIS, "month", "2026-04-01"),
        ("2026-03-31T22:30:00+00:00", NEW_YORK, "month", "2026-03-01"),
    ],
)
def test_a_moment_falls_on_the_day_week_and_month_of_the_zone(at: str, zone: ZoneInfo, unit: str, shown: str) -> None:
    assert shown == label(datetime.fromisoformat(at), zone, unit)


@given(
    st.datetimes(datetime(1987, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # hypothesis wants its bounds so
    st.sampled_from([PARIS, KATHMANDU, LORD_HOWE, NEW_YORK]),
)
def test_all_of_a_quarter_of_an_hour_falls_on_the_same_day_everywhere(at: datetime, zone: ZoneInfo) -> None:
    assert label(at, zone, "day") == label(from_micros(to_micros(at) // QUARTER * QUARTER), zone, "day")
