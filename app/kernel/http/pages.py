"""Lists in pages: `limit`, an opaque `cursor`, and `next_cursor` (api.md, Conventions)."""

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import Field
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.kernel.errors import Invalid
from app.kernel.http.wire import Body, Wire
from app.kernel.ids import merchant_of

Row = TypeVar("Row")
Item = TypeVar("Item", bound=Wire)


class PageQuery(Body):
    """The parameters of every list."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many at most.")] = 20
    cursor: Annotated[str | None, Field(max_length=200, description="`next_cursor` of the page before.")] = None


Paging = Annotated[PageQuery, Query()]


class Page(Wire, Generic[Item]):
    """One page of a list, newest first."""

    data: list[Item]
    next_cursor: str | None


def encode_cursor(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> str:
    """The position inside a cursor. Raises `Invalid` for one that we did not give."""
    try:
        position = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        merchant_of(position)  # lists are ordered by ids
        return position
    except ValueError:
        raise Invalid.field("cursor", "is not a cursor of this list") from None


def newest_first(
    session: Session,
    query: Select[Row],
    by: InstrumentedAttribute[str],
    paging: PageQuery,
    show: Callable[[Sequence[Row]], list[Item]],
) -> Page[Item]:
    """The page of `query` that `paging` asks for, ordered by the id `by`, which orders by time."""
    if paging.cursor is not None:
        query = query.where(by < decode_cursor(paging.cursor))
    rows: Sequence[Any] = session.scalars(query.order_by(by.desc()).limit(paging.limit + 1)).all()
    shown, more = rows[: paging.limit], len(rows) > paging.limit
    position = getattr(shown[-1], by.key) if more else None
    return Page(data=show(shown), next_cursor=None if position is None else encode_cursor(position))
