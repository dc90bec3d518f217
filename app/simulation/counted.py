"""What of a day is counted, and under which values: what reports of what happened are compared with. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from app.kernel.rollups.tables import MEASURES, QUARTER, Dimension
from app.referrals.counting import BEACONS
from app.simulation import showing
from app.simulation.chance import Flags, Ints
from app.simulation.checkouts import Begun
from app.simulation.columns import LIKE
from app.simulation.life import Day
from app.simulation.networks import NETWORKS
from app.simulation.shops import Shop

_PLACES: Final = {measure: place for place, measure in enumerate(MEASURES)}
_OF_BEACONS: Final = np.array([_PLACES[BEACONS[name]] for name in showing.TYPES])
KINDS: Final = ("", "like", "share")


class Counted(NamedTuple):
    """Facts, as numbers: when, what (the place in `MEASURES`), and by what it is counted."""

    at: Ints
    measure: Ints
    network: Ints
    shared_to: Ints
    seen_from: Ints
    product: Ints
    wall: Ints
    kind: Ints

    def by(self, dimension: Dimension) -> Ints:
        """The number of each one's value; 0 is none, and what all have in `total`."""
        if dimension == "total":
            return np.zeros(len(self.at), dtype=np.int64)
        found: Ints = getattr(self, dimension)
        return found


def values(shop: Shop, dimension: Dimension) -> tuple[str, ...]:
    """What the numbers of a dimension stand for, as the counts call it."""
    match dimension:
        case "product":
            return ("", *shop.products[1:].tolist())
        case "wall":
            return ("", *shop.walls[1:].tolist())
        case "kind":
            return KINDS
        case "total":
            return ("",)
        case _:
            return NETWORKS


def of_day(shop: Shop, day: Day, end: int) -> Counted:
    """All that is counted of a day in a world that ends at `end`: a like that is taken back until then is not."""
    referrals, visits, beacons = day.referrals, day.visits, day.beacons
    stands = _stands(day, end)
    of_referrals = np.where(referrals.kind == LIKE, _PLACES["likes"], _PLACES["shares"])[stands]
    of_visits = np.full(len(visits.at), _PLACES["visits"])
    observed = np.where(visits.seen_from > 0, visits.seen_from, visits.shared_to)
    unseen = np.zeros(int(stands.sum()), dtype=np.int64), np.zeros(len(beacons.at), dtype=np.int64)
    columns = (
        (referrals.at[stands], visits.at, beacons.at),
        (of_referrals, of_visits, _OF_BEACONS[beacons.type]),
        (referrals.network[stands], observed, beacons.network),
        (referrals.network[stands], visits.shared_to, beacons.network),
        (unseen[0], visits.seen_from, unseen[1]),
        (referrals.product[stands], visits.product, beacons.product),
        (referrals.wall[stands], visits.wall, beacons.wall),
        (referrals.kind[stands], visits.kind, beacons.kind),
    )
    facts = Counted(*(np.concatenate(each) for each in columns))
    return joined((facts, _of_checkouts(shop, day.checkouts)))


def _of_checkouts(shop: Shop, begun: Sequence[Begun]) -> Counted:
    """By the first thing in the basket, and by the click that they came with, where that is known."""
    rows = []
    for each in begun:
        shared_to, seen_from, kind = 0, 0, 0
        if each.through is not None:
            shared_to, seen_from, kind = each.through.shared_to, each.through.seen_from, each.through.kind
        product = shop.variants[each.lines[0].variant].product
        rows.append(
            (each.at, _PLACES["checkouts"], seen_from or shared_to, shared_to, seen_from, product, each.wall, kind)
        )
    table = np.array(rows, dtype=np.int64).reshape(-1, len(Counted._fields))
    return Counted(*table.T)


def joined(facts: Sequence[Counted]) -> Counted:
    """All of them. There are some."""
    return Counted(*(np.concatenate(each) for each in zip(*facts, strict=True)))


def quarters(start: int, end: int, counted: Counted, dimension: Dimension, values: int) -> tuple[Ints, Ints, Ints]:
    """For each quarter of an hour from `start` until before `end`, and value of which there is anything: when it
    begins, the value's number, and how many of each measure."""
    quarter = (counted.at - start) // QUARTER
    cells = (quarter * values + counted.by(dimension)) * len(MEASURES) + counted.measure
    many = (end - start) // QUARTER
    table = np.bincount(cells, minlength=values * many * len(MEASURES)).reshape(-1, len(MEASURES))
    found = np.flatnonzero(table.any(axis=1))
    return start + found // values * QUARTER, found % values, table[found]


def sums(counted: Counted, dimension: Dimension, values: int) -> Ints:
    """How many of each value, in rows, and measure, in columns."""
    cells = counted.by(dimension) * len(MEASURES) + counted.measure
    return np.bincount(cells, minlength=values * len(MEASURES)).reshape(-1, len(MEASURES))


def _stands(day: Day, end: int) -> Flags:
    taken_back = day.referrals.withdrawn_at
    return np.array([each is None or each >= end for each in taken_back.tolist()], dtype=np.bool_)
