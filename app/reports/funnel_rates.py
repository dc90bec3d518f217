"""What the funnel tells of a row: counts, orders, net, and rates of them, each of which may be unknown. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.kernel.rollups.reading import Counts

NOTHING: Final = Counts()
NUMBERS: Final = (*Counts._fields, "orders", "net")
RATES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "open_rate": ("card_opens", ("card_views",)),
    "share_rate": ("shares", ("card_views",)),
    "visits_per_referral": ("visits", ("likes", "shares")),
    "checkout_rate": ("checkouts", ("visits",)),
    "order_rate": ("orders", ("visits",)),
}
"""What is divided by the sum of what."""
MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """Counts, distinct orders, and their net in minor units of the row's currency; but for what is `untold`. Where the
    numbers are not of one thing, as in the row of all that is not told apart, there are no rates."""

    counts: Counts = NOTHING
    orders: int = 0
    net: int = 0
    untold: frozenset[str] = frozenset()
    has_rates: bool = True

    def numbers(self) -> dict[str, int | None]:
        """By name; None for what is not told."""
        all_of_it = {**self.counts._asdict(), "orders": self.orders, "net": self.net}
        return {name: None if name in self.untold else number for name, number in all_of_it.items()}

    def rates(self) -> dict[str, float | None]:
        """By name, to six digits; None where there is nothing to divide by, and where a part is not told."""
        numbers = self.numbers()
        return {name: self._rate(numbers, name) for name in RATES}

    def sorted_by(self, name: str) -> int:
        """The number or rate as a whole number; what is not told is less than nothing."""
        value = {**self.numbers(), **self.rates()}[name] if name in RATES else self.numbers()[name]
        return -1 if value is None else round(value * MILLION) if name in RATES else int(value)

    def _rate(self, numbers: Mapping[str, int | None], name: str) -> float | None:
        part, whole = numbers[RATES[name][0]], [numbers[each] for each in RATES[name][1]]
        known = [each for each in whole if each is not None]
        if not self.has_rates or part is None or len(known) < len(whole):
            return None
        return rate(part, sum(known))


def rate(part: int, whole: int) -> float | None:
    """To six digits after the point, as `ratio` rounds: a report of years by day has thousands."""
    if not whole:
        return None
    millionths, rest = divmod(part * MILLION, whole)
    if 2 * rest > whole or (2 * rest == whole and millionths % 2):
        millionths += 1
    return millionths / MILLION
