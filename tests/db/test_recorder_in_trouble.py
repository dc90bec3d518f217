"""The recorder when facts are refused or break, when who asked has gone, and when the database is away: each fact
fails alone."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.kernel.errors import AppError, NotFound, Unavailable
from app.kernel.recorder import Fact, Recorder
from app.referrals.models import Claim
from tests.clock import START
from tests.db.recorded import Seen, Writer, merchants, record_all, recording


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


def test_who_cannot_be_told_keeps_nobody_from_being_told(database: Database) -> None:
    writer = Writer()
    told: list[int | Exception] = []

    async def put_some(recorder: Recorder) -> int:
        def fail(outcome: int | Exception) -> None:
            told.append(outcome)
            raise RuntimeError("this one does not listen")

        for number in range(3):
            recorder.put(Seen(number), fail if number == 1 else told.append)
        last = asyncio.ensure_future(recorder.record(Seen(3)))
        writer.gate.set()
        outcome = await last
        async with asyncio.timeout(10):
            while len(told) < 3:  # perhaps another thread has written them
                await asyncio.sleep(0.001)
        return outcome

    with recording(database, writer) as recorder:
        assert 30 == asyncio.run(put_some(recorder))
    assert [0, 10, 20] == told


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
    merchant = next(merchants)
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
