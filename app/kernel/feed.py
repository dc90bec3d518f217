"""What happened, in an order that never changes: each entry gets its position after its commit, from a relay
(feed_relay.py).

Knows no domain: a domain tells, in the transaction of its cause, that something of a kind happened to something.
Positions count from 1 for each merchant. Whoever has read up to a position has seen all that ever comes before it,
which no clock and no sequence could promise: transactions commit in another order than they begin
(docs/decisions/0015-live-feed.md).
"""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    FromClause,
    Index,
    Integer,
    Select,
    String,
    bindparam,
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
from app.kernel.feed_places import BEGINNING, Place, mark_of
from app.kernel.given import Question
from app.kernel.ids import new_id

Kind = Literal["like", "share", "wall", "catalogue"]
"""What it was that happened."""

KEPT: Final = timedelta(hours=48)
"""How long somebody may be away and still go on where they were."""

AT_ONCE: Final = 5000
"""So many entries to one transaction."""

_TIME_ENDS: Final = 14
"""So many characters of an id are its kind and its time."""

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


Shown = frozenset[int]
"""The merchants whose walls show something else now."""


class _Bell:
    """Rung after a commit that told something; all relays of the process hear it, and who has joined."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rung = 0
        self._joined: tuple[Callable[[Shown], None], ...] = ()

    def ring(self, shown: Shown = frozenset()) -> None:
        self.wake()
        for then in self._joined:
            then(shown)

    def wake(self) -> None:
        """Let the relays look, and nobody else: the others know already."""
        with self._changed:
            self._rung += 1
            self._changed.notify_all()

    @contextmanager
    def joined(self, then: Callable[[Shown], None]) -> Iterator[None]:
        """Call `then` at each ring while the block lasts, in the thread that has committed: it must be quick."""
        self._joined = (*self._joined, then)
        try:
            yield
        finally:
            self._joined = tuple(each for each in self._joined if each is not then)

    def wait(self, heard: int, seconds: float) -> int:
        """How often it was rung, as soon as that is more than `heard`, or `seconds` are over."""
        with self._changed:
            self._changed.wait_for(lambda: self._rung != heard, seconds)
            return self._rung


bell = _Bell()
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
    rows = _AFTER.ask(session, set(after.items()), most=limit)
    return [Entry(merchant, Place(position, mark_of(entry)), *told) for merchant, position, entry, *told in rows]


def ends(session: Session, merchants: Collection[int]) -> dict[int, Place]:
    """How far the feed of each has come in this view."""
    found = {
        merchant: Place(position, mark_of(entry)) for merchant, position, entry in _ENDS.ask(session, _keys(merchants))
    }
    return {merchant: found.get(merchant, BEGINNING) for merchant in merchants}


def standing(session: Session, places: Collection[tuple[int, Place]]) -> set[tuple[int, Place]]:
    """Those of the places, each with its merchant, after which one can go on in this view: nothing that came later was
    dropped, and what one has heard is what has been."""
    keys = {(merchant, position) for merchant, (position, _) in places}
    found = {(merchant, Place(position, mark_of(entry))) for merchant, position, entry in _STANDING.ask(session, keys)}
    begun = {merchant for merchant, place in places if place == BEGINNING}
    first = {row[0]: row[1] for row in _FIRST.ask(session, _keys(begun))}
    return (found & set(places)) | {(merchant, BEGINNING) for merchant in begun if first.get(merchant, 1) == 1}


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


def _keys(merchants: Iterable[int]) -> set[tuple[int | str, ...]]:
    return {(merchant,) for merchant in merchants}


def _after(given: FromClause) -> Select[*tuple[Any, ...]]:
    later = (FeedEntry.merchant_id == given.c.merchant_id) & (FeedEntry.position > given.c.position)
    told = (FeedEntry.position, FeedEntry.entry_id, FeedEntry.kind, FeedEntry.product_id, FeedEntry.wall_id)
    found = select(FeedEntry.merchant_id, *told).join_from(given, FeedEntry, later)
    return found.order_by(FeedEntry.merchant_id, FeedEntry.position).limit(bindparam("most", type_=Integer))


def _ends(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = FeedEnd.merchant_id == given.c.merchant_id
    last = (FeedEntry.merchant_id == FeedEnd.merchant_id) & (FeedEntry.position == FeedEnd.position)
    found = select(FeedEnd.merchant_id, FeedEnd.position, FeedEntry.entry_id)
    return found.select_from(given.join(FeedEnd, same).outerjoin(FeedEntry, last))


def _standing(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (FeedEntry.merchant_id == given.c.merchant_id) & (FeedEntry.position == given.c.position)
    return select(FeedEntry.merchant_id, FeedEntry.position, FeedEntry.entry_id).join_from(given, FeedEntry, same)


def _first(given: FromClause) -> Select[*tuple[Any, ...]]:
    first = select(func.min(FeedEntry.position)).where(FeedEntry.merchant_id == given.c.merchant_id).scalar_subquery()
    return select(given.c.merchant_id, func.coalesce(first, 1))


def _old(now: datetime) -> Select[*tuple[Any, ...]]:
    """From where to where the feed of each merchant is old, where there is more than one such entry: by its ids, which
    sort by time and are indexed."""
    bound = new_id("evt", 0, now - KEPT)[:_TIME_ENDS]
    mine = FeedEntry.merchant_id == FeedEnd.merchant_id
    first = select(func.min(FeedEntry.position)).where(mine).scalar_subquery()
    last = select(func.max(FeedEntry.position)).where(mine, FeedEntry.entry_id < bound).scalar_subquery()
    ends = select(FeedEnd.merchant_id, first.label("first"), last.label("last")).subquery("ends")
    return select(ends).where(ends.c.first < ends.c.last)


_AFTER = Question(_after, merchant_id=BigInteger(), position=BigInteger())
_ENDS = Question(_ends, merchant_id=BigInteger())
_STANDING = Question(_standing, merchant_id=BigInteger(), position=BigInteger())
_FIRST = Question(_first, merchant_id=BigInteger())
