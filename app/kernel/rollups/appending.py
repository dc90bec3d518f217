"""Appends what a batch of facts adds to the counts, in the transaction of the facts: it stands or falls with them."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.kernel.clock import from_micros, to_micros
from app.kernel.database import table_of
from app.kernel.ids import new_ids
from app.kernel.rollups.tables import DIMENSIONS, MEASURES, QUARTER, Measure, RollupDelta


class Counted(NamedTuple):
    """What is counted alike: facts of one merchant and quarter that have all of this in common. Empty: none."""

    merchant_id: int
    starts: int
    """Of the quarter, microseconds since 1970: `quarter_of`."""
    measure: Measure
    network: str = ""
    shared_to: str = ""
    seen_from: str = ""
    product: str = ""
    wall: str = ""
    kind: str = ""


def quarter_of(at: datetime) -> int:
    """When the quarter of an hour begins in which `at` lies, in microseconds since 1970."""
    micros = to_micros(at)
    return micros - micros % QUARTER


def append(session: Session, counts: Mapping[Counted, int]) -> None:
    """Add so many of each to the counts. Costs rows by how many different ones there are, not by how many."""
    sums: dict[tuple[int, str, str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for counted, count in counts.items():
        merchant, starts, measure, *values = counted
        for dimension, value in zip(DIMENSIONS, ("", *values), strict=True):
            sums[merchant, dimension, value, starts][measure] += count
    if sums:
        session.execute(_INSERT, _rows(sums))


def _rows(sums: Mapping[tuple[int, str, str, int], Mapping[str, int]]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for (merchant, dimension, value, starts), measures in sums.items():
        (delta_id,) = new_ids("rll", merchant, from_micros(starts), 1)
        about = {"merchant_id": merchant, "delta_id": delta_id, "dimension": dimension, "value": value}
        rows.append({**about, "starts": starts, **{name: measures.get(name, 0) for name in MEASURES}})
    return rows


_INSERT = insert(table_of(RollupDelta))
