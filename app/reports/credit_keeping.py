"""Keeps the sums of credit: adds up what was marked, and looks now and then whether a mark was forgotten."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from time import monotonic
from typing import Final

from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.periodic import Periodic
from app.kernel.rollups.tables import QUARTER
from app.kernel.trouble import tell_of
from app.reports import credit_check, credit_sums
from app.reports.credit_sums import Marked

log = logging.getLogger(__name__)

LOOKS_EVERY: Final = 2.0
"""Seconds between two looks at what was marked."""
_RESTS: Final = 4
"""It rests so many times as long as it took: a quarter in which orders come is added up again and again."""
_PAGE: Final = 500
_TOGETHER: Final = 96 * QUARTER
_TOGETHER_ON_SQLITE: Final = 16 * QUARTER
"""What is added up in one transaction; everybody waits for SQLite's one writer."""


class Keeping:
    """Adds up, in a thread that lives beside a worker. Any number of processes may do so at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together = _TOGETHER_ON_SQLITE if database.is_sqlite else _TOGETHER
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="grapevine-credit-sums", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """What is not added up is asked of the ledger, until somebody adds it up."""
        self._stopping.set()
        self._thread.join(timeout)

    def add_up_all(self) -> int:
        """Add up all that is marked, in this thread; how many quarters that were."""
        return sum(map(self._add_up, self._marked()))

    def _run(self) -> None:
        rest = LOOKS_EVERY
        while not self._stopping.wait(rest):
            begun = monotonic()
            try:
                self.add_up_all()
            except Exception as error:  # the database may be away; it will be back
                tell_of(log, "credit cannot be added up", error)
            rest = max(LOOKS_EVERY, _RESTS * (monotonic() - begun))

    def _marked(self) -> Iterator[Sequence[Marked]]:
        """What is marked, in pieces that are added up together. Each quarter once, or whoever is always marked again
        would keep the others waiting."""
        after: Marked | None = None
        while not self._stopping.is_set():
            with self._database.reading() as session:  # spares SQLite's writer where there is nothing to do
                page = credit_sums.marked(session, after, _PAGE)
            for _, piece in groupby(page, lambda each: (each.ledger, each.starts // self._together)):
                yield list(piece)
            if len(page) < _PAGE:
                return
            after = page[-1]

    def _add_up(self, quarters: Sequence[Marked]) -> int:
        if self._stopping.is_set():
            return 0
        with self._database.transaction() as session:
            credit_sums.add_up(session, quarters[0].ledger, quarters[0].starts, quarters[-1].starts + QUARTER)
        self._database.breathe()
        return len(quarters)


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
