"""A line to PostgreSQL that can be bad: it loses the answer to a COMMIT that was done, breaks, hangs, or lets no notice
through, as poolers do.

Knows of PostgreSQL's protocol what a COMMIT looks like (a simple query, as psycopg sends it), or a statement that is a
transaction of its own (kernel/at_one_go.py, until psycopg prepares it) and how a notice begins, and nothing else.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
_ALONE = b"WITH written_0 AS"
_NOTICE = b"A"
_PIECE = 64 * 1024


@dataclass
class Proxy:
    """Forwards connections to `target`, a port of this machine."""

    target: int
    port: int = 0
    commits: int = 0
    """Seen since `lose` was said last."""
    lost: int = 0
    """Commits whose answer never arrived, since the beginning."""
    is_deaf: bool = False
    """Whether notices are kept back; on a line that only waits for them, nothing else comes with them."""
    _losing: int | None = None
    _calm: threading.Event = field(default_factory=threading.Event)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _pairs: list["_Pair"] = field(default_factory=list)

    def lose(self, number: int | None = 1) -> None:
        """Of the commits from now on, the answer to this one is lost: it is done, and the connection is cut. None:
        no answer is lost any more."""
        with self._guard:
            self.commits, self._losing = 0, number

    def hang(self) -> None:
        """Let nothing through, neither there nor back, and leave the connections open."""
        self._calm.clear()

    def flow(self) -> None:
        """Let everything through again."""
        self._calm.set()

    def cut(self) -> None:
        """Break all connections; new ones are welcome."""
        for pair in self._pairs:
            pair.close()
        self._pairs.clear()

    def _commits_now(self) -> bool:
        """A COMMIT comes by; whether its answer shall be lost."""
        with self._guard:
            self.commits += 1
            losing = self.commits == self._losing
            self.lost += losing
            return losing

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # closed: the end
            while True:
                client, _ = listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                pair = _Pair(client, server, self._calm.wait, self._commits_now, lambda: self.is_deaf)
                self._pairs.append(pair)
                for pump in (pair.ask, pair.answer):
                    threading.Thread(target=pump, name="proxy", daemon=True).start()


@dataclass
class _Pair:
    """One connection of a client, and ours to the server."""

    client: socket.socket
    server: socket.socket
    wait: Callable[[], bool]
    commits: Callable[[], bool]
    is_deaf: Callable[[], bool]
    swallow: bool = False
    """Nothing that the server says reaches the client any more."""

    def ask(self) -> None:
        """From the client to the server."""
        tail = b""
        with suppress(OSError):
            while piece := self.client.recv(_PIECE):
                self.wait()
                seen, tail = tail + piece, piece[-len(_ALONE) + 1 :]
                if _COMMIT in seen or _ALONE in seen:
                    tail = b""  # no commit is seen twice
                    self.swallow = self.commits() or self.swallow
                self.server.sendall(piece)
        self.close()

    def answer(self) -> None:
        """From the server to the client. It answers a COMMIT when that is on its disk."""
        with suppress(OSError):
            while piece := self.server.recv(_PIECE):
                self.wait()
                if self.swallow:
                    break
                if self.is_deaf() and piece.startswith(_NOTICE):
                    continue
                self.client.sendall(piece)
        self.close()

    def close(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # wakes who waits for it; closing alone does not
            end.close()


@contextmanager
def between(target: int) -> Iterator[Proxy]:
    """A line to the server on port `target` of this machine."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        proxy = Proxy(target, listener.getsockname()[1])
        proxy.flow()
        threading.Thread(target=proxy._accept, args=(listener,), name="proxy", daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.flow()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            proxy.cut()
