"""What happened, in an order that never changes: each entry gets its position after its commit, from a relay.

Knows no domain: a domain tells, in the transaction of its cause, that something of a kind happened to something.
Positions count from 1 for each merchant. Whoever has read up to a position has seen all that ever comes before it,
which no clock and no sequence could promise: transactions commit in another order than they begin
(docs/decisions/0015-live-feed.md).
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

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
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.clock import Clock
from app.kernel.database import Base, Database, id_type, insert_all_new, table_of
from app.kernel.given import Question
from app.kernel.ids import new_id
from app.kernel.trouble import tell_of

log = logging.getLogger(__name__)

KEPT: Final = timedelta(hours=48)
"""How long somebody may be away and still go on where they were."""

LOOKS_EVERY: Final = 0.5
"""Seconds between two looks at what other processes told. What this one told is looked at at once."""
_REST: Final = 0.2
"""Seconds between two rounds that placed something: each is a commit, which costs a disk's time."""
_MERCHANTS: Final = 200
_ENTRIES: Final = 5000
"""So many to one transaction."""

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
    kind: Mapped[str] = mapped_column(String(16))  # like, share, wall, catalogue
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
    kind: str  # like, share, wall, catalogue
    product_id: str | None
    wall_id: str | None
    at: datetime


class Entry(NamedTuple):
    """What was told, at its place."""

    merchant_id: int
    position: int
    kind: str
    product_id: str | None
    wall_id: str | None


class Extent(NamedTuple):
    """From where to where a merchant's feed can be read: after `before`, up to `last`; 0 where nothing was told."""

    before: int
    last: int

    def goes_on_after(self, position: int) -> bool:
        """Whether nothing that came after `position` has been dropped, and `position` has been at all."""
        return self.before <= position <= self.last


class _Bell:
    """Rung after a commit that told something; all relays of the process hear it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rung = 0

    def ring(self) -> None:
        with self._changed:
            self._rung += 1
            self._changed.notify_all()

    def wait(self, heard: int, seconds: float) -> int:
        """How often it was rung, as soon as that is more than `heard`, or `seconds` are over."""
        with self._changed:
            self._changed.wait_for(lambda: self._rung != heard, seconds)
            return self._rung


_bell = _Bell()
_INSERT = insert(table_of(FeedEntry))


def tell(session: Session, entries: Iterable[Told]) -> None:
    """Tell what happened, in the transaction in which it happens. What is told twice at once is told once."""
    different = {(each.merchant_id, each.kind, each.product_id, each.wall_id): each for each in entries}
    if not different:
        return
    rows = [{**each.__dict__, "entry_id": new_id("evt", each.merchant_id, each.at)} for each in different.values()]
    session.execute(_INSERT, rows)
    event.listen(session, "after_commit", lambda _: _bell.ring(), once=True)


def read(session: Session, after: Mapping[int, int], limit: int) -> list[Entry]:
    """What came after each merchant's position, in order within each; at most `limit`, so ask until it is fewer."""
    rows = _AFTER.ask(session, set(after.items()), most=limit)
    return [Entry(*row) for row in rows]


def extents(session: Session, merchants: Collection[int]) -> dict[int, Extent]:
    """How far the feed of each can be read in this view."""
    found = {merchant: Extent(first - 1, last) for merchant, first, last in _EXTENT.ask(session, _keys(merchants))}
    return {merchant: found.get(merchant, Extent(0, 0)) for merchant in merchants}


def tidy(database: Database, now: datetime) -> None:
    """Drop what is older than `KEPT`: of each merchant all up to a position, so that no gap is left."""
    with database.reading() as session:
        ends = [(merchant, upto) for merchant, upto in session.execute(_old(now)) if upto is not None]
    for merchant, upto in ends:
        with database.reading() as session:
            of_merchant = select(func.min(FeedEntry.position)).where(FeedEntry.merchant_id == merchant)
            first = session.scalar(of_merchant) or upto
        for step in (*range(first + _ENTRIES, upto, _ENTRIES), upto):
            with database.transaction() as session:
                old = delete(FeedEntry).where(FeedEntry.merchant_id == merchant, FeedEntry.position <= step)
                session.execute(old)
            database.breathe()


