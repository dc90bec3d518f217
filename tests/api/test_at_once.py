"""What is answered without a task is answered as everything else: in order, on the same line, once, and the same."""

import asyncio
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from app.fastlane import FastLane
from app.kernel.http import lines
from app.kernel.http.at_once import From, Give
from app.kernel.http.lines import HttpLine
from tests.net import free_port, serving
from tests.shop import BROWSER, TestMerchant, ok

LATER = 0.2
RESTS = 0.3
TRIES = 5
HEAD = b"content-length: 5\r\n"
CLICK = re.compile(r"clk_[0-9a-z]{30}")


class Application:
    """Says by which way it was asked."""

    def at_once(self, url: bytes, headers: Sequence[tuple[bytes, bytes]], give: Give, come_from: From) -> bool:
        """Knows a few addresses."""
        del headers, come_from
        if url == b"/now":
            give(200, HEAD, b"ready")
        elif url == b"/later":
            asyncio.get_running_loop().call_later(LATER, give, 200, HEAD, b"later")
        elif url == b"/long":
            asyncio.get_running_loop().call_later(RESTS * 2, give, 200, HEAD, b"later")
        elif url == b"/large":
            give(200, b"content-length: 300000\r\n", bytes(300_000))
        return url in (b"/now", b"/later", b"/long", b"/large")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"asgi"})


class Impatient(HttpLine):
    """Rests for less than a second."""

    def __init__(self, *about: Any, **named: Any) -> None:
        super().__init__(*about, **named)
        self.timeout_keep_alive = RESTS  # type: ignore[assignment]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    chosen = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "HttpLine", Impatient)
        with serving(Application(), chosen):
            yield chosen


