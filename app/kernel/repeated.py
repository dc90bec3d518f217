"""Work that a process does again and again beside all else, in a thread of its own. Knows no database and no domain.

It is for what must never end before the process does: a failure is logged and tried again, later each time.
"""

import logging
import random
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

from app.kernel.trouble import tell_of

log = logging.getLogger(__name__)

LATE: Final = 5.0
"""Seconds before it is tried again after failures: as long as it waits anyhow, then twice as long each time, at most
this. So much later it is seen that a database is back, where nobody tells."""
_REST: Final = 0.2
"""Seconds after a failure in which nobody can wake it."""


class Repeated:
    """Does `work` from `start` to `stop`, never twice at once.

    It begins anew `every` so many seconds after it has ended, or as soon as somebody wakes it by `wake` (or sets
    `woken`, which others may share), but never before the rest is over for which `work` asks, in seconds. Who wakes it
    after a failure is heard as well: they have just come through to what was away. `trouble` says in the log what
    cannot be done. Whatever takes long asks `is_stopping` from step to step.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], float],
        *,
        every: float,
        trouble: str,
        waits_first: bool = False,
        woken: threading.Event | None = None,
    ) -> None:
        self._work = work
        self._every = every
        self._trouble = trouble
        self._waits_first = waits_first
        self._failures = 0
        self._woken = woken or threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"grapevine-{name}", daemon=True)

    @property
    def is_stopping(self) -> bool:
        """Whether it is to end: what is left is somebody else's, or the next start's."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin, at once or, where it `waits_first`, after the first wait. Raises RuntimeError the second time."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to do. Waits for nothing; any thread may call it, however often."""
        self._woken.set()

    def leave_off(self) -> None:
        """End at the next step; waits for nothing."""
        self._stopping.set()
        self._woken.set()

    def stop(self, timeout: float = 10.0) -> None:
        """Leave off, and wait `timeout` seconds at the most until that is done. Harmless twice, or before a start."""
        self.leave_off()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        if self._waits_first:
            self._woken.wait(self._every)
        while not self.is_stopping:
            self._woken.clear()
            rest, wait = self._turn()
            rested_at = monotonic()
            self._stopping.wait(rest)
            if not self.is_stopping:
                self._woken.wait(max(0.0, rested_at + wait - monotonic()))

    def _turn(self) -> tuple[float, float]:
        """Do the work once. How many seconds it must rest now, and how many it waits where nobody wakes it."""
        try:
            rest = self._work()
        except Exception as error:  # whatever it is: a thread that is gone would do nothing more
            tell_of(log, self._trouble, error)
            self._failures += 1
            wait = min(self._every * 2.0 ** min(self._failures - 1, 20), max(self._every, LATE))
            wait *= random.uniform(0.8, 1.2)  # noqa: S311  # spreads load, guards nothing
            return min(_REST, wait), wait
        self._failures = 0
        return rest, self._every
