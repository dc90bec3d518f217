"""Only as many requests inside at once as memory has room for, and none that waits for ever: who is too many, or has
waited too long for a thread, is told at once to come back (503 with Retry-After). Pure ASGI.

Knows neither what is asked nor who works on it, only that this happens in the threads of endpoints. Whoever is in
such a thread is let be: what it does is done, and it is answered.
"""

import asyncio
from typing import Final

from anyio.to_thread import current_default_thread_limiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kernel.errors import Unavailable
from app.kernel.http import problems

MOST: Final = 1_000
"""Requests inside. Each takes about 30 KB while it waits, its body apart."""
ROOM: Final = 32 * 1024 * 1024
"""Bytes of all bodies inside."""
PATIENCE: Final = 30.0
"""Seconds of waiting without a thread, and without a further piece of the body."""

_LOOKS: Final = 3
"""So many looks within the patience."""
_UNKNOWN: Final = 1024 * 1024
_LARGEST: Final = 8 * 1024 * 1024
"""Bytes: what a body weighs that does not say how long it is, and one that is read piece by piece."""


class Crowd:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, *, most: int = MOST, room: int = ROOM, patience: float = PATIENCE) -> None:
        self._app = app
        self._most = most
        self._room = room
        self._patience = patience
        self._inside = 0
        self._carried = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        weight = _weight(scope)
        # Whoever is alone may carry whatever they like.
        has_room = not weight or not self._carried or self._carried + weight <= self._room
        if self._inside >= self._most or not has_room:
            return await _refuse("Too much is going on at once; ask again in a moment.", scope, receive, send)
        return await self._enter(weight, scope, receive, send)

    async def _enter(self, weight: int, scope: Scope, receive: Receive, send: Send) -> None:
        self._inside += 1
        self._carried += weight
        visit = _Visit(self._patience / _LOOKS, send)
        try:
            await visit.run(self._app, scope, receive, has_body=weight > 0)
        finally:
            self._inside -= 1
            self._carried -= weight
        if visit.is_over:
            await _refuse("This took too long to begin; ask again in a moment.", scope, receive, send)


class _Visit:
    """One request inside."""

    __slots__ = ("_every", "_looks", "_send", "_task", "_timer", "has_begun", "is_over")

    def __init__(self, every: float, send: Send) -> None:
        self._every = every
        self._looks = 0
        self._send = send
        self.has_begun = False
        """Something was answered."""
        self.is_over = False
        """It has waited in vain."""

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, *, has_body: bool) -> None:
        task = self._task = asyncio.current_task()
        assert task is not None
        self._timer = task.get_loop().call_later(self._every, self._look)

        async def hear() -> Message:
            message = await receive()
            self._looks = 0
            return message

        try:
            await app(scope, hear if has_body else receive, self._say)
        except asyncio.CancelledError:
            if not self.is_over or task.uncancel() > 0:
                raise
        finally:
            self._timer.cancel()

    async def _say(self, message: Message) -> None:
        self.has_begun = True
        await self._send(message)

    def _look(self) -> None:
        task = self._task
        assert task is not None
        if self.has_begun:
            return
        is_working = any(task is other for other in current_default_thread_limiter().statistics().borrowers)
        self._looks = 0 if is_working else self._looks + 1
        if self._looks < _LOOKS:
            self._timer = task.get_loop().call_later(self._every, self._look)
            return
        self.is_over = True
        task.cancel()


def _weight(scope: Scope) -> int:
    """Bytes that the body may take."""
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            return min(int(value), _LARGEST) if value.isdigit() else _UNKNOWN
    return _UNKNOWN


async def _refuse(why: str, scope: Scope, receive: Receive, send: Send) -> None:
    await problems.respond(Unavailable(why))(scope, receive, send)
