"""Only as many requests inside at once as memory has room for, and none that waits for ever: who is too many, or has
waited too long for a thread, is told at once to come back (503 with Retry-After). Pure ASGI.

Who waits for a piece of their body stands in the doorway, not inside, and carries what has come of it, whatever they
say is to come: a handful who are slow take nobody's place. Where the doorway is full, who has waited longest makes way;
where the bodies are too much together, whoever carries the most of those in the doorway.

Knows neither what is asked nor who works on it, only that this happens in the threads of endpoints. Whoever is in
such a thread is let be: what it does is done, and it is answered.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Final

from anyio.to_thread import current_default_thread_limiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kernel.errors import Unavailable
from app.kernel.http import problems

MOST: Final = 1_000
"""Requests inside, and as many in the doorway. Each takes about 30 KB while it waits, its body apart."""
ROOM: Final = 32 * 1024 * 1024
"""Bytes of all bodies that have come."""
PATIENCE: Final = 30.0
"""Seconds of waiting without a thread, and without a further `STEP` of the body."""
STEP: Final = 256 * 1024
"""Bytes. Small bodies have the patience once, large ones each time that so much has come."""

_LOOKS: Final = 3
"""So many looks within the patience."""
_LARGEST: Final = 8 * 1024 * 1024
"""Bytes: what a body weighs at most. Larger ones are kept on the disk as they come."""


class Crowd:
    """Wraps the application. Bodies to the paths `streamed` are read piece by piece, none of which is kept: they weigh
    one piece, and each earns them the patience anew. What is asked of a path in `apart` goes there, past everybody."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        most: int = MOST,
        room: int = ROOM,
        patience: float = PATIENCE,
        streamed: Collection[str] = (),
        apart: Mapping[str, ASGIApp] | None = None,
    ) -> None:
        self._app = app
        self._most = most
        self._room = room
        self._patience = patience
        self._streamed = streamed
        self._apart = apart or {}
        self._inside = 0
        self._carried = 0
        self._doorway: dict[_Visit, None] = {}  # who has waited longest stands first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] in self._apart:
            await self._apart[scope["path"]](scope, receive, send)
        elif self._inside >= self._most:
            await _refuse(_TOO_MUCH, scope, receive, send)
        else:
            await self._let_in(scope, receive, send)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = _Visit(self, self._patience / _LOOKS, receive, send, is_streamed=scope["path"] in self._streamed)
        self._inside += 1
        try:
            await visit.run(self._app, scope, has_body=_has_body(scope))
        finally:
            self._inside -= 1
            self._carried -= visit.carried
        if visit.why is not None:
            await _refuse(visit.why, scope, receive, send)

    def step_out(self, visit: "_Visit") -> None:
        """It waits for a piece of its body."""
        self._inside -= 1
        self._doorway[visit] = None
        if len(self._doorway) > self._most:
            eldest = next(iter(self._doorway))
            del self._doorway[eldest]
            eldest.end(_TOO_MUCH)

    def step_in(self, visit: "_Visit") -> None:
        """It waits no more. While it waited others may have taken its place; of what is read piece by piece the
        beginning has been worked on, so it goes on."""
        self._inside += 1
        self._doorway.pop(visit, None)
        if self._inside > self._most and not visit.is_streamed:
            visit.end(_TOO_MUCH)

    def take(self, visit: "_Visit", size: int) -> None:
        """It carries so many bytes now."""
        grows = size > visit.carried
        self._carried += size - visit.carried
        visit.carried = size
        # Whoever is alone may carry whatever they like.
        while grows and self._room < self._carried != visit.carried:
            largest = max((visit, *self._doorway), key=lambda each: each.carried)
            self._put_out(largest)
            grows = largest is not visit

    def _put_out(self, visit: "_Visit") -> None:
        self._doorway.pop(visit, None)
        self._carried -= visit.carried
        visit.carried = 0
        visit.end(_TOO_MUCH)


class _Visit:
    """One request inside, or in the doorway."""

    __slots__ = (
        *("_crowd", "_every", "_fresh", "_is_whole", "_looks", "_receive", "_send", "_task", "_timer"),
        *("carried", "has_begun", "is_streamed", "why"),
    )

    def __init__(self, crowd: Crowd, every: float, receive: Receive, send: Send, *, is_streamed: bool) -> None:
        self._crowd = crowd
        self._every = every
        self._receive = receive
        self._send = send
        self._looks = 0
        self._fresh = 0  # bytes that have earned no patience yet
        self._is_whole = False
        self.is_streamed = is_streamed
        self.carried = 0
        """Bytes of its body that are held."""
        self.has_begun = False
        """Something was answered."""
        self.why: str | None = None
        """It was told to come back."""

    async def run(self, app: ASGIApp, scope: Scope, *, has_body: bool) -> None:
        task = self._task = asyncio.current_task()
        assert task is not None
        self._timer = task.get_loop().call_later(self._every, self._look)
        try:
            await app(scope, self._hear if has_body else self._receive, self._say)
        except asyncio.CancelledError:
            if self.why is None or task.uncancel() > 0:
                raise
        finally:
            self._timer.cancel()

    def end(self, why: str) -> None:
        """Have it told to come back, unless it was already told something."""
        if self.why is None and not self.has_begun:
            assert self._task is not None
            self.why = why
            self._task.cancel()

    async def _hear(self) -> Message:
        if self._is_whole:
            return await self._receive()  # whether the client is still there
        self._crowd.step_out(self)
        try:
            message = await self._receive()
        finally:
            self._crowd.step_in(self)
        size = len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        self._crowd.take(self, size if self.is_streamed else min(self.carried + size, _LARGEST))
        if self.why is not None:
            await asyncio.sleep(0)  # where it ends
        self._fresh += size
        if self._is_whole or self.is_streamed or self._fresh >= STEP:
            self._looks = self._fresh = 0
        return message

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
        self.end(_TOO_LONG)


_TOO_MUCH: Final = "Too much is going on at once; ask again in a moment."
_TOO_LONG: Final = "This took too long to begin; ask again in a moment."


def _has_body(scope: Scope) -> bool:
    """Whether anything is to come beside the head (RFC 9112, 6.3) that anybody waits for."""
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return False
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
        for name, value in scope["headers"]
    )


async def _refuse(why: str, scope: Scope, receive: Receive, send: Send) -> None:
    await problems.respond(Unavailable(why))(scope, receive, send)
