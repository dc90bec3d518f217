"""The recorder: many facts in one transaction, each answered once it is on disk, and never more than can wait."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.kernel.errors import Unavailable
from app.kernel.recorder import Fact, Recorder
from tests.db.recorded import Seen, Writer, record_all, recording


def test_many_facts_at_once_take_few_transactions(database: Database) -> None:
    writer = Writer()
    begun: list[Connection] = []

    def count(connection: Connection) -> None:
        begun.append(connection)

    event.listen(database.engine, "begin", count)
    with recording(database, writer) as recorder:
        outcomes = asyncio.run(record_all(recorder, range(400), writer.gate))
    event.remove(database.engine, "begin", count)
    assert [number * 10 for number in range(400)] == outcomes
    assert list(range(400)) == writer.written(database)
    assert len(writer.batches) <= 4
    assert len(begun) <= 10


def test_a_fact_is_on_disk_when_it_is_answered(database: Database) -> None:
    writer = Writer()
    writer.gate.set()

    async def one_by_one(recorder: Recorder) -> None:
        for number in range(20):
            await recorder.record(Seen(number))
            assert number in await asyncio.to_thread(writer.written, database)

    with recording(database, writer) as recorder:
        asyncio.run(one_by_one(recorder))


def test_a_full_queue_refuses_and_loses_nothing_that_it_took(database: Database) -> None:
    writer = Writer()
    with recording(database, writer, capacity=30, batch=10) as recorder:
        outcomes = asyncio.run(record_all(recorder, range(200), writer.gate))
    refused = [each for each in outcomes if isinstance(each, Unavailable)]
    taken = [number for number, each in enumerate(outcomes) if not isinstance(each, BaseException)]
    assert taken == writer.written(database)
    assert 30 <= len(taken) <= 60
    assert 200 == len(taken) + len(refused)
    assert all(each.retry_after for each in refused)


def test_stopping_writes_what_is_queued_and_then_refuses(database: Database) -> None:
    writer = Writer()

    async def stop_meanwhile(recorder: Recorder) -> list[int | BaseException]:
        tasks = [asyncio.ensure_future(recorder.record(Seen(number))) for number in range(100)]
        await asyncio.sleep(0.05)
        stopping = asyncio.ensure_future(asyncio.to_thread(recorder.stop))
        await asyncio.sleep(0.05)
        with pytest.raises(Unavailable):
            await recorder.record(Seen(1000))
        writer.gate.set()
        await stopping
        return await asyncio.gather(*tasks, return_exceptions=True)

    with recording(database, writer, batch=10) as recorder:
        outcomes = asyncio.run(stop_meanwhile(recorder))
    assert [number * 10 for number in range(100)] == outcomes
    assert list(range(100)) == writer.written(database)


@dataclass(frozen=True)
class Heavy(Fact[int]):
    """A fact that holds many rows."""

    rows: int

    @property
    def weight(self) -> int:
        return self.rows


def test_what_waits_and_what_is_written_at_once_is_bounded_by_weight(database: Database) -> None:
    gate = threading.Event()
    batches: list[int] = []

    def write(_: Session, facts: Sequence[Heavy]) -> list[int]:
        gate.wait(10)
        batches.append(sum(fact.rows for fact in facts))
        return [fact.rows for fact in facts]

    recorder = Recorder(database, capacity=300, batch=100)
    recorder.register(Heavy, write)
    recorder.start()

    async def all_at_once() -> list[int | BaseException]:
        tasks = [asyncio.ensure_future(recorder.record(Heavy(60))) for _ in range(40)]
        await asyncio.sleep(0.05)
        gate.set()
        first = await asyncio.gather(*tasks, return_exceptions=True)
        last = await recorder.record(Heavy(60))  # what was written weighs no more
        return [*first, last]

    *first, last = asyncio.run(all_at_once())
    recorder.stop()
    taken = [outcome for outcome in first if outcome == 60]
    assert 5 <= len(taken) <= 5 + 2 * 2  # what weighs 300 waits, while each thread has a batch in its hands
    assert all(isinstance(outcome, Unavailable) for outcome in first if outcome != 60)
    assert 60 == last
    assert max(batches) <= 120
