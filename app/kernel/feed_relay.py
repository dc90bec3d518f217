"""The relay: gives what was told in the feed (feed.py), or noted in the journal (journal.py), its position, after its
commit.

Knows no domain, as they do not. Why positions come so late: docs/decisions/0015-live-feed.md.
"""

from collections.abc import Callable
from typing import Final

from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.feed import AT_ONCE, FEED
from app.kernel.numbering import Numbered
from app.kernel.repeated import Repeated

LOOKS_EVERY: Final = 0.5
"""Seconds between two looks at what other processes told, where these cannot wake it (wakeups.py)."""
_REST: Final = 0.2
"""Seconds between two rounds that placed something: each is a commit, which costs a disk's time."""
_MERCHANTS: Final = 200
"""So many in one transaction."""


class Relay(Repeated):
    """Gives positions. Any number of relays may run at once; what one leaves gets its position from another, or at the
    next start.

    `placed` is called after each commit that gave some; after it, `rest` seconds are let go by.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        placed: Callable[[], None] = lambda: None,
        of: Numbered = FEED,
        rest: float = _REST,
    ) -> None:
        self._database = database
        self._clock = clock
        self._placed = placed
        self._of = of
        self._rest = rest
        super().__init__("relay", self._look, every=LOOKS_EVERY, trouble="the feed cannot go on")

    def start(self) -> None:
        self._of.bell.wakes(self.wake)
        super().start()

    def leave_off(self) -> None:
        self._of.bell.wakes_no_more(self.wake)
        super().leave_off()

    def place_all(self) -> int:
        """Give everything that was told and committed its position, in this thread; how many that were. What comes
        meanwhile is left to the next round: a crowd brings something by the millisecond."""
        placed, is_all = 0, False
        while not (is_all or self.is_stopping):
            waiting = self._waiting()
            some = self._place(waiting) if waiting else 0
            placed += some
            is_all = some < AT_ONCE and len(waiting) < _MERCHANTS
        return placed

    def _place(self, merchants: list[int]) -> int:
        """Number what waits of these merchants, at most `AT_ONCE`; how many that were."""
        with self._database.transaction() as session:
            some = self._of.number(session, merchants, AT_ONCE)
        if some:
            self._placed()
        return some

    def _look(self) -> float:
        return self._rest if self.place_all() else 0

    def _waiting(self) -> list[int]:
        """Some of the merchants of whom something has no position yet."""
        with self._database.reading() as session:  # spares SQLite's writer where there is nothing to do
            return list(self._of.waiting(session, _MERCHANTS))
