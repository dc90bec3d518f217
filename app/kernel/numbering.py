"""Entries that get their positions after their commit, by a relay (feed_relay.py): for the feed and for the journal.

Knows neither what entries tell nor any domain. Positions count from 1 for each merchant, without a gap; whoever has
read up to one has seen all that ever comes before it (docs/decisions/0015-live-feed.md).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import BigInteger, Column, FromClause, Integer, Row, Select, Table, bindparam, func, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.kernel.database import Base, insert_all_new, table_of
from app.kernel.feed_places import BEGINNING, Place, mark_of
from app.kernel.given import Question

Shown = frozenset[int]
"""The merchants whose walls show something else now."""


class Bell:
    """Rung after a commit that told something; all relays of the process hear it, and who has joined."""

    def __init__(self) -> None:
        self._relays: set[Callable[[], None]] = set()
        self._joined: tuple[Callable[[Shown], None], ...] = ()

    def ring(self, shown: Shown = frozenset()) -> None:
        self.wake()
        for then in self._joined:
            then(shown)

    def wake(self) -> None:
        """Let the relays look, and nobody else: the others know already."""
        for relay in tuple(self._relays):
            relay()

    def wakes(self, relay: Callable[[], None]) -> None:
        """Call `relay` at each ring from now on, in any thread: it must be quick."""
        self._relays.add(relay)

    def wakes_no_more(self, relay: Callable[[], None]) -> None:
        self._relays.discard(relay)

    @contextmanager
    def joined(self, then: Callable[[Shown], None]) -> Iterator[None]:
        """Call `then` at each ring while the block lasts, in the thread that has committed: it must be quick."""
        self._joined = (*self._joined, then)
        try:
            yield
        finally:
            self._joined = tuple(each for each in self._joined if each is not then)


class Numbered:
    """A table of entries and the one of their ends, and the bell of this process that is rung for them.

    `entries` has `merchant_id`, `entry_id`, `position` (empty until it is given) and what it tells, the columns `told`;
    `ends` has `merchant_id`, `position`: its row is the relay's turn.
    """

    def __init__(self, entries: type[Base], ends: type[Base], *told: str) -> None:
        self.bell = Bell()
        self._mapped_ends = ends
        self._entries, self._ends = table_of(entries), table_of(ends)
        self._told = told
        self._number = _number(self._entries, self._ends)
        merchant, position = {"merchant_id": BigInteger()}, {"position": BigInteger()}
        self._after = Question(self._build_after, **merchant, **position)
        self._last = Question(self._build_last, **merchant)
        self._standing = Question(self._build_standing, **merchant, **position)
        self._first = Question(self._build_first, **merchant)

    def read(self, session: Session, after: Mapping[int, int], limit: int) -> Collection[Row[*tuple[Any, ...]]]:
        """What came after each merchant's position, in order within each: merchant, position, id, and what is told.
        At most `limit`, so ask until it is fewer."""
        return self._after.ask(session, set(after.items()), most=limit)

    def ends(self, session: Session, merchants: Collection[int]) -> dict[int, Place]:
        """How far the entries of each have come in this view."""
        found = {
            merchant: Place(position, mark_of(entry))
            for merchant, position, entry in self._last.ask(session, _keys(merchants))
        }
        return {merchant: found.get(merchant, BEGINNING) for merchant in merchants}

    def standing(self, session: Session, places: Collection[tuple[int, Place]]) -> set[tuple[int, Place]]:
        """Those of the places, each with its merchant, after which one can go on in this view: nothing that came later
        was dropped, and what one has heard is what has been."""
        keys = {(merchant, position) for merchant, (position, _) in places}
        asked = self._standing.ask(session, keys)
        found = {(merchant, Place(position, mark_of(entry))) for merchant, position, entry in asked}
        begun = {merchant for merchant, place in places if place == BEGINNING}
        first = {row[0]: row[1] for row in self._first.ask(session, _keys(begun))}
        return (found & set(places)) | {(merchant, BEGINNING) for merchant in begun if first.get(merchant, 1) == 1}

    def waiting(self, session: Session, most: int) -> Sequence[int]:
        """Some of the merchants of whom something has no position yet."""
        mine = self._entries.c
        return session.scalars(select(mine.merchant_id).where(mine.position.is_(None)).distinct().limit(most)).all()

    def number(self, session: Session, merchants: Collection[int], most: int) -> int:
        """Number what has no position, of these merchants, `most` in a transaction; how many that were.

        Who holds a merchant's row numbers alone and looks only then, so all that was committed before is seen; and it
        is held until the commit, so a reader never sees a position without those before it.
        """
        new = [{"merchant_id": merchant, "position": 0} for merchant in sorted(merchants)]
        insert_all_new(session, self._mapped_ends, new)
        turn = select(self._ends.c.merchant_id).where(self._ends.c.merchant_id.in_(merchants))
        session.execute(turn.order_by(self._ends.c.merchant_id).with_for_update())
        numbered = session.execute(self._number, {"merchants": list(merchants), "most": most}).all()
        last: dict[int, int] = defaultdict(int)
        for merchant, position in numbered:
            last[merchant] = max(last[merchant], position)
        ends = [{"merchant_id": merchant, "position": position} for merchant, position in last.items()]
        if ends:
            session.execute(update(self._mapped_ends), ends)
        return len(numbered)

    def _build_after(self, given: FromClause) -> Select[*tuple[Any, ...]]:
        mine = self._entries.c
        later = (mine.merchant_id == given.c.merchant_id) & (mine.position > given.c.position)
        told = (mine[name] for name in ("merchant_id", "position", "entry_id", *self._told))
        found = select(*told).join_from(given, self._entries, later)
        return found.order_by(mine.merchant_id, mine.position).limit(bindparam("most", type_=Integer))

    def _build_last(self, given: FromClause) -> Select[*tuple[Any, ...]]:
        mine, ends = self._entries.c, self._ends.c
        last = (mine.merchant_id == ends.merchant_id) & (mine.position == ends.position)
        found = select(ends.merchant_id, ends.position, mine.entry_id)
        joined = given.join(self._ends, ends.merchant_id == given.c.merchant_id)
        return found.select_from(joined.outerjoin(self._entries, last))

    def _build_standing(self, given: FromClause) -> Select[*tuple[Any, ...]]:
        mine = self._entries.c
        same = (mine.merchant_id == given.c.merchant_id) & (mine.position == given.c.position)
        return select(mine.merchant_id, mine.position, mine.entry_id).join_from(given, self._entries, same)

    def _build_first(self, given: FromClause) -> Select[*tuple[Any, ...]]:
        mine = self._entries.c
        first = select(func.min(mine.position)).where(mine.merchant_id == given.c.merchant_id).scalar_subquery()
        return select(given.c.merchant_id, func.coalesce(first, 1))


def _keys(merchants: Iterable[int]) -> set[tuple[int | str, ...]]:
    return {(merchant,) for merchant in merchants}


class _Turn(FunctionElement[int]):
    """Which of the database's transactions wrote the row of this column: who depends on what was written has written
    later, whatever the clocks of two machines say."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Turn, "postgresql")
