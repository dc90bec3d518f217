"""Things kept ready in memory, at most a second old: looked up by the thousand, built once.

Lives in the event loop; building happens in worker threads. Knows neither what it keeps nor how that is built.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Executor
from dataclasses import dataclass
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
PATIENCE = 2.0
"""Seconds after which a database that does not answer counts as away, and what we have is given."""


class Sized(Protocol):
    """Knows how many bytes of memory it takes, roughly."""

    @property
    def size(self) -> int: ...


Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept", bound=Sized)


@dataclass(slots=True)
class _Entry(Generic[Kept]):
    kept: Kept
    since: float
    """When its reading began."""
    away_until: float = 0.0
    """Until then the database is not asked again."""


class Shelf(Generic[Key, Kept]):
    """Keeps what `build(key, old)` made, as much as fits into `room` bytes; the least used goes first."""

    def __init__(self, build: Callable[[Key, Kept | None], Kept], pool: Executor, room: int) -> None:
        self._build = build
        self._pool = pool
        self._room = room
        self._entries: OrderedDict[Key, _Entry[Kept]] = OrderedDict()
        self._under_way: dict[Key, asyncio.Task[Kept | Exception]] = {}
        self._size = 0

    async def get(self, key: Key) -> Kept:
        """What stands under `key`, less than a second old; older only while the database is away.

        Raises what `build` raises, and `Unavailable` when the database is away and nothing is kept.
        """
        entry = self._entries.get(key)
        if entry is not None:
            now = monotonic()
            self._entries.move_to_end(key)
            if now < entry.away_until:
                return entry.kept
            if now - entry.since < FRESH_FOR:
                if now - entry.since > AHEAD:
                    self._start(key)
                return entry.kept
        return await self._built(key, entry)

    async def _built(self, key: Key, entry: _Entry[Kept] | None) -> Kept:
        task = self._start(key)
        # Waiting cancels nothing: others may wait for the same.
        await asyncio.wait({task}, timeout=None if entry is None else PATIENCE)
        if not task.done():
            assert entry is not None
            entry.away_until = inf  # until the task ends, one way or the other
            return entry.kept
        outcome = task.result()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _start(self, key: Key) -> "asyncio.Task[Kept | Exception]":
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._renew(key))
        return task

    async def _renew(self, key: Key) -> Kept | Exception:
        old, since = self._entries.get(key), monotonic()
        loop = asyncio.get_running_loop()
        try:
            kept = await loop.run_in_executor(self._pool, self._build, key, old.kept if old else None)
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
        self._keep(key, _Entry(kept, since))
        return kept

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