class Relay:
    """Gives positions, in a thread of its own that lives beside a worker. Any number of relays may run at once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="grapevine-relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """What has no position yet gets one from another relay, or at the next start."""
        self._stopping.set()
        _bell.ring()
        self._thread.join(timeout)

    def place_all(self) -> int:
        """Give everything that was told and committed its position, in this thread; how many that were."""
        placed = 0
        while waiting := self._waiting():
            placed += self._place(waiting)
        return placed

    def _run(self) -> None:
        heard = 0
        while not self._stopping.is_set():
            heard = _bell.wait(heard, LOOKS_EVERY)
            try:
                placed = 0 if self._stopping.is_set() else self.place_all()
            except Exception as error:  # the database may be away; it will be back
                tell_of(log, "the feed cannot go on", error)
                placed = 1
            if placed:
                self._stopping.wait(_REST)

    def _waiting(self) -> Sequence[int]:
        """Some of the merchants of whom something has no position yet."""
        with self._database.reading() as session:  # spares SQLite's writer where there is nothing to do
            unplaced = select(FeedEntry.merchant_id).where(FeedEntry.position.is_(None)).distinct().limit(_MERCHANTS)
            return session.scalars(unplaced).all()

    def _place(self, merchants: Sequence[int]) -> int:
        """Number what has no position, of these merchants, some in a transaction.

        Who holds a merchant's row numbers alone and looks only then, so all that was committed before is seen; and it
        is held until the commit, so a reader never sees a position without those before it.
        """
        with self._database.transaction() as session:
            new = [{"merchant_id": merchant, "position": 0} for merchant in sorted(merchants)]
            insert_all_new(session, FeedEnd, new)
            turn = select(FeedEnd.merchant_id).where(FeedEnd.merchant_id.in_(merchants))
            session.execute(turn.order_by(FeedEnd.merchant_id).with_for_update())
            numbered = session.execute(_NUMBER, {"merchants": list(merchants), "most": _ENTRIES}).all()
            last: dict[int, int] = defaultdict(int)
            for merchant, position in numbered:
                last[merchant] = max(last[merchant], position)
            ends = [{"merchant_id": merchant, "position": position} for merchant, position in last.items()]
            if ends:
                session.execute(update(FeedEnd), ends)
        return len(numbered)


def _keys(merchants: Iterable[int]) -> set[tuple[int | str, ...]]:
    return {(merchant,) for merchant in merchants}


def _after(given: FromClause) -> Select[*tuple[Any, ...]]:
    later = (FeedEntry.merchant_id == given.c.merchant_id) & (FeedEntry.position > given.c.position)
    told = (FeedEntry.position, FeedEntry.kind, FeedEntry.product_id, FeedEntry.wall_id)
    found = select(FeedEntry.merchant_id, *told).join_from(given, FeedEntry, later)
    return found.order_by(FeedEntry.merchant_id, FeedEntry.position).limit(bindparam("most", type_=Integer))


def _extent(given: FromClause) -> Select[*tuple[Any, ...]]:
    first = select(func.min(FeedEntry.position)).where(FeedEntry.merchant_id == FeedEnd.merchant_id).scalar_subquery()
    since = func.coalesce(first, FeedEnd.position + 1)
    same = FeedEnd.merchant_id == given.c.merchant_id
    return select(FeedEnd.merchant_id, since, FeedEnd.position).join_from(given, FeedEnd, same)


def _old(now: datetime) -> Select[*tuple[Any, ...]]:
    """Up to where the feed of each merchant is old: by its ids, which sort by time and are indexed."""
    bound = new_id("evt", 0, now - KEPT)[:_TIME_ENDS]
    mine = FeedEntry.merchant_id == FeedEnd.merchant_id
    last = select(func.max(FeedEntry.position)).where(mine, FeedEntry.entry_id < bound).scalar_subquery()
    return select(FeedEnd.merchant_id, last)


def _numbered() -> Any:
    of_merchants = FeedEntry.merchant_id.in_(bindparam("merchants", expanding=True))
    rank = func.row_number().over(partition_by=FeedEntry.merchant_id, order_by=FeedEntry.entry_id)
    new = (
        select(FeedEntry.merchant_id, FeedEntry.entry_id, (FeedEnd.position + rank).label("position"))
        .join(FeedEnd, FeedEnd.merchant_id == FeedEntry.merchant_id)
        .where(FeedEntry.position.is_(None), of_merchants)
        .order_by(FeedEntry.merchant_id, FeedEntry.entry_id)
        .limit(bindparam("most", type_=Integer))
        .subquery("numbered")
    )
    entries = table_of(FeedEntry)
    same = (entries.c.merchant_id == new.c.merchant_id) & (entries.c.entry_id == new.c.entry_id)
    return (
        update(entries).where(same).values(position=new.c.position).returning(entries.c.merchant_id, entries.c.position)
    )


_AFTER = Question(_after, merchant_id=BigInteger(), position=BigInteger())
_EXTENT = Question(_extent, merchant_id=BigInteger())
_NUMBER = _numbered()
