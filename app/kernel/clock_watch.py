"""Whether this machine's clock is right, by what others' clocks say. Knows neither Stripe nor the database: who hears
a time, tells it.

Nothing stops because a clock is wrong: what must not depend on it is judged by `corrected`, and people are told.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.kernel.clock import Clock, SystemClock

log = logging.getLogger(__name__)

STRIPE, DATABASE = "Stripe", "the database"
_TRUSTED = (STRIPE, DATABASE)
"""Best first. A database may stand on this very machine, and then it only repeats our own mistake."""

TOLERATED = timedelta(seconds=60)
"""Less than this is not worth a word: an answer takes time, and a `Date` header tells whole seconds."""
_FRESH = timedelta(hours=3)
"""How long a source's word is preferred to that of one trusted less. Stripe is asked each hour."""


@dataclass(frozen=True)
class _Heard:
    at: datetime  # by this machine's clock
    offset: timedelta


class ClockWatch:
    """Compares the machine's clock with others'. Threads may share it."""

    def __init__(self, machine: Clock | None = None) -> None:
        self._machine = machine or SystemClock()
        self._guard = threading.Lock()
        self._heard: dict[str, _Heard] = {}
        self._warned: timedelta | None = None

    def now(self) -> datetime:
        """The machine's time, right or wrong."""
        return self._machine.now()

    def heard(self, source: str, theirs: datetime) -> None:
        """`source` (`STRIPE`, `DATABASE`) says that it is `theirs` now. The log tells when what is known changes."""
        ours = self._machine.now()
        with self._guard:
            self._heard[source] = _Heard(ours, theirs - ours)
            said, offset = self._judged()
            if self._warned is None and abs(offset) <= TOLERATED:
                return
            if self._warned is not None and abs(offset - self._warned) <= TOLERATED < abs(offset):
                return
            self._warned = offset if abs(offset) > TOLERATED else None
        if abs(offset) > TOLERATED:
            log.warning("this machine's clock is %s, by %s; nothing stops, but set it right", _words(offset), said)
        else:
            log.info("this machine's clock is right again, by %s", said)

    def last_heard(self, source: str) -> datetime | None:
        """When the source was heard last, by the machine's clock."""
        heard = self._heard.get(source)
        return None if heard is None else heard.at

    @property
    def offset(self) -> timedelta:
        """Theirs less ours, by the best source of late; zero where nobody was heard, negative where ours is fast."""
        with self._guard:
            return self._judged()[1]

    @property
    def warning(self) -> str | None:
        """`fast by 600 s`, `slow by 600 s`; None where the clock is right, as far as is known."""
        offset = self.offset
        return _words(offset) if abs(offset) > TOLERATED else None

    def corrected(self, ours: datetime) -> datetime:
        """A moment by this machine's clock, as those say who know better; unchanged where the clock is right."""
        offset = self.offset
        return ours + offset if abs(offset) > TOLERATED else ours

    def _judged(self) -> tuple[str, timedelta]:
        ours = self._machine.now()
        known = [(source, self._heard[source]) for source in _TRUSTED if source in self._heard]
        if not known:
            return "", timedelta(0)
        fresh = (each for each in known if abs(ours - each[1].at) <= _FRESH)
        source, heard = next(fresh, known[0])
        return source, heard.offset


def _words(offset: timedelta) -> str:
    return f"{'slow' if offset > timedelta(0) else 'fast'} by {round(abs(offset).total_seconds())} s"
