"""The relay of the feed (feed.py): gives what was told its position, after its commit.

Knows no domain, as the feed does. Why positions come so late: docs/decisions/0015-live-feed.md.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Integer, bindparam, func, select, update

from app.kernel.clock import Clock
from app.kernel.database import Database, insert_all_new, table_of
from app.kernel.feed import AT_ONCE, FeedEnd, FeedEntry, bell
from app.kernel.trouble import tell_of

log = logging.getLogger(__name__)

LOOKS_EVERY: Final = 0.5
"""Seconds between two looks at what other processes told, where these cannot wake it (wakeups.py)."""
_REST: Final = 0.2
"""Seconds between two rounds that placed something: each is a commit, which costs a disk's time."""
_MERCHANTS: Final = 200
"""So many in one transaction."""


class Relay:
    """Gives positions, in a thread of its own that lives beside a worker. Any number of relays may run at once.

    `placed` is called after each commit that gave some.
    """

    def __init__(self, database: Database, clock: Clock, placed: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._clock = clock
        self._placed = placed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="grapevine-relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """What has no position yet gets one from another relay, or at the next start."""
        self._stopping.set()
        bell.wake()
        self._thread.join(timeout)

    def place_all(self) -> int:
        """Give everything that was told and committed its position, in this thread; how many that were."""
        placed = 0
        while waiting := self._waiting():
            if some := self._place(waiting):
                placed += some
                self._placed()
        return placed

    def _run(self) -> None:
        heard = 0
        while not self._stopping.is_set():
            heard = bell.wait(heard, LOOKS_EVERY)
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
            numbered = session.execute(_NUMBER, {"merchants": list(merchants), "most": AT_ONCE}).all()
            last: dict[int, int] = defaultdict(int)
            for merchant, position in numbered:
                last[merchant] = max(last[merchant], position)
            ends = [{"merchant_id": merchant, "position": position} for merchant, position in last.items()]
            if ends:
                session.execute(update(FeedEnd), ends)
        return len(numbered)


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


_NUMBER = _numbered()
