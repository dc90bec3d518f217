"""Hears that the server is told to stop, before it waits for the answers under way: some of ours never end by
themselves. Knows signals, not what is done then."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_stop(then: Callable[[], None]) -> Iterator[None]:
    """Call `then` in the running loop when the process is told to stop; whoever listened to that hears it too.

    Only a process's main thread can hear signals; who serves in another (tests, the demonstration's other servers)
    must say so themselves.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def told(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(then)
        earlier = before[signal.Signals(number)]
        if callable(earlier):
            earlier(number, frame)

    for number in _SIGNALS:
        signal.signal(number, told)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
