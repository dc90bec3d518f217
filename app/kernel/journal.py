"""The journal: which facts were written, in an order that never changes and skips nothing.

Knows no domain: whoever writes facts notes their ids in the same transaction, one entry for all of a type. An entry
gets its position after its commit, as those of the feed do (feed.py), so whoever has read up to a position has seen
all that ever comes before it. What the facts say is read from their own tables.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, String, event, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.bulk import Bulk, Row, Rows, insert_all
from app.kernel.clock import to_micros
from app.kernel.database import Base, Database, id_type, table_of
from app.kernel.feed_places import Place, mark_of
from app.kernel.ids import beginning, new_id
from app.kernel.numbering import Numbered

AT_MOST: Final = 500
"""Ids in one entry."""

REST: Final = 0.5
"""Seconds between two rounds of the relay: nobody looks at the journal by the second, and each is a commit."""

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


JOURNAL: Final = Numbered(JournalEntry, JournalEnd, "type", "subjects")

bell = JOURNAL.bell
"""Of this process."""


class Noted(NamedTuple):
    """What was noted of one type, at its place. `subjects` are ids, or what stands for one (`delivery/facts.py`)."""

    place: Place
    type: str
    subjects: Sequence[str]


_ENTRIES = Bulk(table_of(JournalEntry), ("merchant_id", "entry_id", "type", "subjects", "at"))
_RINGS: Final = "journal"


def note(session: Session, merchant_id: int, kind: str, subjects: Collection[str], at: datetime) -> None:
    """Note that these facts were written, in the transaction that writes them."""
    note_all(session, {(merchant_id, kind): subjects}, at)


def note_all(session: Session, noted: Mapping[tuple[int, str], Collection[str]], at: datetime) -> None:
    """Note facts of several merchants and types in one statement; `at` is the present."""
    rows = rows_of(noted, at)
    if not any(some for _, some in rows):
        return
    insert_all(session, rows)
    if not session.info.get(_RINGS):  # once, however much is noted
        session.info[_RINGS] = True
        event.listen(session, "after_commit", _ring)


def rows_of(noted: Mapping[tuple[int, str], Collection[str]], at: datetime) -> Rows:
    """The rows that `note_all` writes, for whoever writes them with others: relays find them by themselves."""
    micros = to_micros(at)
    rows: list[Row] = []
    for (merchant, kind), subjects in noted.items():
        ids = list(subjects)
        for begin in range(0, len(ids), AT_MOST):
            said = json.dumps(ids[begin : begin + AT_MOST], ensure_ascii=False)
            rows.append((merchant, new_id("jrn", merchant, at), kind, said, micros))
    return [(_ENTRIES, rows)]


def read(session: Session, merchant_id: int, after: int, limit: int) -> list[Noted]:
    """What comes after a position, in order; fewer than `limit` are all there are."""
    rows = JOURNAL.read(session, {merchant_id: after}, limit)
    return [Noted(Place(position, mark_of(entry)), kind, subjects) for _, position, entry, kind, subjects in rows]


def end(session: Session, merchant_id: int) -> Place:
    """How far the merchant's journal has come in this view."""
    return JOURNAL.ends(session, [merchant_id])[merchant_id]


def stands(session: Session, merchant_id: int, place: Place) -> bool:
    """Whether one can go on after the place: it is this journal's, and not one's that was put back since."""
    return bool(JOURNAL.standing(session, {(merchant_id, place)}))


def reword(
    database: Database,
    merchant_id: int,
    kind: str,
    since: datetime,
    until: datetime | None,
    change: Callable[[Session, list[str]], list[str]],
    step: Callable[[], None],
) -> None:
    """Change what stands for facts of one type that were noted in `since <= t < until`, so that it says nothing of
    somebody any more. An entry keeps its place, and has as many subjects as it had."""
    entries, after = JournalEntry.merchant_id == merchant_id, beginning("jrn", since)
    wanted = [entries, JournalEntry.type == kind]
    if until is not None:
        wanted.append(JournalEntry.entry_id < beginning("jrn", until))
    while True:
        asked = select(JournalEntry).where(*wanted, JournalEntry.entry_id > after).order_by(JournalEntry.entry_id)
        with database.transaction() as session:
            found = session.scalars(asked.limit(AT_MOST)).all()
            for entry in found:
                changed = change(session, entry.subjects)
                if changed != entry.subjects:
                    entry.subjects = changed
        if not found:
            return
        after = found[-1].entry_id
        step()
        database.breathe()


def _ring(session: Session) -> None:
    if not session.in_nested_transaction():  # a savepoint's end shows nobody anything
        bell.ring()
