"""What is seen of machines: alike on one day and with one merchant, whichever process looks, and nothing afterwards."""

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from app.kernel.database import Database
from app.kernel.periodic import Timetable
from app.privacy import salts
from app.privacy.models import Salt
from app.privacy.sightings import Sighting, Sightings
from tests.clock import START, TestClock
from tests.shop import BROWSER
from tests.threads import together

MERCHANT = 7
ADDRESS = "93.184.216.34"
TODAY = datetime(2026, 3, 2, tzinfo=UTC)
A_DAY = timedelta(days=1)


@pytest.fixture
def fresh(database: Database) -> Database:
    with database.transaction() as session:
        session.execute(delete(Salt))
    return database


@pytest.fixture
def process(fresh: Database, still_clock: TestClock) -> Callable[[], Sightings]:
    """Makes processes that have looked at the salts."""

    def started() -> Sightings:
        made = Sightings(fresh, still_clock)
        made.look()
        return made

    return started


@pytest.fixture
def here(process: Callable[[], Sightings]) -> Sightings:
    return process()


def seen(by: Sightings, at: datetime = START, address: str | None = ADDRESS, agent: str | None = BROWSER) -> Sighting:
    found = by.of(MERCHANT, address, agent, at)
    assert found is not None
    return found


def kept(database: Database) -> dict[datetime, str]:
    with database.reading() as session:
        return dict(session.execute(select(Salt.day, Salt.salt)).all())


def test_a_machine_is_known_again_on_the_same_day_and_told_from_others(here: Sightings) -> None:
    first = seen(here)
    assert (12, 12) == (len(first.device), len(first.block))
    assert first == seen(here, START + timedelta(hours=13, minutes=59, microseconds=1))
    neighbour, other_agent = seen(here, address="93.184.216.35"), seen(here, agent=BROWSER.replace("148", "149"))
    assert [first.block] * 2 == [neighbour.block, other_agent.block]
    assert 3 == len({first.device, neighbour.device, other_agent.device})
    assert first.block != seen(here, address="93.184.217.34").block


def test_with_another_merchant_it_is_another_machine(here: Sightings) -> None:
    theirs = here.of(MERCHANT + 1, ADDRESS, BROWSER, START)
    assert theirs is not None
    assert not set(theirs) & set(seen(here))


def test_whoever_has_many_addresses_in_one_network_is_one_machine(here: Sightings) -> None:
    mine, next_door = "2606:2800:220:1::7", "2606:2800:220:2::7"
    assert seen(here, address=mine) == seen(here, address="2606:2800:220:1:ffff:5efe:a00:1")
    assert seen(here, address=mine).device != seen(here, address=next_door).device
    assert seen(here, address=mine).block == seen(here, address=next_door).block
    assert seen(here) == seen(here, address=f"::ffff:{ADDRESS}")


@pytest.mark.parametrize("address", [None, "", "127.0.0.1", "10.0.0.1", "::1", "fd00::1", "testclient", "203.0.113.7"])
def test_of_who_does_not_come_from_the_internet_nothing_is_seen(here: Sightings, address: str | None) -> None:
    assert here.of(MERCHANT, address, BROWSER, START) is None


@pytest.mark.parametrize("agent", [None, "", "x" * 100_000, "\ud800", "é\xff", "\x00"], ids=range(6))
def test_any_agent_makes_a_machine(here: Sightings, agent: str | None) -> None:
    assert seen(here, agent=agent) == seen(here, agent=agent)
    assert (seen(here, agent=agent).device == seen(here, agent="x" * 512).device) is (
        agent is not None and "xx" in agent
    )


def test_at_midnight_everybody_is_somebody_new_and_nobody_is_missed(
    here: Sightings, fresh: Database, still_clock: TestClock
) -> None:
    last, first = TODAY + A_DAY - timedelta(microseconds=1), TODAY + A_DAY
    still_clock.set(last)
    here.look()
    before, after = seen(here, last), seen(here, first)  # which was made ahead: nobody has looked since
    assert not set(before) & set(after)
    still_clock.set(first + timedelta(seconds=30))
    here.look()
    assert (before, after) == (seen(here, last), seen(here, first))  # whoever came a moment too late is still seen
    assert {TODAY, TODAY + A_DAY, TODAY + 2 * A_DAY} == set(kept(fresh))


