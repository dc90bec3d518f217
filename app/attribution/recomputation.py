"""Bringing many orders up to date after a change of policy: a job with progress that survives a crash.

Orders are settled some to a transaction, in order of their ids (kernel/carried_on.py). Orders that are recorded
beside it are right from their first moment. Appends differences only, so a job that is done again appends nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import DataError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.attribution import writing
from app.attribution.models import CreditLine, Recomputation
from app.kernel.as_of import writing_now
from app.kernel.carried_on import CarriedOn
from app.kernel.clock import Clock
from app.kernel.database import Database, lost_a_race
from app.kernel.errors import NotFound
from app.kernel.ids import merchant_of, new_id
from app.kernel.outbox import ATTEMPTS, Message, Outbox
from app.kernel.statistics import look_at
from app.merchants import service as merchants
from app.orders import bringing as orders
from app.orders import counting
from app.orders import history as sales
from app.referrals import bringing as referrals
from app.referrals.turns import share_facts

log = logging.getLogger(__name__)

TOPIC = "attribution.recompute"
TRIES = ATTEMPTS - 2
"""After so many attempts a job has failed: the outbox still tries often enough to say so."""

RACES = 3
"""How often in a row a batch is done again that the database gave up for another's sake."""

MOST_FAULTY = 100
"""Orders that may be impossible to settle before the job stops: then it is not the orders."""

FAULT = "by a fault of ours these orders could not be settled: "
Progress = Callable[[Recomputation], None]


def start(session: Session, outbox: Outbox, merchant_id: int, since: datetime | None, now: datetime) -> Recomputation:
    """Promise to bring every order up to date that was made from `since` on (none: all). Where there is none, the job
    is finished already."""
    total = counting.count(session, merchant_id, since)
    job = Recomputation(
        merchant_id=merchant_id,
        job_id=new_id("job", merchant_id, now),
        since=since,
        status="queued" if total else "finished",
        total=total,
        done=0,
        appended=0,
        created_at=now,
        finished_at=None if total else now,
    )
    session.add(job)
    session.flush()
    if total:
        outbox.add(session, merchant_id, TOPIC, {"job_id": job.job_id})
    return job


def get(session: Session, merchant_id: int, job_id: str) -> Recomputation:
    """The job. Raises `NotFound`."""
    found = session.get(Recomputation, (merchant_id, job_id)) if merchant_of(job_id, "job") == merchant_id else None
    if found is None:
        raise NotFound
    return found


def run(
    database: Database,
    clock: Clock,
    message: Message,
    progress: Progress = lambda _: None,
    *,
    batch: int = writing.BATCH,
) -> None:
    """The job that the message names, going on where a crash or somebody else left it."""
    merchant_id, job_id = message.merchant_id, message.payload["job_id"]
    if message.attempt > TRIES:
        with database.transaction() as session:
            why = f"given up after {TRIES} attempts; what was done until then stands"
            _end(_locked(session, merchant_id, job_id), clock.now(), why)
        return
    extend = message.extending(clock)

    def step(state: Recomputation) -> None:
        extend()
        progress(state)
        database.breathe()

    while carry_on(database, clock, merchant_id, job_id, step, batch=batch).finished_at is None:
        message.extend()  # outrun by one whose lease was over, and who stops at its next step: ours is the lease


def carry_on(
    database: Database, clock: Clock, merchant_id: int, job_id: str, progress: Progress, *, batch: int = writing.BATCH
) -> Recomputation:
    """Settle orders up to the last, `batch` to a transaction; `progress` is told after each.

    Returns the job as it then stands: finished, failed, or neither where somebody else got further meanwhile.
    """
    with database.transaction() as session:
        look_at(session, *orders.TABLES, *referrals.TABLES, CreditLine)  # as there may be much more than just before
    with database.reading() as session:
        state = get(session, merchant_id, job_id)

    def locked(session: Session) -> Recomputation:
        share_facts(session, merchant_id)
        return _locked(session, merchant_id, job_id)

    job = CarriedOn(database, state.position, locked, lambda session, state: _goes_on(session, state, clock.now()))
    return job.to_the_end(_Going(clock, merchant_id, job_id, job.write, batch, batch).step, progress)


@dataclass
class _Going:
    """Somebody on their way through the orders.

    A batch that cannot be settled is halved until the order is found that it fails for; that one is told and passed
    over, so that it alone is not settled.
    """

    clock: Clock
    merchant_id: int
    job_id: str
    write: Callable[[Callable[[Session, Recomputation], None]], Recomputation]
    most: int
    size: int

    def step(self, races: int = RACES) -> Recomputation:
        """Settle the next batch, or end the job where there is none; the job as it then stands."""
        try:
            return self._settled()
        except SQLAlchemyError as error:
            if not races or not lost_a_race(error):
                raise
        return self.step(races - 1)

    def _settled(self) -> Recomputation:
        while True:
            try:
                state = self.write(self._settle)
            except Exception as error:
                if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError):
                    raise  # the database is away: tried again later, from where it was
                if self.size == 1:
                    log.exception("an order of job %s cannot be settled", self.job_id)
                    return self.write(self._pass_over)
                self.size //= 2
            else:
                self.size = min(self.size * 2, self.most)
                return state

    def _settle(self, session: Session, state: Recomputation) -> None:
        now = writing_now(session, self.merchant_id, self.clock)
        batch = self._next(session, state, self.size)
        if not batch:
            _end(state, now)
            return
        state.appended += writing.bring_up_to_date(session, self.merchant_id, batch, now)
        _move(state, batch)

    def _pass_over(self, session: Session, state: Recomputation) -> None:
        faulty = self._next(session, state, 1)
        state.error = (f"{state.error}, " if state.error else FAULT) + ", ".join(faulty)
        _move(state, faulty)
        if state.error.count(", ") + 1 == MOST_FAULTY:
            _end(state, self.clock.now(), "with so many it stopped there")

    def _next(self, session: Session, state: Recomputation, most: int) -> list[str]:
        page = sales.page(session, self.merchant_id, after=state.position, most=most, since=state.since)
        return [order.order_id for order in page]


def _move(state: Recomputation, batch: list[str]) -> None:
    state.status = "running"
    state.position = batch[-1]
    state.done += len(batch)
    state.total = max(state.total, state.done)  # orders that were recorded meanwhile are passed too


def _locked(session: Session, merchant_id: int, job_id: str) -> Recomputation:
    """The job, which nobody else changes until this transaction ends."""
    return session.get_one(Recomputation, (merchant_id, job_id), with_for_update=True)


def _goes_on(session: Session, state: Recomputation, now: datetime) -> bool:
    """Whether there is somebody to whom it matters."""
    try:
        merchants.get(session, state.merchant_id)
    except NotFound:
        _end(state, now, "the merchant has left")
        return False
    return True


def _end(state: Recomputation, now: datetime, why: str | None = None) -> None:
    """End the job: failed where something stands against it, `why` or what was told before."""
    if state.finished_at is None:
        state.error = "; ".join(each for each in (state.error, why) if each) or None
        state.status, state.finished_at = "failed" if state.error else "finished", now
