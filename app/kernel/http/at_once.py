"""Answers that are ready before anything is set up for them: neither task nor scope, and one piece of bytes to send.

An application that has a method `at_once` is asked there first (`Ready`); what it leaves goes to it as ASGI. Stands in
the place of uvicorn's `RequestResponseCycle` for as long as a request takes; knows nothing of what is asked.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

if TYPE_CHECKING:
    from app.kernel.http.lines import HttpLine

Give = Callable[[int, bytes, bytes], None]
"""Takes a status, headers as they go over the line, and as many bytes of body as they say."""
Ready = Callable[[bytes, Sequence[tuple[bytes, bytes]], Give], bool]
"""Takes the address and the headers of a GET; whether it has given, or will give, the answer. Called in the loop."""

_LARGE: Final = 64 * 1024
"""Bytes: what is longer is not copied to stand behind its head."""
_CLOSED: Final = b"connection: close\r\n"
_END: Final = b"\r\n"
_HAS_BODY: Final = frozenset((b"content-length", b"transfer-encoding"))


def ready_in(app: object) -> Ready | None:
    """Who is asked first in `app`, below what uvicorn wraps around it."""
    while app is not None:
        ready: Ready | None = getattr(app, "at_once", None)
        if ready is not None:
            return ready
        app = getattr(app, "app", None)
    return None


class _Nobody:
    """Waits for no body."""

    def set(self) -> None:
        """Nobody is to be woken."""


class Given:
    """A request that is answered at once, as uvicorn's protocol sees it."""

    __slots__ = ("_line", "body", "disconnected", "keep_alive", "more_body", "response_complete")

    message_event: Final = _Nobody()

    def __init__(self, line: "HttpLine") -> None:
        self._line = line
        self.body = bytearray()
        self.disconnected = False
        self.keep_alive = True
        self.more_body = True
        self.response_complete = False

    def give(self, status: int, head: bytes, body: bytes) -> None:
        """Send the answer. Who has hung up meanwhile gets none."""
        transport = self._line.transport
        if self.disconnected or transport.is_closing():
            return
        close = b"" if self.keep_alive else _CLOSED
        begin = STATUS_LINE[status] + self._line.common + head + close + _END
        if len(body) < _LARGE:
            transport.write(begin + body)
        else:
            transport.write(begin)
            transport.write(body)
        self.response_complete = True
        if not self.keep_alive:
            transport.close()
        self._line.on_response_complete()


def has_body(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether something comes after these headers."""
    return not _HAS_BODY.isdisjoint([name for name, _ in headers])
