"""Facts for tests of the recorder, and who writes them."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.kernel.errors import AppError, NotFound
from app.kernel.recorder import Fact, Recorder
from app.referrals.models import Claim
from tests.clock import START

merchants = itertools.count(50_000)


@dataclass(frozen=True)
class Seen(Fact[int]):
    """A fact for these tests: the number of a claim. Some are refused, some break the statement they are in."""

    number: int


@dataclass
class Writer:
    """Writes `Seen` facts as claims of a merchant of its own, in one statement, as visits are."""

    merchant: int = field(default_factory=lambda: next(merchants))
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
