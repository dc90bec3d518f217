"""Looking at tables that were just filled, so that the database finds its ways through them at once."""

from sqlalchemy import text

from app.kernel.database import Database
from app.kernel.statistics import Growth, look_at
from app.merchants.models import ApiKey, Merchant
from tests.db.referring import Shop

KNOWN = {
    "sqlite": "SELECT tbl FROM sqlite_stat1",
    "postgresql": "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'",
}


def known(database: Database) -> set[str]:
    """The tables of which the database knows how full they are."""
    with database.reading() as session:
        if database.is_sqlite and not session.scalar(text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")):
            return set()
        return set(session.scalars(text(KNOWN[session.get_bind().dialect.name])))


def test_a_look_tells_the_database_how_full_a_table_is(database: Database) -> None:
    Shop(database)
    before = known(database)
    with database.transaction() as session:
        look_at(session, Merchant, ApiKey)
    assert {"merchants"} == known(database) - before


def test_it_is_worth_a_look_each_time_something_is_four_times_as_large() -> None:
    growth = Growth(10)
    looked = [size for size in range(1, 1000) if growth.is_worth_a_look(size)]
    assert [10, 40, 160, 640] == looked
    assert [True, False, False, True] == [growth.is_worth_a_look(size) for size in (50_000, 50_001, 163_839, 163_840)]
