"""The bare server: the least that an ASGI application can do. Everything else is measured as a part of it.

`/2048` is answered with so many bytes.
"""

from functools import cache

from starlette.types import Receive, Scope, Send

LARGEST = 1_000_000


@cache
def _answer(path: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    size = min(int(path.removeprefix("/")), LARGEST)
    return [(b"content-type", b"text/plain"), (b"content-length", b"%d" % size)], b"." * size


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise RuntimeError("this server speaks HTTP only")
    headers, body = _answer(scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
