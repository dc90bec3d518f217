"""What is held of a visitor, for themselves to see and take along: each domain tells of its own. Knows no domain."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.kernel.clock import rfc3339
from app.kernel.database import Base, table_of
from app.kernel.signing import Signer
from app.privacy import leaving
from app.privacy.models import Consent, Leaver

Row = Mapping[str, object]

_AT_ONCE: Final = 200


class Part(NamedTuple):
    """Rows of one kind; `about` says in a sentence what they are and what for."""

    name: str
    about: str
    rows: Iterator[Row]


def rows(session: Session, mapped: type[Base], *where: ColumnElement[bool], without: frozenset[str]) -> Iterator[Row]:
    """The rows of a table for which this holds, some at a time, `without` these columns. Times as in RFC 3339."""
    columns = [column for column in table_of(mapped).c if column.name not in without | {"merchant_id"}]
    asked = select(*columns).where(*where)
    for row in session.execute(asked, execution_options={"yield_per": _AT_ONCE}).mappings():
        yield {name: _said(value) for name, value in row.items()}


def of_choices(session: Session, merchant_id: int, visitor: str, signer: Signer) -> Iterator[Part]:
    """What they said of being remembered."""
    mine = (Consent.merchant_id == merchant_id, Consent.visitor_id == visitor)
    about = "What you agreed to, when, and when you took it back."
    yield Part("consents", about, rows(session, Consent, *mine, without=frozenset({"visitor_id"})))
    hashed = leaving.visitor_hash(signer, merchant_id, visitor)
    left = (Leaver.merchant_id == merchant_id, Leaver.visitor_hash == hashed)
    about = "Whether you opted out, kept under a keyed hash of your id."
    yield Part("opted_out", about, rows(session, Leaver, *left, without=frozenset({"erased_at", "finished_at"})))


def _said(value: Any) -> object:
    return rfc3339(value) if isinstance(value, datetime) else value
