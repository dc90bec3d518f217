"""What a reader chose: the period, the currency, test or real orders. Pure.

Days are the merchant's. The page says the last day that is included, as people do; the API's `to` is the day after.
Who brings an address from there may say `to` here too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from app.kernel.errors import FieldError, Invalid
from app.kernel.money import is_currency
from app.kernel.periods import cut
from app.report_page.calls import Parameters

PRESETS: Final = ("7d", "30d", "90d", "12m", "month", "last-month")
STANDARD: Final = "30d"
NAMES: Final = ("period", "from", "through", "to", "currency", "mode")
"""What may be chosen on every page."""
_DAYS: Final = {"7d": 7, "30d": 30, "90d": 90}
_MOST_DAYS: Final = 92
_MOST_WEEKS: Final = 53 * 7
_MOST_DAYS_AT_ALL: Final = 60 * 366
_EARLIEST: Final = date(1970, 1, 2)
_LATEST: Final = date(9997, 12, 30)


@dataclass(frozen=True)
class Choice:
    """What is looked at. `since` and `through` are days, both included; `preset` is how the period was chosen."""

    zone: ZoneInfo
    since: date
    through: date
    preset: str | None
    currency: str | None
    livemode: bool | None

    @classmethod
    def of(cls, query: Mapping[str, str], zone: ZoneInfo, now: datetime, also: Iterable[str] = ()) -> "Choice":
        """What the query says; the last thirty days where it says nothing. `also` are names that the page knows beside
        these. Raises `Invalid` naming what is wrong, and what is not known: nothing is left out silently."""
        _all_known(query, (*NAMES, *also))
        today = now.astimezone(zone).date()
        begin, end = query.get("from", ""), _last(query)
        preset = query.get("period", "") or (None if begin or end else STANDARD)
        if preset is None:
            through = end or today
            since = _day(begin, "from") if begin else through - timedelta(days=_DAYS[STANDARD] - 1)
        else:
            since, through = _of_preset(preset, today)
        if since > through:
            raise Invalid.field("through", "must not be before from")
        if (through - since).days > _MOST_DAYS_AT_ALL:
            raise Invalid.field("from", "must not be more than sixty years before through")
        return cls(zone, since, through, preset, _currency(query.get("currency")), _livemode(query.get("mode")))

    def currency_of(self, own: str, found: Iterable[str]) -> str:
        """The one that is asked for, else the merchant's own where anything is in it, else the first there is."""
        known = sorted(set(found))
        return self.currency or (own if own in known or not known else known[0])

    @property
    def days(self) -> int:
        return (self.through - self.since).days + 1

    @property
    def unit(self) -> str:
        """Into what the period is cut, so that no more is drawn than can be told apart."""
        return "day" if self.days <= _MOST_DAYS else "week" if self.days <= _MOST_WEEKS else "month"

    @property
    def labels(self) -> list[str]:
        """All days, weeks or months of the period, as the API names them."""
        begin, end = (datetime.combine(day, time.min, self.zone) for day in (self.since, self.through + _DAY))
        return list(dict.fromkeys(name for name, _, _ in cut(begin, end, self.zone, self.unit)))

    @property
    def before(self) -> "Choice":
        """As many days, just before. They may begin where time does."""
        through = max(self.since - _DAY, _EARLIEST)
        since = max(through.toordinal() - self.days + 1, _EARLIEST.toordinal())
        return replace(self, since=date.fromordinal(since), through=through, preset=None)

    @property
    def parameters(self) -> Parameters:
        """How the API is asked for this."""
        found = [("from", self.since.isoformat()), ("to", (self.through + _DAY).isoformat())]
        return (*found, *self.apart_from_time)

    @property
    def apart_from_time(self) -> Parameters:
        """What of it has nothing to do with a period."""
        found = [] if self.currency is None else [("currency", self.currency)]
        if self.livemode is not None:
            found.append(("livemode", str(self.livemode).lower()))
        return tuple(found)

    def address(self, **changed: str | None) -> str:
        """The query of a page with the same choice, but for what is `changed`; empty where nothing was chosen."""
        said: dict[str, str | None] = {"period": None if self.preset == STANDARD else self.preset}
        if self.preset is None:
            said |= {"from": self.since.isoformat(), "through": self.through.isoformat()}
        mode = None if self.livemode is None else "live" if self.livemode else "test"
        said |= {"currency": self.currency, "mode": mode, **changed}
        query = urlencode({name: value for name, value in said.items() if value is not None})
        return f"?{query}" if query else ""

    def address_of(self, preset: str, **kept: str) -> str:
        """The same for another period."""
        return self.address(**{"period": preset, "from": None, "through": None, **kept})


_DAY: Final = timedelta(days=1)


def _of_preset(preset: str, today: date) -> tuple[date, date]:
    if preset in _DAYS:
        return today - timedelta(days=_DAYS[preset] - 1), today
    first = today.replace(day=1)
    if preset == "month":
        return first, today
    if preset == "last-month":
        return (first - _DAY).replace(day=1), first - _DAY
    if preset == "12m":
        return _year_before(today) + _DAY, today
    raise Invalid.field("period", f"must be one of {', '.join(PRESETS)}")


def _year_before(day: date) -> date:
    """The same day a year ago; of a leap day, the one before it."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def _all_known(query: Mapping[str, str], names: Iterable[str]) -> None:
    known = tuple(names)
    unknown = sorted(query.keys() - set(known))
    if unknown:
        detail = f"is not known here ({', '.join(known)})"
        raise Invalid(*(FieldError(name, detail) for name in unknown))


def _last(query: Mapping[str, str]) -> date | None:
    """The last day that is included, if one is said: `through`, or the day before the API's `to`."""
    through, after = query.get("through", ""), query.get("to", "")
    if through and after:
        raise Invalid.field("to", "must not be given with through: it is the day after")
    if not after:
        return _day(through, "through") if through else None
    last = _day(after, "to") - _DAY
    if query.get("from") and last < _day(query["from"], "from"):
        raise Invalid.field("to", "must be after from: it is the day after the last one (through is the last)")
    return last


def _day(text: str, name: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid.field(name, "must be a date (2026-11-22)") from None
    if not _EARLIEST <= day <= _LATEST:
        raise Invalid.field(name, f"must lie between the years {_EARLIEST.year} and {_LATEST.year}")
    return day


def _currency(text: str | None) -> str | None:
    if text and not is_currency(text):
        raise Invalid.field("currency", "is not a currency of ISO 4217")
    return text or None


def _livemode(text: str | None) -> bool | None:
    if text not in (None, "", "test", "live"):
        raise Invalid.field("mode", "must be live or test")
    return None if not text else text == "live"
