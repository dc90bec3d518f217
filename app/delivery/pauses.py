"""When what did not arrive is told again, and when no more. Pure."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

PAUSES: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 26 * 3600)
)
"""After the first attempt, after the second, …: three days and a little in all."""

ATTEMPTS: Final = len(PAUSES) + 1

FAILING_FOR: Final = timedelta(days=3)
"""An endpoint that answers nothing good for so long is disabled."""

MOST_ASKED_FOR: Final = timedelta(hours=6)
"""So long a receiver may ask us to wait (RFC 9110, 10.2.3), at most."""


def next_attempt(attempts: int, now: datetime, asked_for: timedelta | None = None) -> datetime | None:
    """When to try again after so many attempts in vain, no sooner than the receiver has asked for; None: no more.

    The pauses are up to a fifth longer, never shorter, so that what failed together is not told again together.
    """
    if attempts >= ATTEMPTS:
        return None
    pause = PAUSES[attempts - 1] * random.uniform(1.0, 1.2)  # noqa: S311  # spreads load, guards nothing
    return now + max(pause, asked_for or timedelta())


def asked_for(retry_after: str, now: datetime) -> timedelta | None:
    """How long a `Retry-After` asks to wait, in seconds or until a date, `MOST_ASKED_FOR` at most; None where it says
    nothing that can be read."""
    said = retry_after.strip()
    if said.isascii() and said.isdigit():
        return min(timedelta(seconds=int(said[:9])), MOST_ASKED_FOR)
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta()), MOST_ASKED_FOR)
