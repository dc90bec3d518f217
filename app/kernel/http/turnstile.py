"""Lets so many requests at once wait for a service that is not ours; others wait without a thread, and not for long.

Threads answer everybody: when that service hangs, those who wait for it must not take them all. Lives in the event
loop. Knows neither the service nor what is asked of it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app.kernel.errors import AppError


class Turnstile:
    """`most` may be inside; who has waited `patience` seconds outside is told `refusal()`."""

    def __init__(self, most: int, patience: float, refusal: Callable[[], AppError]) -> None:
        self._free = asyncio.Semaphore(most)
        self._patience = patience
        self._refusal = refusal

    @asynccontextmanager
    async def inside(self) -> AsyncIterator[None]:
        """Be inside for as long as the block lasts. Raises the refusal."""
        try:
            await asyncio.wait_for(self._free.acquire(), self._patience)
        except TimeoutError:
            raise self._refusal() from None
        try:
            yield
        finally:
            self._free.release()