def test_processes_that_start_at_once_have_the_same_salts(
    process: Callable[[], Sightings], fresh: Database, still_clock: TestClock
) -> None:
    """At midnight too, and whoever comes later."""
    for day in range(5):
        still_clock.set(START + day * A_DAY)
        running = [*together(process, process, process), process()]
        for at in (still_clock.now(), still_clock.now() + A_DAY):
            assert 1 == len({seen(each, at) for each in running})
    assert 6 == len(kept(fresh)) == len(set(kept(fresh).values()))


def test_while_the_database_is_away_whoever_comes_is_seen_today_and_tomorrow(
    database_url: str, fresh: Database, still_clock: TestClock
) -> None:
    opened = Database(database_url)
    here = Sightings(opened, still_clock)
    here.look()
    opened.close()
    assert seen(here) != seen(here, START + A_DAY)


@pytest.fixture
def running(fresh: Database, still_clock: TestClock) -> Iterator[Sightings]:
    """A process as it runs, by itself."""
    made = Sightings(fresh, still_clock)
    made.start()
    yield made
    made.stop()


def test_where_there_is_no_salt_yet_nobody_is_seen_nobody_waits_and_it_is_made(
    running: Sightings, still_clock: TestClock
) -> None:
    for at in (START, still_clock.move(days=40)):  # a clock that jumps: nothing was made ahead
        for _ in range(500):
            if (found := running.of(MERCHANT, ADDRESS, BROWSER, at)) is not None:
                break
            time.sleep(0.01)
        assert found is not None


def test_nobody_is_seen_at_a_moment_that_is_long_over(here: Sightings) -> None:
    assert here.of(MERCHANT, ADDRESS, BROWSER, START - A_DAY) is None


def test_when_the_salt_is_gone_nothing_can_be_recomputed(
    here: Sightings, process: Callable[[], Sightings], fresh: Database, still_clock: TestClock
) -> None:
    """Not even by who knows the address, the agent, the merchant, the secret, and all that is kept."""
    then = seen(here)
    gone = kept(fresh)[TODAY]
    job = Timetable(fresh, still_clock, [salts.periodic(fresh, still_clock)])
    job.run_due()
    for hours in (11, 24, 46, 47):
        still_clock.set(TODAY + timedelta(hours=hours))
        job.run_due()
        assert (hours < 47) is (TODAY in kept(fresh)), hours
    here.look()
    later = process()
    assert [None, None] == [each.of(MERCHANT, ADDRESS, BROWSER, START) for each in (here, later)]
    anew = {found for day in range(-3, 4) if (found := later.of(MERCHANT, ADDRESS, BROWSER, START + day * A_DAY))}
    assert anew
    assert not {*itertools.chain(*anew)} & set(then)
    assert gone not in kept(fresh).values()


def test_a_salt_is_destroyed_within_48_hours_whenever_its_job_comes(database: Database) -> None:
    job = salts.periodic(database, TestClock())
    assert salts.KEPT_FOR + 1.1 * job.every < timedelta(hours=48)


def test_what_was_destroyed_is_not_left_in_the_file(here: Sightings, fresh: Database, still_clock: TestClock) -> None:
    if not fresh.is_sqlite:
        pytest.skip("PostgreSQL's own files are its vacuum's to tidy")
    gone = kept(fresh)[TODAY].encode()
    file = Path(str(fresh.url.database))
    assert gone in _all_of(fresh, file)
    with fresh.straight() as line:  # as SQLite is where nobody built it otherwise; the pool gives this one out again
        line.exec_driver_sql("PRAGMA secure_delete=OFF").close()
    salts.destroy(fresh, START + 2 * A_DAY)
    assert gone not in _all_of(fresh, file)


def _all_of(database: Database, file: Path) -> bytes:
    line = database.straight()
    line.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
    line.close()
    return file.read_bytes()


def test_a_salt_of_days_to_come_that_a_wrong_clock_made_is_destroyed(
    here: Sightings, process: Callable[[], Sightings], fresh: Database, still_clock: TestClock
) -> None:
    still_clock.move(days=365)
    process()
    salts.destroy(fresh, START)
    assert {TODAY, TODAY + A_DAY} == set(kept(fresh))


def test_nothing_is_written_where_nothing_is_to_be_done(here: Sightings, fresh: Database) -> None:
    before = kept(fresh)
    salts.destroy(fresh, START)
    here.look()
    assert before == kept(fresh)
    with fresh.reading() as session:
        assert 2 == session.scalar(select(func.count()).select_from(Salt))
