"""The recorder with facts of which nothing has to be asked: written at one go, and each answered or failing alone."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import delete, func, select

from app.kernel.database import Database
from app.kernel.errors import AppError
from app.kernel.recorder import Fact, Recorder
from app.kernel.rollups.tables import RollupDelta
from app.referrals import visits
from app.referrals.models import Visit
from app.referrals.visits import NewVisit, Way
from tests.clock import START
from tests.db.recorded import Seen, Writer

_merchants = itertools.count(95_000)


@pytest.fixture
def merchant(database: Database) -> Iterator[int]:
    number = next(_merchants)
    yield number
    with database.transaction() as session:  # nobody folds them here
        session.execute(delete(RollupDelta).where(RollupDelta.merchant_id == number))


def visit(merchant: int, number: int, *, is_bad: bool = False) -> NewVisit:
    """A visit; a bad one has no type, without which it cannot stand."""
    way = Way(merchant, f"ref_{number}", cast("str", None) if is_bad else "click", None, None, "whatsapp")
    return NewVisit.by(way, None, START + timedelta(seconds=number))


def recorded(database: Database, facts: Sequence[Fact[Any]], asking: Writer | None = None) -> list[object]:
    """What became of facts that stand in the queue together."""
    recorder = Recorder(database)
    recorder.register_plain(NewVisit, visits.rows_of)
    if asking is not None:
        recorder.register(Seen, asking)
        asking.gate.set()

    async def all_at_once() -> list[object]:
        waiting: list[asyncio.Future[object]] = [asyncio.ensure_future(recorder.record(fact)) for fact in facts]
        await asyncio.sleep(0.05)
        recorder.start()
        return await asyncio.gather(*waiting, return_exceptions=True)

    outcomes = asyncio.run(all_at_once())
    recorder.stop()
    return outcomes


def standing(database: Database, merchant: int) -> list[str]:
    """The click ids that stand, each of which is counted once."""
    with database.reading() as session:
        of_these = RollupDelta.merchant_id == merchant, RollupDelta.dimension == "total"
        counted = session.scalar(select(func.sum(RollupDelta.visits)).where(*of_these)) or 0
        clicks = list(session.scalars(select(Visit.visit_id).where(Visit.merchant_id == merchant)))
    assert counted == len(clicks)
    return sorted(clicks)


def test_visits_stand_and_are_counted_when_they_are_answered(database: Database, merchant: int) -> None:
    facts = [visit(merchant, number) for number in range(50)]
    assert [fact.visit_id for fact in facts] == recorded(database, facts)
    assert [fact.visit_id for fact in facts] == standing(database, merchant)


def test_a_visit_that_cannot_stand_fails_alone(database: Database, merchant: int) -> None:
    facts = [visit(merchant, number, is_bad=number in (7, 41)) for number in range(60)]
    outcomes = recorded(database, facts)
    assert [7, 41] == [number for number, each in enumerate(outcomes) if isinstance(each, AppError)]
    good = [fact.visit_id for number, fact in enumerate(facts) if number not in (7, 41)]
    assert good == [each for each in outcomes if not isinstance(each, AppError)]
    assert good == standing(database, merchant)


def test_a_visit_with_a_word_that_the_database_cannot_keep_fails_alone(database: Database, merchant: int) -> None:
    bad = NewVisit.by(Way(merchant, "ref_\0", "click", None, None, None), None, START)
    facts = [visit(merchant, 1), bad, visit(merchant, 2)]
    outcomes = recorded(database, facts)
    failed = [number for number, each in enumerate(outcomes) if isinstance(each, AppError)]
    assert ([] if database.is_sqlite else [1]) == failed  # SQLite keeps a NUL
    assert sorted(fact.visit_id for n, fact in enumerate(facts) if n not in failed) == standing(database, merchant)


def test_visits_and_what_has_to_ask_are_written_together(database: Database, merchant: int) -> None:
    asking = Writer(poison=lambda number: number == 3)
    facts = [made for number in range(10) for made in (visit(merchant, number), Seen(number))]
    outcomes = recorded(database, facts, asking)
    assert [7] == [number for number, each in enumerate(outcomes) if isinstance(each, AppError)]
    assert [fact.visit_id for fact in facts if isinstance(fact, NewVisit)] == standing(database, merchant)
    assert [number for number in range(10) if number != 3] == asking.written(database)
