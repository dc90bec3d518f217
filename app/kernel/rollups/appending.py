"""Appends what a batch of facts adds to the counts, in the transaction of the facts: it stands or falls with them."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from app.kernel.bulk import Bulk, Row, Rows, insert_all
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


class Change(NamedTuple):
    """How much is to be added to one row of the counts, by measure, in the order of `MEASURES`."""

    merchant_id: int
    starts: int
    dimension: str
    value: str
    counts: tuple[int, ...]


def quarter_of(at: datetime) -> int:
    """When the quarter of an hour begins in which `at` lies, in microseconds since 1970."""
    micros = to_micros(at)
    return micros - micros % QUARTER


def append(session: Session, counts: Mapping[Counted, int]) -> None:
    """Add so many of each to the counts. Costs rows by how many different ones there are, not by how many."""
    insert_all(session, rows_of(counts))


def rows_of(counts: Mapping[Counted, int]) -> Rows:
    """What `append` inserts, for those who insert it together with their facts."""
    sums: dict[tuple[int, int], dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(_zeros))
    for (merchant, starts, measure, *values), count in counts.items():
        of_quarter, position = sums[merchant, starts], _POSITIONS[measure]
        for dimension, value in zip(DIMENSIONS, ("", *values), strict=True):
            of_quarter[dimension, value][position] += count
    return _rows_of(
        [
            Change(*quarter, *about, tuple(numbers))
            for quarter, of_quarter in sums.items()
            for about, numbers in of_quarter.items()
        ]
    )


def append_changes(session: Session, changes: list[Change]) -> None:
    """Append what is more than nothing of `changes`."""
    insert_all(session, _rows_of(changes))


def _rows_of(changes: list[Change]) -> Rows:
    quarters: dict[tuple[int, int], list[Change]] = defaultdict(list)
    for change in changes:
        if any(change.counts):
            quarters[change.merchant_id, change.starts].append(change)
    rows: list[Row] = []
    for (merchant, starts), theirs in quarters.items():
        ids = new_ids("rll", merchant, from_micros(starts), len(theirs))
        rows += [
            (merchant, delta_id, dimension, value, starts, *numbers)
            for delta_id, (_, _, dimension, value, numbers) in zip(ids, theirs, strict=True)
        ]
    return [(_DELTAS, rows)]


def _zeros() -> list[int]:
    return [0] * len(MEASURES)


_POSITIONS: Final = {measure: position for position, measure in enumerate(MEASURES)}
_DELTAS = Bulk(table_of(RollupDelta), ("merchant_id", "delta_id", "dimension", "value", "starts", *MEASURES))
