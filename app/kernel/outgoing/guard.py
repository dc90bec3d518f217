"""Fetches by GET what others gave the address of, and sends by POST what they asked to be told. The request says
nothing of who asks but what is told: no cookie, no referrer."""

import ssl
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from app.kernel.outgoing.addresses import is_public
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
_HEAD = 256 * 1024
"""Bytes that may come over a line besides what is asked for: headers, and answers before the answer."""
_SPLIT = 6
"""So many times as long is a body whose every byte comes as a chunk of its own (RFC 9112, 7.1)."""
_BEGINNING = 300
"""Bytes that are read of what somebody says who was told something; more of it nobody needs."""


@dataclass(frozen=True)
class Fetched:
    """An answer that is no redirect. `body` is unpacked; it is empty unless `status` is 2xx."""

    status: int
    content_type: str
    body: bytes
    address: str
    """Where it was found, after all redirects."""


@dataclass(frozen=True)
class Answered:
    """What was answered to what was sent: no redirect is followed. `beginning` is that of the body, as it came, and
    empty where `status` is 2xx."""

    status: int
    retry_after: str
    beginning: bytes


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
        self,
        address: str,
        *,
        most_bytes: int,
        seconds: float,
        accept: Sequence[str],
        whole: bool = True,
        of: int | None = None,
    ) -> Fetched:
        """What stands at `address`, with at most `most_bytes` (unpacked, too) within `seconds` in all: names,
        redirects and every byte. `accept` lists media types, such as `text/html` or `image/*`. Whoever it is `of` (a
        merchant) has a share of the places where names are resolved, and no more.

        Raises `Refused`. Where a beginning is enough (`whole=False`), what is too large is cut, not refused.
        """
        from app.kernel.outgoing.line import Deadline, GuardedLine, system_resolver

        deadline = Deadline(seconds)
        most = _SPLIT * (most_bytes + _PACKING) + _HEAD
        line = GuardedLine(self._allowed, deadline, self._resolve or system_resolver, most, of)
        at = target(address, self._allowed)
        for _ in range(MOST_REDIRECTS + 1):
            with self._asked(line, at, b"GET", _for_reading(accept)) as response:
                location = _header(response, b"location")
                if response.status in _REDIRECTS and location:
                    at = target(at.onwards(location), self._allowed)
                    continue
                return _fetched(response, at, most_bytes, accept, deadline, whole=whole)
        raise Refused(Reason.TOO_MANY_REDIRECTS, f"more than {MOST_REDIRECTS} redirects")

    def judged(self, address: str) -> Target:
        """Where `post` would send to: by https, or to a host that the operator allows; not to an address that is not on
        the public internet. What a name leads to is judged when something is sent. Raises `Refused`."""
        at = target(address, self._allowed)
        literal = at.literal
        named = self._allowed.has_host(at.host, at.port)
        welcome = named or (literal is not None and self._allowed.has_address(literal))
        if at.scheme != "https" and not welcome:
            raise Refused(Reason.FORBIDDEN, "by https alone, but to hosts of GRAPEVINE_OUTGOING_ALLOW")
        if literal is not None and not welcome and not is_public(literal):
            raise Refused(Reason.FORBIDDEN, f"{literal} is not on the public internet")
        return at

    def post(
        self, address: str, body: bytes, headers: Mapping[str, str], *, seconds: float, of: int | None = None
    ) -> Answered:
        """Send `body` to `address`, and be answered within `seconds` in all. A redirect is an answer like others: what
        is told to one must not be told to another. `of`: as for `get`.

        Raises `Refused` where nobody answers, or one must not be asked.
        """
        from app.kernel.outgoing.line import Deadline, GuardedLine, system_resolver

        deadline = Deadline(seconds)
        at = self.judged(address)
        line = GuardedLine(self._allowed, deadline, self._resolve or system_resolver, _HEAD, of)
        said = [(name.encode(), value.encode()) for name, value in headers.items()]
        more = [(b"content-length", str(len(body)).encode()), (b"accept", b"*/*"), *said]
        with self._asked(line, at, b"POST", more, body) as response:
            beginning = b"" if 200 <= response.status < 300 else _beginning(response, deadline)
            return Answered(response.status, _header(response, b"retry-after"), beginning)

    @contextmanager
    def _asked(
        self,
        line: "httpcore.NetworkBackend",
        at: Target,
        method: bytes,
        more: Sequence[tuple[bytes, bytes]],
        body: bytes | None = None,
    ) -> "Iterator[httpcore.Response]":
        import httpcore

        url = httpcore.URL(
            scheme=at.scheme.encode(), host=at.host.encode(), port=at.port, target=at.path.encode("ascii")
        )
        headers = [
            (b"host", at.authority.encode()),
            (b"user-agent", _AGENT),
            (b"connection", b"close"),
            *more,
        ]
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._tls, network_backend=line, retries=0) as pool,
                pool.stream(method, url, headers=headers, content=body) as response,
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


def _for_reading(accept: Sequence[str]) -> list[tuple[bytes, bytes]]:
    return [(b"accept", ", ".join(accept).encode()), (b"accept-encoding", b"gzip")]


def _beginning(response: "httpcore.Response", deadline: "Deadline") -> bytes:
    """What comes of the first bytes: the answer itself has come already, whatever becomes of the rest."""
    import httpcore

    came = bytearray()
    with suppress(Refused, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        for part in response.iter_stream():
            deadline.left()
            came += part
            if len(came) >= _BEGINNING:
                break
    return bytes(came[:_BEGINNING])


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
