"""A crowd that follows a wall: as many streams as are wanted, each a connection of its own, all in this thread."""

import selectors
import socket
import sys
from contextlib import suppress
from time import perf_counter
from types import TracebackType
from typing import Final

PATIENCE: Final = 60.0
"""Seconds in which all must have heard what is waited for."""
_AT_ONCE: Final = 250
"""So many knock together: more would only fill the queue before the door."""
_SPARE: Final = 200
"""Files that this process needs for everything else."""


def room_for(streams: int) -> bool:
    """Whether this process may have so many open; it asks the system for them. Servers begun from here on, too."""
    if sys.platform == "win32":
        return False
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * streams + _SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else hard
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft == resource.RLIM_INFINITY or soft >= streams + _SPARE


class Followers:
    """`size` streams of one wall, open until the block ends."""

    def __init__(self, port: int, wall: str, size: int) -> None:
        self._port = port
        self._request = f"GET /v1/walls/{wall}/live HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
        self._size = size
        self._open: list[socket.socket] = []
        self._heard: dict[socket.socket, bytes] = {}
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> "Followers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._selector.close()
        for line in self._open:
            line.close()

    def gather(self) -> float:
        """Open them all; seconds until the last has heard how its stream begins."""
        begin = perf_counter()
        while len(self._open) < self._size:
            new = [self._begin() for _ in range(min(_AT_ONCE, self._size - len(self._open)))]
            self._open += new
            self._hear(b"\nevent: likes\n", new)
        return perf_counter() - begin

    def _begin(self) -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
        line.sendall(self._request.encode())
        self._selector.register(line, selectors.EVENT_READ)
        return line

    def until_heard(self, word: str) -> float:
        """Seconds until everybody has heard `word` from now on."""
        begin = perf_counter()
        self._hear(word.encode(), self._open)
        return perf_counter() - begin

    def _hear(self, word: bytes, who: list[socket.socket]) -> None:
        """Listen until each of `who` has heard `word`. Raises `TimeoutError`, or `ConnectionError` when one is refused
        or cut off."""
        waiting, deadline = set(who), perf_counter() + PATIENCE
        self._heard = dict.fromkeys(who, b"")
        while waiting:
            ready = self._selector.select(PATIENCE)
            if perf_counter() > deadline:
                raise TimeoutError(f"{len(waiting)} streams have not heard it in {PATIENCE:.0f} s")
            for key, _ in ready:
                self._listen(key.fileobj, word, waiting)

    def _listen(self, line: object, word: bytes, waiting: set[socket.socket]) -> None:
        assert isinstance(line, socket.socket)
        part = line.recv(65_536)
        if not part:
            raise ConnectionResetError("a stream has ended")
        if line in waiting:
            self._heard[line] += part
            if word in self._heard[line]:
                waiting.discard(line)
