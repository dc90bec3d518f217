"""What is asked of the funnel, understood: its dimensions, its period in whole quarters of an hour. Knows no HTTP."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, cast

from app.attribution.policies import CURRENT
from app.kernel.clock import from_micros, to_micros
from app.kernel.periods import QUARTER
from app.kernel.rollups.tables import DIMENSIONS as COUNTED
from app.kernel.rollups.tables import Dimension
from app.reports import ranking
from app.reports.asked import Asked
from app.reports.ledger import UNITS
from app.reports.ranking import Order

BY: Final[tuple[Dimension, ...]] = tuple(name for name in COUNTED if name != "total")
"""What is counted by itself: rows by one of these cost what they show."""
SHARER: Final = "sharer"
DEPTH: Final = "depth"
"""How far up the chain credit was earned. Counts have none: whoever is counted came through one link."""
FILTERS: Final = (*BY, SHARER)
DIMENSIONS: Final = (*FILTERS, DEPTH, *UNITS)


class Place(NamedTuple):
    """Where a row stands: its currency, the number by which it is sorted (its visits, where no order was asked for),
    its net, and its names as JSON."""

    currency: str
    number: int
    net: int
    names: str


@dataclass(frozen=True, kw_only=True)
class Question(Asked):
    """What is asked of the funnel. The period is whole quarters of an hour."""

    own_currency: str
    beacons_since: datetime
    """From when on all that widgets reported is kept; what it came to before is known by one dimension only."""
    group_by: tuple[str, ...] = ()
    policy: str = CURRENT
    order: Order | None = None
    """None: in order of time, then most visits first."""
    after: Place | None = None  # only the rows that come after
    limit: int | None = None  # so many rows, the first ones; None: all

    @property
    def by(self) -> tuple[str, ...]:
        """What rows are of, but for the time."""
        return tuple(name for name in self.group_by if name not in UNITS)

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(name for name in self.group_by if name in UNITS)

    @property
    def counted_by(self) -> tuple[str, ...]:
        """All that counts must be told apart by, each once."""
        return tuple(dict.fromkeys((*self.by, *self.only, *self.without)))

    @property
    def dimension(self) -> Dimension | None:
        """The one under which all that is asked is counted; None where the facts themselves must be."""
        names = self.counted_by
        if len(names) > 1 or SHARER in names:
            return None
        return cast(Dimension, names[0]) if names else "total"

    def turn(self, currency: str, number: int, net: int, names: tuple[str, ...]) -> tuple[object, ...]:
        """When it is a row's turn: what is less stands before."""
        if self.order is not None:
            return ranking.turn(self.order, self.group_by, currency, number, names)
        when = tuple(name for unit, name in zip(self.group_by, names, strict=True) if unit in UNITS)
        return currency, when, -number, -net, names

    def turn_of_place(self) -> tuple[object, ...] | None:
        """What comes after this is asked for. Raises `Invalid` for a place that is none here."""
        if self.after is None:
            return None
        currency, number, net, names = self.after
        values = ranking.Place(currency, number, names).values(self.group_by)
        return self.turn(currency, number, net, values)


def whole_quarters(since: datetime, until: datetime, now: datetime, said: Collection[str]) -> tuple[datetime, datetime]:
    """The period in whole quarters of an hour. Where `to` was not `said`, it is the end of the quarter that is running;
    `from`, its beginning. An end that is not over yet is rounded up, which changes nothing.

    Raises `NotWhole` for any other that was said and lies within a quarter.
    """
    begin, end = to_micros(since), to_micros(until)
    if "from" in said and begin % QUARTER:
        raise NotWhole("from", begin)
    if "to" not in said:
        end += 1
    elif until < now and end % QUARTER:
        raise NotWhole("to", end)
    return from_micros(begin // QUARTER * QUARTER), from_micros(up(end))


def up(micros: int) -> int:
    """The beginning of a quarter, not before."""
    return -(-micros // QUARTER) * QUARTER


class NotWhole(ValueError):
    """A moment within a quarter of an hour, `before` and `after` it the nearest that can be asked for."""

    def __init__(self, name: str, micros: int) -> None:
        super().__init__(name)
        self.name = name
        self.before = from_micros(micros // QUARTER * QUARTER)
        self.after = from_micros(micros // QUARTER * QUARTER + QUARTER)
