"""Keeps the sums of credit: adds up what was marked, and looks now and then whether a mark was forgotten."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import takewhile
from time import monotonic
from typing import Final

from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.periodic import Periodic
from app.kernel.repeated import Repeated
from app.kernel.rollups.tables import QUARTER
from app.kernel.statistics import Growth, look_at
from app.reports import credit_check, credit_sums
from app.reports.credit_sums import Marked
from app.reports.models import CreditSum

log = logging.getLogger(__name__)

LOOKS_EVERY: Final = 2.0
"""Seconds between two looks at what was marked."""
_RESTS: Final = 4
"""It rests so many times as long as it took: a quarter in which orders come is added up again and again."""
LONGEST_REST: Final = 5.0
"""Seconds: after minutes of much to do, what is marked meanwhile waits no longer."""
_PAGE: Final = 500
_LEAST: Final = 16 * QUARTER
_MOST: Final = 32 * _LEAST
"""Of time, that is added up in one transaction."""
_GOAL: Final = 0.5
_GOAL_ON_SQLITE: Final = 0.03
"""Seconds that a transaction may take; everybody waits for SQLite's one writer."""


class Keeping(Repeated):
    """Adds up. Any number of processes may do so at once; what one leaves is asked of the ledger, until somebody adds
    it up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._goal = _GOAL_ON_SQLITE if database.is_sqlite else _GOAL
        super().__init__(
            "credit-sums", self._look, every=LOOKS_EVERY, trouble="credit cannot be added up", waits_first=True
        )

    def add_up_all(self) -> int:
        """Add up all that is marked, in this thread; how many quarters that were."""
        done, width, looks = 0, _LEAST, Growth(_PAGE)
        for page in self._marked():
            while page and not self.is_stopping:
                piece = _beginning(page, width)
                took = self._add_up(piece)
                width = next_width(width, took, self._goal)
                done, page = done + len(piece), page[len(piece) :]
                if looks.is_worth_a_look(done):
                    with self._database.transaction() as session:
                        look_at(session, CreditSum)
        return done

    def _look(self) -> float:
        begun = monotonic()
        self.add_up_all()
        return rest_after(monotonic() - begun)

    def _marked(self) -> Iterator[Sequence[Marked]]:
        """What is marked, some at a time. Each quarter once, or whoever is always marked again would keep the others
        waiting."""
        after: Marked | None = None
        while not self.is_stopping:
            with self._database.reading() as session:  # spares SQLite's writer where there is nothing to do
                page = credit_sums.marked(session, after, _PAGE)
            yield page
            if len(page) < _PAGE:
                return
            after = page[-1]

    def _add_up(self, quarters: Sequence[Marked]) -> float:
        """Add them up in one transaction; how many seconds that took."""
        begun = monotonic()
        with self._database.transaction() as session:
            credit_sums.add_up(session, quarters[0].ledger, quarters[0].starts, quarters[-1].starts + QUARTER)
        took = monotonic() - begun
        self._database.breathe()
        return took


def _beginning(page: Sequence[Marked], width: int) -> Sequence[Marked]:
    """The first of the page that are added up together: of one ledger, within `width` of time."""
    first = page[0]
    return list(takewhile(lambda each: each.ledger == first.ledger and each.starts < first.starts + width, page))


def next_width(width: int, took: float, goal: float) -> int:
    """How much time is added up together next, where this much took so many seconds: a transaction costs more than an
    hour of a quiet shop, and much of a busy one would keep others waiting."""
    if took > goal:
        return max(width // 2, _LEAST)
    return min(width * 2, _MOST) if took < goal / 2 else width


def rest_after(seconds: float) -> float:
    """How many seconds it rests after adding up for so many."""
    return min(_RESTS * seconds, LONGEST_REST)


def periodic(database: Database, clock: Clock) -> list[Periodic]:
    """What looks for forgotten marks: each hour at what was written lately, each day at everything."""

    def look(since: timedelta | None, extend: Callable[[], None]) -> None:
        found = credit_check.mark_forgotten(database, clock.now(), since, extend)
        if found:
            log.warning("%d quarters of credit had changed without a mark; they are added up again", found)

    return [
        Periodic("credit-sums-lately", timedelta(hours=1), lambda extend: look(timedelta(hours=3), extend)),
        Periodic("credit-sums", timedelta(days=1), lambda extend: look(None, extend)),
    ]
