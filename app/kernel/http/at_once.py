"""Answers that are ready before anything is set up for them: neither task nor scope, and one piece of bytes to send.

An application that has a method `at_once` is asked there first (`Ready`); what it leaves goes to it as ASGI. Stands in
the place of uvicorn's `RequestResponseCycle` for as long as a request takes; knows nothing of what is asked.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

if TYPE_CHECKING:
    from uvicorn.middleware.proxy_headers import _TrustedHosts

    from app.kernel.http.lines import HttpLine

Give = Callable[[int, bytes, bytes], None]
"""Takes a status, headers as they go over the line, and as many bytes of body as they say."""
From = Callable[[], str | None]
"""Says from which address it is asked, as `scope["client"]` would; None where that is not known. Not for later."""
Ready = Callable[[bytes, Sequence[tuple[bytes, bytes]], Give, From], bool]
"""Takes the address and the headers of a GET; whether it has given, or will give, the answer. Called in the loop."""

_LARGE: Final = 64 * 1024
"""Bytes: what is longer is not copied to stand behind its head."""
_CLOSED: Final = b"connection: close\r\n"
_END: Final = b"\r\n"
_ALONE: Final = re.compile(rb"[0-9.]{7,15}|[0-9a-f]{0,4}:[0-9a-f]{0,4}:[0-9a-f:.]{0,36}", re.IGNORECASE)
"""One address without a port, be it well written or not."""
_HAS_BODY: Final = frozenset((b"content-length", b"transfer-encoding"))


def ready_in(app: object) -> Ready | None:
    """Who is asked first in `app`, below what uvicorn wraps around it."""
    while app is not None:
        ready: Ready | None = getattr(app, "at_once", None)
        if ready is not None:
            return ready
        app = getattr(app, "app", None)
    return None


def proxies_in(app: object, peer: str | None) -> "_TrustedHosts | None":
    """The proxies that are believed, by whatever uvicorn wraps around `app`; None for a `peer` who is none of them."""
    while app is not None and not isinstance(app, ProxyHeadersMiddleware):
        app = getattr(app, "app", None)
    return app.trusted_hosts if app is not None and peer in app.trusted_hosts else None


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

    def come_from(self) -> str | None:
        """Where it comes from: by what a proxy says, only if that proxy is believed, as uvicorn does it otherwise."""
        line = self._line
        peer = line.client[0] if line.client else None
        said = line.proxies and [value for name, value in line.headers if name == b"x-forwarded-for"]
        if line.proxies is None or not said:
            return peer
        if len(said) == 1 and _ALONE.fullmatch(said[0]):  # as nearly always; nobody has to be looked for
            return said[0].decode("ascii")
        host, _ = line.proxies.get_trusted_client_address(b", ".join(said).decode("latin-1"))
        return host or peer

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
