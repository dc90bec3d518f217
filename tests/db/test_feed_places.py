"""Places in the feed: who names one that has never been here, or is no more, cannot go on after it."""

from pathlib import Path

import pytest
from sqlalchemy import delete, update

from app import migrate
from app.kernel.database import Database
from app.kernel.feed import FeedEnd, FeedEntry
from app.kernel.feed_places import BEGINNING, Place
from app.kernel.feed_relay import Relay
from tests.clock import TestClock
from tests.conftest import BACKENDS
from tests.db.backups import NewPlace, back_up, restore
from tests.db.feeding import end, goes_on_after, heard, tell
from tests.db.referring import Shop


@pytest.fixture
def relay(database: Database) -> Relay:
    return Relay(database, TestClock())


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


def test_who_heard_what_a_database_that_was_put_back_never_had_cannot_go_on(
    database: Database, shop: Shop, relay: Relay
) -> None:
    relay.place_all()
    start = end(database, shop.merchant)
    for product in ("prod_1", "prod_2", "prod_3"):
        tell(database, shop.merchant, product)
    relay.place_all()
    before = heard(database, shop.merchant)
    with database.transaction() as session:  # as it was before the last two
        session.execute(delete(FeedEntry).where(FeedEntry.merchant_id == shop.merchant, FeedEntry.position > start + 1))
        session.execute(update(FeedEnd).where(FeedEnd.merchant_id == shop.merchant).values(position=start + 1))
    assert [True, False, False] == [
        goes_on_after(database, shop.merchant, before[start + position]) for position in (1, 2, 3)
    ]
    for number in range(5):
        tell(database, shop.merchant, f"prod_other_{number}")
    relay.place_all()
    assert start + 6 == end(database, shop.merchant)
    assert [True, False, False] == [
        goes_on_after(database, shop.merchant, before[start + position]) for position in (1, 2, 3)
    ]
    assert heard(database, shop.merchant)[start + 1] == before[start + 1]


@pytest.mark.parametrize("kind", BACKENDS)
def test_what_was_heard_after_the_backup_is_no_place_in_what_was_restored(
    kind: str, place: NewPlace, file: Path
) -> None:
    url = place(kind)
    database = Database(url)
    migrate.upgrade(database)
    relay, merchant = Relay(database, TestClock()), Shop(database).merchant
    tell(database, merchant, "prod_1")
    relay.place_all()
    kept = end(database, merchant)
    back_up(url, file)
    for _ in range(2):
        tell(database, merchant, "prod_2")
        relay.place_all()
    before = heard(database, merchant)
    database.close()
    restore(file, url, replace=True)
    for _ in range(3):
        tell(database, merchant, "prod_3")
        relay.place_all()
    assert kept + 3 == end(database, merchant)
    assert [True, False, False] == [goes_on_after(database, merchant, before[kept + more]) for more in (0, 1, 2)]
    database.close()


def test_a_place_of_another_merchants_feed_is_none_of_ours(database: Database, shop: Shop, relay: Relay) -> None:
    other = Shop(database)
    relay.place_all()
    theirs = heard(database, other.merchant)
    assert goes_on_after(database, other.merchant, theirs[1])
    assert not goes_on_after(database, shop.merchant, theirs[1])


@pytest.mark.parametrize("place", [BEGINNING, Place(7, "0123456789ab"), Place(10**17, "zzzzzzzzzzzz")])
def test_a_place_is_told_as_text(place: Place) -> None:
    assert place == Place.of(str(place))


@pytest.mark.parametrize(
    "text", ["", "0", "7", "-", "-0123456789ab", "7-0123456789a", "7-0123456789abc", "7-0123456789AB", "٧-0123456789ab"]
)
def test_other_text_is_no_place(text: str) -> None:
    assert Place.of(text) is None
