"""On PostgreSQL a month of visits goes as a whole when the time of every merchant is over."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from app.kernel import partitions
from app.kernel.database import Database
from app.kernel.ids import new_id
from app.merchants.models import Merchant
from app.merchants.retention import Retention
from app.referrals.models import Visit
from app.retention.visits import forget_visits
from tests import migrated
from tests.clock import TestClock
from tests.db.months import NOW, ids_of, numbers, write
from tests.db.referring import Shop

KEEP = 800


@pytest.fixture
def parted(postgres_url: str) -> Iterator[Database]:
    """A fresh database in PostgreSQL."""
    database = Database(migrated.on_postgresql(postgres_url, f"kept-{next(numbers)}"))
    yield database
    database.close()


def visit(shop: Shop, at: datetime = NOW) -> str:
    name = new_id("clk", shop.merchant, at)
    write(shop.database, name, merchant=shop.merchant)
    return name


def drop(database: Database, now: datetime) -> None:
    for _ in range(2):
        forget_visits(database, TestClock(now), now, KEEP, lambda: None)


def parts(database: Database) -> list[str]:
    with database.reading() as session:
        return [part.name for part in partitions.parts(session, "visits")]


def test_a_month_stays_while_somebody_keeps_it_and_goes_as_one_file_then(parted: Database) -> None:
    brief, usual = Shop(parted), Shop(parted)
    with parted.transaction() as session:
        session.get_one(Merchant, brief.merchant).retention = Retention({"visits": 60}, {}).to_json()
    gone, stays = visit(brief), visit(usual)
    before = parts(parted)
    drop(parted, NOW + timedelta(days=100))
    assert {stays} == ids_of(parted, Visit), "the other's went row by row"
    assert before == parts(parted)

    with parted.transaction() as session:  # what is deleted row by row would be refused
        session.execute(
            text("CREATE FUNCTION refuse() RETURNS trigger AS 'BEGIN RAISE ''row by row''; END' LANGUAGE plpgsql")
        )
        session.execute(text("CREATE TRIGGER refuse BEFORE DELETE ON visits FOR EACH ROW EXECUTE FUNCTION refuse()"))
    drop(parted, NOW + timedelta(days=KEEP + 62))
    assert set() == ids_of(parted, Visit)
    assert before != parts(parted)
    assert gone not in ids_of(parted, Visit)
    visit(usual)


def test_a_merchant_who_is_new_keeps_no_month_of_before(parted: Database) -> None:
    usual = Shop(parted)
    visit(usual)
    late = NOW + timedelta(days=KEEP + 62)
    newcomer = Shop(parted)
    with parted.transaction() as session:
        session.get_one(Merchant, newcomer.merchant).created_at = late
    drop(parted, late)
    assert set() == ids_of(parted, Visit)
    with parted.reading() as session:
        assert None is session.get_one(Merchant, newcomer.merchant).visits_kept_from
