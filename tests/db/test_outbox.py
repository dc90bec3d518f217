"""Promised work is done once, tried again after failures and crashes, and kept when it was given up."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import delete, event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.kernel.events import Event, Events
from app.kernel.outbox import ATTEMPTS, LEASE, Handler, LeaseLost, Message, Outbox, OutboxRow, Worker, pause
from app.referrals.models import Claim
from tests.clock import START, TestClock
from tests.threads import together

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _an_empty_outbox(database: Database) -> None:
    with database.transaction() as session:
        session.execute(delete(OutboxRow))


@dataclass
class Bench:
    """An outbox with its clock, and workers on demand."""

    database: Database
    clock: TestClock
    outbox: Outbox

    def add(self, topic: str = "work", number: int = 0) -> str:
        with self.database.transaction() as session:
            return self.outbox.add(session, 1, topic, {"number": number})

    def worker(self, handler: Handler, **more: object) -> Worker:
        return Worker(self.database, self.clock, self.outbox, {"work": handler}, **more)  # type: ignore[arg-type]

    def rows(self) -> list[OutboxRow]:
        with self.database.reading() as session:
            return list(session.scalars(select(OutboxRow).order_by(OutboxRow.message_id)))


@pytest.fixture
def bench(database: Database, still_clock: TestClock) -> Bench:
    return Bench(database, still_clock, Outbox(still_clock))


def test_work_is_done_once_and_then_forgotten(bench: Bench) -> None:
    done: list[int] = []
    worker = bench.worker(lambda message: done.append(message.payload["number"]))
    for number in range(3):
        bench.add(number=number)
        bench.clock.move(seconds=1)

    assert worker.run_due() == 3
    assert worker.run_due() == 0
    assert [0, 1, 2] == done
    assert not bench.rows()


def test_work_whose_cause_was_undone_is_not_done(bench: Bench) -> None:
    with pytest.raises(ZeroDivisionError), bench.database.transaction() as session:  # noqa: PT012  # the block is a transaction
        bench.outbox.add(session, 1, "work", {})
        session.flush()
        raise ZeroDivisionError

    assert bench.worker(lambda _: None).run_due() == 0
    assert not bench.outbox.added.is_set()


def test_failed_work_is_tried_again_with_growing_pauses(bench: Bench) -> None:
    tried_at: list[float] = []

    def handle(_: Message) -> None:
        tried_at.append((bench.clock.now() - START).total_seconds())
        if len(tried_at) < 6:
            raise ValueError("not yet")

    bench.add()
    worker = bench.worker(handle)
    for _ in range(200):
        worker.run_due()
        bench.clock.move(seconds=1)

    assert len(tried_at) == 6
    pauses = [later - earlier for earlier, later in itertools.pairwise(tried_at)]
    for attempt, paused in enumerate(pauses, 1):
        assert 0.8 * 2**attempt <= paused <= 1.2 * 2**attempt + 1
    assert not bench.rows()


def test_pauses_grow_to_an_hour_at_most() -> None:
    assert all(0.8 * 3600 <= pause(attempts).total_seconds() <= 1.2 * 3600 for attempts in (12, 50, 1000))


def test_work_that_always_fails_is_given_up_and_kept_with_its_error(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Message) -> None:
        raise ValueError("it is broken: " + "x" * 5000)

    message = bench.add()
    worker = bench.worker(fail)
    for _ in range(ATTEMPTS + 5):
        worker.run_due()
        bench.clock.move(hours=2)

    (row,) = bench.rows()
    assert (row.message_id, row.attempts, row.due_at) == (message, ATTEMPTS, None)
    assert row.given_up_at is not None
    assert (row.error or "").startswith("ValueError: it is broken")
    assert ATTEMPTS == sum("failed" in record.message for record in caplog.records)


def test_what_fails_does_not_hold_up_the_rest(bench: Bench) -> None:
    done: list[int] = []

    def handle(message: Message) -> None:
        if message.payload["number"] == 0:
            raise ValueError("broken")
        done.append(message.payload["number"])

    for number in range(4):
        bench.add(number=number)
    bench.worker(handle).run_due()
    assert [1, 2, 3] == sorted(done)


def test_work_of_which_nobody_knows_how_to_do_it_waits_for_a_version_that_does(bench: Bench) -> None:
    bench.add("of another version")
    bench.add()
    done: list[str] = []
    older = bench.worker(lambda message: done.append(message.topic))
    for _ in range(2 * ATTEMPTS):
        older.run_due()
        bench.clock.move(hours=1)
    (row,) = bench.rows()
    assert (0, None, None) == (row.attempts, row.error, row.given_up_at)
    assert not older.run_one(row.merchant_id, row.message_id)
    knows = {"of another version": lambda message: done.append(message.topic)}
    Worker(bench.database, bench.clock, bench.outbox, knows).run_due()
    assert (["work", "of another version"], []) == (done, bench.rows())


class _Killed(BaseException):
    """Stands for the end of the process in the middle of the work."""


def test_work_in_whose_middle_the_process_died_is_taken_again_after_its_lease(bench: Bench) -> None:
    def die(_: Message) -> None:
        raise _Killed

    done: list[str] = []
    message = bench.add()
    with pytest.raises(_Killed):
        bench.worker(die).run_due()

    after = bench.worker(lambda taken: done.append(taken.id))
    bench.clock.set(START + LEASE - (LEASE / 60))
    assert after.run_due() == 0
    bench.clock.set(START + LEASE)
    assert after.run_due() == 1
    assert [message] == done


def test_work_that_ends_its_process_each_time_is_given_up_too(bench: Bench) -> None:
    def die(_: Message) -> None:
        raise _Killed

    bench.add()
    for attempt in range(ATTEMPTS):
        bench.clock.set(START + LEASE * attempt)
        with pytest.raises(_Killed):
            bench.worker(die).run_due()

    bench.clock.set(START + LEASE * ATTEMPTS)
    assert 0 == bench.worker(die).run_due()
    (row,) = bench.rows()
    assert (None, "its process ended at every attempt") == (row.due_at, row.error)


def test_work_that_takes_long_keeps_its_lease(bench: Bench) -> None:
    taken = Counter[str]()
    second = bench.worker(lambda message: taken.update([message.id]))

    def slowly(message: Message) -> None:
        for _ in range(5):
            bench.clock.move(seconds=45)
            message.extend()
            assert second.run_due() == 0

    bench.add()
    assert bench.worker(slowly).run_due() == 1
    assert not taken
    assert not bench.rows()


@pytest.mark.parametrize("end", ["well", "badly", "by extending"])
def test_who_has_lost_the_lease_leaves_the_message_to_whoever_has_it(bench: Bench, end: str) -> None:
    def die(_: Message) -> None:
        raise _Killed

    def too_slowly(message: Message) -> None:
        bench.clock.move(seconds=61)
        with pytest.raises(_Killed):
            bench.worker(die).run_due()
        if end == "by extending":
            message.extend()
        if end == "badly":
            raise ValueError("broken")

    bench.add()
    assert 1 == bench.worker(too_slowly).run_due()

    (row,) = bench.rows()
    assert (2, bench.clock.now() + LEASE, None) == (row.attempts, row.due_at, row.error)


def test_a_lease_is_not_prolonged_once_the_work_is_done_or_given_up(bench: Bench) -> None:
    kept: list[Message] = []
    bench.add()
    bench.worker(kept.append).run_due()
    with pytest.raises(LeaseLost):
        kept[0].extend()


def test_one_message_is_done_by_itself_when_it_is_due(bench: Bench) -> None:
    done: list[str] = []
    first, second = bench.add(number=0), bench.add(number=1)
    worker = bench.worker(lambda message: done.append(message.id))

    assert worker.run_one(1, second)
    assert not worker.run_one(1, second)
    assert not worker.run_one(2, first)  # another merchant's
    assert [second] == done
    assert [first] == [row.message_id for row in bench.rows()]


def test_two_workers_never_take_the_same_message(bench: Bench) -> None:
    taken = Counter[int]()
    for number in range(60):
        bench.add(number=number)

    def handle(message: Message) -> None:
        taken[message.payload["number"]] += 1
        time.sleep(0.001)

    counts = together(*(bench.worker(handle).run_due for _ in range(4)))

    assert dict.fromkeys(range(60), 1) == taken
    assert sum(counts) == 60
    assert not bench.rows()


@pytest.fixture
def running() -> Iterator[Callable[[Worker], Worker]]:
    """Starts workers, and stops them in the end."""
    started: list[Worker] = []

    def start(worker: Worker) -> Worker:
        worker.start()
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.stop()


def test_a_worker_is_woken_by_what_was_added(bench: Bench, running: Callable[[Worker], Worker]) -> None:
    done = threading.Event()
    running(bench.worker(lambda _: done.set(), poll_seconds=60))
    time.sleep(0.05)
    bench.add()
    assert done.wait(5)


def test_a_worker_survives_a_database_that_was_away(bench: Bench, running: Callable[[Worker], Worker]) -> None:
    failures = iter([OperationalError("SELECT", None, Exception("away")), RuntimeError("something else")])
    done, tidied = threading.Event(), threading.Event()

    def away(*_: object) -> None:
        for failure in failures:
            raise failure

    event.listen(bench.database.engine, "begin", away)
    running(bench.worker(lambda _: done.set(), tidy=tidied.set, poll_seconds=0.02))
    assert tidied.wait(5)
    event.remove(bench.database.engine, "begin", away)
    bench.add()
    assert done.wait(5)


def test_a_worker_tidies_up_once_an_hour(bench: Bench, running: Callable[[Worker], Worker]) -> None:
    tidied: list[float] = []

    def tidy() -> None:
        tidied.append((bench.clock.now() - START).total_seconds())
        raise RuntimeError("tidying failed")  # which must not stop the work

    running(bench.worker(lambda _: None, tidy=tidy, poll_seconds=0.01))
    for minutes in (0, 30, 60, 90, 120):
        bench.clock.set(START + timedelta(minutes=minutes))
        time.sleep(0.06)
    assert [0, 3600, 7200] == tidied


@dataclass(frozen=True)
class Happened(Event):
    """Something that happened in these tests."""

    visit: str


def _claim(visit: str) -> Claim:
    return Claim(merchant_id=1, visit_id=visit, claimed_id=visit, visitor_id="vis_1", at=START, received_at=START)


def test_a_listener_that_fails_leaves_what_happened_and_is_called_again(bench: Bench) -> None:
    events, visit = Events(bench.outbox), f"clk_heard_{next(_numbers)}"
    heard: list[Happened] = []

    def listen(session: Session, news: Happened) -> None:
        session.add(_claim(f"{news.visit}_{len(heard)}"))
        session.flush()
        heard.append(news)
        if len(heard) == 1:
            raise ValueError("the first time it fails")

    events.on(Happened, "listen", listen)
    worker = Worker(bench.database, bench.clock, bench.outbox, events.handlers(bench.database))
    with bench.database.transaction() as session:
        session.add(_claim(visit))
        events.publish(session, Happened(1, visit))

    with bench.database.reading() as session:
        assert session.get(Claim, (1, visit)) is not None  # what happened stands
        assert session.get(Claim, (1, f"{visit}_0")) is None  # what the listener wrote is undone
    assert worker.run_due() == 1
    assert heard == [Happened(1, visit)] * 2
    with bench.database.reading() as session:
        assert session.get(Claim, (1, f"{visit}_1")) is not None
    assert not bench.rows()


def test_a_listener_without_a_database_takes_what_happened_with_it(bench: Bench) -> None:
    events, visit = Events(bench.outbox), f"clk_heard_{next(_numbers)}"

    def listen(session: Session, news: Happened) -> None:
        raise OperationalError("SELECT", None, Exception("away"))

    events.on(Happened, "listen", listen)
    with pytest.raises(OperationalError), bench.database.transaction() as session:  # noqa: PT012  # the block is a transaction
        session.add(_claim(visit))
        events.publish(session, Happened(1, visit))
    with bench.database.reading() as session:
        assert session.get(Claim, (1, visit)) is None
    assert not bench.rows()
