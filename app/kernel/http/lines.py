"""The lines of browsers and programs to this server: as many as it has room for, and none that holds memory for
nothing. Cut are those that do not read what they asked for, and those that begin a request, or a line, and say no more.

Extends uvicorn's protocol; knows nothing of what is asked. Looks at all lines every few seconds, so a request costs
nothing more; less, where its answer is ready (at_once.py). Nor has each request a timer of its own: the line has one,
which is set anew when it comes too early.
"""

import asyncio
import socket
import sys
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app.kernel.http.at_once import Given, Ready, has_body, proxies_in, ready_in

if TYPE_CHECKING:
    from uvicorn.middleware.proxy_headers import _TrustedHosts

MOST: Final = 12_000
"""Lines open at once: ten thousand streams, and those that come and go."""
LOOKS_EVERY: Final = 10.0
"""Seconds."""
UNSENT: Final = 16 * 1024
"""Bytes that wait for somebody who does not read, before those who answer them wait."""
LARGEST_HEAD: Final = 64 * 1024
"""Bytes that are heard without anything coming of them: of a head, or behind a body. Give or take what one reading of
the line brings. The parser has no limit of its own, and keeps it all."""

_STRIKES: Final = 3
"""Looks in a row at which nothing had moved: whoever is cut had half a minute, give or take a look."""
_KEPT: Final = 50
"""Files and connections that lines leave to others (open_files.py)."""
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_UNREADABLE: Final = "Invalid HTTP request received."
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

_timers: WeakKeyDictionary[ServerState, asyncio.TimerHandle] = WeakKeyDictionary()


class HttpLine(HttpToolsProtocol):
    """One line."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._unsent = 0
        self._strikes = 0
        self._heard = False
        self._at: object = None
        self._ready = ready_in(self.app)
        self.proxies: _TrustedHosts | None = None
        self._rests_since: float | None = None
        self._steps = 0
        self._in_vain = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._common = b""

    @property
    def common(self) -> bytes:
        """The headers of all answers as they go over the line: the date, which is renewed each second."""
        headers = self.server_state.default_headers
        if headers is not self._headers:
            self._headers, self._common = headers, b"".join(b"%b: %b\r\n" % header for header in headers)
        return self._common

    def data_received(self, data: bytes) -> None:
        self._rests_since = None
        steps = self._steps
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade:
            self._unsupported_upgrade_warning()
        except HttpParserError:
            self.logger.warning(_UNREADABLE)
            self.send_400_response(_UNREADABLE)
            return
        if steps == self._steps:
            self._hear_in_vain(len(data))
        else:
            self._in_vain = 0

    def _hear_in_vain(self, size: int) -> None:
        """Nothing has come of so many bytes yet."""
        self._in_vain += size
        if self._in_vain <= LARGEST_HEAD or self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        else:
            self.transport.abort()

    def on_message_begin(self) -> None:
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        self._rests_since = None
        self._steps += 1
        if self._ready is None or not self._answers_at_once(self._ready):
            self._set_out()
            super().on_headers_complete()
        self.headers = []  # what comes behind a body is no header of what was asked (RFC 9110, 6.5.1)

    def _set_out(self) -> None:
        """What `on_message_begin` does otherwise for each request, with what was heard since."""
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expect
        self.scope["headers"] = headers

    def _answers_at_once(self, ready: Ready) -> bool:
        parser, before = self.parser, self.cycle
        is_usual = (
            parser.get_method() == b"GET"
            and (before is None or before.response_complete)
            and parser.should_keep_alive()
            and parser.get_http_version() == "1.1"
            and not (parser.should_upgrade() or self.flow.write_paused or has_body(self.headers))
        )
        if not is_usual:
            return False
        given = Given(self)
        self.cycle = given  # type: ignore[assignment]
        if ready(self.url, self.headers, given.give, given.come_from):
            return True
        self.cycle = before
        return False

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._rests_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_after(self.timeout_keep_alive)

    def _look_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._rests_since is None:
            return
        left = self._rests_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_after(left)
        else:
            super().timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        self._rests_since = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.cycle = None  # type: ignore[assignment]  # which knows this line: neither would go by itself
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.proxies = proxies_in(self.app, self.client[0] if self.client else None)
        transport.set_write_buffer_limits(high=UNSENT)
        _forget_who_does_not_read(transport)
        if len(self.connections) > room():
            transport.write(_FULL)
            transport.close()
        elif self.server_state not in _timers:
            _timers[self.server_state] = self.loop.call_later(LOOKS_EVERY, _look, self.loop, self.server_state)

    def on_body(self, body: bytes) -> None:
        self._heard = True
        self._steps += 1
        super().on_body(body)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: whoever asks for another protocol is answered in this one, as they may be (RFC 9110, 7.8), and
        uvicorn would advise to install a library that is not wanted."""

    def look(self) -> None:
        """Cut the line where nothing moves on it that should."""
        unsent = self.transport.get_write_buffer_size()
        stuck = unsent >= self._unsent if unsent else self._is_waiting()
        self._strikes = self._strikes + 1 if stuck else 0
        self._unsent, self._heard, self._at = unsent, False, self.cycle
        if self._strikes >= _STRIKES:
            self.transport.abort()

    def _is_waiting(self) -> bool:
        """Whether it was our turn to hear something ever since the last look, and nothing came. Lines between two
        requests are closed by uvicorn, which is quicker."""
        if self.cycle is None or self.cycle.response_complete:
            return self.cycle is self._at
        return self.cycle.more_body and not self._heard and not self.flow.read_paused


def _forget_who_does_not_read(transport: asyncio.Transport) -> None:
    """Have the system, too, cut a line whose other end takes nothing: it holds back far more for a line than we do, and
    whoever follows a wall without reading would hold it for hours."""
    line = transport.get_extra_info("socket")
    if line is not None and hasattr(socket, "TCP_USER_TIMEOUT") and line.family != getattr(socket, "AF_UNIX", None):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * _STRIKES * LOOKS_EVERY))


def room() -> int:
    """How many lines may be open: no more than leave something over of what the system lets this process open."""
    if sys.platform == "win32":
        return MOST
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft - _KEPT))


def _look(loop: asyncio.AbstractEventLoop, state: ServerState) -> None:
    del _timers[state]
    lines = [line for line in state.connections if isinstance(line, HttpLine)]
    for line in lines:
        line.look()
    if lines:
        _timers[state] = loop.call_later(LOOKS_EVERY, _look, loop, state)
