"""Visits and beacons stand in months on PostgreSQL: every row has its place, months come in time or are made up for,
and go when they are old."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from psycopg import Connection, connect
from psycopg.errors import Diagnostic
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import OperationalError

from app.kernel import partitions
from app.kernel.database import Database, insert_all_new
from app.kernel.ids import new_id
from app.referrals.models import Beacon, Visit
from tests import migrated
from tests.db.months import FOREIGN, KEPT, NOW, VISITS, click, ids_of, keep_up, numbers, report, visit, write
from tests.threads import together


@pytest.fixture
def parted(postgres_url: str) -> Iterator[Database]:
    """A fresh database in PostgreSQL."""
    database = Database(migrated.on_postgresql(postgres_url, f"parted-{next(numbers)}"))
    yield database
    database.close()


def where(database: Database, table: str = "visits", key: str = "visit_id") -> dict[str, str]:
    """In which part each row stands."""
    with database.reading() as session:
        found = session.execute(text(f"SELECT {key}, tableoid::regclass::text FROM {table}"))
        return {str(row_id): str(part) for row_id, part in found}


def names(database: Database, table: str = "visits") -> list[str]:
    with database.reading() as session:
        return [part.name.removeprefix(f"{table}_") for part in partitions.parts(session, table)]


def month(at: datetime, ahead: int = 0) -> datetime:
    return at.replace(year=at.year + (at.month - 1 + ahead) // 12, month=(at.month - 1 + ahead) % 12 + 1, day=1)


def until(ahead: int, at: datetime = NOW) -> str:
    return f"until_{month(at, ahead):%Y_%m}"


def test_a_row_has_its_place_whatever_its_id(parted: Database) -> None:
    ours = [click(NOW), click(month(NOW, 1)), click(month(NOW, 7)), click(NOW - timedelta(days=800))]
    write(parted, *ours, *FOREIGN)
    places = where(parted)
    assert [f"visits_{until(1)}", f"visits_{until(2)}", "visits_later", "visits_others"] == [
        places[each] for each in ours
    ]
    assert {"visits_others"} == {places[each] for each in FOREIGN}
    with parted.transaction() as session:
        assert set() == insert_all_new(session, Visit, [visit(each) for each in (*ours, *FOREIGN)])
        assert [each.visit_id for each in (session.get_one(Visit, (1, name)) for name in ours)] == ours


def test_a_look_up_by_key_reads_one_part(parted: Database) -> None:
    query = select(Visit.at).where(Visit.merchant_id == 1, Visit.visit_id == click(NOW))
    with parted.reading() as session:
        literal = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        plan = " ".join(session.scalars(text(f"EXPLAIN {literal}".replace(":", "\\:"))))
    assert f"visits_{until(1)}" in plan
    assert plan.count("Scan") == 1


def test_what_others_name_is_looked_up_in_its_own_part_by_its_index(parted: Database) -> None:
    """Also by a plan of before the month began, as connections keep them; nobody knew then that rows would come."""
    report(parted, NOW, 20_000)
    keep_up(parted, NOW)
    asked = "SELECT at FROM unnest($1, $2) AS given (m, i) JOIN beacons ON merchant_id = m AND beacon_id = i"
    ids = f"'{new_id('bcn', 1, NOW)}', '{new_id('bcn', 1, month(NOW, 1))}'"
    with connect(parted.url.render_as_string(hide_password=False)) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute(f"PREPARE named (bigint[], text[]) AS {asked}")
        said = connection.execute(f"EXPLAIN (ANALYZE) EXECUTE named (ARRAY[1, 1], ARRAY[{ids}])").fetchall()
    plan = [line for (line,) in said if " on beacons_" in line]
    assert 5 == len(plan)
    assert not [line for line in plan if "Index Scan" not in line]
    read = [line for line in plan if "never executed" not in line]
    assert [True, True] == [f"beacons_{until(number)} " in line for number, line in enumerate(read, 1)]


def test_months_are_made_ahead_however_many_look_after_it(parted: Database) -> None:
    assert [until(1), until(2), until(3), "later"] == names(parted)
    keep_up(parted, NOW)
    assert [until(1), until(2), until(3), "later"] == names(parted)
    together(*[partial(keep_up, parted, month(NOW, 2))] * 4)
    assert [until(ahead) for ahead in range(1, 6)] + ["later"] == names(parted)
    assert names(parted) == names(parted, "beacons")


def test_a_clock_that_is_years_ahead_makes_few_months(parted: Database) -> None:
    partitions.keep_up(parted, [VISITS], NOW + timedelta(days=36_500))
    assert 3 + partitions.MOST_AT_ONCE + 1 == len(names(parted))
    write(parted, click(NOW + timedelta(days=20_000)))


def said_by(database: Database) -> list[str]:
    """What PostgreSQL says of how it finds that rows are in their right parts, from now on."""
    said: list[str] = []

    def hear(diagnostic: Diagnostic) -> None:
        said.append(diagnostic.message_primary or "")

    @event.listens_for(database.engine, "connect")
    def _listen(connection: Connection[object], _: object) -> None:
        connection.add_notice_handler(hear)
        connection.execute("SET client_min_messages = debug1")
        connection.commit()

    database.engine.dispose()
    return said


def test_where_nobody_made_the_months_in_time_nothing_is_lost_and_nobody_waits(parted: Database) -> None:
    late, present, to_come = click(month(NOW, 5)), click(month(NOW, 12)), click(month(NOW, 40))
    write(parted, "t1", late, present, to_come)
    assert {"visits_later"} == {where(parted)[each] for each in (late, present, to_come)}
    said = said_by(parted)

    keep_up(parted, month(NOW, 12))

    assert [until(1), until(2), until(3), until(15), "later"] == names(parted)
    grown = f"visits_{until(15)}"
    assert {"t1": "visits_others", late: grown, present: grown, to_come: "visits_later"} == where(parted)
    visits = [line for line in said if "visits" in line and "constraint" in line]
    assert [line for line in visits if "implied by existing" in line]
    assert not [line for line in visits if line.startswith("verifying") and "visits_later" not in line]
    soon = click(month(NOW, 15))
    write(parted, soon)
    assert "visits_later" == where(parted)[soon]


def test_somebody_else_goes_on_where_one_was_killed_half_way(parted: Database) -> None:
    """It had asked that no more come that belong to the next part."""
    late = click(month(NOW, 5))
    write(parted, late)
    with parted.transaction() as session:
        closed = f"CHECK (visit_id < '{VISITS.beginning(month(NOW, 6))[:14]}')"
        session.execute(text(f"ALTER TABLE visits_later ADD CONSTRAINT closing {closed} NOT VALID"))
    keep_up(parted, month(NOW, 5))
    assert [until(1), until(2), until(3), until(8), "later"] == names(parted)
    write(parted, click(month(NOW, 7)), click(month(NOW, 9)), click(month(NOW, 90)))
    assert f"visits_{until(8)}" == where(parted)[late]


def test_a_long_report_is_not_waited_for_long_and_others_go_on(
    parted: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "_PATIENCE", "SET LOCAL lock_timeout = '300ms'")
    with parted.reading() as session:
        assert 0 == session.scalar(select(func.count()).select_from(Visit))
        began = time.monotonic()
        with pytest.raises(OperationalError):
            keep_up(parted, month(NOW, 2))
        assert 0.3 <= time.monotonic() - began < 3
        write(parted, click(NOW))
    assert [until(1), until(2), until(3), "later"] == names(parted)
    keep_up(parted, month(NOW, 2))
    assert len(names(parted)) == 6


def test_who_writes_meanwhile_is_never_refused(parted: Database) -> None:
    written: list[str] = []
    stop = threading.Event()
    present = 0

    def go_on_writing(number: int) -> None:
        while not stop.is_set():
            ids = [click(month(NOW, months)) for months in (0, present, present + 1)]
            write(parted, *ids, merchant=number + 1)
            written.extend(ids)

    writers = [threading.Thread(target=go_on_writing, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    try:
        for present in (0, 2, 6, 12, 18):
            time.sleep(0.05)
            keep_up(parted, month(NOW, present))
    finally:
        stop.set()
        for writer in writers:
            writer.join(30)
    assert len(written) > 20
    assert set(written) == ids_of(parted, Visit)


def test_what_is_old_is_dropped_by_the_month_and_what_still_comes_of_that_time_too(parted: Database) -> None:
    old = report(parted, NOW) + report(parted, month(NOW, 1))
    kept = report(parted, month(NOW, 3))
    write(parted, clicked := click(NOW))
    late = month(NOW, 3) + KEPT
    keep_up(parted, late)

    assert set(kept) == ids_of(parted, Beacon)
    assert {clicked} == ids_of(parted, Visit)
    first, second, *_ = names(parted, "beacons")
    assert (until(3), until(3 + 13 + 3)) == (first, second)  # what nobody made in time is one part
    restored = report(parted, NOW)
    assert {f"beacons_{until(3)}"} == {where(parted, "beacons", "beacon_id")[each] for each in restored}
    keep_up(parted, late)
    assert set(kept) == ids_of(parted, Beacon)
    assert not set(old) & ids_of(parted, Beacon)
