"""Visits and beacons of certain times, for tests of the months in which they stand and of forgetting."""

import itertools
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from app.kernel import bulk, partitions
from app.kernel.clock import to_micros
from app.kernel.database import Base, Database, insert_all_new
from app.kernel.ids import new_id
from app.referrals import keeping
from app.referrals.models import Beacon, Visit
from app.settings import Settings

NOW = datetime.now(UTC)  # by which migrations make the first months
KEPT = timedelta(days=400)
VISITS, BEACONS = keeping.tables(Settings(keep_beacons_days=KEPT.days))
FOREIGN = ("t1", "", "clk", "clk_", "CLK_01", "clk_zzzzzzzzzzzzz", "clk-9", "é", "zz")
numbers = itertools.count(1)
"""For names of databases."""


def visit(visit_id: str, merchant: int = 1) -> dict[str, object]:
    imported = visit_id in FOREIGN
    fields = {"merchant_id": merchant, "visit_id": visit_id, "type": "click", "imported": imported}
    return {**fields, "at": NOW, "received_at": NOW}


def write(database: Database, *ids: str, merchant: int = 1) -> None:
    with database.transaction() as session:
        assert len(ids) == len(insert_all_new(session, Visit, [visit(each, merchant) for each in ids]))


def report(database: Database, at: datetime, count: int = 1, merchant: int = 1) -> list[str]:
    """Beacons of a moment; their ids."""
    ids = [new_id("bcn", merchant, at) for _ in range(count)]
    columns = ("merchant_id", "beacon_id", "type", "at", "received_at")
    rows = [(merchant, each, "wall_view", to_micros(at), to_micros(at)) for each in ids]
    with database.transaction() as session:
        bulk.append(session, Beacon, columns, rows)
    return ids


def click(at: datetime) -> str:
    return new_id("clk", 1, at)


def ids_of(database: Database, mapped: type[Base]) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(list(mapped.__table__.primary_key)[-1])))


def keep_up(database: Database, now: datetime) -> None:
    partitions.keep_up(database, (VISITS, BEACONS), now)
