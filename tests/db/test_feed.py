"""The feed of what happened: complete and in one order, whoever tells, places and reads it at the same time."""

import random
import subprocess
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.kernel import feed
from app.kernel.database import Database
from app.kernel.feed import FeedEntry, Told
from app.kernel.feed_places import BEGINNING, Place
from app.kernel.feed_relay import Relay
from app.kernel.ids import new_id
from tests.clock import START, TestClock
from tests.db.crowds import Crowd
from tests.db.feeding import after, end, goes_on_after, heard, tell
from tests.db.referring import Shop, done, written
from tests.soak import SOAK

EACH = 300 if SOAK else 15


@pytest.fixture
def relay(database: Database) -> Relay:
    return Relay(database, TestClock())


@pytest.fixture
def shop(database: Database, relay: Relay) -> Shop:
    """A shop of which everything that was told so far has its place."""
    made = Shop(database)
    relay.place_all()
    return made


def test_what_is_told_has_its_place_after_its_commit(database: Database, shop: Shop, relay: Relay) -> None:
    start = end(database, shop.merchant)
    with database.transaction() as session:
        feed.tell(session, [Told(shop.merchant, "wall", None, "wall_1", START)])
        if not database.is_sqlite:  # whose one writer is busy
            assert relay.place_all() == 0
    assert after(database, shop.merchant, start) == []
    assert relay.place_all() == 1
    assert after(database, shop.merchant, start) == [(1, "wall", None, "wall_1")]
    assert relay.place_all() == 0


def test_what_is_undone_was_never_told(database: Database, shop: Shop, relay: Relay) -> None:
    start = end(database, shop.merchant)
    with database.reading() as session:  # whatever is written in it is thrown away
        feed.tell(session, [Told(shop.merchant, "wall", None, "wall_1", START)])
    tell(database, shop.merchant, "prod_1")
    relay.place_all()
    assert after(database, shop.merchant, start) == [(1, "like", "prod_1", None)]


def test_the_positions_of_each_merchant_count_from_one(database: Database, shop: Shop, relay: Relay) -> None:
    other = Shop(database)
    tell(database, shop.merchant, "prod_1", "prod_2", "prod_1")  # the same at once is told once
    tell(database, other.merchant, "prod_1")
    relay.place_all()
    with database.reading() as session:
        found = feed.read(session, {other.merchant: 0, shop.merchant: 0}, 1000)
    for merchant in (shop.merchant, other.merchant):
        positions = [entry.position for entry in found if entry.merchant_id == merchant]
        assert positions == list(range(1, len(positions) + 1))
    assert end(database, shop.merchant) == end(database, other.merchant) + 1


def test_a_reader_who_takes_little_at_a_time_gets_everything(database: Database, shop: Shop, relay: Relay) -> None:
    start = end(database, shop.merchant)
    tell(database, shop.merchant, *(f"prod_{number}" for number in range(7)))
    relay.place_all()
    seen: list[int] = []
    with database.reading() as session:
        while found := feed.read(session, {shop.merchant: seen[-1] if seen else start}, 3):
            assert len(found) <= 3
            seen += [entry.position for entry in found]
    assert seen == list(range(start + 1, start + 8))


def test_a_feed_of_which_nothing_was_told_is_empty(database: Database) -> None:
    with database.reading() as session:
        assert feed.ends(session, [4711]) == {4711: BEGINNING}
        assert feed.standing(session, {(4711, BEGINNING)}) == {(4711, BEGINNING)}
        assert feed.read(session, {4711: 0}, 10) == []
        assert feed.read(session, {}, 10) == []


