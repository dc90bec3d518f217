"""The body of a request that is no longer than it may be, from clients that are slow, break off or never end.

Knows ASGI and nothing of what is in a body.
"""

import asyncio
from typing import Final

from app.kernel.errors import BadRequest
from app.kernel.http.problems import TooLarge
from app.storefront.answers import Ask, Message, Receive

PATIENCE: Final = 30.0
"""Seconds that a whole body may take: a telephone on a train is slow, who takes longer is gone or means ill."""


async def whole(ask: Ask, receive: Receive, most: int) -> bytes:
    """The body. Raises `TooLarge` as soon as it is longer than `most` bytes, or said to be; `BadRequest` where it does
    not come in time, or the client went away (who hears of neither)."""
    announced = ask.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 18 or int(announced) > most):
        raise _too_large(most)
    try:
        async with asyncio.timeout(PATIENCE):
            message = await receive()
            body = message.get("body", b"")
            if message.get("more_body"):
                message, body = await _rest(receive, bytearray(body), most)
    except TimeoutError:
        raise BadRequest(f"The body has not come within {PATIENCE:.0f} seconds.") from None
    if message["type"] == "http.disconnect":
        raise BadRequest("The client went away.")
    if len(body) > most:
        raise _too_large(most)
    return bytes(body)


async def _rest(receive: Receive, body: bytearray, most: int) -> tuple[Message, bytearray]:
    """The last message, and what came until then: not much more than `most` bytes."""
    more = True
    while more and len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return message, body


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"A beacon's body is {most} bytes at most.")
