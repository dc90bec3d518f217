"""The bare server: the least that an ASGI application can do. Everything else is measured as a part of it."""

from starlette.types import Receive, Scope, Send

SIZE = 2048
_BODY = b"." * SIZE
_HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % SIZE)]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise RuntimeError("this server speaks HTTP only")
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})
