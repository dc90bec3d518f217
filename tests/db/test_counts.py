"""Counts and facts (docs/decisions/0018): equal at every moment, whoever writes, folds, mends and takes back."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.kernel.clock import to_micros
from app.kernel.database import Database
from app.kernel.rollups import folding, reading
from app.kernel.rollups.appending import Change, append_changes
from app.kernel.rollups.folding import fold
from app.kernel.rollups.tables import DIMENSIONS, MEASURES, QUARTER, Rollup
from app.referrals.bringing import PastReferral
from app.reports.mending import Found
from tests.clock import START
from tests.db import counted
from tests.db.counted import LONG, Street, added_up, facts, folded, shown, uneven
from tests.soak import SOAK
from tests.threads import together

SECONDS = 120.0 if SOAK else 0.5
NOTHING = (0,) * len(MEASURES)
QUARTER_OF_START = to_micros(START)


@pytest.fixture
def street(database: Database) -> Iterator[Street]:
    with counted.street(database) as made:
        yield made


class Broken(Exception):
    """Something went wrong at the end of a transaction."""


def break_off(street: Street, work: Callable[[Session], object]) -> None:
    with street.database.transaction() as session:
        work(session)
        raise Broken


def junk(chance: random.Random, merchant: int) -> Change:
    numbers = tuple(chance.randrange(-3, 4) for _ in MEASURES)
    starts = QUARTER_OF_START + chance.randrange(190) * QUARTER
    return Change(merchant, starts, chance.choice(DIMENSIONS), chance.choice(("", "x", "nobody")), numbers)


def test_counts_are_those_of_the_facts_before_they_are_folded_and_after(street: Street) -> None:
    chance = random.Random(2)
    street.record([*street.come(chance, 40), *street.say(chance, 20), *street.look(chance, 40)])
    street.take_back(street.likes[0])
    street.bring(street.past(chance, "theirs", 20))
    assert street.waiting() > 0
    assert facts(street) == shown(street)
    assert street.folding().fold_all() > 0
    assert 0 == street.waiting()
    assert facts(street) == folded(street) == shown(street)
    assert [] == uneven(street)
    assert not street.differing()


def test_a_touch_that_came_before_its_referral_is_counted_anew_when_that_comes(street: Street) -> None:
    _, *touches = street.past(random.Random(3), "late", 30)
    referral = PastReferral("late", "share", "ana", "x", None, LONG, "their wall", START, START)

    def visits_of(value: str) -> int:
        return added_up(shown(street), "product", 0, 2**62).get(value, NOTHING)[MEASURES.index("visits")]

    street.bring(touches)
    assert facts(street) == shown(street)
    assert 0 == visits_of(LONG)
    street.bring([referral])
    assert facts(street) == shown(street)
    assert 0 < visits_of(LONG)
    street.bring([referral, *touches])
    assert facts(street) == shown(street)


def test_a_copy_of_a_visit_is_counted(street: Street) -> None:
    street.record(street.come(random.Random(4), 1))
    before = sum(added_up(shown(street), "total", 0, 2**62)[""])
    for _ in range(2):
        street.claim(street.clicks[-1], START + timedelta(days=2))
    assert before + 2 == sum(added_up(shown(street), "total", 0, 2**62)[""])
    assert facts(street) == shown(street)


def test_a_like_that_is_taken_back_many_times_at_once_is_taken_back_once(street: Street) -> None:
    for like in street.likes[:3]:
        together(*[lambda like=like: street.take_back(like) for _ in range(4)])
    assert facts(street) == shown(street)
    assert all(min(counts) >= 0 for counts in shown(street).values())


def test_what_was_rolled_back_counts_nothing(street: Street) -> None:
    before = shown(street)
    changes = [Change(street.merchant, QUARTER_OF_START, "total", "", (1,) * len(MEASURES))]
    for work in (lambda session: append_changes(session, changes), fold):
        with pytest.raises(Broken):
            break_off(street, work)
    assert before == shown(street)
    street.folding().fold_all()
    assert before == shown(street) == facts(street)


def test_many_changes_of_one_count_are_folded_in_small_transactions(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A like that everybody sees is one count; whoever writes to SQLite waits for each of these transactions."""
    monkeypatch.setattr(folding, "_DELTAS", 20)
    with street.database.transaction() as session:
        for _ in range(90):
            append_changes(session, [Change(street.merchant, QUARTER_OF_START, "kind", "x", (1,) * len(MEASURES))])
    if street.database.is_sqlite:
        with street.database.reading() as session:
            sizes = [sum(len(each.deltas) for each in piece) for piece in folding._pieces(session)]
        assert sizes
        assert max(sizes) <= 20
    before = shown(street)
    street.folding().fold_all()
    assert 0 == street.waiting()
    assert before == folded(street) == shown(street)
    assert (90,) * len(MEASURES) == folded(street)["kind", "x", QUARTER_OF_START]


def test_another_merchants_counts_are_another_merchants(street: Street) -> None:
    with counted.street(street.database) as other:
        street.record(street.come(random.Random(6), 30))
        assert facts(street) == shown(street)
        assert facts(other) == shown(other)
        with street.database.transaction() as session:
            append_changes(session, [junk(random.Random(7), other.merchant)])
        assert not street.differing()
        assert other.differing()
        assert other.books(mend=True).compare()
        assert facts(other) == shown(other)