def test_old_entries_go_and_leave_no_gap(database: Database, shop: Shop, relay: Relay) -> None:
    start = end(database, shop.merchant)
    late = START + feed.KEPT
    times = [START, START, late, START, late, late]  # the third was begun later and committed sooner
    for number, at in enumerate(times):
        with database.transaction() as session:
            feed.tell(session, [Told(shop.merchant, "like", f"prod_{number}", None, at)])
        relay.place_all()
    places = heard(database, shop.merchant)
    tell(database, shop.merchant, "prod_not_placed_yet")
    feed.tidy(database, late + timedelta(seconds=1))
    assert [False, True, True, True] == [
        goes_on_after(database, shop.merchant, places[start + position]) for position in (3, 4, 5, 6)
    ]
    assert not goes_on_after(database, shop.merchant, BEGINNING)
    assert not goes_on_after(database, shop.merchant, Place(start + 7, places[start + 6].mark))
    assert ["prod_4", "prod_5"] == [entry[2] for entry in after(database, shop.merchant, start + 4)]
    relay.place_all()
    assert after(database, shop.merchant, start + 6) == [(1, "like", "prod_not_placed_yet", None)]


def test_a_feed_that_was_dropped_whole_goes_on_where_it_was(database: Database, shop: Shop, relay: Relay) -> None:
    start, places = end(database, shop.merchant), heard(database, shop.merchant)
    for _ in range(2):
        feed.tidy(database, START + feed.KEPT * 2)
    assert {start: places[start]} == heard(database, shop.merchant)  # the last stays, by which its hearers are known
    assert start == end(database, shop.merchant)
    assert goes_on_after(database, shop.merchant, places[start])
    tell(database, shop.merchant, "prod_1")
    relay.place_all()
    assert after(database, shop.merchant, start) == [(1, "like", "prod_1", None)]


def test_likes_and_shares_are_told_once_for_each_batch(database: Database, shop: Shop, relay: Relay) -> None:
    start, (mug, cup, _), wall = end(database, shop.merchant), shop.products, shop.wall()
    visitors = [shop.visitor() for _ in range(3)]
    likes = [shop.like(visitor, mug, where) for visitor in visitors for where in (None, wall)]
    done(written(database, [*likes, shop.share(visitors[0], cup, wall), *likes]))
    relay.place_all()
    assert {"wall", "like", "share"} == {told[1] for told in after(database, shop.merchant, start)}
    assert [("like", mug, None), ("share", cup, wall)] == sorted(
        told[1:] for told in after(database, shop.merchant, start + 1)
    )
    done(written(database, likes))  # they stand
    assert relay.place_all() == 0


class Tellers(Crowd):
    """Many who tell at the same time."""

    def write(self, chance: random.Random) -> list[tuple[int, str]]:
        merchants = chance.sample(sorted(self.made), chance.randint(1, len(self.made)))
        new = [(merchant, new_id("prod", merchant, START)) for merchant in merchants for _ in range(2)]
        with self.database.transaction() as session:
            feed.tell(session, [Told(merchant, "like", product, None, START) for merchant, product in new])
            time.sleep(chance.random() * 0.02)  # who begins first does not commit first
        return new


@pytest.mark.soak
def test_whoever_reads_on_misses_nothing_and_sees_nothing_twice(
    database: Database, killed_relays: list[subprocess.Popen[bytes]]
) -> None:
    merchants = [Shop(database).merchant for _ in range(3)]
    relays = [Relay(database, TestClock()) for _ in range(2)]
    for relay in relays:
        relay.start()
    position = {merchant: end(database, merchant) for merchant in merchants}
    seen: dict[int, list[str]] = {merchant: [] for merchant in merchants}

    def read_on() -> bool:
        with database.reading() as session:
            found = feed.read(session, position, 50)
        for merchant, place, kind, product, _ in found:
            assert place.position == position[merchant] + 1
            position[merchant] = place.position
            if kind == "like":
                seen[merchant].append(product or "")
        return bool(found)

    doomed = iter(killed_relays)
    with Tellers(database, merchants, EACH) as crowd:
        while crowd.is_writing:
            read_on()
            if (each := next(doomed, None)) is not None:
                each.kill()
    for relay in relays:
        relay.place_all()
        relay.stop(10)
    while read_on():
        pass
    assert {merchant: sorted(told) for merchant, told in crowd.made.items()} == {
        merchant: sorted(products) for merchant, products in seen.items()
    }
    with database.reading() as session:
        assert session.scalar(select(func.count()).where(FeedEntry.position.is_(None))) == 0
