"""Times are floored once, in one place."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.attribution.engine import microseconds, whole_seconds

MOMENT = datetime(2025, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC)


def test_at_is_floored_to_whole_seconds_before_1970_too() -> None:
    assert whole_seconds(MOMENT) == 1_735_689_600
    assert whole_seconds(datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC)) == -1


def test_received_at_is_exact() -> None:
    assert microseconds(MOMENT) == 1_735_689_600_999_999
    assert microseconds(datetime.max.replace(tzinfo=UTC)) == 253_402_300_799_999_999


def test_a_moment_is_the_same_in_every_time_zone() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert whole_seconds(elsewhere) == whole_seconds(MOMENT)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        whole_seconds(MOMENT.replace(tzinfo=None))
