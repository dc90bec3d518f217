"""The body of a request that is no longer than it may be, from clients that are slow, break off or never end.

Knows ASGI and nothing of what is in a body.
"""

import asyncio
from typing import Final

from app.kernel.errors import BadRequest, Unavailable
from app.kernel.http.problems import TooLarge
from app.storefront.answers import Ask, Message, Receive

PATIENCE: Final = 30.0
"""Seconds that a whole body may take: a telephone on a train is slow, who takes longer is gone or means ill."""
MOST_SLOW: Final = 500
"""Bodies that have begun and not ended. Where there are more, the eldest makes way."""


class Doorway:
    """Where bodies are waited for."""

    def __init__(self) -> None:
        self._slow: dict[asyncio.Timeout, None] = {}  # the eldest first

    async def whole(self, ask: Ask, receive: Receive, most: int) -> bytes:
        """The body. Raises `TooLarge` as soon as it is longer than `most` bytes, or said to be; `BadRequest` where it
        does not come in time, or the client went away (who hears of neither); `Unavailable` where it makes way."""
        announced = ask.headers.get("content-length", "")
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > most):
            raise _too_large(most)
        message, body = await self._come(receive, most)
        if message["type"] == "http.disconnect":
            raise BadRequest("The client went away.")
        if len(body) > most:
            raise _too_large(most)
        return bytes(body)

    async def _come(self, receive: Receive, most: int) -> tuple[Message, bytes | bytearray]:
        is_put_off = False
        try:
            async with asyncio.timeout(PATIENCE) as patience:
                self._slow[patience] = None
                self._make_way()
                try:
                    message = await receive()
                    if not message.get("more_body"):
                        return message, message.get("body", b"")
                    return await _rest(receive, bytearray(message.get("body", b"")), most)
                finally:
                    is_put_off = self._slow.pop(patience, _GONE) is _GONE
        except TimeoutError:
            if is_put_off:
                raise Unavailable("Too many are reporting at once; ask again in a moment.") from None
            raise BadRequest(f"The body has not come within {PATIENCE:.0f} seconds.") from None

    def _make_way(self) -> None:
        if len(self._slow) > MOST_SLOW:
            eldest = next(iter(self._slow))
            del self._slow[eldest]
            eldest.reschedule(0)


_GONE: Final = object()


async def _rest(receive: Receive, body: bytearray, most: int) -> tuple[Message, bytearray]:
    """The last message, and what came until then: not much more than `most` bytes."""
    more = True
    while more and len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return message, body


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"This body is {most} bytes at most.")
