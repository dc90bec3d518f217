"""Things kept ready in memory, at most a second old: looked up by the thousand, built once.

Lives in the event loop; building happens in worker threads. Knows neither what it keeps nor how that is built.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from math import inf
from time import monotonic
from typing import Generic, Protocol, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from app.kernel.errors import Unavailable

log = logging.getLogger(__name__)

FRESH_FOR = 1.0
"""Seconds. A change is seen this much later at the latest, in every process."""
AHEAD = 0.75
"""Seconds after which what is asked for is built anew, while the old one is still given."""
TOGETHER = 0.05
"""Seconds in which such renewals are gathered, to be made in one go."""
MOST_TOGETHER = 50
PATIENCE = 2.0
"""Seconds after which a database that does not answer counts as away, and what we have is given."""
MOST_UNDER_WAY = 2_000
"""So many are built or wait for it; of what is not kept, more are refused: anybody may ask for what never was."""
MOST_WAITING = 10_000
"""So many wait for what is not kept; while a database stalls, those who have gone away wait as well."""


class Sized(Protocol):
    """Knows how many bytes of memory it takes, roughly."""

    @property
    def size(self) -> int: ...


Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept", bound=Sized)


Wanted = tuple[Key, Kept | None]
"""What is to be built, and what stood there before."""
_Gathered = tuple[Wanted[Key, Kept], "asyncio.Future[Kept]"]


@dataclass(slots=True)
class _Entry(Generic[Kept]):
    kept: Kept
    since: float
    """When its reading began."""
    away_until: float = 0.0
    """Until then the database is not asked again."""


class Shelf(Generic[Key, Kept]):
    """Keeps what `build(key, old)` made, as much as fits into `room` bytes; the least used goes first.

    `build_all` makes several in less time than `build` takes for each of them: it answers an error for what cannot be
    made, and raises one where that concerns all.
    """

    def __init__(
        self,
        build: Callable[[Key, Kept | None], Kept],
        pool: Executor,
        room: int,
        build_all: "Callable[[Sequence[Wanted[Key, Kept]]], Sequence[Kept | Exception]] | None" = None,
    ) -> None:
        self._build = build
        self._build_all = build_all
        self._gathered: list[_Gathered[Key, Kept]] = []
        self._due = 0.0  # when they are made, by the loop's clock
        self._pool = pool
        self._room = room
        self._entries: OrderedDict[Key, _Entry[Kept]] = OrderedDict()
        self._under_way: dict[Key, asyncio.Task[Kept | Exception]] = {}
        self._size = 0
        self._waiting = 0  # for what is not kept
        self._outdated: set[Key] = set()
        """What changed while it was being built."""

    def ready(self, key: Key) -> Kept | None:
        """What `get` would give without a wait and without anything to do besides, for those who come by the
        thousand; None where there is more to it."""
        entry = self._entries.get(key)
        if entry is None or monotonic() - entry.since > AHEAD:
            return None
        self._entries.move_to_end(key)
        return entry.kept

    def at_once(self, key: Key) -> Kept | None:
        """What `get` would give without a wait, which is renewed where that is due; None where there is a wait."""
        ready = self.ready(key)
        if ready is not None:
            return ready
        entry = self._entries.get(key)
        if entry is None or monotonic() - entry.since >= FRESH_FOR:
            return None
        self._start(key, ahead=True)
        return entry.kept

    async def get(self, key: Key) -> Kept:
        """What stands under `key`, less than a second old; older only while the database is away.

        Raises what `build` raises, and `Unavailable` when nothing is kept and the database is away or far behind.
        """
        entry = self._entries.get(key)
        if entry is not None:
            now = monotonic()
            self._entries.move_to_end(key)
            if now < entry.away_until:
                return entry.kept
            if now - entry.since < FRESH_FOR:
                if now - entry.since > AHEAD:
                    self._start(key, ahead=True)
                return entry.kept
        return await self._built(key, entry)

    def outdate(self, concerned: Callable[[Key, Kept | None], bool]) -> None:
        """What stands under these keys has changed: it is built anew before it is given again, unless the database is
        away. `concerned` is shown what is kept, or nothing where it is being built. Called in the loop."""
        for key, entry in self._entries.items():
            if concerned(key, entry.kept):
                entry.since = -inf
        self._outdated.update(key for key in self._under_way if concerned(key, None))

    async def _built(self, key: Key, entry: _Entry[Kept] | None) -> Kept:
        if entry is None:
            return await self._first(key)
        task = self._start(key)
        # Waiting cancels nothing: others may wait for the same.
        await asyncio.wait({task}, timeout=PATIENCE)
        if not task.done():
            entry.away_until = inf  # until the task ends, one way or the other
            return entry.kept
        return _outcome(task)

    async def _first(self, key: Key) -> Kept:
        """What is built where nothing stood."""
        if self._waiting >= MOST_WAITING:
            raise _too_much()
        task = self._start(key)
        self._waiting += 1
        try:
            await asyncio.wait({task})
        finally:
            self._waiting -= 1
        return _outcome(task)

    def _start(self, key: Key, *, ahead: bool = False) -> "asyncio.Task[Kept | Exception]":
        task = self._under_way.get(key)
        if task is None:
            if len(self._under_way) >= MOST_UNDER_WAY and key not in self._entries:
                raise _too_much()
            task = self._under_way[key] = asyncio.create_task(self._renew(key, ahead=ahead))
        return task

    async def _renew(self, key: Key, *, ahead: bool) -> Kept | Exception:
        old, since = self._entries.get(key), monotonic()
        wanted = (key, old.kept if old else None)
        loop = asyncio.get_running_loop()
        try:
            if self._build_all is not None:
                kept = await self._gather(wanted, loop, TOGETHER if ahead else 0.0)
            else:
                kept = await loop.run_in_executor(self._pool, self._build, *wanted)
        except (DBAPIError, NoConnection) as error:
            log.warning("the database is away: %s", error)
            if old is None:
                return Unavailable("The database is not available; ask again in a moment.")
            old.away_until = monotonic() + FRESH_FOR
            return old.kept
        except Exception as error:
            self._drop(key)
            return error
        finally:
            self._under_way.pop(key, None)
            is_outdated = key in self._outdated
            self._outdated.discard(key)
        self._keep(key, _Entry(kept, -inf if is_outdated else since))
        return kept

    def _gather(
        self, wanted: "Wanted[Key, Kept]", loop: asyncio.AbstractEventLoop, patience: float
    ) -> "asyncio.Future[Kept]":
        """What is made together with all that is asked for within `patience` seconds; without any, while the loop comes
        round."""
        due = loop.time() + patience
        if not self._gathered or due < self._due:
            self._due = due
            loop.call_at(due, self._make_gathered, loop)
        future: asyncio.Future[Kept] = loop.create_future()
        self._gathered.append((wanted, future))
        return future

    def _make_gathered(self, loop: asyncio.AbstractEventLoop) -> None:
        gathered, self._gathered = self._gathered, []
        for begin in range(0, len(gathered), MOST_TOGETHER):
            part = gathered[begin : begin + MOST_TOGETHER]
            job = loop.run_in_executor(self._pool, self._make, [wanted for wanted, _ in part])
            job.add_done_callback(partial(_hand_out, [future for _, future in part]))

    def _make(self, wanted: "Sequence[Wanted[Key, Kept]]") -> "Sequence[Kept | Exception]":
        assert self._build_all is not None
        return [self._build(*wanted[0])] if len(wanted) == 1 else self._build_all(wanted)

    def _keep(self, key: Key, entry: _Entry[Kept]) -> None:
        self._drop(key)
        self._entries[key] = entry
        self._size += entry.kept.size
        while self._size > self._room and len(self._entries) > 1:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.kept.size


def _outcome(task: "asyncio.Task[Kept | Exception]") -> Kept:
    outcome = task.result()
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _too_much() -> Unavailable:
    return Unavailable("Too much is being asked for at once; ask again in a moment.")


def _hand_out(futures: "Sequence[asyncio.Future[Kept]]", job: "asyncio.Future[Sequence[Kept | Exception]]") -> None:
    if job.cancelled():  # the server stops
        for future in futures:
            future.cancel()
        return
    failed = job.exception()
    outcomes = job.result() if failed is None else [failed] * len(futures)
    for future, outcome in zip(futures, outcomes, strict=True):
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
