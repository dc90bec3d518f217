"""Work that is done again and again, such as each hour: by one process at a time, however many there are.

Knows no domain. When each job is due stands in the database, so a start of the server does not begin it anew, and a
crash only puts it off: its lease runs out and any process takes it again. A failure is logged, kept and waits for the
next time. It has a thread of its own: work of minutes must not hold up the outbox.
"""

import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.clock import Clock
from app.kernel.database import Base, Database, id_type, insert_new
from app.kernel.outbox import LEASE, LeaseLost
from app.kernel.repeated import Repeated

log = logging.getLogger(__name__)

LOOKS_EVERY = 5.0
"""Seconds between two looks at what is due."""
_FIRST = timedelta(seconds=30)
"""How soon a job is done that was never done: not in the midst of a start."""


class PeriodicJob(Base):
    """When work is due that has to be done again and again and how it went."""

    __tablename__ = "periodic_jobs"
    __table_args__ = {"info": {"shared": "the server's own work, not a merchant's"}}

    name: Mapped[str] = mapped_column(id_type(80), primary_key=True)
    due_at: Mapped[datetime]  # when it may be taken next: also the end of a lease
    turn: Mapped[int]  # counts the takings: who took it before no longer touches it
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)  # of the last time, where it failed


@dataclass(frozen=True)
class Periodic:
    """A job, done `every` so often, give or take a tenth, so that many servers do not ask others all at once.

    `run` is given a function that it must call at least every quarter of a minute: it prolongs the lease, and raises
    `LeaseLost` where another process has taken over or this one is to stop, which `run` lets pass. What was done by
    then must not be done twice when it is run again.
    """

    name: str
    every: timedelta
    run: Callable[[Callable[[], None]], None]


class Timetable(Repeated):
    """Does what is due. Many processes may have the same timetable; the job that one breaks off another takes up, or
    the next start."""

    def __init__(self, database: Database, clock: Clock, jobs: Sequence[Periodic]) -> None:
        self._database = database
        self._clock = clock
        self._jobs = tuple(jobs)
        super().__init__("timetable", self._look, every=LOOKS_EVERY, trouble="the timetable cannot be worked on")

    def start(self) -> None:
        """Begin; without jobs there is nothing to begin."""
        if self._jobs:
            super().start()

    def run_due(self) -> int:
        """Do all that is due now, in this thread; returns how many jobs were begun."""
        return sum(self._run_if_due(job) for job in self._jobs)

    def _look(self) -> float:
        self.run_due()
        return 0

    def _run_if_due(self, job: Periodic) -> bool:
        turn = self._take(job)
        if turn is None:
            return False
        error: str | None = None
        try:
            job.run(self._extending(job, turn))
        except LeaseLost:
            if not self.is_stopping:
                log.info("%s was taken over by another process", job.name)
            self._leave(job, turn)
            return True
        except Exception as failure:
            log.exception("%s failed; it is tried again at its next time", job.name)
            error = f"{type(failure).__name__}: {failure}"[:2000]
        self._done(job, turn, error)
        return True

    def _take(self, job: Periodic) -> int | None:
        """Take the job for a lease; the number of this turn. None where it is not due, or another process has it."""
        now = self._clock.now()
        with self._database.reading() as session:  # spares SQLite's writer where there is nothing to do
            known = session.get(PeriodicJob, job.name)
        if known is not None and not _is_due(job, known, now):
            return None
        with self._database.transaction() as session:
            if known is None and insert_new(session, PeriodicJob, name=job.name, due_at=now + _FIRST, turn=0):
                return None
            row = session.get_one(PeriodicJob, job.name, with_for_update=True)
            if not _is_due(job, row, now):
                return None
            row.due_at, row.turn = now + LEASE, row.turn + 1
            return row.turn

    def _extending(self, job: Periodic, turn: int) -> Callable[[], None]:
        extended = self._clock.now()

        def extend() -> None:
            nonlocal extended
            if self.is_stopping:
                raise LeaseLost
            now = self._clock.now()
            if now - extended >= LEASE / 4:
                with self._database.transaction() as session:
                    _held(session, job, turn).due_at = now + LEASE
                extended = now

        return extend

    def _done(self, job: Periodic, turn: int, error: str | None) -> None:
        now = self._clock.now()
        pause = job.every * random.uniform(0.9, 1.1)  # noqa: S311  # spreads load, guards nothing
        with suppress(LeaseLost), self._database.transaction() as session:
            row = _held(session, job, turn)
            row.due_at, row.error = now + pause, error
            if error is None:
                row.finished_at = now

    def _leave(self, job: Periodic, turn: int) -> None:
        """Due at once, for whoever is there."""
        with suppress(LeaseLost), self._database.transaction() as session:
            _held(session, job, turn).due_at = self._clock.now()


def _is_due(job: Periodic, row: PeriodicJob, now: datetime) -> bool:
    """What lies further ahead than it can be was written while a clock was wrong."""
    return not now < row.due_at <= now + job.every * 2


def _held(session: Session, job: Periodic, turn: int) -> PeriodicJob:
    """The job's row, locked. Raises `LeaseLost` where another has taken it since."""
    row = session.get_one(PeriodicJob, job.name, with_for_update=True)
    if row.turn != turn:
        raise LeaseLost
    return row