def _by_transaction(element: _Turn, compiler: SQLCompiler, **_: object) -> str:
    return f"-age({_table_of(element, compiler)}.xmin)"  # by age, since numbers of transactions begin anew


@compiles(_Turn, "sqlite")
def _by_row(element: _Turn, compiler: SQLCompiler, **_: object) -> str:
    return f"{_table_of(element, compiler)}.rowid"  # there is one writer at a time


def _table_of(element: _Turn, compiler: SQLCompiler) -> str:
    (column,) = element.clauses
    return compiler.preparer.format_table(cast("Column[str]", column).table)


def _number(entries: Table, ends: Table) -> Any:
    """Those that were made first, numbered in the order in which they were written."""
    mine = entries.c
    some = (
        select(mine.merchant_id, mine.entry_id, _Turn(mine.entry_id).label("turn"))
        .where(mine.position.is_(None), mine.merchant_id.in_(bindparam("merchants", expanding=True)))
        .order_by(mine.merchant_id, mine.entry_id)
        .limit(bindparam("most", type_=Integer))
        .subquery("some")
    )
    rank = func.row_number().over(partition_by=some.c.merchant_id, order_by=(some.c.turn, some.c.entry_id))
    new = (
        select(some.c.merchant_id, some.c.entry_id, (ends.c.position + rank).label("position"))
        .join_from(some, ends, ends.c.merchant_id == some.c.merchant_id)
        .subquery("numbered")
    )
    same = (mine.merchant_id == new.c.merchant_id) & (mine.entry_id == new.c.entry_id)
    numbered = update(entries).where(same).values(position=cast("Any", new.c.position))
    return numbered.returning(mine.merchant_id, mine.position)
