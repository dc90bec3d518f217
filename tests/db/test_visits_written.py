"""Visits and what they add to the counts: written together, a batch at a time."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app.kernel.database import Database
from app.kernel.ids import new_id
from app.kernel.rollups.appending import quarter_of
from app.kernel.rollups.tables import RollupDelta
from app.referrals import visits
from app.referrals.models import Visit
from app.referrals.visits import NewVisit, Way
from tests.clock import START
from tests.db.referring import Shop


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    made = Shop(database)
    yield made
    with database.transaction() as session:  # nobody folds them here
        session.execute(delete(RollupDelta).where(RollupDelta.merchant_id == made.merchant))


def way(shop: Shop, kind: str = "click", shared_to: str | None = "whatsapp") -> Way:
    return Way(shop.merchant, new_id("ref", shop.merchant, START), kind, shop.products[0], None, shared_to)


def added(database: Database, shop: Shop) -> dict[tuple[str, str, datetime], int]:
    """What was added to the counts, by dimension, value and quarter."""
    asked = select(RollupDelta).where(RollupDelta.merchant_id == shop.merchant)
    sums: dict[tuple[str, str, datetime], int] = {}
    with database.reading() as session:
        for delta in session.scalars(asked):
            key = (delta.dimension, delta.value, START + timedelta(microseconds=delta.starts - quarter_of(START)))
            sums[key] = sums.get(key, 0) + delta.visits
    return sums


def test_a_visit_is_kept_as_it_was(database: Database, shop: Shop) -> None:
    visit = NewVisit.by(way(shop), "instagram", START + timedelta(microseconds=7))
    with database.transaction() as session:
        assert [visit.visit_id] == visits.write(session, [visit])
    with database.reading() as session:
        kept = session.get_one(Visit, (shop.merchant, visit.visit_id))
    assert (visit.referral_id, "click", shop.products[0], None) == (
        kept.referral_id,
        kept.type,
        kept.product_id,
        kept.wall_id,
    )
    assert ("instagram", START + timedelta(microseconds=7)) == (kept.seen_from, kept.at)
    assert (kept.at, False) == (kept.received_at, kept.imported)


def test_visits_are_counted_with_their_batch_under_what_they_have_in_common(database: Database, shop: Shop) -> None:
    shared, liked = way(shop), way(shop, "like", None)
    later = START + timedelta(minutes=15)
    batch = [
        *(NewVisit.by(shared, None, START + timedelta(seconds=number)) for number in range(3)),
        NewVisit.by(shared, "instagram", START),
        NewVisit.by(shared, None, later),
        *(NewVisit.by(liked, None, START) for _ in range(2)),
    ]
    with database.transaction() as session:
        visits.write(session, batch)
    told = added(database, shop)
    assert (6, 1) == (told["total", "", START], told["total", "", later])
    assert (3, 1) == (told["network", "whatsapp", START], told["network", "whatsapp", later])
    assert 1 == told["seen_from", "instagram", START] == told["network", "instagram", START]
    assert (4, 2) == (told["kind", "share", START], told["kind", "like", START])
    assert 6 == told["product", shop.products[0], START]


def test_visits_that_cannot_be_written_are_not_counted(database: Database, shop: Shop) -> None:
    visit = NewVisit.by(way(shop), None, START)
    with pytest.raises(IntegrityError), database.transaction() as session:
        visits.write(session, [visit, visit])
    assert {} == added(database, shop)


def test_a_touch_that_is_no_visit_is_not_counted(database: Database, shop: Shop) -> None:
    with database.transaction() as session:
        visits.write(session, [NewVisit.by(way(shop, "view"), None, START)])
    assert {} == added(database, shop)