def test_whatever_is_wrong_with_counts_is_found_and_mended(street: Street) -> None:
    chance = random.Random(8)
    street.record([*street.come(chance, 60), *street.look(chance, 30)])
    street.folding().fold_all()
    truth = facts(street)
    mine = Rollup.merchant_id == street.merchant
    with street.database.transaction() as session:
        append_changes(session, [junk(chance, street.merchant) for _ in range(20)])
        session.execute(delete(Rollup).where(mine, Rollup.dimension == "network"))
        session.execute(update(Rollup).where(mine, Rollup.dimension == "kind").values(visits=7))
        session.execute(update(Rollup).where(mine, Rollup.span != QUARTER).values(likes=Rollup.likes + 1))
    street.forget_to_count(chance)
    found = street.differing()
    assert found.quarters
    assert found.spans
    assert truth != shown(street)
    street.books(mend=True).compare()
    assert facts(street) == shown(street)
    street.folding().fold_all()
    assert facts(street) == folded(street) == shown(street)
    assert not street.differing()
    assert not street.books(mend=True).compare()


def test_all_that_happened_before_there_were_counts_is_counted(street: Street) -> None:
    chance = random.Random(9)
    street.record([*street.come(chance, 60), *street.say(chance, 20), *street.look(chance, 30)])
    street.bring(street.past(chance, "before", 20))
    street.folding().fold_all()
    with street.database.transaction() as session:
        session.execute(delete(Rollup).where(Rollup.merchant_id == street.merchant))
    assert {} == shown(street)
    mended = street.books(mend=True).compare()
    assert len(facts(street)) == len(mended.quarters)
    assert facts(street) == shown(street)


def test_beacons_that_may_have_been_dropped_are_not_taken_off_the_counts(street: Street) -> None:
    street.record(street.look(random.Random(10), 50))
    old = Change(street.merchant, QUARTER_OF_START - 960 * QUARTER, "total", "", (5, 5, 5, 5, 5, 0, 0, 0, 0))
    with street.database.transaction() as session:
        append_changes(session, [old])
    assert not street.differing()


def test_two_who_mend_at_once_mend_once(street: Street) -> None:
    chance = random.Random(11)
    street.folding().fold_all()
    with street.database.transaction() as session:
        session.execute(delete(Rollup).where(Rollup.merchant_id == street.merchant))
        append_changes(session, [junk(chance, street.merchant) for _ in range(50)])
    together(*[lambda: street.books(mend=True).compare() for _ in range(4)])
    street.folding().fold_all()
    assert facts(street) == folded(street) == shown(street)


@pytest.mark.soak
def test_in_any_storm_counts_stay_those_of_the_facts_to_the_last_unit(street: Street) -> None:
    """Facts come through the recorder and from elsewhere, likes are taken back, counts are folded, mended, spoilt."""
    street.record(street.come(random.Random(13), 5))
    end = time.monotonic() + SECONDS
    threads: dict[str, Callable[[random.Random], object]] = {
        "come": lambda chance: street.record([*street.come(chance, 20), *street.say(chance, 5)]),
        "look": lambda chance: street.record(street.look(chance, 20)),
        "take back": lambda chance: street.take_back(chance.choice(street.likes)),
        "take back too": lambda chance: street.take_back(street.likes[-1]),
        "claim": lambda chance: street.claim(chance.choice(street.clicks), START + timedelta(days=1)),
        "bring": lambda chance: _bring(street, chance),
        "forget": lambda chance: street.forget_to_count(chance),
        "spoil": lambda chance: _spoil(street, chance),
        "fold": lambda _: street.folding().fold_all(),
        "fold too": lambda _: street.folding().fold_all(),
        "mend": lambda _: street.books(mend=True).compare(),
        "mend too": lambda _: street.books(mend=True, since=START).compare(),
    }

    def again_and_again(name: str, act: Callable[[random.Random], object]) -> int:
        chance, times = random.Random(name), 0
        while time.monotonic() < end or not times:
            act(chance)
            times += 1
            time.sleep(0.005)
        return times

    with ThreadPoolExecutor(len(threads)) as pool:
        done = [pool.submit(again_and_again, *each) for each in threads.items()]
        assert all(each.result(SECONDS + 100) > 0 for each in done)
    street.books(mend=True).compare()
    assert facts(street) == shown(street)
    street.folding().fold_all()
    assert 0 == street.waiting()
    assert facts(street) == folded(street) == shown(street)
    assert Found() == street.differing()


def _bring(street: Street, chance: random.Random) -> None:
    referral, *touches = street.past(chance, f"old-{chance.getrandbits(60)}", 5)
    for each in ([referral, *touches], [*touches, referral])[chance.randrange(2)]:
        street.bring([each])


def _spoil(street: Street, chance: random.Random) -> None:
    with street.database.transaction() as session:
        append_changes(session, [junk(chance, street.merchant)])
    time.sleep(0.1)


def test_while_facts_are_written_nobody_sees_counts_that_are_not_theirs(street: Street) -> None:
    """At any moment, folded or not, in one view: as many visits counted as there are."""
    done = threading.Event()

    def write() -> None:
        chance = random.Random(12)
        try:
            for _ in range(15):
                street.record(street.come(chance, 10))
        finally:
            done.set()

    def fold_on() -> None:
        while not done.is_set():
            street.folding().fold_all()
            time.sleep(0.002)

    with ThreadPoolExecutor(3) as pool:
        writing = [pool.submit(write), pool.submit(fold_on), pool.submit(fold_on)]
        while not done.is_set():
            assert not street.differing()
            assert facts_in_one_view(street)
        for each in writing:
            each.result(30)
    assert facts(street) == shown(street)


def facts_in_one_view(street: Street) -> bool:
    with street.database.reading() as session:
        total = reading.sums(session, street.merchant, "total", [(0, 2**60 // QUARTER * QUARTER)])
        by_network = reading.sums(session, street.merchant, "network", [(0, 2**60 // QUARTER * QUARTER)])
    visits = sum(counts.visits for counts in by_network.values())
    return total[0, ""].visits == visits if total else visits == 0
