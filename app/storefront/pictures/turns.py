"""Whose turn it is, when many want the same few places: one after the other of those who wait, whoever came first.

Lives in the event loop. Knows neither who waits nor for what.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turns:
    """`places` in all, of which one and the same may have `each`. Who takes all it can get keeps nobody else waiting
    for longer than a place takes to become free."""

    def __init__(self, places: int, each: int) -> None:
        self._free = places
        self._each = each
        self._has: Counter[Hashable] = Counter()
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()
        """The one whose turn is next stands first."""

    @asynccontextmanager
    async def turn(self, whose: Hashable) -> AsyncIterator[None]:
        """Have a place for as long as the block lasts."""
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(whose, deque()).append(mine)
        self._give()
        try:
            await mine
            yield
        finally:
            if mine.done() and not mine.cancelled():
                self._free += 1
                self._has[whose] -= 1
                if whose in self._waiting:
                    self._waiting.move_to_end(whose)
            self._has += Counter()  # forgets those who have none
            self._give()

    def _give(self) -> None:
        while self._free:
            whose = next((each for each in self._waiting if self._has[each] < self._each), None)
            if whose is None:
                return
            queue = self._waiting.pop(whose)
            mine = queue.popleft()
            if queue:
                self._waiting[whose] = queue  # behind the others
            if not mine.cancelled():
                self._free -= 1
                self._has[whose] += 1
                mine.set_result(None)
