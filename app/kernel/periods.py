"""Periods and days: half-open, shifted by a time zone, with its summer time. Pure."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.kernel.errors import Invalid

QUARTER = 15 * 60 * 1_000_000
"""Microseconds of a quarter of an hour: every time zone's midnight falls on one."""

DEFAULT_DAYS = 30

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]|$)")
_EARLIEST, _LATEST = 1970, 9998  # a year of room for time zones and default periods
_BEGINNING = datetime(_EARLIEST, 1, 1, tzinfo=UTC)


def moment(text: str, zone: ZoneInfo, name: str) -> datetime:
    """The moment that `text` names: a time with an offset, or a bare date, which means its midnight in `zone`.

    Never before 1970 in UTC, where the times of the contract begin: its first day began earlier in the east.
    Raises `Invalid` naming the parameter.
    """
    try:
        if not _DATE.match(text):
            raise ValueError(text)
        at = datetime.combine(date.fromisoformat(text), time.min, zone) if len(text) == 10 else None
        at = at or datetime.fromisoformat(text)
    except ValueError:
        raise Invalid.field(name, "must be a date (2026-11-22) or a time (2026-11-22T09:30:00Z)") from None
    if at.tzinfo is None:
        raise Invalid.field(name, "needs an offset, such as Z")
    if not _EARLIEST <= at.year <= _LATEST:
        raise Invalid.field(name, f"must lie between the years {_EARLIEST} and {_LATEST}")
    return max(at, _BEGINNING)


def said_utc(text: str | None, name: str) -> datetime | None:
    """A moment as people write it to a command, in its option `name`: ISO 8601, a bare date being its midnight; without
    an offset it is UTC. Never before 1970. Raises `Invalid`."""
    if text is None:
        return None
    try:
        said = datetime.fromisoformat(text)
        utc = said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
    except (ValueError, OverflowError):
        detail = f"{name} must be a date or a time, such as 2026-11-19 or 2026-11-19T08:30Z"
        raise Invalid(detail=detail) from None
    return max(utc, _BEGINNING)


def period(begin: str | None, end: str | None, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """`begin <= t < end`, by default the last 30 days up to now. Raises `Invalid` when it ends before it begins."""
    until = now if end is None else moment(end, zone, "to")
    since = until - timedelta(days=DEFAULT_DAYS) if begin is None else moment(begin, zone, "from")
    if since >= until:
        raise Invalid.field("to", "must be later than from")
    return since, until


def label(at: datetime, zone: ZoneInfo, unit: str) -> str:
    """The day, week (its Monday) or month (its first day) of `at` in `zone`, as a date."""
    day = at.astimezone(zone).date()
    if unit == "week":
        day -= timedelta(days=day.weekday())
    elif unit == "month":
        day = day.replace(day=1)
    return day.isoformat()


def cut(since: datetime, until: datetime, zone: ZoneInfo, unit: str) -> list[tuple[str, datetime, datetime]]:
    """The days, weeks or months of `since <= t < until` in `zone`, each with its `label`; the first and last are cut
    off where the period begins and ends within them."""
    found: list[tuple[str, datetime, datetime]] = []
    begin, until = since.astimezone(UTC), until.astimezone(UTC)
    while begin < until:
        name = label(begin, zone, unit)
        end = _next(date.fromisoformat(name), zone, unit)
        while end <= begin:  # clocks were put back over midnight: the day that had ended goes on for some quarters
            end += timedelta(minutes=15)
        found.append((name, begin, min(end, until)))
        begin = end
    return found


def _next(first: date, zone: ZoneInfo, unit: str) -> datetime:
    """When the day, week or month that begins with the day `first` is over: the next one's first moment, also where
    clocks are put forward at midnight, so that no clock shows it."""
    if unit == "month":
        later = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    else:
        later = first + timedelta(days=7 if unit == "week" else 1)
    return datetime.combine(later, time.min, zone).astimezone(UTC)
