"""Fetches by GET what others gave the address of. The request says nothing of who asks: no cookie, no referrer."""

import ssl
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from app.kernel.outgoing.refusals import Reason, Refused
from app.kernel.outgoing.targets import Allowed, Target, target

if TYPE_CHECKING:  # loaded when something is fetched: a start needs none of it
    import httpcore

    from app.kernel.outgoing.line import Deadline, Resolve

MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AGENT = b"Mozilla/5.0 (compatible; Grapevine)"
_PACKED = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""Content codings that are undone, as zlib's `wbits`."""
_PACKING = 64 * 1024
"""Bytes by which a packed body may be larger than what is in it."""


@dataclass(frozen=True)
class Fetched:
    """An answer that is no redirect. `body` is unpacked; it is empty unless `status` is 2xx."""

    status: int
    content_type: str
    body: bytes
    address: str
    """Where it was found, after all redirects."""


class Guard:
    """The one way out. `allow` names hosts, hosts with a port, and networks that are not public and yet welcome
    (`GRAPEVINE_OUTGOING_ALLOW`). Any number of threads may use it. Raises `ValueError` for a wrong entry.

    `resolve` and `tls` stand for the system's own, in tests.
    """

    def __init__(
        self, allow: Iterable[str] = (), *, resolve: "Resolve | None" = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._allowed = Allowed.of(allow)
        self._resolve = resolve
        self._given_tls = tls

    def get(
        self, address: str, *, most_bytes: int, seconds: float, accept: Sequence[str], whole: bool = True
    ) -> Fetched:
        """What stands at `address`, with at most `most_bytes` (unpacked, too) within `seconds` in all: names,
        redirects and every byte. `accept` lists media types, such as `text/html` or `image/*`.

        Raises `Refused`. Where a beginning is enough (`whole=False`), what is too large is cut, not refused.
        """
        from app.kernel.outgoing.line import Deadline, Line, system_resolver

        deadline = Deadline(seconds)
        line = Line(self._allowed, deadline, self._resolve or system_resolver)
        at = target(address, self._allowed)
        for _ in range(MOST_REDIRECTS + 1):
            with self._asked(line, at, accept) as response:
                location = _header(response, b"location")
                if response.status in _REDIRECTS and location:
                    at = target(at.onwards(location), self._allowed)
                    continue
                return _fetched(response, at, most_bytes, accept, deadline, whole=whole)
        raise Refused(Reason.TOO_MANY_REDIRECTS, f"more than {MOST_REDIRECTS} redirects")

    @contextmanager
    def _asked(
        self, line: "httpcore.NetworkBackend", at: Target, accept: Sequence[str]
    ) -> "Iterator[httpcore.Response]":
        import httpcore

        url = httpcore.URL(
            scheme=at.scheme.encode(), host=at.host.encode(), port=at.port, target=at.path.encode("ascii")
        )
        headers = [
            (b"host", at.authority.encode()),
            (b"user-agent", _AGENT),
            (b"accept", ", ".join(accept).encode()),
            (b"accept-encoding", b"gzip"),
            (b"connection", b"close"),
        ]
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._tls, network_backend=line, retries=0) as pool,
                pool.stream("GET", url, headers=headers) as response,
            ):
                yield response
        except httpcore.TimeoutException as error:
            raise Refused(Reason.TOO_SLOW, f"{at.host}: {type(error).__name__}") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Refused(Reason.UNREACHABLE, f"{at.host}: {type(error).__name__}: {error}") from error

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        import httpx

        return self._given_tls or httpx.create_ssl_context()


def _fetched(
    response: "httpcore.Response", at: Target, most: int, accept: Sequence[str], deadline: "Deadline", *, whole: bool
) -> Fetched:
    content_type = _header(response, b"content-type")
    if not 200 <= response.status < 300:
        return Fetched(response.status, content_type, b"", str(at))
    if not _is_one_of(content_type, accept):
        raise Refused(Reason.WRONG_TYPE, f"{content_type or 'no type'} is not what was asked for")
    announced = _header(response, b"content-length")
    if whole and announced.isdigit() and int(announced) > most:
        raise Refused(Reason.TOO_LARGE, f"{announced} bytes are announced")
    body = bytearray()
    for part in _unpacked(_parts(response, most, deadline), _header(response, b"content-encoding"), most + 1):
        body += part
        if len(body) > most:
            break
    if whole and len(body) > most:
        raise Refused(Reason.TOO_LARGE, f"more than {most} bytes")
    return Fetched(response.status, content_type, bytes(body[:most]), str(at))


def _parts(response: "httpcore.Response", most: int, deadline: "Deadline") -> Iterator[bytes]:
    """The body as it comes over the line. Packing never makes it much larger. Raises `Refused`."""
    came = 0
    for part in response.iter_stream():
        deadline.left()
        yield part
        came += len(part)
        if came > most + _PACKING:
            raise Refused(Reason.TOO_LARGE, f"more than {most} bytes came over the line")


def _unpacked(parts: Iterator[bytes], coding: str, at_once: int) -> Iterator[bytes]:
    """The body in parts of `at_once` bytes at most, so that a bomb goes off in a small room: whoever gets as many has
    had enough, and must not ask on. Raises `Refused`."""
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        yield from parts
        return
    if coding not in _PACKED:
        raise Refused(Reason.WRONG_TYPE, f"packed by {coding[:20]}")
    unpacker = zlib.decompressobj(_PACKED[coding])
    try:
        for part in parts:
            yield unpacker.decompress(part, at_once)
            if unpacker.eof:
                return
    except zlib.error as error:
        raise Refused(Reason.UNREACHABLE, f"the packing is broken: {error}") from error
    raise Refused(Reason.UNREACHABLE, "the packing breaks off")


def _is_one_of(content_type: str, accept: Sequence[str]) -> bool:
    """Whether it is one of `accept` (RFC 9110, 12.5.1), of which `image/*` means every picture."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in accept or f"{media_type.partition('/')[0]}/*" in accept


def _header(response: "httpcore.Response", name: bytes) -> str:
    """The first of this name, or an empty text; what is not ASCII is read as UTF-8, else as Latin-1."""
    value = next((value for key, value in response.headers if key.lower() == name), b"")
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
