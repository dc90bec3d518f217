"""Visits and beacons of before there were counts (0005) and months (0006) stay as they are, and new ones have both."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import migrate
from app.kernel.clock import from_micros
from app.kernel.database import Database, insert_new
from app.kernel.ids import new_id
from app.kernel.rollups.appending import Counted, append
from app.kernel.rollups.tables import DIMENSIONS
from app.referrals.models import Visit
from app.reports.mending import Books
from tests import postgres
from tests.conftest import BACKENDS
from tests.db.upgrading import SHOP, empty_database, every, only, tell
from tests.soak import SOAK

SEEN = """
INSERT INTO referrals (merchant_id, referral_id, kind, visitor_id, target, network, code, at, received_at)
    VALUES (1, 'ref_000000000000000001000000000001', 'share', 'vis_3', '/', 'x', 'code2', 6, 6);
INSERT INTO visits (merchant_id, visit_id, referral_id, type, at, received_at, imported)
    VALUES (1, 't1', 'ref_1', 'like', 7, 8, true);
INSERT INTO visits (merchant_id, visit_id, referral_id, type, at, received_at, imported)
    VALUES (1, 'clk_01m8qedc00of_the_same_days', 'ref_1', 'click', 7, 8, true);
INSERT INTO visits (merchant_id, visit_id, referral_id, type, seen_from, at, received_at)
    VALUES (1, 'clk_000000000000000001000000000001', 'ref_1', 'click', 'x', 7, 8);
INSERT INTO visits (merchant_id, visit_id, referral_id, type, at, received_at, imported)
    VALUES (1, 'clk_02000000000of_a_time_to_come', 'ref_1', 'click', 7, 8, true);
INSERT INTO beacons (merchant_id, beacon_id, type, wall_id, at, received_at)
    VALUES (1, 'bcn_000000000000000001000000000001', 'wall_view', 'wal_1', 7, 8)
"""
"""What people did before anybody counted, under ids of all kinds."""


@pytest.fixture(params=BACKENDS)
def seen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of before, in which people had looked around."""
    with empty_database(request, tmp_path) as made:
        tell(made, "0001", SHOP)
        tell(made, "0004", SEEN)
        migrate.upgrade(made)
        yield made


def test_visits_and_beacons_of_before_stay_as_they_are(seen: Database) -> None:
    assert migrate.is_current(seen)
    visits = every(seen, "SELECT visit_id, type, seen_from, imported, at, received_at FROM visits ORDER BY visit_id")
    assert [
        ("clk_000000000000000001000000000001", "click", "x", False, 7, 8),
        ("clk_01m8qedc00of_the_same_days", "click", None, True, 7, 8),
        ("clk_02000000000of_a_time_to_come", "click", None, True, 7, 8),
        ("clk_1", "click", None, False, 2, 2),
        ("t1", "like", None, True, 7, 8),
    ] == visits
    assert ("bcn_000000000000000001000000000001", "wall_view", "wal_1", 7, 8) == only(
        seen, "SELECT beacon_id, type, wall_id, at, received_at FROM beacons"
    )


def test_nothing_is_missing_of_what_the_code_describes(seen: Database) -> None:
    command.check(migrate.config(seen))  # on PostgreSQL too, where tables have parts


def test_a_visit_of_before_does_not_come_twice(seen: Database) -> None:
    with seen.transaction() as session:
        for visit_id in ("clk_1", "t1", "clk_000000000000000001000000000001", "clk_02000000000of_a_time_to_come"):
            fields = {"merchant_id": 1, "visit_id": visit_id, "type": "click", "at": from_micros(1)}
            assert not insert_new(session, Visit, **fields, received_at=from_micros(1))


def test_of_before_nothing_is_counted_yet_and_what_comes_is(seen: Database) -> None:
    assert [(0,), (0,)] == every(seen, "SELECT count(*) FROM rollups UNION ALL SELECT count(*) FROM rollup_deltas")
    with seen.transaction() as session:
        append(session, {Counted(1, 0, "visits", network="x"): 3})
    assert [(3,)] == every(seen, "SELECT DISTINCT visits FROM rollup_deltas")


def test_what_happened_before_is_counted_when_it_is_compared(seen: Database) -> None:
    books = Books(seen, 1, datetime(1970, 1, 2, tzinfo=UTC), from_micros(0), mend=True)
    assert books.compare()
    totals = "sum(visits), sum(shares), sum(wall_views)"
    # What the server itself wrote is known by its id: the shop's first share and visit have none of ours.
    assert (4, 1, 1) == only(seen, f"SELECT {totals} FROM rollup_deltas WHERE dimension = '{DIMENSIONS[0]}'")
    assert not books.compare()


def test_what_comes_later_has_its_month(seen: Database) -> None:
    """Not at once: old code still writes what has none yet."""
    now = datetime.now(UTC)
    with seen.transaction() as session:
        for days in (0, 62):
            at = now + timedelta(days=days)
            session.add(Visit(merchant_id=1, visit_id=new_id("clk", 1, at), type="click", at=at, received_at=at))
    if not seen.is_sqlite:
        query = "SELECT tableoid::regclass::text FROM visits WHERE at > 1000000 ORDER BY at"
        now_in, later_in = (str(part) for (part,) in every(seen, query))
        assert "visits_others" == now_in
        assert later_in.startswith("visits_until_")


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="waits five seconds for a lock")
def test_an_upgrade_that_cannot_have_its_lock_gives_up_and_can_be_run_again(postgres_url: str) -> None:
    database = Database(postgres.new_database(postgres_url, f"held-{time.monotonic_ns()}"))
    tell(database, "0001", SHOP)
    tell(database, "0005", SEEN)
    with database.reading() as session:  # a report that takes its time
        assert 5 == session.scalar(text("SELECT count(*) FROM visits"))
        with pytest.raises(OperationalError):
            migrate.upgrade(database)
        tell_again = SEEN.replace("'t1'", "'t2'").split(";\n")[1]
        with database.transaction() as writing:
            writing.connection().exec_driver_sql(tell_again)
    migrate.upgrade(database)
    assert 6 == len(every(database, "SELECT visit_id FROM visits"))
    database.close()
