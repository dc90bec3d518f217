"""Cursors of lists that are not ordered by ids: a place in the list, and the moment at which it was looked at.

Every page shows the list as it was known when the first was asked for, so nobody is left out and nobody comes twice
when sales come in between. A cursor belongs to one question; with another it is refused. Knows no table.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar, get_type_hints

from fastapi import Request, Response
from pydantic import BaseModel, Field
from pydantic_core import from_json
from starlette.datastructures import URL

from app.kernel.clock import from_micros, to_micros
from app.kernel.errors import Invalid
from app.kernel.http.pages import encode_cursor

LONGEST = 2000
"""Characters of a cursor: a place may name an id of 200 characters, each of four bytes."""

Cursor = Annotated[
    str | None, Field(max_length=LONGEST, description="`next_cursor` of the page before, for the same question.")
]

Limit = Annotated[
    int | None,
    Field(
        ge=1,
        description="At most so many rows, the first ones as they are sorted; the next ones come with `cursor`. "
        "Default: all. `totals` are those of all rows.",
        examples=[100],
    ),
]
"""Of a report whose rows all come where nothing else is asked for."""

Place = TypeVar("Place", bound=tuple[int | str, ...])


@dataclass(frozen=True)
class Paging(Generic[Place]):
    """Which page of a list is asked for: what comes `after` a place, as it was known `now`."""

    url: URL
    question: str
    now: datetime
    after: Place | None

    @classmethod
    def of(
        cls, request: Request, query: BaseModel, cursor: str | None, place: Callable[..., Place], now: datetime
    ) -> "Paging[Place]":
        """What a request asks for. Raises `Invalid` for a cursor that we did not give for this question."""
        said = query.model_dump_json(exclude={"cursor", "limit", "format"})
        question = hashlib.sha256(f"{request.url.path}\0{said}".encode()).hexdigest()[:16]
        then, after = (now, None) if cursor is None else _read(cursor, question, now, place)
        return cls(request.url, question, then, after)

    def next_cursor(self, places: Sequence[Place], limit: int) -> str | None:
        """The cursor after `limit` rows, given the places of one more where there are more."""
        if len(places) <= limit:
            return None
        said = [to_micros(self.now), self.question, *places[limit - 1]]
        return encode_cursor(json.dumps(said, separators=(",", ":")))

    def linked(self, answer: Response, next_cursor: str | None) -> Response:
        """An answer that has no room for a cursor, with the next page in `Link` (RFC 8288)."""
        if next_cursor is not None:
            url = self.url.include_query_params(cursor=next_cursor)
            answer.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
        return answer


def _read(cursor: str, question: str, now: datetime, place: Callable[..., Place]) -> tuple[datetime, Place]:
    try:
        said = from_json(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        micros, of, *parts = said
        kinds = get_type_hints(place).values()
        fits = all(_fits(part, kind) for part, kind in zip(parts, kinds, strict=True))
        if of != question or not fits or not (_fits(micros, int) and 0 <= micros <= to_micros(now)):
            raise ValueError(cursor)
        return from_micros(micros), place(*parts)
    except (ValueError, TypeError):
        raise Invalid.field("cursor", "is not a cursor of this list") from None


def _fits(part: object, kind: type) -> bool:
    """Whether a part of a place is of its kind, and such that a database can be asked for it."""
    if kind is int:
        return type(part) is int and abs(part) < 2**63
    return isinstance(part, str) and "\0" not in part and not any("\ud800" <= each <= "\udfff" for each in part)
