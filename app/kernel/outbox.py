"""Work that is promised in a transaction and done after it: written beside its cause, done at least once.

Knows no domain: a domain adds a message under a topic and hands in a handler for that topic. A message
survives a crash (its lease runs out and it is taken again), is retried with growing pauses, and is kept
with its error when it was given up. What nobody here has a handler for waits for a process of the version that has.
Who has lost the lease no longer touches the message: each taking counts
`attempts` up, and that number tells whose it is.
"""

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, Index, Text, delete, event, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.clock import Clock
from app.kernel.database import Base, Database, id_type, table_of
from app.kernel.ids import new_id
from app.kernel.rekeying import Names, Step, rename_in_json
from app.kernel.repeated import Repeated

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
TIDY_EVERY = timedelta(hours=1)
ATTEMPTS = 12
"""With pauses of 2, 4, 8 … seconds, at most an hour: a message is given up after about two and a half hours."""

Payload = dict[str, Any]


class OutboxRow(Base):
    """One promised piece of work. Done: the row goes. Given up: it stays, with `given_up_at` and `error`."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due_at", "due_at"),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    message_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    topic: Mapped[str] = mapped_column(id_type(80))
    payload: Mapped[Payload] = mapped_column(JSON)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # when it may be taken next: also the end of a lease; empty once given up
    attempts: Mapped[int] = mapped_column(default=0)
    given_up_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)


class LeaseLost(Exception):
    """The lease ran out and somebody else took the message: the rest is theirs. A handler lets it pass."""


@dataclass(frozen=True)
class Message:
    """What a handler gets.

    `extend` prolongs the lease of work that takes longer than a minute; it raises `LeaseLost`.
    """

    merchant_id: int
    id: str
    topic: str
    payload: Payload
    attempt: int  # the first is 1, the last `ATTEMPTS`
    extend: Callable[[], None] = field(repr=False)

    def extending(self, clock: Clock) -> Callable[[], None]:
        """Something to call as often as one likes: prolongs the lease whenever a quarter of it is over."""
        extended = clock.now()

        def extend() -> None:
            nonlocal extended
            if clock.now() - extended >= LEASE / 4:
                self.extend()
                extended = clock.now()

        return extend


Handler = Callable[[Message], None]
"""Does the work in transactions of its own. It may run twice for one message, so it must not mind."""


class Outbox:
    """The writing side. `ring` wakes whoever works on it, here or in another process."""

    def __init__(self, clock: Clock, ring: Callable[[], None] | None = None) -> None:
        self._clock = clock
        self.added = threading.Event()
        self._ring = ring or self.added.set

    def add(self, session: Session, merchant_id: int, topic: str, payload: Payload) -> str:
        """Promise work in the caller's transaction; the worker is woken when that has been committed."""
        now = self._clock.now()
        message_id = new_id("job", merchant_id, now)
        put(session, merchant_id, message_id, topic, payload, now, now)
        event.listen(session, "after_commit", lambda _: self._ring(), once=True)
        return message_id


def put(
    session: Session, merchant_id: int, message_id: str, topic: str, payload: Payload, now: datetime, due_at: datetime
) -> None:
    """Promise work that is to be done from `due_at` on, and wake nobody: for whoever does it at once by themselves, and
    then takes it back."""
    row = OutboxRow(
        merchant_id=merchant_id,
        message_id=message_id,
        topic=topic,
        payload=payload,
        created_at=now,
        due_at=due_at,
        attempts=0,
    )
    session.add(row)


def take_back(session: Session, merchant_id: int, message_id: str) -> None:
    """It was done, in this transaction. Where a worker has it already, that finds nothing left to do."""
    mine = (OutboxRow.merchant_id == merchant_id) & (OutboxRow.message_id == message_id)
    session.execute(delete(OutboxRow).where(mine, OutboxRow.attempts == 0))


def rename(database: Database, merchant_id: int, names: Names, step: Step) -> None:
    """Put other names in what is promised, and in what was given up."""
    rows = table_of(OutboxRow).c
    rename_in_json(database, rows.message_id, rows.payload, merchant_id, names, step)


def pause(attempts: int) -> timedelta:
    """How long to wait after the given number of failures: doubling from two seconds to an hour, with jitter."""
    seconds = min(2.0**attempts, 3600.0)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311  # spreads load, guards nothing


