"""A clock that tests set: it stands still until it is moved."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

A_SECOND = 1.05
"""A second of the world's, and a little: after it, what servers keep in memory has been looked at again."""


class TestClock:
    """Keeps the protocol of `app.kernel.clock.Clock`."""

    __test__ = False

    def __init__(self, at: datetime = START) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def move(self, **by: float) -> datetime:
        """Let time pass: `move(days=2)`. Returns the new present."""
        self._at += timedelta(**by)
        return self._at

    def set(self, at: datetime) -> None:
        self._at = at
