"""Times as the engine counts them: whole numbers since 1970-01-01T00:00:00Z.

Pure: reads no clock. `at` is in seconds, floored; `received_at` and `as_of` are in microseconds, as databases
keep them, so that nothing which was received is cut off by rounding.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def whole_seconds(moment: datetime) -> int:
    """`at` of a fact: `moment` floored to the second, also before 1970. ValueError without a time zone."""
    return _since_epoch(moment) // timedelta(seconds=1)


def microseconds(moment: datetime) -> int:
    """`received_at` of a fact, or `as_of`. Exact. ValueError without a time zone."""
    return _since_epoch(moment) // timedelta(microseconds=1)


def _since_epoch(moment: datetime) -> timedelta:
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone says nothing: pass an aware datetime")
    return moment - _EPOCH
