"""Questions and ready answers, as plain as HTTP: what both lanes hand to the storefront and get back.

Knows no framework, no database and no domain.
"""

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Header = tuple[bytes, bytes]

_WORTH_PACKING = 512
_MOST_PARAMETERS = 100
_LONGEST_QUERY = 8192


@dataclass(frozen=True, slots=True)
class Ask:
    """A request without its body. Header names are in lower case."""

    method: str
    headers: Mapping[str, str]
    query_string: bytes

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> "Ask":
        """The request of an ASGI scope."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return cls(scope["method"], headers, scope["query_string"])

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


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Sequence[Header]
    body: bytes = b""


def plain(status: int, body: bytes, media_type: str, *headers: Header) -> Answer:
    """An answer that is made for one request."""
    about = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    return Answer(status, [*about, *headers], body)


class Prepared:
    """An answer that is given many times: as it is and packed, with a strong ETag for each (RFC 9110, 8.8)."""

    __slots__ = ("_as_is", "_digest", "_packed", "_unchanged", "size")

    _packed: Answer | None

    def __init__(self, body: bytes, media_type: str, headers: Sequence[Header], like: "Prepared | None" = None) -> None:
        """`like` is an earlier one, whose packed form is taken over if nothing has changed."""
        self._digest = hashlib.blake2b(body, digest_size=16).hexdigest().encode()
        known = like._packed.body if like is not None and like._digest == self._digest and like._packed else None
        packed = known or (gzip.compress(body, 6, mtime=0) if len(body) >= _WORTH_PACKING else None)
        self.size = len(body) + len(packed or b"")
        self._as_is = self._form(body, media_type, headers, b'"%s"' % self._digest)
        self._packed = (
            self._form(packed, media_type, headers, b'"%s-g"' % self._digest, (b"content-encoding", b"gzip"))
            if packed is not None
            else None
        )
        self._unchanged = [header for header in headers if header[0] != b"content-type"]

    @staticmethod
    def _form(body: bytes, media_type: str, headers: Sequence[Header], tag: bytes, *more: Header) -> Answer:
        return plain(200, body, media_type, *headers, (b"etag", tag), *more)

    def answer(self, ask: Ask, *extra: Header) -> Answer:
        """The form that `ask` understands, or 304 if it has it already; `extra` headers are this answer's alone."""
        form = self._packed if self._packed is not None and takes_gzip(ask.headers.get("accept-encoding")) else None
        form = form or self._as_is
        known = ask.headers.get("if-none-match")
        if known is not None and (known.strip() == "*" or self._digest in known.encode("latin-1", "replace")):
            tag = next(header for header in form.headers if header[0] == b"etag")
            return Answer(304, [*self._unchanged, tag, *extra])
        return Answer(form.status, [*form.headers, *extra], form.body) if extra else form


def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether gzip is welcome (RFC 9110, 12.5.3)."""
    if not accept_encoding or "gzip" not in accept_encoding:
        return False
    for part in accept_encoding.split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
