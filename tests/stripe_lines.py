"""The line from our server to Stripe's double, which tests make bad for a time."""

import asyncio
import json
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.shop import JSON


class BadLine:
    """The line to Stripe: it can be down, break off answers after the work was done, or bring kept failures."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.mend()

    def mend(self) -> None:
        self.status: int | None = None
        self.replayed = False
        self.lost = 0
        self.slow = 0.0
        self.keys: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self.slow)
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        self.keys += [value.decode() for name, value in scope["headers"] if name == b"idempotency-key"]
        if self.status is not None:
            await self._fail(send, self.status)
        elif self.lost:
            self.lost -= 1
            await self._app(scope, receive, _nowhere)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
            await send({"type": "http.response.body", "body": b'{"id": "cs'})
        else:
            await self._app(scope, receive, send)

    async def _fail(self, send: Send, status: int) -> None:
        body = json.dumps({"error": {"type": "api_error", "message": "An unknown error occurred"}}).encode()
        await _answer(send, status, body, *([(b"idempotent-replayed", b"true")] if self.replayed else []))


async def _nowhere(_: Message) -> None:
    return None


@dataclass
class StripeLine:
    """The line to Stripe for what is looked up there. `refuses` is an account that has withdrawn its permission;
    `spoils` the id of an event of whose object something else comes out: `spoiled`."""

    app: ASGIApp
    refuses: str = ""
    spoils: str = ""
    spoiled: JSON = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
        elif self.refuses and (b"stripe-account", self.refuses.encode()) in scope["headers"]:
            await _answer(send, 403, b'{"error": {"type": "invalid_request_error", "message": "no access"}}')
        elif self.spoils:
            await self._spoil(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _spoil(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, keep)
        said = json.loads(b"".join(message.get("body", b"") for message in sent))
        for event in said["data"]:
            if event["id"] == self.spoils:
                event["data"]["object"].update(self.spoiled)
        await _answer(send, 200, json.dumps(said).encode())


async def _answer(send: Send, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
