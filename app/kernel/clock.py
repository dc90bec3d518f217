"""Time, injected: nobody else asks the machine what time it is. Pure but for `SystemClock.now` and `unix_now`."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Tells the present moment, aware, in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def unix_now() -> float:
    """The machine's seconds since 1970, for what goes along with a library that asks the machine itself."""
    return time.time()


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 of an aware time, exactly (no float on the way)."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC time that `to_micros` gave."""
    return _EPOCH + micros * _MICROSECOND


def to_seconds(at: datetime) -> int:
    """Whole seconds since 1970, floored: the grain in which attribution counts (attribution.md)."""
    return to_micros(at) // 1_000_000


def rfc3339(at: datetime) -> str:
    """`at` in UTC with `Z`, without a fraction where there is none (api.md, Conventions)."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
