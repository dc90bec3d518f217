"""The recorder: many facts in one transaction, each answered once it is on disk, and each refused alone."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import event, func, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.kernel.errors import AppError, NotFound, Unavailable
from app.kernel.recorder import Fact, Recorder
from app.referrals.models import Claim
from tests.clock import START

_merchants = itertools.count(50_000)


@dataclass(frozen=True)
class Seen(Fact[int]):
    """A fact for these tests: the number of a claim. Some are refused, some break the statement they are in."""

    number: int


@dataclass
class Writer:
    """Writes `Seen` facts as claims of a merchant of its own, in one statement, as visits are."""

    merchant: int = field(default_factory=lambda: next(_merchants))
    batches: list[int] = field(default_factory=list)
    refused: Callable[[int], bool] = lambda number: False
    poison: Callable[[int], bool] = lambda number: False
    away: bool = False
    gate: threading.Event = field(default_factory=threading.Event)

    def __call__(self, session: Session, facts: Sequence[Seen]) -> Sequence[int | AppError]:
        self.gate.wait(10)
        if self.away:
            raise OperationalError("SELECT 1", None, Exception("the database went away"))
        self.batches.append(len(facts))
        good = [fact for fact in facts if not self.refused(fact.number)]
        if good:
            session.execute(insert(Claim), [self._row(fact) for fact in good])
        return [NotFound() if self.refused(fact.number) else fact.number * 10 for fact in facts]

    def _row(self, fact: Seen) -> dict[str, object]:
        visitor = None if self.poison(fact.number) else "vis_1"  # an empty one breaks the whole statement
        visit = f"clk_{fact.number:06}"
        ids = {"merchant_id": self.merchant, "visit_id": visit, "claimed_id": visit, "visitor_id": visitor}
        return {**ids, "at": START, "received_at": START}

    def written(self, database: Database) -> list[int]:
        with database.reading() as session:
            rows = session.scalars(select(Claim.visit_id).where(Claim.merchant_id == self.merchant))
            return sorted(int(visit[4:]) for visit in rows)


@contextmanager
def recording(database: Database, writer: Writer, **limits: int) -> Iterator[Recorder]:
    recorder = Recorder(database, **limits)
    recorder.register(Seen, writer)
    recorder.start()
    try:
        yield recorder
    finally:
        writer.gate.set()
        recorder.stop()


async def record_all(recorder: Recorder, numbers: Sequence[int], gate: threading.Event) -> list[int | BaseException]:
    """Record all at once; the writers wait until all of them stand in the queue."""
    tasks = [asyncio.ensure_future(recorder.record(Seen(number))) for number in numbers]
    await asyncio.sleep(0.05)
    gate.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


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


def test_a_refused_fact_is_refused_alone(database: Database) -> None:
    writer = Writer(refused=lambda number: number % 10 == 3)
    with recording(database, writer) as recorder:
        outcomes = asyncio.run(record_all(recorder, range(50), writer.gate))
    assert [3, 13, 23, 33, 43] == [number for number, each in enumerate(outcomes) if isinstance(each, NotFound)]
    assert 45 == len(writer.written(database))


def test_a_fact_that_breaks_its_batch_fails_alone(database: Database) -> None:
    writer = Writer(poison=lambda number: number in (7, 41))
    with recording(database, writer) as recorder:
        outcomes = asyncio.run(record_all(recorder, range(60), writer.gate))
    failed = [number for number, each in enumerate(outcomes) if isinstance(each, BaseException)]
    assert [7, 41] == failed
    assert [500, 500] == [each.status for each in outcomes if isinstance(each, AppError)]
    assert [number for number in range(60) if number not in failed] == writer.written(database)


def test_the_error_of_a_broken_fact_says_nothing_of_the_inside(database: Database) -> None:
    writer = Writer(poison=lambda _: True)
    with recording(database, writer) as recorder:
        (outcome,) = asyncio.run(record_all(recorder, [1], writer.gate))
    assert isinstance(outcome, AppError)
    assert "visit_claims" not in outcome.detail


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


def test_while_the_database_is_away_facts_are_put_off_and_then_taken_again(database: Database) -> None:
    writer = Writer(away=True)
    with recording(database, writer) as recorder:
        away = asyncio.run(record_all(recorder, range(20), writer.gate))
        writer.away = False
        back = asyncio.run(record_all(recorder, range(20), writer.gate))
    assert 20 == sum(isinstance(each, Unavailable) for each in away)
    assert 20 == len({id(each) for each in away})  # each has an error of its own
    assert [number * 10 for number in range(20)] == back
    assert list(range(20)) == writer.written(database)


def test_a_client_that_went_away_does_not_take_its_fact_along(database: Database) -> None:
    writer = Writer()

    async def leave(recorder: Recorder) -> int:
        gone = asyncio.ensure_future(recorder.record(Seen(1)))
        stays = asyncio.ensure_future(recorder.record(Seen(2)))
        await asyncio.sleep(0.05)
        gone.cancel()
        writer.gate.set()
        return await stays

    with recording(database, writer) as recorder:
        assert 20 == asyncio.run(leave(recorder))
    assert [1, 2] == writer.written(database)


def test_an_event_loop_that_was_closed_does_not_stop_the_recorder(database: Database) -> None:
    writer = Writer()

    async def abandon(recorder: Recorder) -> None:
        task = asyncio.ensure_future(recorder.record(Seen(1)))
        await asyncio.sleep(0.05)
        task.cancel()

    with recording(database, writer) as recorder:
        asyncio.run(abandon(recorder))
        assert [20] == asyncio.run(record_all(recorder, [2], writer.gate))
    assert [1, 2] == writer.written(database)


def test_a_fact_of_which_nobody_knows_how_to_write_it_fails_alone(database: Database) -> None:
    @dataclass(frozen=True)
    class Unknown(Fact[int]):
        pass

    writer = Writer()
    writer.gate.set()

    async def both(recorder: Recorder) -> list[int | BaseException]:
        return list(await asyncio.gather(recorder.record(Unknown()), recorder.record(Seen(1)), return_exceptions=True))

    with recording(database, writer) as recorder:
        unknown, seen = asyncio.run(both(recorder))
    assert isinstance(unknown, AppError)
    assert seen == 10


def test_batches_that_wait_for_each_other_are_written_all_the_same(database: Database) -> None:
    """Two batches that touch the same rows in another order: PostgreSQL undoes one of them."""
    merchant = next(_merchants)
    turn = threading.Barrier(2)

    def crossing(session: Session, facts: Sequence[Seen]) -> Sequence[int]:
        (fact,) = facts
        rows = [f"clk_{each}" for each in ("ab" if fact.number == 1 else "ba")]
        for position, visit in enumerate(rows):
            claim = session.get(Claim, (merchant, visit), with_for_update=True)
            assert claim is not None
            claim.visitor_id = f"vis_{fact.number}"
            session.flush()
            if position == 0 and not database.is_sqlite and not turn.broken:
                try:
                    turn.wait(2)
                except threading.BrokenBarrierError:
                    continue
        turn.abort()
        return [fact.number]

    with database.transaction() as session:
        at = {"visitor_id": "vis_0", "at": START, "received_at": START}
        names = ("clk_a", "clk_b")
        session.add_all(Claim(merchant_id=merchant, visit_id=name, claimed_id=name, **at) for name in names)
    recorder = Recorder(database, batch=1)
    recorder.register(Seen, crossing)
    recorder.start()

    async def both() -> list[int]:
        return list(await asyncio.gather(recorder.record(Seen(1)), recorder.record(Seen(2))))

    assert [1, 2] == asyncio.run(both())
    recorder.stop()
    with database.reading() as session:
        query = select(func.count(Claim.visitor_id.distinct())).where(Claim.merchant_id == merchant)
        assert session.scalar(query) == 1


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
