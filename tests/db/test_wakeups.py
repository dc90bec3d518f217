"""Processes on one PostgreSQL hear of each other's commits at once; where they cannot, each looks by itself, as on
SQLite. Here each process is a part of this one with a line of its own."""

import logging
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import get_args

import pytest
from sqlalchemy import func, make_url, select, text

from app.kernel import feed, wakeups
from app.kernel.database import Database
from app.kernel.numbering import Shown
from app.kernel.outbox import Message, Outbox, Worker
from app.kernel.wakeups import Name, Wakeups
from tests.clock import TestClock
from tests.proxy import Proxy, between

on_postgresql = pytest.mark.parametrize("new_database", ["postgresql"], indirect=True, scope="session")

SOON = 2.0
"""Seconds; polling would take longer in these tests."""


class Process:
    """A process that remembers what it has heard."""

    def __init__(self, database: Database) -> None:
        self.wakeups = Wakeups(database)
        self.heard: queue.SimpleQueue[tuple[Name, frozenset[int]]] = queue.SimpleQueue()
        for name in get_args(Name):
            self.wakeups.hear(name, partial(self._keep, name))

    def _keep(self, name: Name, about: frozenset[int]) -> None:
        self.heard.put((name, about))

    def next(self, within: float = SOON) -> tuple[Name, frozenset[int]]:
        return self.heard.get(timeout=within)

    def forget(self) -> None:
        """What was heard so far: at its beginning a process is told to look at everything."""
        until(lambda: self.wakeups.hears)
        time.sleep(0.1)
        while not self.heard.empty():
            self.heard.get()

    @property
    def hears_nothing(self) -> bool:
        time.sleep(0.3)
        return self.heard.empty()


def until(is_so: Callable[[], bool], within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def process(url: str) -> Iterator[Process]:
    database = Database(url)
    running = Process(database)
    running.wakeups.start()
    try:
        yield running
    finally:
        running.wakeups.stop()
        database.close()


@pytest.fixture
def here(database_url: str) -> Iterator[Process]:
    with process(database_url) as running:
        running.forget()
        yield running


@pytest.fixture
def there(database_url: str) -> Iterator[Process]:
    with process(database_url) as running:
        running.forget()
        yield running


@pytest.fixture
def line(database_url: str) -> Iterator[Proxy]:
    with between(make_url(database_url).port or 0) as proxy:
        yield proxy


def behind(line: Proxy, database_url: str) -> str:
    return make_url(database_url).set(port=line.port).render_as_string(hide_password=False)


@on_postgresql
def test_what_one_process_commits_another_hears_at_once_and_it_hears_itself_once(here: Process, there: Process) -> None:
    here.wakeups.ring("shown", {7, 3})
    assert ("shown", frozenset({3, 7})) == here.next() == there.next()
    there.wakeups.ring("placed")
    assert ("placed", frozenset()) == here.next() == there.next()
    here.wakeups.tell("told")
    assert there.next() == ("told", frozenset())
    assert here.hears_nothing
    assert there.hears_nothing


@on_postgresql
def test_of_a_storm_few_notices_are_made_and_the_last_is_heard(here: Process, there: Process) -> None:
    began = time.monotonic()
    for number in range(2000):
        here.wakeups.ring("shown", {number % 150})
    storm = time.monotonic() - began
    heard: set[int] = set()
    notices = 0
    while heard != set(range(150)):
        heard |= there.next()[1]
        notices += 1
    assert notices <= 3 + storm / wakeups._REST
    assert storm < 1.0, "ringing waits for something"


@on_postgresql
def test_more_merchants_than_a_notice_can_name_are_all_merchants(here: Process, there: Process) -> None:
    here.wakeups.ring("shown", range(10**15, 10**15 + 1000))
    assert there.next() == ("shown", frozenset())


@on_postgresql
def test_what_is_no_notice_of_ours_is_nothing(database: Database, there: Process) -> None:
    for words in ("", "x", "a b c", "o shown:x,-1", "o 💥:7", "o :", "o shows" * 900):
        with database.transaction() as session:
            session.execute(select(func.pg_notify("grapevine", words)))
    with database.transaction() as session:
        session.execute(select(func.pg_notify("grapevine", "other jobs:")))
    heard = []
    while ("jobs", frozenset()) not in heard:
        heard.append(there.next())
    assert heard == [("shown", frozenset()), ("jobs", frozenset())]


@on_postgresql
def test_a_line_that_was_cut_is_made_anew_and_whoever_missed_something_looks(
    database_url: str, line: Proxy, here: Process
) -> None:
    with process(behind(line, database_url)) as far:
        far.forget()
        line.cut()
        here.wakeups.ring("placed")  # is lost
        heard = {far.next(10)[0] for _ in get_args(wakeups.Name)}
        assert heard == {*get_args(wakeups.Name)}
        until(lambda: far.wakeups.hears)
        here.wakeups.ring("shown", {5})
        assert far.next() == ("shown", frozenset({5}))


@on_postgresql
def test_behind_a_pooler_that_keeps_notices_back_it_says_so_once_and_everybody_looks_by_itself(
    database_url: str, line: Proxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wakeups, "_PROOF", 0.2)
    monkeypatch.setattr(wakeups, "_DEAF", 0.05)
    line.is_deaf = True
    with caplog.at_level(logging.WARNING), process(behind(line, database_url)) as far:
        time.sleep(1.2)  # it tries again and again
        assert not far.wakeups.hears
        assert [True] == ["pooler" in record.message for record in caplog.records]
        far.wakeups.ring("jobs")
        assert far.next() == ("jobs", frozenset())
        line.is_deaf = False
        until(lambda: far.wakeups.hears)


@on_postgresql
def test_work_that_one_process_promises_another_does_at_once(
    database: Database, here: Process, there: Process, still_clock: TestClock
) -> None:
    done: queue.SimpleQueue[Message] = queue.SimpleQueue()
    reading, writing = Outbox(still_clock), Outbox(still_clock, lambda: here.wakeups.ring("jobs"))
    there.wakeups.hear("jobs", lambda _: reading.added.set())
    worker = Worker(database, still_clock, reading, {"greet": done.put}, poll_seconds=60)
    worker.start()
    try:
        time.sleep(0.2)  # it has looked, and waits
        with database.transaction() as session:
            promised = writing.add(session, 1, "greet", {})
        assert done.get(timeout=SOON).id == promised
    finally:
        worker.stop()


@on_postgresql
def test_a_line_takes_no_connection_of_the_pool_and_one_of_the_database(database: Database, here: Process) -> None:
    listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE '%LISTEN%'"
    with database.reading() as session:
        assert session.scalar(text(listening + " AND pid <> pg_backend_pid()")) == 1
    assert here.wakeups._database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_without_other_processes_those_here_are_woken(database: Database) -> None:
    alone = Process(database)
    if database.is_sqlite:
        alone.wakeups.start()
    alone.wakeups.ring("shown", {1})
    assert alone.next() == ("shown", frozenset({1}))
    assert not alone.wakeups.hears
    alone.wakeups.stop()


def test_who_has_joined_hears_each_ring_and_of_whose_walls() -> None:
    rung: list[Shown] = []
    with feed.bell.joined(rung.append):
        feed.bell.ring(frozenset({4}))
        feed.bell.wake()
    feed.bell.ring()
    assert [frozenset({4})] == rung
