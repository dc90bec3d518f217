"""What happened, in an order that never changes: each entry gets its position after its commit, from a relay
(feed_relay.py).

Knows no domain: a domain tells, in the transaction of its cause, that something of a kind happened to something.
Positions count from 1 for each merchant. Whoever has read up to a position has seen all that ever comes before it,
which no clock and no sequence could promise: transactions commit in another order than they begin
(docs/decisions/0015-live-feed.md).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    Select,
    String,
    delete,
    event,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.bulk import Bulk
from app.kernel.clock import to_micros
from app.kernel.database import Base, Database, id_type, table_of
from app.kernel.feed_places import Place, mark_of
from app.kernel.ids import beginning, new_id
from app.kernel.numbering import Numbered

Kind = Literal["like", "share", "wall", "catalogue"]
"""What it was that happened."""

KEPT: Final = timedelta(hours=48)
"""How long somebody may be away and still go on where they were."""

AT_ONCE: Final = 5000
"""So many entries to one transaction."""

_UNPLACED = text("position IS NULL")


class FeedEntry(Base):
    """Something happened. Appended only; the relay fills in `position`. Dropped by age."""

    __tablename__ = "feed_entries"
    __table_args__ = (
        Index("uq_feed_entries_position", "merchant_id", "position", unique=True),
        Index(
            "ix_feed_entries_unplaced",
            *("merchant_id", "entry_id"),
            sqlite_where=_UNPLACED,
            postgresql_where=_UNPLACED,
        ),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # evt_…
    kind: Mapped[Kind] = mapped_column(String(16))
    product_id: Mapped[str | None] = mapped_column(id_type())
    wall_id: Mapped[str | None] = mapped_column(id_type())
    at: Mapped[datetime]
    position: Mapped[int | None] = mapped_column(BigInteger)


class FeedEnd(Base):
    """How far a merchant's feed has come; its row is the relay's turn."""

    __tablename__ = "feed_ends"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True)
class Told:
    """Something of a kind happened to a product, a wall, or to many (neither is named)."""

    merchant_id: int
    kind: Kind
    product_id: str | None
    wall_id: str | None
    at: datetime


class Entry(NamedTuple):
    """What was told, at its place."""

    merchant_id: int
    place: Place
    kind: Kind
    product_id: str | None
    wall_id: str | None

    @property
    def position(self) -> int:
        return self.place.position


FEED: Final = Numbered(FeedEntry, FeedEnd, "kind", "product_id", "wall_id")

bell = FEED.bell
"""Of this process."""

_ENTRIES = Bulk(table_of(FeedEntry), ("merchant_id", "entry_id", "kind", "product_id", "wall_id", "at"))


def tell(session: Session, entries: Iterable[Told]) -> None:
    """Tell what happened, in the transaction in which it happens. What is told twice at once is told once."""
    different = {(each.merchant_id, each.kind, each.product_id, each.wall_id): each for each in entries}
    if not different:
        return
    about = ((new_id("evt", each.merchant_id, each.at), each) for each in different.values())
    rows = [(one.merchant_id, entry, one.kind, one.product_id, one.wall_id, to_micros(one.at)) for entry, one in about]
    _ENTRIES.insert(session, rows)
    shown = frozenset(told.merchant_id for told in different.values() if told.kind in ("wall", "catalogue"))
    event.listen(session, "after_commit", lambda _: bell.ring(shown), once=True)


def read(session: Session, after: Mapping[int, int], limit: int) -> list[Entry]:
    """What came after each merchant's position, in order within each; at most `limit`, so ask until it is fewer."""
    rows = FEED.read(session, after, limit)
    return [Entry(merchant, Place(position, mark_of(entry)), *told) for merchant, position, entry, *told in rows]


def ends(session: Session, merchants: Collection[int]) -> dict[int, Place]:
    """How far the feed of each has come in this view."""
    return FEED.ends(session, merchants)


def standing(session: Session, places: Collection[tuple[int, Place]]) -> set[tuple[int, Place]]:
    """Those of the places, each with its merchant, after which one can go on in this view: nothing that came later was
    dropped, and what one has heard is what has been."""
    return FEED.standing(session, places)


def tidy(database: Database, now: datetime) -> None:
    """Drop what is older than `KEPT`: of each merchant all before a position, so that no gap is left. The last of what
    is old stays: by it those are known who have heard just that much."""
    with database.reading() as session:
        old = session.execute(_old(now)).all()
    for merchant, first, last in old:
        for step in (*range(first + AT_ONCE, last, AT_ONCE), last):
            with database.transaction() as session:
                before = delete(FeedEntry).where(FeedEntry.merchant_id == merchant, FeedEntry.position < step)
                session.execute(before)
            database.breathe()


def _old(now: datetime) -> Select[*tuple[Any, ...]]:
    """From where to where the feed of each merchant is old, where there is more than one such entry: by its ids, which
    sort by time and are indexed."""
    bound = beginning("evt", now - KEPT)
    mine = FeedEntry.merchant_id == FeedEnd.merchant_id
    first = select(func.min(FeedEntry.position)).where(mine).scalar_subquery()
    last = select(func.max(FeedEntry.position)).where(mine, FeedEntry.entry_id < bound).scalar_subquery()
    ends = select(FeedEnd.merchant_id, first.label("first"), last.label("last")).subquery("ends")
    return select(ends).where(ends.c.first < ends.c.last)
