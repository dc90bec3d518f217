"""The feed of facts while many write at once, some of them slowly, and relays are killed: nobody is passed over."""

import itertools
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from app.delivery import facts
from app.kernel import feed_relay, journal
from app.kernel.database import Database
from app.kernel.feed_relay import Relay
from app.kernel.ids import new_id
from app.kernel.journal import JOURNAL, JournalEntry
from app.referrals import writing
from tests.clock import START, TestClock
from tests.db.journalling import now, place_all, read_on
from tests.db.referring import Shop
from tests.soak import SOAK

WRITERS = 6
EACH = 200 if SOAK else 12
KILLS = 20 if SOAK else 1


class Crowd:
    """Many who share at once; some take long to commit."""

    def __init__(self, database: Database, shops: list[Shop]) -> None:
        self.made: dict[int, set[str]] = {shop.merchant: set() for shop in shops}
        self._database = database
        self._shops = shops
        self._guard = threading.Lock()
        self._threads = [threading.Thread(target=self._share, args=(random.Random(seed),)) for seed in range(WRITERS)]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()

    @property
    def is_writing(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _share(self, chance: random.Random) -> None:
        for _ in range(EACH):
            shops = chance.sample(self._shops, chance.randint(1, len(self._shops)))
            new = [shop.share(shop.visitor(), shop.products[0]) for shop in shops for _ in range(chance.randint(1, 3))]
            with self._database.transaction() as session:
                made = writing.write(session, new)
                time.sleep(chance.random() * 0.03)  # who begins first does not commit first
            with self._guard:
                for fact, outcome in zip(new, made, strict=True):
                    assert not isinstance(outcome, Exception)
                    self.made[fact.merchant_id].add(outcome.referral.referral_id)


@pytest.fixture
def killed_relays(database_url: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Relays in processes of their own."""
    command = [sys.executable, "-m", "tests.db.relaying", database_url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(KILLS)]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == b"ready\n"
    yield running
    for each in running:
        each.kill()
        each.communicate()


@pytest.mark.soak
def test_nothing_that_commits_late_is_passed_over(
    database: Database, killed_relays: list[subprocess.Popen[bytes]]
) -> None:
    shops = [Shop(database) for _ in range(2)]
    relays = [Relay(database, TestClock(), of=JOURNAL, rest=0.01) for _ in range(2)]
    cursors = {shop.merchant: now(database, shop.merchant) for shop in shops}
    from_beginning = dict.fromkeys(cursors, "")
    seen: dict[int, list[str]] = {merchant: [] for merchant in cursors}
    told: dict[int, set[str]] = {merchant: set() for merchant in cursors}

    def look() -> None:
        for merchant in cursors:
            events, cursors[merchant] = read_on(database, merchant, cursors[merchant], 5)
            seen[merchant] += [event.subject for event in events]
            with database.reading() as session:  # a page of whoever began in the middle of it all
                page = facts.read(session, merchant, from_beginning[merchant], 5)
            from_beginning[merchant] = page.cursor
            told[merchant] |= {event.subject for event in page.events}

    for relay in relays:
        relay.start()
    doomed = iter(killed_relays)
    with Crowd(database, shops) as crowd:
        while crowd.is_writing:
            look()
            if (each := next(doomed, None)) is not None:
                each.kill()
    for relay in relays:
        relay.place_all()
        relay.stop()
    look()
    for merchant, made in crowd.made.items():
        assert Counter(dict.fromkeys(made, 1)) == Counter(seen[merchant])
        events, _ = read_on(database, merchant, from_beginning[merchant], 100)
        assert made == told[merchant] | {event.subject for event in events}
    with database.reading() as session:
        assert session.scalar(select(func.count()).where(JournalEntry.position.is_(None))) == 0


def test_a_round_leaves_what_is_noted_meanwhile_to_the_next(database: Database) -> None:
    """A crowd on a link notes something by the millisecond, and each round is a commit."""
    shop = Shop(database)
    place_all(database)
    ids = iter([new_id("clk", shop.merchant, START) for _ in range(3)])

    def note_another() -> None:
        for subject in itertools.islice(ids, 1):
            with database.transaction() as session:
                journal.note(session, shop.merchant, "visit.recorded", [subject], START)

    note_another()
    relay = Relay(database, TestClock(), note_another, of=JOURNAL)
    assert [1, 1, 1, 0] == [relay.place_all() for _ in range(4)]


def test_relays_hear_at_once_of_what_was_noted(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_relay, "LOOKS_EVERY", 60.0)
    shop = Shop(database)
    start = now(database, shop.merchant)
    heard = threading.Event()
    relay = Relay(database, TestClock(), heard.set, of=JOURNAL, rest=0.01)
    relay.start()
    try:
        time.sleep(0.1)  # its first look is over; the next by itself would come in a minute
        with database.transaction() as session:
            with session.begin_nested():  # its end shows nobody anything, and must not be taken for the commit
                writing.write(session, [shop.share(shop.visitor(), shop.products[0])])
            time.sleep(0.05)
        assert heard.wait(10)
    finally:
        relay.stop()
    assert 1 == len(read_on(database, shop.merchant, start)[0])
