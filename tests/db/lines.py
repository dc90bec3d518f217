"""A browser's end of the streams of a hub that a test has for itself, without a server between."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from app.kernel.database import Database
from app.kernel.errors import Unavailable
from app.storefront.answers import Answer, Ask, Message, Stream
from app.storefront.live.hub import Hub

OWN = "http://shop.localhost"


class BrowserLine:
    """A browser's end of a line: what it was sent, and whether it takes more just now."""

    def __init__(self) -> None:
        self.status = 0
        self.sent: list[bytes] = []
        self.is_over = False
        self.takes = asyncio.Event()
        self.takes.set()
        self._hung_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def come(self, coming: Awaitable[Answer | Stream]) -> "BrowserLine":
        """Ask, and go on at once as the server does."""

        async def run() -> None:
            try:
                stream = await coming
            except Unavailable:
                self.status = 503
                return
            assert not isinstance(stream, Answer)
            await stream.run(self._receive, self._send)

        self._task = asyncio.create_task(run())
        return self

    def open(self, stream: Answer | Stream) -> "BrowserLine":
        assert not isinstance(stream, Answer)
        self._task = asyncio.create_task(stream.run(self._receive, self._send))
        return self

    async def hang_up(self) -> None:
        self._hung_up.set()
        await self.end()

    async def cut(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def end(self) -> None:
        assert self._task is not None
        await asyncio.wait_for(self._task, 10)

    async def until(self, done: Callable[["BrowserLine"], bool]) -> None:
        for _ in range(500):
            if done(self):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(self.sent)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was said, but for comments."""
        told = b"".join(self.sent).decode().split("\n\n")
        return [json.loads(each.split("data: ")[1]) for each in told if "data: " in each]

    @property
    def last_id(self) -> str:
        return b"".join(self.sent).decode().rpartition("id: ")[2].partition("\n")[0]

    async def _receive(self) -> Message:
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.sent.append(message["body"])
            self.is_over = not message.get("more_body")
        await self.takes.wait()


def run(database: Database, story: Callable[[Hub], Awaitable[None]], **options: Any) -> None:
    async def tell() -> None:
        hub = Hub(database, OWN, **options)
        try:
            await story(hub)
        finally:
            hub.end()
            hub.close()
            await asyncio.sleep(0.05)

    asyncio.run(tell())


def asked(**headers: str) -> Ask:
    return Ask("GET", headers, b"")
