"""Wakes those who wait for what has just been committed, in this process and, on PostgreSQL, in all others.

Knows neither what is waited for nor who waits. A wake-up says only where to look: it may be lost, come twice or too
soon, so whoever hears it also looks from time to time by itself. Others are told on a line of its own, after the
commit, all that came together in one notice: no transaction of a request ever notifies
(docs/decisions/0020-wakeups.md).
"""

import logging
import random
import secrets
import selectors
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Final, Literal, get_args

from sqlalchemy import func, select

from app.kernel.database import Database
from app.kernel.notices import NoticeLine, line_to
from app.kernel.trouble import tell_of

log = logging.getLogger(__name__)

Name = Literal["jobs", "told", "placed", "shown", "named", "noted", "events", "webhooks"]
"""What happened: work was put into the outbox; the feed has entries without a position; the feed has new positions;
what walls show, or how people are called, is different, of the merchants that are named; the journal has entries
without a position; the journal has new positions; webhooks are to be sent that nothing new has caused."""

Hearer = Callable[[frozenset[int]], None]
"""Is given the numbers of the merchants concerned; none: it may be any. Called in any thread; must be quick."""

_CHANNEL: Final = "grapevine"
_REST: Final = 0.05
"""Seconds between two notices: what comes meanwhile is put together. A notice takes a lock of all that notify."""
_MOST: Final = 200
"""Merchants named in a notice, which PostgreSQL limits to 8,000 bytes; of more, none is named."""
_PROOF: Final = 5.0
"""Seconds within which a new line must hear what is said on another one."""
_SOON: Final = 0.5
_LATE: Final = 30.0
"""Seconds before the line is made anew: twice as long each time, from soon to late."""
_DEAF: Final = 300.0
"""Seconds before it is tried again where something between lets no notices through."""
_LOOKS: Final = 60.0
"""Seconds after which a line on which nothing was heard is asked whether it still stands."""

_NAMES: Final = frozenset(get_args(Name))


class Wakeups:
    """Of one process and one database. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._own = secrets.token_hex(6)
        self._hearers: dict[Name, list[Hearer]] = {}
        self._guard = threading.Lock()
        self._untold: dict[Name, set[int] | None] = {}  # None: it may be any merchant
        self._has_line = False
        self._said_deaf = False
        self._stopping = threading.Event()
        self._nudge: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def hear(self, name: Name, then: Hearer) -> None:
        """Call `then` whenever that happens, here or elsewhere."""
        self._hearers.setdefault(name, []).append(then)

    def ring(self, name: Name, about: Collection[int] = ()) -> None:
        """It has happened, and is committed: those here hear it now, other processes in a moment. Waits for nothing."""
        self._wake(name, frozenset(about))
        self.tell(name, about)

    def tell(self, name: Name, about: Collection[int] = ()) -> None:
        """The same, for other processes alone."""
        if not self._has_line:
            return
        with self._guard:
            known = self._untold.get(name, set())
            together = None if known is None or not about else known | set(about)
            self._untold[name] = None if together is not None and len(together) > _MOST else together
        self._stir()

    @property
    def hears(self) -> bool:
        """Whether other processes are heard just now. Elsewhere, and until then, everybody only looks by itself."""
        return self._has_line

    def start(self) -> None:
        """Listen to other processes, where the database lets them be heard."""
        if not self._database.is_sqlite:
            ear, self._nudge = _pair()
            self._thread = threading.Thread(target=self._run, args=(ear,), name="grapevine-wakeups", daemon=True)
            self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Listen no more."""
        self._stopping.set()
        self._stir()
        if self._thread is not None:
            self._thread.join(timeout)

    def _stir(self) -> None:
        if self._nudge is not None:
            with suppress(OSError):  # full: it is awake anyway; or closed: it has ended
                self._nudge.send(b".")

    def _wake(self, name: Name, about: frozenset[int]) -> None:
        for hearer in self._hearers.get(name, ()):
            hearer(about)

    # The line, in a thread of its own.

    def _run(self, ear: socket.socket) -> None:
        assert self._nudge is not None
        with ear, self._nudge:
            self._listen(ear)

    def _listen(self, ear: socket.socket) -> None:
        pause = _SOON
        while not self._stopping.is_set():
            try:
                with self._line() as line:
                    if line is None:
                        pause = _DEAF
                    else:
                        pause = _SOON
                        self._converse(line, ear)
            except Exception as error:  # the database may be away; it will be back
                tell_of(log, "other processes are not heard, and looked after only now and then", error)
            self._stopping.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311  # spreads load, guards nothing
            pause = min(2 * pause, _LATE)

    @contextmanager
    def _line(self) -> Iterator[NoticeLine | None]:
        """A line on which others are heard; None where something between lets nothing through."""
        with line_to(self._database) as line:
            line.listen(_CHANNEL)
            if self._is_heard(line):
                self._has_line, self._said_deaf = True, False
                try:
                    yield line
                finally:
                    self._has_line = False
                return
        if not self._said_deaf:
            self._said_deaf = True
            log.warning(
                "what other processes commit is seen a second later: notices of PostgreSQL do not arrive here, as "
                "behind a pooler that lends connections by the transaction"
            )
        yield None

    def _is_heard(self, line: NoticeLine) -> bool:
        """Whether what is said on another connection arrives here. Poolers take a LISTEN and say nothing of it."""
        word = secrets.token_hex(8)
        with self._database.transaction() as session:
            session.execute(select(func.pg_notify(_CHANNEL, word)))
        until = monotonic() + _PROOF
        with selectors.DefaultSelector() as waits:  # not `select`, which knows no line beyond the thousandth
            waits.register(line, selectors.EVENT_READ)
            while not self._stopping.is_set() and monotonic() < until:
                if word in line.heard():
                    return True
                waits.select(0.1)
        return False

    def _converse(self, line: NoticeLine, ear: socket.socket) -> None:
        """Hear and tell until the process stops. Raises where the line is cut."""
        for name in _NAMES:  # nobody knows what was missed
            self._wake(name, frozenset())
        with selectors.DefaultSelector() as waits:
            waits.register(line, selectors.EVENT_READ)
            waits.register(ear, selectors.EVENT_READ)
            while not self._stopping.is_set():
                if untold := self._take():
                    line.notify(_CHANNEL, f"{self._own} {untold}")
                    self._stopping.wait(_REST)
                for notice in line.heard():  # also what came with the answer to ours, which wakes no selector
                    self._hear(notice)
                if not waits.select(_LOOKS):
                    line.look()
                with suppress(BlockingIOError):
                    ear.recv(4096)

    def _take(self) -> str:
        with self._guard:
            untold, self._untold = self._untold, {}
        return " ".join(f"{name}:{','.join(map(str, sorted(about or ())))}" for name, about in untold.items())

    def _hear(self, notice: str) -> None:
        """Whoever may write into the database may say anything: what is not understood is nothing."""
        teller, *words = notice.split(" ")
        if teller == self._own:
            return
        for word in words:
            said, _, numbers = word.partition(":")
            about = frozenset(int(number) for number in numbers.split(",") if number.isdecimal())
            for name in _NAMES & {said}:
                self._wake(name, about)


def _pair() -> tuple[socket.socket, socket.socket]:
    """What is sent into the second wakes who waits at the first; neither ever waits."""
    ear, nudge = socket.socketpair()
    ear.setblocking(False)
    nudge.setblocking(False)
    return ear, nudge
