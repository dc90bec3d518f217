"""Who is erased is nobody from then on, and nothing that was ever reckoned changes by it."""

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app import main
from app.erasing import erasure_of
from app.kernel.database import Database
from app.kernel.errors import NotFound
from app.kernel.outbox import Worker
from app.privacy import erasure, leaving
from app.privacy.erasure import Erasure
from app.privacy.models import Leaver
from app.referrals import erasing
from tests.clock import TestClock
from tests.conftest import settings_for
from tests.db.changing import VISITORS, World
from tests.db.forgetting import places
from tests.db.ledger import Books
from tests.soak import SOAK

CHANGES = 20
WHO_LEFT = {("journal_entries", "subjects")}
"""Where it stands for some weeks who was erased, so that others can be told."""


@pytest.fixture
def forgets(database: Database, still_clock: TestClock, tmp_path: Path) -> Iterator[Erasure]:
    """What the server forgets people with."""
    url = database.url.render_as_string(hide_password=False)
    here = main.assemble(settings_for(url, tmp_path), still_clock)
    yield erasure_of(here)
    here.reports.close()
    here.database.close()


def finish(forgets: Erasure) -> int:
    """What a worker does that looks for work once."""
    return Worker(forgets.database, forgets.clock, forgets.outbox, {erasure.TOPIC: forgets.run}).run_due()


def erase(forgets: Erasure, merchant: int, visitor: str) -> set[str]:
    """Erase whoever that is; under which names they were known."""
    with forgets.database.transaction() as session:
        behind = erasing.person_behind(session, merchant, visitor)
        forgets.erase(session, merchant, *behind)
    return behind.visitors | behind.persons


def without_names(books: Books) -> dict[tuple[str, str], list[object]]:
    """What the lines say, but for who earned them: only who is the same person in several lines of an order."""
    told: dict[tuple[str, str], list[object]] = {}
    for place, lines in sorted(books.items()):
        seen: dict[str, int] = {}
        told[place] = [
            (key._replace(sharer=str(seen.setdefault(key.sharer, len(seen)))), amounts)
            for key, amounts in sorted(lines.items(), key=lambda line: str(line[0]._replace(sharer="")))
        ]
    return told


@pytest.mark.parametrize("seed", range(60 if SOAK else 4))
def test_after_any_changes_an_erasure_changes_no_credit_and_computing_it_anew_finds_no_difference(
    database: Database, forgets: Erasure, seed: int
) -> None:
    chance = random.Random(seed)
    world = World(database, chance)
    world.keep_policies(1)
    for _ in range(3):
        for _ in range(CHANGES):
            with suppress(NotFound):  # somebody came through a link that is closed by now
                world.something()
        world.catch_up()
        before = without_names(world.books())
        names = erase(forgets, world.merchant, chance.choice(VISITORS))
        assert before == without_names(world.books())
        assert 1 == finish(forgets)
        assert before == without_names(world.books())
        assert world.computed() == world.books()
        assert places(database, world.merchant, names) <= WHO_LEFT


def test_the_names_of_those_who_left_are_told_for_a_month(
    database: Database, forgets: Erasure, still_clock: TestClock
) -> None:
    world = World(database, random.Random(3))
    erase(forgets, world.merchant, "v1")
    finish(forgets)
    assert WHO_LEFT == places(database, world.merchant, ["v1"])
    for days, left in ((29, WHO_LEFT), (2, set())):
        still_clock.move(days=days)
        erasure.forget_told(database, world.merchant, still_clock.now())
        assert left == places(database, world.merchant, ["v1"])


def test_the_list_says_when_nothing_was_left(database: Database, forgets: Erasure, still_clock: TestClock) -> None:
    world = World(database, random.Random(4))
    erase(forgets, world.merchant, "v1")
    place = (world.merchant, leaving.visitor_hash(forgets.signer, world.merchant, "v1"))
    told = []
    for work in (lambda: None, lambda: finish(forgets)):
        work()
        with database.reading() as session:
            leaver = session.get_one(Leaver, place)
            told.append((leaver.erased_at, leaver.finished_at))
    assert [(still_clock.now(), None), (still_clock.now(), still_clock.now())] == told


@pytest.mark.parametrize("seed", range(5, 45 if SOAK else 7))
def test_what_was_written_meanwhile_is_forgotten_too(database: Database, forgets: Erasure, seed: int) -> None:
    """A batch that began before an erasure is committed after it."""
    world = World(database, random.Random(seed))
    world.keep_policies(0)
    for _ in range(40):
        world.something()
    names = erase(forgets, world.merchant, "v1")
    for _ in range(60):
        with suppress(NotFound):
            world.something()
    world.catch_up()
    before = without_names(world.books())
    assert places(database, world.merchant, names) > WHO_LEFT
    finish(forgets)
    assert before == without_names(world.books())
    assert world.computed() == world.books()
    assert places(database, world.merchant, names) <= WHO_LEFT


def test_two_erasures_give_names_that_have_nothing_in_common(forgets: Erasure, still_clock: TestClock) -> None:
    made = [erasure.fresh(7, still_clock.now()) for _ in range(20)]
    times = {id[: len("vis_") + 10] for id in made}
    assert (20, 20) == (len({*made}), len(times))


def test_who_was_put_back_is_forgotten_again(database: Database, forgets: Erasure) -> None:
    world = World(database, random.Random(6))
    world.keep_policies(0)
    for _ in range(60):
        world.something()
    world.catch_up()
    with database.transaction() as session:  # as after a restore of a backup from before
        leaving.erased(session, forgets.signer, world.merchant, ["v0", "v1", "p1"], forgets.clock.now())
    before = without_names(world.books())
    forgets.erase_again(world.merchant)
    finish(forgets)
    assert set() == places(database, world.merchant, ["v0", "v1", "p1"])
    assert before == without_names(world.books())
    assert world.computed() == world.books()
    assert 0 == forgets.erase_again(world.merchant)


def test_a_replay_that_was_broken_off_is_taken_up_by_the_timetable(
    database: Database, forgets: Erasure, still_clock: TestClock
) -> None:
    world = World(database, random.Random(8))
    world.keep_policies(0)
    for _ in range(40):
        world.something()
    place = (world.merchant, leaving.visitor_hash(forgets.signer, world.merchant, "v1"))
    with database.transaction() as session:
        leaving.erased(session, forgets.signer, world.merchant, ["v1"], forgets.clock.now())
    for _ in range(2):  # then there is nothing left to do, which is said
        forgets.periodic().run(lambda: None)
        finish(forgets)
        assert set() == places(database, world.merchant, ["v1"])
    with database.reading() as session:
        assert still_clock.now() == session.get_one(Leaver, place).finished_at
