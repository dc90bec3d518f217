"""Durable group commit: facts from all requests written in one transaction, each answered after its commit.

Knows no domain: a domain registers a writer for its kind of fact. The next batch is what came in during the last
commit, and while the loop came round once to answer it (no timer). A batch that fails is halved until the bad fact
fails alone. A full queue refuses with 503 before memory grows (docs/decisions/0006-recorder.md, 0019-hot-paths.md).
"""

import asyncio
import logging
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

from app.kernel.at_one_go import AtOneGo
from app.kernel.bulk import Bulk, Row, Rows, insert_all
from app.kernel.database import Database, lost_a_race
from app.kernel.errors import AppError, Unavailable
from app.kernel.trouble import in_trouble

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Fact(Generic[Result]):
    """Something to be written; `Result` is what its writer answers. Subclasses are dataclasses that nobody changes."""

    __slots__ = ()

    @property
    def weight(self) -> int:
        """How many rows' worth of memory and work it is, about."""
        return 1


_ROUND = 0.005
"""Seconds for which a writer waits at most until the loop has come round, should it have much else to do."""

F = TypeVar("F", bound=Fact[Any])
Writer = Callable[[Session, Sequence[F]], Sequence[Any]]
"""Writes facts of one kind in order; answers one outcome each, an `AppError` for a fact that is refused."""
Plain = Callable[[Sequence[F]], tuple[Rows, Sequence[Any]]]
"""For facts of which nothing has to be asked first: what is to be written of them, and one outcome each."""


Tell = Callable[[Result | Exception], None]
"""Hears, in the loop, what became of a fact: its writer's answer, or why there is none."""


@dataclass(slots=True)
class _Waiting:
    fact: Fact[Any]
    tell: "Tell[Any]"
    loop: asyncio.AbstractEventLoop
    outcome: Any = field(default=None)


class Recorder:
    """Takes facts from the event loop and writes them in threads of its own.

    Facts that weigh `capacity` together may wait, and about `batch` are written in one transaction.
    """

    def __init__(self, database: Database, *, capacity: int = 20_000, batch: int = 1_000) -> None:
        self._database = database
        self._capacity = capacity
        self._batch = batch
        self._writers: dict[type[Fact[Any]], Writer[Any]] = {}
        self._plain: dict[type[Fact[Any]], Plain[Any]] = {}
        self._queue: deque[_Waiting] = deque()
        self._weight = 0  # of the queue
        self._idle = 0  # threads that sleep and were not called yet
        self._guard = threading.Lock()
        self._filled = threading.Condition(self._guard)
        self._stopping = False
        # PostgreSQL commits in parallel, so one batch can be written while another waits for the disk.
        self._threads = [
            threading.Thread(target=self._run, name=f"grapevine-recorder-{number}", daemon=True)
            for number in range(1 if database.is_sqlite else 2)
        ]

    def register(self, kind: type[F], writer: Writer[F]) -> None:
        """Let `writer` write the facts of `kind`."""
        self._writers[kind] = writer

    def register_plain(self, kind: type[F], rows_of: Plain[F]) -> None:
        """Let what `rows_of` tells be written of the facts of `kind`: at one go, where a batch has no others."""
        self._plain[kind] = rows_of
        self.register(kind, partial(_write_plain, rows_of))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Write what is queued, then stop."""
        with self._guard:
            self._stopping = True
            self._idle = 0
            self._filled.notify_all()
        for thread in self._threads:
            thread.join(timeout)

    async def record(self, fact: Fact[Result]) -> Result:
        """The writer's answer, once the fact is on disk.

        Raises what the writer refused it with, or `Unavailable` when the queue is full or the database away.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.put(fact, partial(_settle, future))
        return await future

    def put(self, fact: Fact[Result], tell: "Tell[Result]") -> None:
        """`tell` what `record` would answer or raise, but for a full queue: that raises `Unavailable` at once."""
        waiting = _Waiting(fact, tell, asyncio.get_running_loop())
        with self._guard:
            if self._stopping or self._weight >= self._capacity:
                raise Unavailable("Too much is being written at once; ask again in a moment.")
            self._weight += fact.weight
            self._queue.append(waiting)
            if self._idle:  # who is busy looks into the queue by itself
                self._idle -= 1
                self._filled.notify()

    def _run(self) -> None:
        line = AtOneGo(self._database)
        while batch := self._next_batch():
            self._write(batch, line)
            came_round = threading.Event()
            _answer(batch, came_round)
            if not self._stopping:
                came_round.wait(_ROUND)
        line.close()

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        weight = 0
        with self._guard:
            while not self._queue and not self._stopping:
                self._idle += 1
                self._filled.wait()
            while self._queue and weight < self._batch:
                batch.append(self._queue.popleft())
                weight += batch[-1].fact.weight
            self._weight -= weight
        return batch

    def _write(self, batch: Sequence[_Waiting], line: AtOneGo) -> None:
        try:
            by_kind = self._by_kind(batch)
            if by_kind.keys() <= self._plain.keys():
                self._append(by_kind, line)
            else:
                with self._database.transaction() as session:
                    self._call_writers(session, by_kind)
        except Exception as error:
            self._failed(batch, line, error)

    def _failed(self, batch: Sequence[_Waiting], line: AtOneGo, error: Exception) -> None:
        if lost_a_race(error):  # two batches met the same rows in another order; the other one stands now
            self._write(batch, line)
        elif in_trouble(error):  # perhaps all of it stands: whoever wrote the halves now would write it twice
            log.warning("a batch of %d facts could not be written: %s", len(batch), error)
            for waiting in batch:
                waiting.outcome = Unavailable("The database is not available; ask again in a moment.")
        elif len(batch) == 1:
            log.error("a fact could not be written: %r", type(batch[0].fact), exc_info=error)
            batch[0].outcome = error
        else:
            middle = len(batch) // 2
            self._write(batch[:middle], line)
            self._write(batch[middle:], line)

    def _by_kind(self, batch: Sequence[_Waiting]) -> "_ByKind":
        by_kind: dict[type[Fact[Any]], list[_Waiting]] = defaultdict(list)
        for waiting in batch:
            by_kind[type(waiting.fact)].append(waiting)
        # Always in the same order, or two batches at once would wait for each other's rows.
        return {kind: by_kind[kind] for kind in sorted(by_kind, key=[*self._writers].index)}

    def _call_writers(self, session: Session, by_kind: "_ByKind") -> None:
        for kind, group in by_kind.items():
            _note_outcomes(group, self._writers[kind](session, [waiting.fact for waiting in group]))

    def _append(self, by_kind: "_ByKind", line: AtOneGo) -> None:
        rows: list[tuple[Bulk, Sequence[Row]]] = []
        for kind, group in by_kind.items():
            some, outcomes = self._plain[kind]([waiting.fact for waiting in group])
            rows += some
            _note_outcomes(group, outcomes)
        line.append(rows)


