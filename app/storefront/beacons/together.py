"""Looks up what many ask for at once: one look at a time, for all who have come since the last one began.

Lives in the event loop; looks are made in threads. Knows neither what is looked up nor where.
"""

import asyncio
from collections.abc import Callable, Mapping, Set
from typing import Final, Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from app.kernel.errors import Unavailable

MOST_WANTED: Final = 10_000
"""So much may wait for the next look: beyond it the database does not keep up, or is away."""

Key = TypeVar("Key")
Found = TypeVar("Found")


class Together(Generic[Key, Found]):
    """`look` answers what it has found."""

    def __init__(self, look: Callable[[Set[Key]], Mapping[Key, Found]]) -> None:
        self._look = look
        self._wanted: set[Key] = set()
        self._next: asyncio.Future[Mapping[Key, Found]] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def find(self, keys: Set[Key]) -> Mapping[Key, Found]:
        """What stands under `keys`, and perhaps more. Raises what `look` does, and `Unavailable`. Whoever gives up
        leaves the others what they wait for."""
        if len(self._wanted) >= MOST_WANTED:
            raise Unavailable("Too much is being asked for at once; ask again in a moment.")
        self._wanted |= keys
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            self._next.add_done_callback(_heard)
        found = self._next
        if self._looking is None:
            self._looking = asyncio.create_task(self._go_on())
        return await asyncio.shield(found)

    async def _go_on(self) -> None:
        try:
            while self._next is not None:
                wanted, answer = self._wanted, self._next
                self._wanted, self._next = set(), None
                try:
                    answer.set_result(await run_in_threadpool(self._look, wanted))
                except Exception as error:
                    answer.set_exception(error)
        finally:
            self._looking = None


def _heard(answer: "asyncio.Future[Mapping[Key, Found]]") -> None:
    """Nobody may be left to hear of an error."""
    if not answer.cancelled():
        answer.exception()
