"""Lines on which nothing moves that should are cut, and hold no memory; those that have something to say are not."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.kernel.http import lines
from tests.net import free_port, serving

LOOKS = 0.1
LARGE = 64 * 1024 * 1024


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body; under /large with more than any line holds."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/stream":
        await stream(receive, send)
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    answer = bytes(LARGE) if scope["path"] == "/large" else body
    head = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": answer})


async def stream(receive: Receive, send: Send) -> None:
    """Goes on until the other end has hung up, or was cut."""
    await send({"type": "http.response.start", "status": 200, "headers": []})

    async def speak() -> None:
        while True:
            await send({"type": "http.response.body", "body": bytes(1024), "more_body": True})
            await asyncio.sleep(0.001)

    speaking = asyncio.create_task(speak())
    while (await receive())["type"] != "http.disconnect":
        pass
    speaking.cancel()
    cut.set()


cut = threading.Event()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(lines, "LOOKS_EVERY", LOOKS)
    monkeypatch.setattr(uvicorn.config, "HTTP_PROTOCOLS", {"auto": "app.kernel.http.lines:HttpLine"})
    chosen = free_port()
    with serving(app, chosen):
        yield chosen


@contextmanager
def line_to(port: int, said: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(said)
        yield line


def is_cut(line: socket.socket) -> bool:
    """Whether the other end has hung up, in a few looks."""
    line.settimeout(LOOKS * 20)
    try:
        return line.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-More: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
    ],
    ids=["nothing", "half a line", "half a head", "half a body"],
)
def test_who_begins_and_says_no_more_is_cut(port: int, said: bytes) -> None:
    with line_to(port, said) as line:
        assert is_cut(line)


def test_half_a_second_request_is_cut_too(port: int) -> None:
    with line_to(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as line:
        assert line.recv(4096).startswith(b"HTTP/1.1 200")
        line.sendall(b"GET / HT")
        assert is_cut(line)


def test_who_speaks_slowly_is_heard_to_the_end(port: int) -> None:
    with line_to(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n") as line:
        for _ in range(10):
            time.sleep(LOOKS)
            line.sendall(b"x")
        assert line.recv(4096).endswith(b"xxxxxxxxxx")


def test_who_does_not_read_is_cut_and_who_reads_slowly_is_not(port: int) -> None:
    ask = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
    with line_to(port, ask) as lazy, line_to(port, ask) as slow:
        read = 0
        deadline = time.monotonic() + 60
        while read < LARGE:
            assert time.monotonic() < deadline
            piece = len(slow.recv(4 * 1024 * 1024))
            assert piece, "cut although it reads"
            read += piece
            time.sleep(LOOKS / 20)
        time.sleep(LOOKS * 8)
        lazy.settimeout(10)
        got = 0
        with suppress(ConnectionResetError):  # what was under way arrives before
            while piece := len(lazy.recv(4 * 1024 * 1024)):
                got += piece
        assert got < LARGE


def test_who_follows_a_stream_and_does_not_read_is_cut(port: int) -> None:
    cut.clear()
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        lazy.connect(("127.0.0.1", port))
        lazy.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert cut.wait(20)


def test_more_lines_than_there_is_room_for_are_told_to_come_back(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST", 3)
    with ExitStack() as opened:
        for _ in range(3):
            opened.enter_context(line_to(port))
        time.sleep(LOOKS / 2)
        with line_to(port) as fourth:
            answer = fourth.recv(4096)
            assert answer.startswith(b"HTTP/1.1 503")
            assert b"retry-after: 5" in answer
            assert is_cut(fourth)
    time.sleep(LOOKS)
    with line_to(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as line:
        assert line.recv(4096).startswith(b"HTTP/1.1 200")
