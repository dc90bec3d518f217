"""A queue of things to be sent by background threads, later, and at most so many at once. Knows nothing of webhooks."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
_IDLE: Final = 5.0  # seconds after which a thread without work ends


class DeliveryQueue(Generic[T]):
    """Hands each item to `send` when it is due, in order of due time. Thread-safe.

    Threads are started on demand, are daemons, and end when idle: a double that is forgotten costs nothing.
    """

    def __init__(self, send: Callable[[T], None]) -> None:
        self._send = send
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, T]] = []
        self._order = itertools.count()
        self._held = False
        self._closed = False
        self._sending = 0
        self._threads: set[threading.Thread] = set()
        self._most = 1

    def put(self, item: T, *, delay: float = 0.0) -> None:
        """Send `item` after `delay` seconds. Nothing happens once closed."""
        with self._changed:
            if not self._closed:
                heapq.heappush(self._due, (time.monotonic() + delay, next(self._order), item))
                self._wake()

    def hold(self) -> None:
        with self._changed:
            self._held = True

    def waiting(self) -> list[T]:
        """What is not sent yet, in order."""
        with self._changed:
            return [item for _, _, item in sorted(self._due, key=lambda due: due[:2])]

    def release(self, arrange: Callable[[list[T]], list[T]], *, concurrency: int, delay: float) -> None:
        """Send what waits, as `arrange` puts it, from `delay` seconds from now, `concurrency` at once."""
        with self._changed:
            items = arrange(self.waiting())
            at = time.monotonic() + delay
            self._due = [(at, next(self._order), item) for item in items]  # equal times, rising: a heap
            self._held = False
            self._most = concurrency
            self._wake()

    def drained(self, timeout: float) -> bool:
        """Wait until nothing waits and nothing is being sent; False if that takes longer than `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._sending, timeout)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify_all()
            threads = list(self._threads)
        for thread in threads:
            thread.join(timeout=_IDLE)

    def _wake(self) -> None:
        """Call with the lock held."""
        for _ in range(min(self._most, len(self._due)) - len(self._threads)):
            thread = threading.Thread(target=self._work, name="stripe-double-webhooks", daemon=True)
            self._threads.add(thread)
            thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            sent = False
            try:
                self._send(taken[0])
                sent = True
            finally:
                with self._changed:
                    self._sending -= 1
                    if not sent:  # this thread dies of it, loudly; the next put starts another
                        self._threads.discard(threading.current_thread())
                    self._changed.notify_all()

    def _next(self) -> tuple[T] | None:
        """The next item that is due, counted as being sent; None when this thread shall end."""
        idle_from = time.monotonic()
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                free = not self._held and self._sending < self._most
                if free and self._due and self._due[0][0] <= now:
                    self._sending += 1
                    return (heapq.heappop(self._due)[2],)
                if not self._due and now - idle_from > _IDLE:
                    break
                self._changed.wait(min(_IDLE, max(0.0, self._due[0][0] - now)) if free and self._due else _IDLE)
            self._threads.discard(threading.current_thread())
            return None
