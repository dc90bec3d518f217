"""One open stream, and how it speaks: one thing at a time, and what it is told meanwhile is put together into one."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from app.storefront.answers import Message, Send
from app.storefront.live.events import Update

_PARTING: Final = 1.0
"""Seconds that somebody who is told that the stream ends may take to hear it."""


@dataclass(slots=True, eq=False)
class Listener:
    """One open stream: up to which `position` it was told, what it is saying, and what waits to be said."""

    send: Send
    position: int
    task: "asyncio.Task[object] | None"
    group: int
    waiting: Update | None = None
    speaking: "asyncio.Task[None] | None" = None
    is_ended: bool = False

    def wait(self, update: Update) -> None:
        """Have `update` said as soon as what is being said has been; together with what waits already."""
        if update.upto.position > self.position:
            self.waiting = update if self.waiting is None else self.waiting.then(update)
            self.position = update.upto.position


async def finish(send: Send, words: bytes = b"", head: Message | None = None) -> None:
    """Say the last, unless nobody takes it; after the `head` where that was not said yet."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_PARTING):
            if head is not None:
                await send(head)
            await send({"type": "http.response.body", "body": words})


async def speak(listener: Listener, words: bytes) -> None:
    """Say `words`, then whatever waits. What is told meanwhile is put together into one."""
    try:
        while words or listener.waiting is not None:
            if not words and listener.waiting is not None:
                update, listener.waiting = listener.waiting, None
                words = update.encoded
            await listener.send({"type": "http.response.body", "body": words, "more_body": True})
            words = b""
    finally:
        listener.speaking = None
