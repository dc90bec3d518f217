"""Questions and ready answers, as plain as HTTP: what both lanes hand to the storefront and get back.

Knows no framework, no database and no domain.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

from app.storefront.encodings import PACKERS, Coding, accepted

Header = tuple[bytes, bytes]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
"""A request and its answer in pieces, as ASGI has them."""

Give = Callable[[int, bytes, bytes], None]
"""Takes an answer: its status, its headers as they go over the line (`wire`), its body."""

_NO_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_WORTH_PACKING = 512
_MOST_PARAMETERS = 100
_LONGEST_QUERY = 8192


class Ask(NamedTuple):
    """A request without its body. Header names are in lower case; `address` is where it came from, where that is
    known: by what a proxy says, only if the operator named that proxy."""

    method: str
    headers: Mapping[str, str]
    query_string: bytes
    address: str | None = None

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> "Ask":
        """The request of an ASGI scope."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        client = scope.get("client")
        return cls(scope["method"], headers, scope["query_string"], client[0] if client else None)

    @property
    def query(self) -> dict[str, str]:
        """The parameters; a hostile number of them counts as none."""
        if not self.query_string:
            return {}
        try:
            text = self.query_string[:_LONGEST_QUERY].decode("latin-1")
            return dict(parse_qsl(text, max_num_fields=_MOST_PARAMETERS))
        except ValueError:
            return {}


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Sequence[Header]
    body: bytes = b""
    head: bytes | None = None
    """The headers as they go over the line, of answers that are given by the thousand."""

    def ready(self) -> "Answer":
        """The same, to be given many times."""
        return self._replace(head=wire(self.headers))

    def with_headers(self, extra: Sequence[Header]) -> "Answer":
        """The same with headers that are this answer's alone."""
        return Answer(self.status, [*self.headers, *extra], self.body) if extra else self

    def give(self, give: Give) -> None:
        """Hand it over as bytes."""
        give(self.status, wire(self.headers) if self.head is None else self.head, self.body)


class Stream(Protocol):
    """An answer that goes on until one side has had enough. Speaks ASGI, since nothing else of it is known before."""

    async def run(self, receive: Receive, send: Send) -> None: ...


def wire(headers: Sequence[Header]) -> bytes:
    """Headers as they go over the line. Raises `ValueError` for a value that would end its line."""
    if any(_NO_VALUE.search(value) for _, value in headers):
        raise ValueError("control characters in a header")
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def plain(status: int, body: bytes, media_type: str, *headers: Header) -> Answer:
    """An answer that is made for one request."""
    about = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    return Answer(status, [*about, *headers], body)


class Prepared:
    """An answer that is given many times: as it is and packed, with a strong ETag for each (RFC 9110, 8.8)."""

    __slots__ = ("_digest", "_forms", "_plain", "size")

    _forms: dict[Coding, "_Form"]

    def __init__(
        self,
        body: bytes,
        media_type: str,
        headers: Sequence[Header],
        like: "Prepared | None" = None,
        packed: Mapping[Coding, bytes] | None = None,
    ) -> None:
        """`like` is an earlier one, whose packed forms are taken over if nothing has changed; `packed` are forms
        that were made beforehand."""
        self._digest = hashlib.blake2b(body, digest_size=16).hexdigest().encode()
        known = (
            {coding: form.whole.body for coding, form in like._forms.items()} if like and like._is(self._digest) else {}
        )
        packers = PACKERS if len(body) >= _WORTH_PACKING else {}
        bodies = {
            coding: known.get(coding) or (packed or {}).get(coding) or packers[coding](body) for coding in packers
        }
        self.size = len(body) + sum(map(len, bodies.values()))
        self._plain = _Form.of(body, media_type, headers, b'"%s"' % self._digest)
        self._forms = {coding: self._form(packed, coding, media_type, headers) for coding, packed in bodies.items()}

    def _is(self, digest: bytes) -> bool:
        return self._digest == digest

    def _form(self, body: bytes, coding: Coding, media_type: str, headers: Sequence[Header]) -> "_Form":
        tag = b'"%s-%s"' % (self._digest, coding[:1].encode())
        return _Form.of(body, media_type, headers, tag, (b"content-encoding", coding.encode()))

    def answer(self, ask: Ask, *extra: Header) -> Answer:
        """The form that `ask` understands, or 304 if it has it already; `extra` headers are this answer's alone."""
        forms = self._forms
        welcome = accepted(ask.headers.get("accept-encoding")) if forms else ()
        form = next((forms[coding] for coding in welcome if coding in forms), self._plain)
        known = ask.headers.get("if-none-match")
        if known is not None and (known.strip() == "*" or self._digest in known.encode("latin-1", "replace")):
            return form.unchanged.with_headers(extra)
        return form.whole.with_headers(extra)


class _Form(NamedTuple):
    """The answer of one form, and what is said to those who have it."""

    whole: Answer
    unchanged: Answer

    @classmethod
    def of(cls, body: bytes, media_type: str, headers: Sequence[Header], tag: bytes, *coding: Header) -> "_Form":
        etag = (b"etag", tag)
        unchanged = Answer(304, [*headers, etag])
        return cls(plain(200, body, media_type, *headers, etag, *coding).ready(), unchanged.ready())
