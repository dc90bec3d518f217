"""The feed of facts while many write at once, some of them slowly, and relays are killed: nobody is passed over."""

import itertools
import random
import subprocess
import threading
import time
from collections import Counter

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
from tests.db.crowds import Crowd
from tests.db.journalling import now, place_all, read_on
from tests.db.referring import Shop, done
from tests.soak import SOAK

EACH = 200 if SOAK else 12


class Sharers(Crowd):
    """Many who share at once."""

    def __init__(self, database: Database, shops: list[Shop]) -> None:
        super().__init__(database, [shop.merchant for shop in shops], EACH)
        self._shops = shops

    def write(self, chance: random.Random) -> list[tuple[int, str]]:
        shops = chance.sample(self._shops, chance.randint(1, len(self._shops)))
        new = [shop.share(shop.visitor(), shop.products[0]) for shop in shops for _ in range(chance.randint(1, 3))]
        with self.database.transaction() as session:
            made = writing.write(session, new)
            time.sleep(chance.random() * 0.03)  # who begins first does not commit first
        return [(fact.merchant_id, outcome.referral.referral_id) for fact, outcome in zip(new, done(made), strict=True)]


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
    with Sharers(database, shops) as crowd:
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
