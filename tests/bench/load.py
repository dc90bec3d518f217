"""The load: keep-alive connections that ask, wait for the answer and ask again, in a process of its own.

Standard library only and no event loop, so that it is faster than any server it asks. It reaches loopback
and nothing else, with a bounded number of connections for a bounded time. Reads a `Plan` from standard
input, writes a `Result` to standard output.
"""

import json
import selectors
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count, cycle
from math import inf
from time import perf_counter, process_time

CONNECTIONS = 64
LONGEST = 10.0
"""Seconds that one plan may take at most."""
PATIENCE = 10.0
"""Seconds after which an answer that does not come ends the run."""
NUMBER = b"%012d" % 0
"""Where this stands in a request, each request gets a number of its own, of the same length."""
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_EMPTY = (b"204", b"304")
"""Statuses of answers that have no body (RFC 9110, 6.4.1)."""


@dataclass(frozen=True)
class Plan:
    """Ask the server on `port` for `seconds`, after `warm_up` seconds that do not count."""

    port: int
    requests: list[str]  # raw HTTP/1.1, taken in turn
    status: int  # of every answer, or it has failed
    seconds: float
    warm_up: float = 0.2
    first_number: int = 0
    most: int = 1_000_000_000  # requests


@dataclass(frozen=True)
class Result:
    """What came of it. Times in seconds."""

    answers: int  # as expected, in the time that counted
    seconds: float
    median: float
    p99: float
    size: int  # bytes of the last answer, without its head
    busy: float  # part of the time in which the load itself was computing: near 1 it was the limit
    failed: dict[str, int]  # other statuses, and how often

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def ask(plan: Plan) -> Result:
    """Carry out the plan. Raises `OSError` when the server hangs up or falls silent."""
    requests = _numbered(plan)
    selector = selectors.DefaultSelector()
    connections = [_Connection(plan.port) for _ in range(CONNECTIONS)]
    computing, begin = process_time(), perf_counter()
    counted_from = begin + plan.warm_up
    end = counted_from + min(plan.seconds, LONGEST)
    try:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(requests))
        _take_turns(selector, requests, len(connections), end, plan.most - len(connections))
        busy = (process_time() - computing) / (perf_counter() - begin)
    finally:
        selector.close()
        for connection in connections:
            connection.socket.close()
    answers = [answer for connection in connections for answer in connection.answers]
    return _result(plan, [answer for answer in answers if counted_from <= answer[0] < end], busy, connections[0].size)


def _take_turns(
    selector: selectors.BaseSelector, requests: Iterator[bytes], waiting: int, end: float, most: int
) -> None:
    """Ask until `end`, at `most` so many, then wait for the answers that are still to come, so that the next run is not
    disturbed."""
    while waiting:
        ready = selector.select(PATIENCE)
        if not ready:
            raise TimeoutError(f"{waiting} requests had no answer after {PATIENCE} s")
        for key, _ in ready:
            connection: _Connection = key.data
            if not connection.receive():
                continue
            if connection.sent < end and most > 0:
                connection.send(next(requests))
                most -= 1
            else:
                waiting -= 1


def _numbered(plan: Plan) -> Iterator[bytes]:
    numbers = count(plan.first_number)
    for request in cycle([text.encode() for text in plan.requests]):
        yield request.replace(NUMBER, b"%012d" % next(numbers)) if NUMBER in request else request


class _Connection:
    """One connection with one question at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.settimeout(None)  # one with a timeout would poll before each read
        self.answers: list[tuple[float, float, int]] = []  # when, after how long, with which status
        self.size = 0
        self.sent = inf
        self._got = b""

    def send(self, request: bytes) -> None:
        self.socket.sendall(request)
        self.sent = perf_counter()

    def receive(self) -> bool:
        """Take what has come; whether the answer is whole."""
        part = self.socket.recv(16_384)
        if not part:
            raise ConnectionResetError("the server hung up")
        self._got += part
        head = self._got.find(_HEAD_END)
        if head < 0:
            return False
        size = _length(self._got[: head + 2])
        if len(self._got) < head + len(_HEAD_END) + size:
            return False
        now = perf_counter()
        self.answers.append((now, now - self.sent, int(self._got[9:12])))
        self.sent, self.size, self._got = now, size, b""
        return True


def _length(head: bytes) -> int:
    if head[9:12] in _EMPTY:
        return 0
    start = head.find(_LENGTH)
    if start < 0:
        start = head.lower().find(_LENGTH)  # as others' servers write it
    if start < 0:
        raise ConnectionError(f"an answer without Content-Length: {head[:200]!r}")
    start += len(_LENGTH)
    return int(head[start : head.index(b"\r", start)])


def _result(plan: Plan, answers: list[tuple[float, float, int]], busy: float, size: int) -> Result:
    took = sorted(taken for _, taken, status in answers if status == plan.status)
    others = Counter(str(status) for _, _, status in answers if status != plan.status)
    return Result(
        answers=len(took),
        seconds=min(plan.seconds, LONGEST),
        median=took[len(took) // 2] if took else 0.0,
        p99=took[len(took) * 99 // 100] if took else 0.0,
        size=size,
        busy=busy,
        failed=dict(others),
    )


if __name__ == "__main__":
    json.dump(asdict(ask(Plan(**json.load(sys.stdin)))), sys.stdout)
