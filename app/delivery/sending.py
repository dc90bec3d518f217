"""Sends what was made out. One thread looks after the database; each attempt waits for its receiver in its own.

What has ended and what is taken next are written in one transaction, so there are as few commits as the disk allows.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime
from time import monotonic
from typing import Final

from sqlalchemy.orm import Session

from app.delivery import queue
from app.delivery.queue import Ended, Task
from app.delivery.receivers import Receiver, Receivers
from app.delivery.telling import PATIENCE, Outcome, tell
from app.delivery.vault import Vault
from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.outgoing import Guard
from app.kernel.repeated import Repeated
from app.kernel.sealing import Unsealable
from app.kernel.trouble import tell_of

log = logging.getLogger(__name__)

LOOKS_EVERY: Final = 1.0
"""Seconds between two looks at what has become due."""
_KNOWN_FOR: Final = 0.5
"""Seconds for which it is known which endpoints have something due, unless something new was made out."""
_REST: Final = 0.01
"""Seconds between two rounds: what ends meanwhile is written down together."""
_LAST: Final = 5.0
"""Seconds that what is under way has to end when the process does; what has not is told again by the next."""

_SEALED = "the server's own secret is another than when this endpoint's was made: rotate it"


class Sending(Repeated):
    """Does so until it is stopped. Many processes may: what one has taken the others pass over.

    `dated` corrects a moment of the clock, where that is known to be wrong: receivers refuse what is old.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        guard: Guard,
        vault: Vault,
        *,
        patience: float = PATIENCE,
        dated: Callable[[datetime], datetime] = lambda at: at,
    ) -> None:
        self._database = database
        self._clock = clock
        self._guard = guard
        self._vault = vault
        self._patience = patience
        self._dated = dated
        self._receivers = Receivers()
        self._due: set[Receiver] = set()
        self._known_until = 0.0
        self._ended: deque[tuple[Receiver, Ended]] = deque()
        self._unwritten: list[Ended] = []
        self._idle = threading.Condition()
        self._threads = 0
        super().__init__("webhooks", self._look, every=LOOKS_EVERY, trouble="webhooks cannot be sent")

    def wake_for_new(self) -> None:
        """Something was made out: look at once. Any thread may call it."""
        self._known_until = 0.0
        self.wake()

    def stop(self, timeout: float = 10.0) -> None:
        """Begin nothing more, and write down what ends within a few seconds."""
        super().stop(timeout)
        with self._idle:
            self._idle.wait_for(lambda: not self._threads, min(timeout, _LAST))
        try:
            self._round(begin=False)
        except Exception as error:  # it is told again; its receiver knows it by its id
            tell_of(log, "what was sent last cannot be written down", error)

    def _look(self) -> float:
        return _REST if self._round() else 0

    def _round(self, *, begin: bool = True) -> bool:
        """Write down what has ended, and begin what there is room for; whether there was either."""
        now = self._clock.now()
        self._hear_what_ended(now)
        ready = self._receivers.in_turn(self._known_to_be_due(now), now) if begin else []
        if not self._unwritten and not ready:
            return False
        begun: list[tuple[Receiver, Task]] = []
        try:
            with self._database.transaction() as session:
                queue.record(session, self._unwritten, now)
                for receiver in ready:
                    begun += self._take(session, receiver, now)
        except BaseException:
            for receiver, _ in begun:
                self._receivers.leave(receiver)
            raise
        self._unwritten.clear()
        for receiver, task in begun:
            self._start(receiver, task)
        return True

    def _hear_what_ended(self, now: datetime) -> None:
        while self._ended:
            receiver, (task, outcome) = self._ended.popleft()
            self._receivers.leave(receiver)
            self._receivers.learn(receiver, outcome, now)
            self._unwritten.append((task, outcome))
            self._due.add(receiver)  # what waited for this one is due when that is written down

    def _known_to_be_due(self, now: datetime) -> Collection[Receiver]:
        """The endpoints that have something due, as it was a moment ago."""
        if monotonic() >= self._known_until:
            self._known_until = monotonic() + _KNOWN_FOR
            with self._database.reading() as session:  # spares SQLite's writer where there is nothing to do
                self._due.update(queue.due(session, now))
            self._receivers.keep(self._due)
        return self._due

    def _take(self, session: Session, receiver: Receiver, now: datetime) -> list[tuple[Receiver, Task]]:
        """Tasks of one endpoint's, as many as there is room for."""
        room = self._receivers.room(receiver)
        tasks = queue.take(session, receiver, now, room) if room else []
        if len(tasks) < room:
            self._due.discard(receiver)  # nothing more just now
        for _ in tasks:
            self._receivers.enter(receiver)
        return [(receiver, task) for task in tasks]

    def _start(self, receiver: Receiver, task: Task) -> None:
        with self._idle:
            self._threads += 1
        name = f"grapevine-webhook-{task.delivery_id}"
        threading.Thread(target=self._send, args=(receiver, task), name=name, daemon=True).start()

    def _send(self, receiver: Receiver, task: Task) -> None:
        outcome = self._told(task)
        with self._idle:
            self._ended.append((receiver, (task, outcome)))
            self._threads -= 1
            self._idle.notify_all()
        self.wake()

    def _told(self, task: Task) -> Outcome:
        now = self._clock.now()
        try:
            by = self._vault.signing(task.endpoint, now)
        except Unsealable:
            return Outcome(now, 0, None, _SEALED)
        dated = self._dated(now)
        endpoint = task.endpoint
        of = endpoint.merchant_id
        return tell(self._guard, endpoint.url, task.event_id, task.body, by, dated, self._patience, of=of)