class Worker(Repeated):
    """The doing side: takes what is due, one message at a time; many workers may share a database. What one leaves
    stays in the outbox.

    `tidy` is called once an hour, for what only has to be cleared away now and then. `beside` starts and stops with
    the worker, and does not wait for its messages, nor they for it. Of several in a process one `is_called` when
    something was promised; the others look by themselves.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        outbox: Outbox,
        handlers: Mapping[str, Handler],
        *,
        tidy: Callable[[], None] = lambda: None,
        poll_seconds: float = 1.0,
        beside: Sequence[Repeated] = (),
        is_called: bool = True,
    ) -> None:
        trouble, woken = "the outbox cannot be worked on", outbox.added if is_called else None
        super().__init__("worker", self._look, every=poll_seconds, trouble=trouble, woken=woken)
        self._database = database
        self._clock = clock
        self._handlers = handlers
        self._tidy = tidy
        self._tidied_at: datetime | None = None
        self._beside = tuple(beside)

    def start(self) -> None:
        super().start()
        for each in self._beside:
            each.start()

    def leave_off(self) -> None:
        super().leave_off()
        for each in self._beside:
            each.leave_off()

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the message at hand, then stop."""
        super().stop(timeout)
        for each in self._beside:
            each.stop(timeout)

    def run_due(self) -> int:
        """Do all that is due now, in this thread; returns how many messages were taken."""
        done = 0
        while not self.is_stopping:
            message = self._take()
            if message is None:
                break
            self._do(message)
            done += 1
        return done

    def run_one(self, merchant_id: int, message_id: str) -> bool:
        """Do this one message in this thread, if it is due; whether it was taken."""
        message = self._take(OutboxRow.merchant_id == merchant_id, OutboxRow.message_id == message_id)
        if message is not None:
            self._do(message)
        return message is not None

    def _look(self) -> float:
        self.run_due()
        if self._tidied_at is None or self._clock.now() - self._tidied_at >= TIDY_EVERY:
            self._tidied_at = self._clock.now()
            self._tidy()
        return 0

    def _take(self, *only: ColumnElement[bool]) -> Message | None:
        now = self._clock.now()
        ours = (OutboxRow.due_at <= now, OutboxRow.topic.in_(list(self._handlers)), *only)
        with self._database.reading() as session:  # spares SQLite's writer where there is nothing to do
            due = select(OutboxRow.message_id).where(*ours).limit(1)
            if session.scalar(due) is None:
                return None
        with self._database.transaction() as session:
            row = session.scalar(
                select(OutboxRow).where(*ours).order_by(OutboxRow.due_at).limit(1).with_for_update(skip_locked=True)
            )
            if row is None:
                return None
            if row.attempts < ATTEMPTS:
                row.due_at = now + LEASE
                row.attempts += 1
                extend = partial(self._extend, row.merchant_id, row.message_id, row.attempts)
                return Message(row.merchant_id, row.message_id, row.topic, row.payload, row.attempts, extend)
            _give_up(row, now, "its process ended at every attempt")
        return self._take(*only)

    def _extend(self, merchant_id: int, message_id: str, attempt: int) -> None:
        with self._database.transaction() as session:
            row = _held(session, merchant_id, message_id, attempt)
            if row is None:
                raise LeaseLost
            row.due_at = self._clock.now() + LEASE

    def _do(self, message: Message) -> None:
        try:
            self._handlers[message.topic](message)
        except LeaseLost:
            log.info("message %s (%s) was taken by another", message.id, message.topic)
        except Exception as error:
            log.exception("message %s (%s) failed", message.id, message.topic)
            self._failed(message, error)
        else:
            with self._database.transaction() as session:
                row = _held(session, message.merchant_id, message.id, message.attempt)
                if row is not None:
                    session.delete(row)

    def _failed(self, message: Message, error: Exception) -> None:
        now = self._clock.now()
        with self._database.transaction() as session:
            row = _held(session, message.merchant_id, message.id, message.attempt)
            if row is None:
                return
            why = f"{type(error).__name__}: {error}"[:2000]
            if row.attempts >= ATTEMPTS:
                _give_up(row, now, why)
            else:
                row.error, row.due_at = why, now + pause(row.attempts)


def _held(session: Session, merchant_id: int, message_id: str, attempt: int) -> OutboxRow | None:
    """The message, locked, unless it was taken by another since, given up or done."""
    row = session.get(OutboxRow, (merchant_id, message_id), with_for_update=True)
    return row if row is not None and row.attempts == attempt and row.given_up_at is None else None


def _give_up(row: OutboxRow, now: datetime, why: str) -> None:
    row.error, row.due_at, row.given_up_at = why, None, now
