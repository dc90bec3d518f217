"""`X-Request-Id`: by which name a request is known in the log, in the audit trail and to whoever sent it.

A proxy in front may give it; what is no plain name is not believed. Pure ASGI; knows nothing of what is asked. The name
goes along into the threads in which endpoints work.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from app.kernel.ids import new_code

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

NAME: Final = "x-request-id"
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def current() -> str | None:
    """The id of the request that is being answered here; None where there is none, as in a job."""
    return _current.get()


@contextmanager
def known_as(given: str | None) -> Iterator[str]:
    """What is done in this block is done for one request: that which says it is `given`, or a name of our own where
    that is none."""
    name = given if given is not None and _PLAIN.fullmatch(given) else new_code()
    token = _current.set(name)
    try:
        yield name
    finally:
        _current.reset(token)


class RequestIds:
    """Wraps the application; says the name of each request in its answer."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == NAME.encode()), None)

        with known_as(None if given is None else given.decode("latin-1")) as name:
            has_begun = False

            async def send_with_id(message: "Message") -> None:
                nonlocal has_begun
                if message["type"] == "http.response.start":
                    has_begun = True
                    message["headers"] = [*message["headers"], (NAME.encode(), name.encode())]
                await send(message)

            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                log.exception("a request failed")  # here, where its name is known
                if not has_begun:
                    raise
