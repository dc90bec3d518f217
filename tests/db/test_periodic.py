"""Work of every hour is done by one process at a time, survives crashes, and a failure waits for the next time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import delete, text

from app.kernel.database import Database
from app.kernel.outbox import LEASE, LeaseLost, Outbox, Worker
from app.kernel.periodic import Periodic, PeriodicJob, Timetable
from tests.clock import START, TestClock
from tests.threads import together

HOUR = timedelta(hours=1)
Extend = Callable[[], None]


@dataclass
class Hourly:
    """A job on a clock, and processes that have it on their timetable."""

    database: Database
    clock: TestClock
    done: list[int] = field(default_factory=list)

    def timetable(self, run: Callable[[Extend], None] | None = None) -> Timetable:
        return Timetable(self.database, self.clock, [Periodic("hourly", HOUR, run or self.note)])

    def note(self, extend: Extend) -> None:
        extend()
        self.done.append(1)

    def row(self) -> PeriodicJob:
        with self.database.reading() as session:
            return session.get_one(PeriodicJob, "hourly")


@pytest.fixture
def hourly(database: Database, still_clock: TestClock) -> Hourly:
    with database.transaction() as session:
        session.execute(delete(PeriodicJob))
    made = Hourly(database, still_clock)
    assert 0 == made.timetable().run_due()  # it is noted, and soon due
    still_clock.move(minutes=1)
    return made


def test_it_is_done_each_hour_give_or_take_a_tenth_whoever_looks(hourly: Hourly) -> None:
    timetables = [hourly.timetable(), hourly.timetable()]
    began = hourly.clock.now()
    for _ in range(600):
        for timetable in timetables:
            timetable.run_due()
        hourly.clock.move(minutes=1)

    assert len(hourly.done) in (10, 11)
    assert hourly.row().error is None
    assert timedelta(minutes=50) <= hourly.row().due_at - (hourly.row().finished_at or began) <= timedelta(minutes=67)


def test_of_processes_that_look_at_the_same_moment_one_does_it(hourly: Hourly) -> None:
    assert 1 == sum(together(*[hourly.timetable().run_due] * 4))
    assert [1] == hourly.done


def test_who_sees_the_job_first_at_the_same_moment_as_another_does_no_harm(hourly: Hourly) -> None:
    with hourly.database.transaction() as session:
        session.execute(delete(PeriodicJob))

    assert 0 == sum(together(*[hourly.timetable().run_due] * 4))
    assert START + timedelta(seconds=90) == hourly.row().due_at


def test_a_failure_is_kept_and_waits_for_the_next_time(hourly: Hourly) -> None:
    def fail(_: Extend) -> None:
        raise ZeroDivisionError("no")

    assert 1 == hourly.timetable(fail).run_due()
    assert ("ZeroDivisionError: no", None) == (hourly.row().error, hourly.row().finished_at)
    assert 0 == hourly.timetable().run_due()

    hourly.clock.move(minutes=67)
    assert 1 == hourly.timetable().run_due()
    assert (None, hourly.clock.now()) == (hourly.row().error, hourly.row().finished_at)


def test_after_a_crash_another_process_takes_it_when_the_lease_is_over(hourly: Hourly) -> None:
    def crash(_: Extend) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        hourly.timetable(crash).run_due()

    assert 0 == hourly.timetable().run_due()
    hourly.clock.move(seconds=LEASE.total_seconds() + 1)
    assert 1 == hourly.timetable().run_due()
    assert [1] == hourly.done


def test_long_work_keeps_its_lease_and_who_has_lost_it_stops(hourly: Hourly) -> None:
    lost: list[str] = []

    def work(extend: Extend) -> None:
        for _ in range(8):
            hourly.clock.move(seconds=20)
            extend()
            assert 0 == hourly.timetable().run_due()
        hourly.clock.move(seconds=LEASE.total_seconds() + 1)  # the machine has slept
        assert 1 == hourly.timetable().run_due()
        try:
            extend()
        except LeaseLost:
            lost.append("yes")
            raise

    assert 1 == hourly.timetable(work).run_due()
    assert (["yes"], [1]) == (lost, hourly.done)
    assert hourly.row().due_at > hourly.clock.now() + timedelta(minutes=50)  # as the other has left it


def test_what_was_noted_while_a_clock_was_wrong_does_not_put_it_off_for_years(hourly: Hourly) -> None:
    hourly.clock.move(days=365)
    hourly.timetable().run_due()
    hourly.clock.set(START)

    assert 1 == hourly.timetable().run_due()
    assert [1, 1] == hourly.done


def test_a_worker_that_stops_breaks_it_off_and_the_next_takes_it_up_at_once(hourly: Hourly) -> None:
    begun = threading.Event()

    def work(extend: Extend) -> None:
        begun.set()
        while True:
            extend()
            time.sleep(0.01)

    outbox = Outbox(hourly.clock)
    worker = Worker(hourly.database, hourly.clock, outbox, {}, beside=[hourly.timetable(work)])
    worker.start()
    assert begun.wait(20)
    worker.stop()

    assert (None, None) == (hourly.row().error, hourly.row().finished_at)
    assert 1 == hourly.timetable().run_due()
    assert [1] == hourly.done


def test_a_timetable_with_nothing_on_it_has_no_thread(hourly: Hourly) -> None:
    before = threading.active_count()
    empty = Timetable(hourly.database, hourly.clock, [])
    empty.start()

    assert before == threading.active_count()
    empty.stop()


def test_it_goes_on_after_the_database_was_away(
    hourly: Hourly, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.kernel.periodic.LOOKS_EVERY", 0.01)
    with hourly.database.transaction() as session:
        session.execute(text("ALTER TABLE periodic_jobs RENAME TO taken_away"))
    timetable = hourly.timetable()
    timetable.start()
    wait_for(lambda: "the timetable cannot be worked on" in caplog.text)
    with hourly.database.transaction() as session:
        session.execute(text("ALTER TABLE taken_away RENAME TO periodic_jobs"))
    wait_for(lambda: bool(hourly.done))
    timetable.stop()

    assert [1] == hourly.done


def wait_for(seen: Callable[[], bool]) -> None:
    for _ in range(2000):
        if seen():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")