_ByKind = Mapping[type[Fact[Any]], Sequence[_Waiting]]


def _write_plain(rows_of: Plain[F], session: Session, facts: Sequence[F]) -> Sequence[Any]:
    rows, outcomes = rows_of(facts)
    insert_all(session, rows)
    return outcomes


def _note_outcomes(group: Sequence[_Waiting], outcomes: Sequence[Any]) -> None:
    for waiting, outcome in zip(group, outcomes, strict=True):
        waiting.outcome = outcome


def _answer(batch: Sequence[_Waiting], came_round: threading.Event) -> None:
    """Wake the requests of a batch, with one call into each event loop. `came_round` is set once it has looked what
    came in since: who was answered and asks again belongs to the next batch, which is then half as many."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = defaultdict(list)
    for waiting in batch:
        by_loop[waiting.loop].append(waiting)
    for loop, group in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, loop, group, came_round)
        except RuntimeError:  # the loop was closed: nobody waits any more, and what is written stands
            came_round.set()


def _resolve(loop: asyncio.AbstractEventLoop, group: Sequence[_Waiting], came_round: threading.Event) -> None:
    for waiting in group:
        outcome = waiting.outcome
        try:
            waiting.tell(_own_copy(outcome) if isinstance(outcome, Exception) else outcome)
        except Exception:  # the others are told all the same
            log.exception("somebody could not be told what became of a fact")
    loop.call_soon(loop.call_soon, came_round.set)  # the first comes before the loop looks, the second after


def _settle(future: "asyncio.Future[Result]", outcome: Result | Exception) -> None:
    if future.done():  # the client went away; the fact stands
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _own_copy(error: Exception) -> Exception:
    """An error of its own for each waiter: raising one object in two tasks mixes their tracebacks."""
    if isinstance(error, Unavailable):
        return Unavailable(error.detail)
    return error if isinstance(error, AppError) else AppError("This could not be written.")