@contextmanager
def line_to(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        yield line


def get(path: str, *more: str, version: str = "1.1", method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: x", *more, "", ""]).encode()


def heard(line: socket.socket, last: bytes) -> bytes:
    got = b""
    while not got.endswith(last):
        piece = line.recv(65_536)
        assert piece, got
        got += piece
    return got


def test_one_line_is_answered_again_and_again(port: int) -> None:
    with line_to(port) as line:
        for path, body in (("/now", b"ready"), ("/asgi", b"asgi"), ("/later", b"later"), ("/now", b"ready")):
            line.sendall(get(path))
            answer = heard(line, body)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert 1 == answer.count(b"\r\ndate: ")


def test_a_large_answer_is_whole(port: int) -> None:
    assert bytes(300_000) == httpx.get(f"http://127.0.0.1:{port}/large").content


def test_what_is_asked_ahead_is_answered_in_order(port: int) -> None:
    with line_to(port) as line:
        line.sendall(get("/now") + get("/later") + get("/now") + get("/asgi") + get("/later"))
        got = b""
        while got.count(b"HTTP/1.1 200") < 5 or not got.endswith(b"asgi"):
            got += line.recv(65_536)
    bodies = [part.rpartition(b"\r\n")[2] for part in got.split(b"HTTP/1.1 200")[1:]]
    assert [b"ready", b"later", b"asgi", b"asgi", b"asgi"] == bodies  # who must wait goes the usual way


def test_a_line_is_not_at_rest_while_it_waits_for_what_was_asked_ahead(port: int) -> None:
    with line_to(port) as line:
        line.sendall(get("/now") + get("/long"))
        heard(line, b"later")


@pytest.mark.parametrize(
    "asked",
    [
        get("/now", method="POST"),
        get("/now", "Content-Length: 2") + b"{}",
        get("/now", "Connection: close"),
        get("/now", version="1.0"),
        get("/elsewhere"),
    ],
    ids=["another method", "a body", "for the last time", "an old version", "another address"],
)
def test_what_is_out_of_the_ordinary_goes_the_usual_way(port: int, asked: bytes) -> None:
    with line_to(port) as line:
        line.sendall(asked)
        heard(line, b"asgi")


def test_who_hangs_up_harms_nobody(port: int) -> None:
    with line_to(port) as line:
        line.sendall(get("/later"))
    time.sleep(LATER * 1.5)
    with line_to(port) as line:
        line.sendall(get("/now"))
        heard(line, b"ready")


def test_a_line_that_rests_is_closed_and_one_that_is_used_is_not(port: int) -> None:
    with line_to(port) as line:
        for _ in range(6):
            line.sendall(get("/now"))
            heard(line, b"ready")
            time.sleep(RESTS / 2)
        begin = time.monotonic()
        assert b"" == line.recv(1)
        assert time.monotonic() - begin < RESTS * 3


def test_a_server_that_stops_answers_first_and_hangs_up() -> None:
    chosen = free_port()
    with serving(Application(), chosen):
        line = socket.create_connection(("127.0.0.1", chosen), timeout=5)
        line.sendall(get("/later"))
        time.sleep(LATER / 4)
    with line:
        assert b"\r\nconnection: close\r\n" in heard(line, b"later")
        assert b"" == line.recv(1)


def told(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """All but what differs from one request to the next."""
    passing = {"date", "connection"}
    return answer.status_code, sorted(pair for pair in answer.headers.items() if pair[0] not in passing), answer.content


ASKED = {
    "plain": {"Accept-Encoding": "identity"},
    "packed": {"Accept-Encoding": "br"},
    "known": {"If-None-Match": "*"},
    "from a page": {"Origin": "https://blog.example"},
    "from a stranger": {"Origin": "https://stranger.example"},
}


@pytest.fixture
def given_at_once(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each request, in order, that was asked about was answered at once."""
    given: list[bool] = []
    really = FastLane.at_once

    def noted(lane: FastLane, *asked: Any) -> bool:
        given.append(really(lane, *asked))
        return given[-1]

    monkeypatch.setattr(FastLane, "at_once", noted)
    return given


@pytest.mark.parametrize("headers", ASKED.values(), ids=ASKED)
def test_a_payload_is_the_same_by_both_ways(
    new_merchant: Callable[..., TestMerchant], headers: dict[str, str], given_at_once: list[bool]
) -> None:
    merchant = new_merchant(allowed_origins=["https://blog.example"])
    wall = merchant.wall(merchant.product()["id"])
    with httpx.Client(headers={"User-Agent": BROWSER, **headers}) as browser:
        address = f"{merchant.base}/v1/walls/{wall['id']}/widget"
        for _ in range(TRIES):  # what is kept is looked at again in between, now and then
            browser.get(address)
            given_at_once.clear()
            both = [browser.get(address, headers={"Connection": way}) for way in ("keep-alive", "close")]
            assert told(both[0]) == told(both[1])
            if given_at_once == [True]:
                break
    assert [True] == given_at_once  # whoever hangs up goes the usual way


@pytest.mark.parametrize("landing", ["page", "merchant"])
@pytest.mark.parametrize("agent", [BROWSER, "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"])
def test_a_link_leads_to_the_same_by_both_ways(
    new_merchant: Callable[..., TestMerchant], landing: str, agent: str, given_at_once: list[bool]
) -> None:
    merchant = new_merchant()
    ok(merchant.http.patch("/v1/merchant", json={"landing": landing}))
    code = merchant.shopper().share(merchant.product(url="https://shop.example/mug")["id"])["code"]
    with httpx.Client(headers={"User-Agent": agent}, base_url=merchant.base) as browser:
        browser.get(f"/r/{code}")
        given_at_once.clear()
        both = [browser.get(f"/r/{code}", headers={"Connection": way}) for way in ("keep-alive", "close")]
    alike = [CLICK.sub("clk_", repr(told(answer))) for answer in both]
    assert alike[0] == alike[1]
    assert [agent == BROWSER] == given_at_once  # whoever hangs up goes the usual way
    clicks = {click for answer in both for click in CLICK.findall(repr(told(answer)))}
    assert (2 if agent == BROWSER else 0) == len(clicks)
