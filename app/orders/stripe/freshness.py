"""Whether a signature is recent, though this machine's clock may be wrong. Knows no HTTP: it is told how to ask.

A rightly signed message that seems too old, or to come from the future, may be a replay, or the machine's clock may
be wrong. Then Stripe's own time decides, and a replay stays refused.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from app.kernel.clock_watch import STRIPE, ClockWatch

TOLERANCE = timedelta(minutes=5)
"""How long a signature is good for (Stripe's own choice)."""
ASKS_EVERY = timedelta(minutes=1)
_KNOWN_FOR = timedelta(hours=1)
"""How long Stripe's time is relied upon before it is asked again."""


class Freshness:
    """Judges stamps by Stripe's time. Threads may share it. `ask` has the watch hear it; it raises nothing."""

    def __init__(self, watch: ClockWatch, ask: Callable[[], None]) -> None:
        self._watch = watch
        self._ask = ask
        self._asking = threading.Lock()
        self._asked_at: datetime | None = None

    def accepts(self, stamp: datetime) -> bool:
        """Whether the stamp is of the last five minutes. One from the future, rightly signed, is no replay."""
        now = self._now()
        if abs(now - stamp) > TOLERANCE or not self._is_known():
            self._ask_now_and_then()
            now = self._now()
        return now - stamp <= TOLERANCE

    def _now(self) -> datetime:
        return self._watch.corrected(self._watch.now())

    def _is_known(self) -> bool:
        heard = self._watch.last_heard(STRIPE)
        return heard is not None and abs(self._watch.now() - heard) <= _KNOWN_FOR

    def _ask_now_and_then(self) -> None:
        """At most once a minute, whoever asks; the others wait for that answer."""
        with self._asking:
            now = self._watch.now()
            if self._asked_at is None or abs(now - self._asked_at) >= ASKS_EVERY:
                self._asked_at = now
                self._ask()
