"""Who keeps counts and facts equal: the job, the command, and backups that carry both."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import delete, select

from app.kernel.clock import to_micros
from app.kernel.database import Database
from app.kernel.rollups.appending import Change, append_changes
from app.kernel.rollups.tables import Rollup, RollupCheck
from app.merchants.models import Merchant
from app.reports import keeping_counts, mending
from tests.clock import START, TestClock
from tests.conftest import NewDatabase, settings_for
from tests.db import counted
from tests.db.conftest import Run
from tests.db.counted import Street, facts, shown


@pytest.fixture
def street(database: Database) -> Iterator[Street]:
    with counted.street(database) as made:
        yield made


@pytest.fixture
def keep(database: Database, tmp_path: Path, still_clock: TestClock) -> Callable[[], None]:
    """Does what the job does when it is due."""
    settings = settings_for(database.url.render_as_string(hide_password=False), tmp_path)
    return lambda: keeping_counts.keep_all_equal(database, settings, still_clock.now(), lambda: None)


def spoil(street: Street, days: float) -> None:
    """Let one count be wrong, so long after the beginning."""
    starts = to_micros(START + timedelta(days=days))
    with street.database.transaction() as session:
        append_changes(session, [Change(street.merchant, starts, "network", "x", (0,) * 7 + (1, 0))])


def test_a_round_leaves_what_is_counted_meanwhile_to_the_next(street: Street) -> None:
    """A crowd on a link appends deltas by the millisecond, and each fold is a commit."""
    over = threading.Event()

    def come() -> None:
        while not over.is_set():
            spoil(street, 1)

    with ThreadPoolExecutor(2) as pool:
        coming = pool.submit(come)
        while not street.waiting():
            time.sleep(0.001)
        try:
            assert 0 < pool.submit(street.folding().fold_all).result(5)
        finally:
            over.set()
        coming.result()


def forget_all(street: Street) -> None:
    """As it is after a migration from before there were counts."""
    street.folding().fold_all()
    with street.database.transaction() as session:
        session.execute(delete(Rollup).where(Rollup.merchant_id == street.merchant))


def test_the_job_counts_what_was_before_and_again_an_hour_later_and_then_what_is_new(
    street: Street, keep: Callable[[], None], still_clock: TestClock
) -> None:
    chance = Random(1)
    street.record([*street.come(chance, 30), *street.look(chance, 30)])
    street.bring(street.past(chance, "before", 10))
    forget_all(street)
    keep()
    assert facts(street) == shown(street)
    spoil(street, days=-1)
    keep()
    assert facts(street) != shown(street), "it has just looked"
    still_clock.move(hours=1)
    keep()
    assert facts(street) == shown(street)
    still_clock.move(days=1)
    spoil(street, days=1)
    street.forget_to_count(chance)
    keep()
    assert facts(street) == shown(street)
    spoil(street, days=1)
    still_clock.move(hours=2)
    keep()
    assert facts(street) != shown(street), "from now on it looks once a day"
    still_clock.move(days=1)
    keep()
    assert facts(street) == shown(street)


def test_each_month_the_job_compares_all_facts_again(
    street: Street, keep: Callable[[], None], still_clock: TestClock
) -> None:
    """A process of an older version that was left for days may have taken back a like of any age."""
    for _ in range(2):
        keep()
        still_clock.move(hours=1)
    still_clock.move(days=9)
    keep()
    spoil(street, days=0)
    for _ in range(3):
        still_clock.move(days=10)
        keep()
    assert facts(street) == shown(street)


def test_who_has_left_is_not_looked_at(street: Street, keep: Callable[[], None]) -> None:
    with street.database.transaction() as session:
        session.get_one(Merchant, street.merchant).closed_at = START
    forget_all(street)
    keep()
    assert {} == shown(street)


def test_a_comparison_that_lies_ahead_was_made_by_a_wrong_clock(
    street: Street, keep: Callable[[], None], still_clock: TestClock
) -> None:
    still_clock.move(days=900)
    keep()
    still_clock.move(days=-900)
    forget_all(street)
    keep()
    assert facts(street) == shown(street)
    with street.database.reading() as session:
        mine = RollupCheck.merchant_id == street.merchant
        assert START == session.scalar(select(RollupCheck.compared_at).where(mine))


def test_broken_off_anywhere_it_is_done_the_next_time(
    street: Street, keep: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "_AT_ONCE", 20)
    street.record(street.come(Random(2), 40))
    forget_all(street)
    for steps in range(6):
        left = iter(range(steps))

        def step(left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            replace(street.books(mend=True), step=step).compare()
    keep()
    assert facts(street) == shown(street)


def test_the_command_says_in_words_what_differs_and_mends_it(street: Street, grapevine: Run) -> None:
    with street.database.reading() as session:
        public_id = session.get_one(Merchant, street.merchant).public_id
    mine = ("--merchant", public_id, "--since", "2026-02-01")
    right = grapevine("rollups", "check", *mine)
    assert (0, True) == (right.exit_code, "every count is that of the facts" in right.output), right.output
    spoil(street, days=0)
    wrong = grapevine("rollups", "check", *mine)
    assert 1 == wrong.exit_code
    assert "1 count is wrong" in wrong.output
    assert "2026-03-02 10:00  network x: visits 1 too many" in wrong.output
    mended = grapevine("rollups", "rebuild", *mine)
    assert 0 == mended.exit_code
    assert "1 count was wrong, and is mended" in mended.output
    assert facts(street) == shown(street)
    assert 0 == grapevine("rollups", "check", *mine).exit_code
    forget_all(street)
    all_of_it = grapevine("rollups", "rebuild")
    assert 0 == all_of_it.exit_code
    assert "too few" in all_of_it.output
    assert facts(street) == shown(street)


def test_checking_changes_nothing(street: Street, grapevine: Run) -> None:
    def turns() -> Sequence[RollupCheck]:
        with street.database.reading() as session:
            return session.scalars(select(RollupCheck).filter_by(merchant_id=street.merchant)).all()

    assert not street.differing()
    assert [] == turns()
    assert street.books(mend=True).compare() == mending.Found()
    assert 1 == len(turns())


def test_checking_makes_no_database_where_there_is_none(
    grapevine: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "nowhere.db"
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", f"sqlite:///{file}")
    nowhere = grapevine("rollups", "check")
    assert (2, True) == (nowhere.exit_code, "there is no database" in nowhere.output), nowhere.output
    assert not file.exists()
    file.touch()
    empty = grapevine("rollups", "check")
    assert (2, True) == (empty.exit_code, "not up to date: `grapevine migrate`" in empty.output), empty.output


def test_a_database_without_merchants_is_said_to_have_none(
    new_database: NewDatabase, grapevine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", new_database("nobody-counts"))
    nobody = grapevine("rollups", "check")
    assert (0, "There are no merchants in this database.") == (nobody.exit_code, nobody.output.strip())


def test_the_command_refuses_what_it_does_not_understand(grapevine: Run) -> None:
    for words in (("--merchant", "mer_nobody"), ("--since", "yesterday")):
        refused = grapevine("rollups", "check", *words)
        assert 2 == refused.exit_code
        assert words[0] in refused.output
