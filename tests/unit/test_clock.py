"""Times are exact, aware and in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.clock import SystemClock, from_micros, rfc3339, to_micros, to_seconds

moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])).filter(
    lambda at: 2 <= at.year <= 9998
)


@given(moments)
def test_microseconds_keep_a_moment_exactly(at: datetime) -> None:
    assert at == from_micros(to_micros(at))


@given(moments)
def test_seconds_are_floored_before_1970_too(at: datetime) -> None:
    second = to_seconds(at) * 1_000_000
    assert second <= to_micros(at) < second + 1_000_000


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2026, 11, 22, 9, 30, tzinfo=UTC), "2026-11-22T09:30:00Z"),
        (datetime(2026, 11, 22, 9, 30, 0, 5, tzinfo=UTC), "2026-11-22T09:30:00.000005Z"),
        (datetime(2026, 11, 22, 9, 30, tzinfo=timezone(timedelta(hours=-5))), "2026-11-22T14:30:00Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_z(at: datetime, shown: str) -> None:
    assert shown == rfc3339(at)


def test_a_time_without_zone_is_no_moment() -> None:
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_machines_clock_is_aware() -> None:
    assert timedelta(0) == SystemClock().now().utcoffset()
