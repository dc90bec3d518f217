"""The journal: which facts were written, in an order that never changes and skips nothing.

Knows no domain: whoever writes facts notes their ids in the same transaction, one entry for all of a type. An entry
gets its position after its commit, as those of the feed do (feed.py), so whoever has read up to a position has seen
all that ever comes before it. What the facts say is read from their own tables.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.bulk import Bulk
from app.kernel.clock import to_micros
from app.kernel.database import Base, id_type, table_of
from app.kernel.ids import new_id

AT_MOST: Final = 500
"""Ids in one entry."""

_UNPLACED = text("position IS NULL")


class JournalEntry(Base):
    """Facts of one type that were written together. Appended only; the relay fills in `position`."""

    __tablename__ = "journal_entries"
    __table_args__ = (
        Index("uq_journal_entries_position", "merchant_id", "position", unique=True),
        Index(
            "ix_journal_entries_unplaced",
            *("merchant_id", "entry_id"),
            sqlite_where=_UNPLACED,
            postgresql_where=_UNPLACED,
        ),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # jrn_…
    type: Mapped[str] = mapped_column(String(40))  # visit.recorded, …
    subjects: Mapped[list[str]] = mapped_column(JSON)  # ids, in the order of writing
    at: Mapped[datetime]
    position: Mapped[int | None] = mapped_column(BigInteger)


class JournalEnd(Base):
    """How far a merchant's journal has come; its row is the relay's turn."""

    __tablename__ = "journal_ends"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)


_ENTRIES = Bulk(table_of(JournalEntry), ("merchant_id", "entry_id", "type", "subjects", "at"))


def note(session: Session, merchant_id: int, kind: str, subjects: Sequence[str], at: datetime) -> None:
    """Note that these facts were written, in the transaction that writes them."""
    rows = [
        (
            merchant_id,
            new_id("jrn", merchant_id, at),
            kind,
            json.dumps(subjects[begin : begin + AT_MOST], ensure_ascii=False),
            to_micros(at),
        )
        for begin in range(0, len(subjects), AT_MOST)
    ]
    _ENTRIES.insert(session, rows)
