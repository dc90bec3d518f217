"""Asks the API of this very process, with the reader's own key: what the page shows is what the API answers.

Nothing is added up here, and nothing is allowed that the key alone would not be allowed. Knows no report.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Send

from app.kernel.errors import AppError, NotFound, Unavailable
from app.report_page.calls import PATH, Call
from app.storefront.answers import Header

JSON = Mapping[str, Any]
_OF_THE_ANSWER: Final = frozenset({b"content-type", b"content-length", b"link", b"retry-after"})


class Refused(AppError):
    """What the API said instead of an answer."""

    def __init__(self, problem: JSON, retry_after: int | None) -> None:
        super().__init__(str(problem.get("detail", "")), retry_after=retry_after)
        self.status = int(problem["status"])
        self.code = str(problem["code"])


class _Told(NamedTuple):
    """An answer of the API's."""

    status: int
    body: bytes


class Api:
    """The API, as somebody with `key` has it."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key

    async def get(self, call: Call) -> JSON:
        """What the API answers. Raises `Refused`, and `NotFound` where the path is none of its calls."""
        told = await self._answer(call)
        if 300 <= told.status < 400:
            raise NotFound
        said: JSON = json.loads(told.body)
        if told.status != 200:
            raise Refused(said, 1 if told.status == 503 else None)
        return said

    async def all(self, calls: Sequence[Call]) -> list[JSON]:
        """The answers to several calls at once. Raises the first `Refused` of them, when all are done."""
        told = await asyncio.gather(*(self.get(call) for call in calls), return_exceptions=True)
        found: list[JSON] = []
        for each in told:
            if isinstance(each, BaseException):
                raise each
            found.append(each)
        return found

    async def _answer(self, call: Call) -> _Told:
        """The whole answer, whatever it is. Raises `Unavailable` where there is none."""
        status, body = 0, bytearray()

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                body.extend(message.get("body", b""))

        await self._app(self._scope(call), _nothing_more(), send)
        if not status:
            raise Unavailable
        return _Told(status, bytes(body))

    async def pass_on(self, call: Call, about: Sequence[Header], receive: Receive, send: Send) -> None:
        """The answer, whatever it is, piece by piece as it comes, to whoever asks here; `about` it are these headers,
        and what the API says of the answer itself."""

        async def pass_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name, value) for name, value in message["headers"] if name.lower() in _OF_THE_ANSWER]
                message = {**message, "headers": [*map(_leading_here, own), *about]}
            await send(message)

        await self._app(self._scope(call), receive, pass_on)

    def _scope(self, call: Call) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": call.path,
            "raw_path": call.target.partition("?")[0].encode(),
            "query_string": call.query_string.encode(),
            "root_path": "",
            "headers": [
                (b"host", b"localhost"),
                (b"authorization", f"Bearer {self._key}".encode("latin-1", "replace")),
            ],
            "client": None,
            "server": None,
        }


def _leading_here(header: Header) -> Header:
    """The next page (RFC 8288) where the same answer is shown to who has signed in."""
    name, value = header
    return (name, value.replace(b"</v1/", b"<%b/v1/" % PATH.encode())) if name.lower() == b"link" else header


def _nothing_more() -> Any:
    """Receives a request without a body, whose sender stays until it is answered."""
    first = True

    async def receive() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError("nothing ever comes")

    return receive
