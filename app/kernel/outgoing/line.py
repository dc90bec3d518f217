"""The line to a host: its name is resolved once, judged, and connected to; every wait ends at one deadline.

Under httpcore, so that no redirect, retry or proxy can lead round it. Knows nothing of what is sent.
"""

import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Condition, Thread
from time import monotonic

import httpcore

from app.kernel.outgoing.addresses import Address, is_public
from app.kernel.outgoing.refusals import Reason, Refused
from app.kernel.outgoing.targets import Allowed

Resolve = Callable[[str, int], Sequence[str]]
"""The IP addresses of a name. Raises `OSError`."""

_MOST_ADDRESSES = 4
_LEAST_WAIT = 0.001
"""Seconds. A wait of 0 would mean: do not wait at all."""


class _Places:
    """So many may resolve a name at once, and so many of them names of one and the same: a resolver cannot be told to
    stop, so those that hang must not become ever more, and not all be one's whose name servers hang."""

    def __init__(self, most: int, of_one: int) -> None:
        self._free = most
        self._of_one = of_one
        self._taken: Counter[int] = Counter()
        self._changed = Condition()

    def take(self, of: int | None, seconds: float) -> bool:
        """Whether there was a place within so many seconds. `None` is everybody's."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(of), seconds):
                return False
            self._free -= 1
            if of is not None:
                self._taken[of] += 1
            return True

    def give_back(self, of: int | None) -> None:
        with self._changed:
            self._free += 1
            if of is not None:
                self._taken -= Counter({of: 1})  # whoever has none left is forgotten
            self._changed.notify_all()

    def _has_room(self, of: int | None) -> bool:
        return self._free > 0 and (of is None or self._taken[of] < self._of_one)


_resolving = _Places(most=16, of_one=4)


class Deadline:
    """The moment at which everything ends, `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self._at = monotonic() + seconds

    def left(self) -> float:
        """Seconds until then. Raises `Refused` when it has passed."""
        left = self._at - monotonic()
        if left <= 0:
            raise Refused(Reason.TOO_SLOW, "it took too long")
        return max(left, _LEAST_WAIT)


def system_resolver(host: str, port: int) -> list[str]:
    """What the system says. Names under `localhost` are this machine, whatever a name server says (RFC 6761, 6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return ["127.0.0.1", "::1"]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(address[0]) for *_, address in found]


class GuardedLine(httpcore.NetworkBackend):
    """Connects to hosts on the public internet, and to those `allowed`, before `deadline`. Who says more than `most`
    bytes on one line, in whatever form (headers, or answers before the answer, RFC 9110, 15.2), is left. `of` is whose
    names are resolved."""

    def __init__(
        self, allowed: Allowed, deadline: Deadline, resolve: Resolve, most: int, of: int | None = None
    ) -> None:
        self._allowed = allowed
        self._deadline = deadline
        self._most = most
        self._resolve = resolve
        self._of = of
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # the deadline counts
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """To the first of its addresses, of those to which we may go, that answers. Raises `Refused`."""
        *others, last = self._judged(host, port)
        for number, address in enumerate(others):
            share = self._deadline.left() / (len(others) + 1 - number)
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                stream = self._system.connect_tcp(str(address), port, share, local_address, socket_options)
                return _Stream(stream, self._deadline, self._most)
        left = self._deadline.left()
        stream = self._system.connect_tcp(str(last), port, left, local_address, socket_options)
        return _Stream(stream, self._deadline, self._most)

    def _judged(self, host: str, port: int) -> list[Address]:
        found = [ip_address(text) for text in dict.fromkeys(self._resolved(host, port))]
        fit = [address for address in found if self._may_reach(host, port, address)]
        if not fit:
            raise Refused(Reason.FORBIDDEN, f"{host} leads to {found[0]}, which is not on the public internet")
        return fit[:_MOST_ADDRESSES]

    def _may_reach(self, host: str, port: int, address: Address) -> bool:
        return self._allowed.has_host(host, port) or self._allowed.has_address(address) or is_public(address)

    def _resolved(self, host: str, port: int) -> Sequence[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            return _in_time(lambda: self._resolve(host, port), self._deadline, self._of)


class _Stream(httpcore.NetworkStream):
    """A stream whose every wait is as long as time is left: a byte a second ends like silence. So does more than
    `most` bytes."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline, most: int) -> None:
        self._inner = inner
        self._deadline = deadline
        self._left = most

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        if self._left <= 0:
            raise Refused(Reason.TOO_LARGE, "an answer that does not end")
        read = self._inner.read(max_bytes, self._deadline.left())
        self._left -= len(read)
        return read

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._inner.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _Stream(inner, self._deadline, self._left)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def _in_time(resolve: Callable[[], Sequence[str]], deadline: Deadline, of: int | None) -> Sequence[str]:
    """What `resolve` says before the deadline. Raises `Refused`, also while too many others hang."""
    said: SimpleQueue[Sequence[str] | None] = SimpleQueue()

    def ask() -> None:
        try:
            said.put(resolve())
        except (OSError, UnicodeError):
            said.put(None)
        finally:
            _resolving.give_back(of)

    if not _resolving.take(of, deadline.left()):
        raise Refused(Reason.TOO_SLOW, "the name servers do not answer")
    Thread(target=ask, name="grapevine-resolver", daemon=True).start()
    try:
        found = said.get(timeout=deadline.left())
    except Empty:
        raise Refused(Reason.TOO_SLOW, "the name servers do not answer") from None
    if not found:
        raise Refused(Reason.UNREACHABLE, "there is no such name")
    return found
