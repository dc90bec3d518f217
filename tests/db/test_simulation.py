"""Worlds in both databases: the same bytes whatever keeps them, in whatever batches; and counts that are the facts'."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.attribution.models import CreditLine
from app.kernel.clock import to_micros
from app.kernel.database import Base, Database
from app.kernel.rollups.tables import Rollup, RollupDelta
from app.kernel.signing import Signer
from app.orders.models import Order
from app.reports import reckoned
from app.simulation.making import Made, simulate
from app.simulation.options import Options
from tests.clock import START
from tests.conftest import NewDatabase
from tests.db.conftest import Run

SMALL = Options(until=START.date(), seed=5, merchants=2, facts=1_500, days=25, orders=90)
SIGNER = Signer(b"secret of the tests")
_BY_CHANCE = {
    "api_keys": {"hash", "key_id", "hint"},
    "audit_entries": {"entry_id", "subject"},
    "credit_lines": {"credit_id"},
    "credit_marks": {"mark_id"},
}
"""What is made by chance wherever it is made: secrets, what is noted of opening a merchant, and the ids of what
attribution derives."""
_BY_BATCH = {"journal_entries"}
"""What tells of writings: there are as many as there were batches."""


def content(database: Database) -> dict[str, list[str]]:
    """All rows of all tables that have any, as text, in no order of their own."""
    found: dict[str, list[str]] = {}
    with database.reading() as session:
        for table in (each for each in Base.metadata.sorted_tables if each.name not in _BY_BATCH):
            kept = [column for column in table.c if column.name not in _BY_CHANCE.get(table.name, ())]
            rows = sorted(repr(tuple(row)) for row in session.execute(select(*kept)))
            if rows:
                found[table.name] = rows
    return found


@pytest.fixture(scope="module")
def made(new_database: NewDatabase) -> Iterator[tuple[Database, Made]]:
    """A world that was written day by day."""
    database = Database(new_database("simulation"))
    yield database, simulate(database, SIGNER, replace(SMALL, batch=1))
    database.close()


def test_a_world_is_the_same_in_each_database_and_in_any_batches(made: tuple[Database, Made], tmp_path: Path) -> None:
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    Base.metadata.create_all(other.engine)
    simulate(other, SIGNER, replace(SMALL, batch=10**9))
    expected, found = content(other), content(made[0])
    other.close()

    assert expected.keys() == found.keys()
    for table, rows in expected.items():
        assert rows == found[table], table


def test_the_counts_are_those_of_the_facts(made: tuple[Database, Made]) -> None:
    database, world = made
    with database.reading() as session:
        for merchant in world.merchants:
            for_ever = (0, to_micros(START), 0)
            assert [] == reckoned.differences(session, merchant.merchant_id, *for_ever)
            assert [] == reckoned.uneven(session, merchant.merchant_id)
        assert session.scalar(select(func.count()).select_from(Rollup))
        assert 0 == session.scalar(select(func.count()).select_from(RollupDelta))


def test_the_credit_of_each_order_adds_up_to_its_net(made: tuple[Database, Made]) -> None:
    database, _ = made
    with database.reading() as session:
        nets = {row.order_id: row.net for row in session.execute(select(Order.order_id, Order.net)) if row.net}
        by_order = select(CreditLine.order_id, func.sum(CreditLine.gross)).group_by(CreditLine.order_id)
        assert nets == {order: int(gross) for order, gross in session.execute(by_order)}


def test_credit_is_written_when_the_day_of_its_order_is_over(made: tuple[Database, Made]) -> None:
    database, _ = made
    day = timedelta(hours=24)
    with database.reading() as session:
        of_order = select(CreditLine.order_at, func.min(CreditLine.written_at).label("written_at"))
        written = session.execute(of_order.group_by(CreditLine.order_id, CreditLine.order_at)).all()
        assert written
        assert all(order_at < at < START for order_at, at in written)
        assert all(at - order_at < day for order_at, at in written)


def test_a_world_beside_another_of_the_same_seed_is_one_of_its_own(made: tuple[Database, Made]) -> None:
    database, world = made
    again = simulate(database, SIGNER, replace(SMALL, facts=200, orders=10))

    assert not {each.merchant_id for each in again.merchants} & {each.merchant_id for each in world.merchants}
    assert (200, 10) == (again.facts, again.orders)


def test_the_command_makes_a_world_and_tells_of_it(grapevine: Run, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "truth.json"
    words = "--add --merchants 1 --facts 300 --days 5 --orders 12 --until 2026-03-02 --truth"
    told = grapevine("simulate", *words.split(), file)

    assert 0 == told.exit_code, told.output
    assert "300 facts and 12 orders, from 2026-02-25 until 2026-03-02.\n" in told.stdout
    assert re.search(r"report key  rk_\w+", told.stdout)
    assert '"network": "(direct)"' in file.read_text()
    with database.reading() as session:
        assert 12 == session.scalar(select(func.count()).select_from(Order))


def test_the_command_does_not_mix_worlds_unless_it_is_told_to(grapevine: Run, merchant: str) -> None:
    assert merchant
    refused = grapevine("simulate", "--facts", 100, "--days", 3)
    added = grapevine("simulate", "--facts", 100, "--days", 3, "--merchants", 1, "--add")

    assert (2, 0) == (refused.exit_code, added.exit_code), added.output
    assert "there are merchants in this database: take another (GRAPEVINE_DATABASE_URL), or --add" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--days 0", "--days must be from 1 to 3,660, and not 0"),
        ("--until 2126-01-01", "--until must not lie in the future: "),
        ("--until soon", "--until must be a day, such as "),
        ("--add --facts 10 --truth /nowhere/at/all.json", "/nowhere/at/all.json: No such file or directory"),
    ],
)
def test_impossible_worlds_are_refused_in_one_line(grapevine: Run, words: str, said: str) -> None:
    told = grapevine("simulate", *words.split())

    assert 2 == told.exit_code
    assert told.stderr.startswith(f"grapevine: {said}")
    assert 1 == told.stderr.count("\n")
