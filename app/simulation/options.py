"""What is wanted of a world, and whether that is possible. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

MOST_MERCHANTS: Final = 1_000
MOST_FACTS: Final = 1_000_000_000
LONGEST: Final = 3_660
"""Days."""
EARLIEST: Final = date(2000, 1, 1)
_LATEST: Final = date(9000, 1, 1)


class Impossible(ValueError):
    """There can be no such world; says why, in the words of the command line."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """A world. `facts` are visits, likes, shares and beacons together; `orders` come beside them.

    Equal options make equal worlds, however they are cut into batches. Raises `Impossible`.
    """

    until: date
    """The first day, in each merchant's time zone, of which nothing is known any more."""
    seed: int = 7
    merchants: int = 3
    facts: int = 1_000_000
    days: int = 365
    orders: int | None = None
    """None: one to a hundred facts."""
    livemode: bool = True
    """Whether most orders are real; a few are always of the other kind."""
    batch: int = 20_000
    """Facts that are written in one transaction, at least a day's."""

    def __post_init__(self) -> None:
        for what, value, least, most in (
            ("--merchants", self.merchants, 1, MOST_MERCHANTS),
            ("--facts", self.facts, 1, MOST_FACTS),
            ("--days", self.days, 1, LONGEST),
            ("--orders", self.sold, 0, MOST_FACTS),
        ):
            if not least <= value <= most:
                raise Impossible(f"{what} must be from {least:,} to {most:,}, and not {value:,}")
        if not EARLIEST <= self.until <= _LATEST or self.until - timedelta(days=self.days) < EARLIEST:
            raise Impossible(f"a world must lie between {EARLIEST} and {_LATEST}: look at --until and --days")
        if self.batch < 1:
            raise Impossible("a batch has at least one fact")

    @property
    def sold(self) -> int:
        """How many orders."""
        return self.facts // 100 if self.orders is None else self.orders

    @property
    def first_day(self) -> date:
        return self.until - timedelta(days=self.days)
