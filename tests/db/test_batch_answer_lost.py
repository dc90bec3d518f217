"""The answer to the recorder's commit lost: its whole batch is told to come back, and none of it is written again in
halves. PostgreSQL alone: between SQLite and the server there is no line that could break."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url, select
from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.kernel.errors import Unavailable
from app.kernel.recorder import Fact, Recorder
from app.referrals.models import Claim
from tests.clock import START
from tests.conftest import NewDatabase
from tests.proxy import Proxy, between

_numbers = itertools.count(1)
MERCHANT = 900_000


@dataclass(frozen=True)
class Seen(Fact[int]):
    """A fact of which each writing is a new row: what is written twice is seen."""

    number: int


@dataclass
class Writer:
    """Writes `Seen` facts as claims of new visits."""

    batches: list[int] = field(default_factory=list)

    def __call__(self, session: Session, facts: Sequence[Seen]) -> Sequence[int]:
        self.batches.append(len(facts))
        at = {"at": START, "received_at": START}
        rows = [
            {"merchant_id": MERCHANT, "visit_id": f"clk_{next(_numbers)}", "claimed_id": f"clk_{fact.number}"}
            | {"visitor_id": "vis_1", **at}
            for fact in facts
        ]
        session.execute(insert(Claim), rows)
        return [fact.number for fact in facts]


@pytest.fixture
def direct(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database, by a good line."""
    return NewDatabase("postgresql", tmp_path, request)(f"batch-lost-{next(_numbers)}")


@pytest.fixture
def line(direct: str) -> Iterator[Proxy]:
    """A bad line to it."""
    with between(make_url(direct).port or 0) as opened:
        yield opened


def test_a_batch_whose_answer_was_lost_is_not_written_again_in_halves(direct: str, line: Proxy) -> None:
    writer = Writer()
    through = make_url(direct).set(port=line.port).render_as_string(hide_password=False)
    with closing(Database(through)) as database:
        recorder = Recorder(database)
        recorder.register(Seen, writer)

        async def record(facts: range) -> list[int | BaseException]:
            return await asyncio.gather(*(recorder.record(Seen(number)) for number in facts), return_exceptions=True)

        async def all_at_once() -> list[int | BaseException]:
            waiting = asyncio.ensure_future(record(range(40)))
            await asyncio.sleep(0.05)  # all stand in the queue when it begins to write
            line.lose(1)
            recorder.start()
            return await waiting

        outcomes = asyncio.run(all_at_once())
        assert 40 == sum(isinstance(each, Unavailable) for each in outcomes), outcomes
        assert list(range(50, 60)) == asyncio.run(record(range(50, 60)))  # it goes on
        recorder.stop()
    with closing(Database(direct)) as books, books.reading() as session:
        rows = Counter(session.scalars(select(Claim.claimed_id).where(Claim.merchant_id == MERCHANT)))
    assert {f"clk_{number}": 1 for number in (*range(40), *range(50, 60))} == rows
    assert [40] == [size for size in writer.batches if size > 10]
