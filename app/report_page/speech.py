"""Figures, days and names as a reader's language has them. Pure: CLDR through Babel, and the words it is given."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_time, format_timedelta
from babel.numbers import format_compact_currency, format_decimal, format_percent

from app.kernel.money import exponent, to_decimal
from app.kernel.prices import written
from app.storefront.words import network_name

MISSING: Final = "–"
NAMELESS: Final = {"(direct)": "direct", "(unknown)": "unknown", "(none)": "none", "(house)": "house", "(few)": "few"}
_LONGEST_ID: Final = 14
_ID: Final = re.compile(r"\b[a-z]{3,4}_[0-9a-z]{26,}\b")
_JOINED: Final = "\u2060"
"""No line ends here."""
_MOST_GROWTH: Final = 10
_NO_NAMES: Final[Mapping[str, str]] = {}
_SKELETONS: Final = {"day": "MMMd", "week": "MMMd", "month": "yMMM"}


class Speech:
    """Says things in `language`. `words` are the page's own."""

    def __init__(self, language: str, words: Mapping[str, str]) -> None:
        self._locale = Locale.parse(language)
        self._language = language
        self._words = words

    def money(self, minor: int, currency: str) -> str:
        """An amount: `1.234,50 €`."""
        return written(minor, currency, self._language)

    def short_money(self, minor: int, currency: str) -> str:
        """The same where there is little room: `1,2k €`."""
        value = float(to_decimal(minor, currency))
        return str(
            format_compact_currency(value, currency.upper(), locale=self._locale, fraction_digits=1 if minor else 0)
        )

    def unit(self, currency: str) -> int:
        """Minor units of one whole."""
        return int(10 ** exponent(currency))

    def number(self, count: int) -> str:
        return str(format_decimal(count, locale=self._locale))

    def share(self, part: float | None) -> str:
        """A part of a whole in percent; a dash where there is none."""
        if part is None:
            return MISSING
        digits = "#,##0.0\u00a0%" if self._language == "fr" else "#,##0.0%"
        return str(format_percent(part, format=digits, locale=self._locale))

    def change(self, now: int, before: int) -> str | None:
        """By how much something grew: `+12%`; None where there was nothing to compare with."""
        if before <= 0:
            return None
        if now >= _MOST_GROWTH * before:
            return f"×{self.number(now // before)}"
        said = format_percent(abs(float(Fraction(now - before, before))), locale=self._locale)
        return f"{'−' if now < before else '+'}{said}"

    def day(self, day: date) -> str:
        """A day, in words: `22 November 2026`."""
        return str(format_date(day, "long", locale=self._locale))

    def days(self, since: date, through: date) -> str:
        """Days from one to another, both included: `24 October – 22 November 2026`."""
        if since == through:
            return self.day(since)
        return str(format_interval(since, through, "yMMMd", locale=self._locale))

    def moment(self, text: str, zone: ZoneInfo) -> str:
        """A moment that the API told, on the clocks of `zone`."""
        at = datetime.fromisoformat(text).astimezone(zone)
        day, clock = format_date(at, "medium", locale=self._locale), format_time(at, "short", zone, self._locale)
        return f"{day}, {clock}"

    def label(self, text: str, unit: str) -> str:
        """A day, week or month by its label, shortly."""
        return str(format_skeleton(_SKELETONS[unit], date.fromisoformat(text), locale=self._locale))

    def period(self, text: str, unit: str) -> str:
        """The same where there is room, and it is to be clear what it is."""
        said = date.fromisoformat(text)
        if unit == "month":
            return self.label(text, unit)
        whole = str(format_skeleton("yMMMEd", said, locale=self._locale))
        return self._words["reports_week_of"].replace("{day}", whole) if unit == "week" else whole

    def wait(self, seconds: float) -> str:
        """A length of time, roughly."""
        return str(format_timedelta(int(seconds), threshold=1.5, locale=self._locale))

    def network(self, name: str | None) -> str:
        """A network as people call it."""
        if name is None or name in NAMELESS:
            return self.nameless(name or "(unknown)")
        return network_name(name, self._words)

    def nameless(self, name: str) -> str:
        """What reports say in brackets."""
        return self._words[f"reports_{NAMELESS[name]}"]

    @property
    def no_product(self) -> str:
        """What stands where no product was passed on, or nobody knows which."""
        return self._words["reports_no_product"]

    def person(self, sharer: str, name: str | None) -> str:
        """Somebody by their name, else by the end of their id, by which people can be told apart."""
        if name:
            return name
        if sharer in NAMELESS:
            return self.nameless(sharer)
        return sharer if len(sharer) <= _LONGEST_ID else f"{sharer.partition('_')[0]}_…{_JOINED}{sharer[-6:]}"

    def told(self, sentence: str, names: Mapping[str, str] = _NO_NAMES) -> str:
        """A sentence of the API's, with people as everywhere on the page: by their name, else by a short id."""
        return _ID.sub(lambda found: self.person(found[0], names.get(found[0])), sentence)

    def decimal(self, value: float) -> str:
        """A ratio that is no part of a whole."""
        return str(format_decimal(value, format="#,##0.0", locale=self._locale))
