"""Lines on which nothing moves that should are cut, and hold no memory; those that have something to say are not."""

import asyncio
import logging
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
    if scope["path"] == "/headers":
        answer = b" ".join(name for name, _ in scope["headers"])
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


@pytest.mark.parametrize("wanted", [b"websocket", b"h2c"])
def test_who_asks_for_another_protocol_is_answered_in_this_one_and_no_operator_hears_of_it(
    port: int, caplog: pytest.LogCaptureFixture, wanted: bytes
) -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: %b\r\nSec-WebSocket-Version: 13\r\n" % wanted
    logging.getLogger("uvicorn.error").addHandler(caplog.handler)
    try:
        with line_to(port, head + b"\r\n") as line:
            assert line.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
    finally:
        logging.getLogger("uvicorn.error").removeHandler(caplog.handler)
    assert [] == caplog.messages


GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
PIECE = 16 * 1024


def say_on(line: socket.socket, piece: bytes) -> None:
    for _ in range(1000):
        line.sendall(piece)
        time.sleep(0.001)


@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        (b"GET /", b"a" * PIECE),
        (GET + b"X-Long: ", b"a" * PIECE),
        (GET, b"X-More: " + b"a" * (PIECE - 10) + b"\r\n"),
        (GET, b"a: b\r\n" * (PIECE // 6)),
        (CHUNKED + b"0\r\n", b"X-Behind: " + b"a" * (PIECE - 12) + b"\r\n"),
        (CHUNKED + b"1;", b"a" * PIECE),
    ],
    ids=["address", "one header", "large headers", "many headers", "behind the body", "beside a chunk"],
)
def test_a_head_that_does_not_end_is_not_kept(
    port: int, monkeypatch: pytest.MonkeyPatch, begins: bytes, goes_on: bytes
) -> None:
    """The parser would keep it as long as it comes."""
    monkeypatch.setattr(lines, "LOOKS_EVERY", 60.0)  # it is not cut for being slow
    with line_to(port, begins) as line:
        line.settimeout(10)
        with pytest.raises(ConnectionError):
            say_on(line, goes_on)
        with suppress(ConnectionError):
            said = line.recv(4096)
            assert said == b"" or said.startswith(b"HTTP/1.1 431 ")


def test_heads_of_usual_size_are_heard_however_many_come_on_one_line(port: int) -> None:
    head = GET + b"Cookie: " + b"a" * 50_000 + b"\r\n\r\n"
    with line_to(port) as line:
        for _ in range(5):
            for begin in range(0, len(head), 5000):
                line.sendall(head[begin : begin + 5000])
                time.sleep(0.001)
            assert line.recv(4096).startswith(b"HTTP/1.1 200")


def test_what_comes_behind_a_body_is_no_header_of_the_request(port: int) -> None:
    with line_to(port, b"POST /headers" + CHUNKED[6:]) as line:
        time.sleep(LOOKS / 2)
        line.sendall(b"0\r\nX-Behind: forged\r\n\r\n")
        answer = line.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"host transfer-encoding")
