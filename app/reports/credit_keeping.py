"""Keeps the sums of credit: adds up what was marked, and looks now and then whether a mark was forgotten."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from time import monotonic
from typing import Final

from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.periodic import Periodic
from app.kernel.repeated import Repeated
from app.kernel.rollups.tables import QUARTER
from app.reports import credit_check, credit_sums
from app.reports.credit_sums import Marked

log = logging.getLogger(__name__)

LOOKS_EVERY: Final = 2.0
"""Seconds between two looks at what was marked."""
_RESTS: Final = 4
"""It rests so many times as long as it took: a quarter in which orders come is added up again and again."""
LONGEST_REST: Final = 5.0
"""Seconds: after minutes of much to do, what is marked meanwhile waits no longer."""
_PAGE: Final = 500
_TOGETHER: Final = 96 * QUARTER
_TOGETHER_ON_SQLITE: Final = 16 * QUARTER
"""What is added up in one transaction; everybody waits for SQLite's one writer."""


class Keeping(Repeated):
    """Adds up. Any number of processes may do so at once; what one leaves is asked of the ledger, until somebody adds
    it up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together = _TOGETHER_ON_SQLITE if database.is_sqlite else _TOGETHER
        super().__init__(
            "credit-sums", self._look, every=LOOKS_EVERY, trouble="credit cannot be added up", waits_first=True
        )

    def add_up_all(self) -> int:
        """Add up all that is marked, in this thread; how many quarters that were."""
        return sum(map(self._add_up, self._marked()))

    def _look(self) -> float:
        begun = monotonic()
        self.add_up_all()
        return rest_after(monotonic() - begun)

    def _marked(self) -> Iterator[Sequence[Marked]]:
        """What is marked, in pieces that are added up together. Each quarter once, or whoever is always marked again
        would keep the others waiting."""
        after: Marked | None = None
        while not self.is_stopping:
            with self._database.reading() as session:  # spares SQLite's writer where there is nothing to do
                page = credit_sums.marked(session, after, _PAGE)
            for _, piece in groupby(page, lambda each: (each.ledger, each.starts // self._together)):
                yield list(piece)
            if len(page) < _PAGE:
                return
            after = page[-1]

    def _add_up(self, quarters: Sequence[Marked]) -> int:
        if self.is_stopping:
            return 0
        with self._database.transaction() as session:
            credit_sums.add_up(session, quarters[0].ledger, quarters[0].starts, quarters[-1].starts + QUARTER)
        self._database.breathe()
        return len(quarters)


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
