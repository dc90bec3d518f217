"""The true figures of a world, as plain sums of what was decided: nothing was ever read from a database. Pure.

A merchant's days are those of its time zone. Amounts are minor units. What reports must say is asked with `attribution`
and `funnel`, by any of the dimensions that those know.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

from app.kernel.rollups.tables import DIMENSIONS, MEASURES, Dimension
from app.simulation import counted
from app.simulation.chance import Ints
from app.simulation.life import Day
from app.simulation.options import Options
from app.simulation.sales import Sale, TakenBack
from app.simulation.seasons import label
from app.simulation.shops import Shop
from app.simulation.showing import MACHINES
from app.simulation.word import NONE, Word

UNITS: Final = ("day", "week", "month")


class Sold(NamedTuple):
    """An order, who brought it, and what was ever taken back of it. `depth` is the level of the sharer under the
    default policy: always the direct one."""

    order_id: str
    day: date
    currency: str
    livemode: bool
    network: str
    shared_to: str
    seen_from: str
    product: str
    wall: str
    sharer: str
    kind: str
    depth: str
    referral: str | None
    click: str | None
    visitor: str | None
    net: int
    taken_back: tuple[TakenBack, ...]

    def refunded(self, at: int) -> int:
        """Minor units of the net that are taken back at this moment."""
        return sum(each.amount for each in self.taken_back if each.counts(at))


@dataclass
class Sums:
    """Of some orders. `gross` is what was divided, as the attribution report calls it."""

    orders: int = 0
    gross: int = 0
    refunded: int = 0

    @property
    def net(self) -> int:
        return self.gross - self.refunded


@dataclass
class Merchant:
    """The truth about one merchant."""

    shop: Shop
    first_day: date
    end: int
    word: Word | None = None
    """How the word was passed on, where that is kept."""
    sold: list[Sold] = field(default_factory=list)
    machines: Counter[tuple[date, str, str]] = field(default_factory=Counter)
    """Visits of machines by day (UTC), kind and name."""
    written: Counter[str] = field(default_factory=Counter)
    """How many of each kind of fact there are at all."""

    def __post_init__(self) -> None:
        self._days: list[dict[Dimension, Ints]] = []
        self._starts: dict[date, int] = {}

    def add(self, day: Day, facts: counted.Counted) -> None:
        """The next day."""
        self._starts[day.span.date] = day.span.start
        sizes = {dimension: len(counted.values(self.shop, dimension)) for dimension in DIMENSIONS}
        self._days.append({each: counted.sums(facts, each, size).astype(np.int32) for each, size in sizes.items()})
        self.sold += [self._sold(sale, day.span.date) for sale in day.sales]
        if self.word is not None:
            self.word.add(day)
        for machine, visits in zip(day.machines.machine.tolist(), day.machines.visits.tolist(), strict=True):
            self.machines[day.span.date, *MACHINES[machine]] += visits
        for name in ("referrals", "visits", "views", "beacons"):
            self.written[name] += len(getattr(day, name).at)
        self.written["orders"] += len(day.sales)

    def attribution(
        self,
        group_by: Sequence[str],
        *,
        livemode: bool = True,
        since: date = date.min,
        until: date = date.max,
        as_of: date = date.max,
    ) -> dict[tuple[str, ...], Sums]:
        """What `GET /v1/reports/attribution` must say of the orders of `since <= day < until`, as it was known when
        the day `as_of` began: by the values of `group_by`, and last the currency. There is no row of nothing."""
        found: dict[tuple[str, ...], Sums] = defaultdict(Sums)
        known_by = self._starts.get(as_of, self.end)
        for sold in self.sold:
            if sold.livemode is livemode and sold.net and since <= sold.day < min(until, as_of):
                values = (label(sold.day, name) if name in UNITS else getattr(sold, name) for name in group_by)
                sums = found[*values, sold.currency]
                sums.orders += 1
                sums.gross += sold.net
                sums.refunded += sold.refunded(known_by)
        return dict(found)

    def nets(self, *, livemode: bool = True) -> dict[str, Counter[str]]:
        """What each referral brought directly, at the end: minor units by currency, without what was taken back."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for sold in self.sold:
            if sold.referral is not None and sold.livemode is livemode:
                found[sold.referral][sold.currency] += sold.net - sold.refunded(self.end)
        return found

    def funnel(
        self, dimension: Dimension = "total", unit: str | None = None, *, since: date = date.min, until: date = date.max
    ) -> dict[tuple[str, ...], dict[str, int]]:
        """How many were seen, liked, shared, visited on the days of `since <= day < until`: by the dimension's values
        (none for `total`; the empty value is none), and by day, week or month where asked. No cell of nothing."""
        sums: dict[str, Ints] = {}
        for number, table in enumerate(self._days):
            day = self.first_day + timedelta(days=number)
            if since <= day < until:
                name = label(day, unit) if unit else ""
                sums[name] = sums.get(name, 0) + table[dimension].astype(np.int64)
        return {
            key: cells
            for name, table in sums.items()
            for key, cells in self._cells(dimension, (name,) if unit else (), table)
        }

    def _cells(
        self, dimension: Dimension, of_time: tuple[str, ...], table: Ints
    ) -> Iterator[tuple[tuple[str, ...], dict[str, int]]]:
        for value, row in zip(counted.values(self.shop, dimension), table.tolist(), strict=True):
            cells: dict[str, int] = {measure: count for measure, count in zip(MEASURES, row, strict=True) if count}
            if cells:
                yield ((*of_time,) if dimension == "total" else (value, *of_time)), cells

    def _sold(self, sale: Sale, day: date) -> Sold:
        source, shop = sale.source, self.shop
        return Sold(
            order_id=sale.order_id,
            day=day,
            currency=sale.currency,
            livemode=sale.livemode,
            network=source.network,
            shared_to=source.shared_to or NONE,
            seen_from=source.seen_from or NONE,
            product=shop.products[source.product] or NONE,
            wall=shop.walls[source.wall] or NONE,
            sharer=source.sharer,
            kind=source.kind or NONE,
            depth="0",
            referral=source.referral,
            click=sale.click,
            visitor=sale.visitor,
            net=sale.net,
            taken_back=tuple(sale.taken_back),
        )

    def told(self, public_id: str) -> dict[str, Any]:
        """As JSON: by each dimension alone, and by it and day."""
        return {
            "merchant": public_id,
            "name": self.shop.name,
            "timezone": self.shop.zone.key,
            "written": dict(self.written),
            "machines": [
                {"day": str(day), "kind": kind, "machine": name, "visits": visits}
                for (day, kind, name), visits in sorted(self.machines.items())
            ],
            "funnel": {
                f"{dimension}{'' if unit is None else f',{unit}'}": [
                    {**_named(dimension, unit, key), **cells}
                    for key, cells in sorted(self.funnel(dimension, unit).items())
                ]
                for dimension in DIMENSIONS
                for unit in (None, "day")
            },
            "attribution": {
                f"{'live' if livemode else 'test'}:{','.join(names)}": [
                    {
                        **dict(zip((*names, "currency"), key, strict=True)),
                        "orders": sums.orders,
                        "gross": sums.gross,
                        "refunded": sums.refunded,
                        "net": sums.net,
                    }
                    for key, sums in sorted(self.attribution(names, livemode=livemode).items())
                ]
                for livemode in (True, False)
                for names in _QUESTIONS
            },
        }


_QUESTIONS: Final = (
    (), ("network",), ("shared_to",), ("seen_from",), ("product",), ("wall",), ("kind",), ("day",), ("week",),
    ("month",), ("network", "day"), ("network", "product"),
)  # fmt: skip
"""Of the attribution report, that a file of the truth answers."""


def as_json(options: Options, merchants: Sequence[tuple[str, Merchant]]) -> str:
    """The truth about all merchants, each with its public id."""
    about = {"seed": options.seed, "from": str(options.first_day), "to": str(options.until)}
    return json.dumps({**about, "merchants": [truth.told(public_id) for public_id, truth in merchants]}, indent=1)


def _named(dimension: Dimension, unit: str | None, key: tuple[str, ...]) -> dict[str, str]:
    names = (() if dimension == "total" else (dimension,)) + (() if unit is None else (unit,))
    return dict(zip(names, key, strict=True))
