"""What is held for an answer that is sent while it is read: no longer than somebody reads it, by no more than a few."""

import itertools
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack

import anyio
import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kernel.errors import Unavailable
from app.reports import streaming
from app.reports.streaming import AT_ONCE, BrokenOff, sent
from tests.net import free_port, serving


class Held:
    """What an answer is read from."""

    def __init__(self) -> None:
        self.said = list[str]()

    def stack(self) -> ExitStack:
        stack = ExitStack()
        stack.callback(self.said.append, "let go")
        return stack

    def pieces(self, of: Iterable[str]) -> Generator[str, None, None]:
        try:
            yield from of
        finally:
            self.said.append("read")


def free() -> int:
    """How many more could be sent a long answer now."""
    with ExitStack() as places:
        for number in range(AT_ONCE.most):
            try:
                places.enter_context(AT_ONCE)
            except Unavailable:
                return number
    return AT_ONCE.most


def failing_after(pieces: int, error: BaseException) -> Iterator[str]:
    yield from ["piece"] * pieces
    raise error


def heard(app: ASGIApp, stops: bool = False) -> list[Message]:
    """What `app` says to somebody who does not go away; who `stops` reads its beginning alone."""
    said = list[Message]()

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        said.append(message)
        if stops and message["type"] == "http.response.body":
            await anyio.sleep_forever()

    async def run() -> None:
        await app({"type": "http", "path": "/report"}, receive, send)

    anyio.run(run)
    return said


@pytest.mark.parametrize("pieces", [[], ["all of it"]])
def test_what_fits_into_one_piece_is_sent_whole_and_holds_nothing(pieces: list[str]) -> None:
    held = Held()
    with ExitStack() as others:
        for _ in range(AT_ONCE.most):
            others.enter_context(AT_ONCE)
        answer = sent(held.pieces(pieces), "text/csv", held.stack())
    assert ["read", "let go"] == held.said
    assert str(len("".join(pieces))) == answer.headers["content-length"]
    assert b"".join(piece.encode() for piece in pieces) == heard(answer)[-1]["body"]


def test_a_long_answer_has_a_place_until_it_is_sent() -> None:
    held = Held()
    answer = sent(held.pieces(["one", "two", "three"]), "text/csv", held.stack())
    assert (AT_ONCE.most - 1, []) == (free(), held.said)
    assert [b"one", b"two", b"three", b""] == [message["body"] for message in heard(answer)[1:]]
    assert (AT_ONCE.most, ["read", "let go"]) == (free(), held.said)


def test_one_too_many_is_refused_and_holds_nothing() -> None:
    held = Held()
    with ExitStack() as others:
        for _ in range(AT_ONCE.most):
            others.enter_context(AT_ONCE)
        with pytest.raises(Unavailable):
            sent(held.pieces(["one", "two"]), "text/csv", held.stack())
        assert ["read", "let go"] == held.said
        sent(held.pieces(["one", "two"]), "text/csv")  # for which nothing is held


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
def test_what_cannot_be_read_holds_nothing(after: int, error: BaseException) -> None:
    held = Held()
    with pytest.raises(type(error)):
        sent(held.pieces(failing_after(after, error)), "text/csv", held.stack())
    assert (AT_ONCE.most, ["read", "let go"]) == (free(), held.said)


def test_what_fails_later_ends_without_its_end_and_holds_nothing() -> None:
    held = Held()
    answer = sent(held.pieces(failing_after(3, ValueError())), "text/csv", held.stack())
    with pytest.raises(ValueError):  # noqa: PT011 - it is that one
        heard(answer)
    assert (AT_ONCE.most, ["read", "let go"]) == (free(), held.said)


def test_an_answer_that_nobody_came_to_send_holds_nothing() -> None:
    held = Held()
    answer = sent(held.pieces(["one", "two"]), "text/csv", held.stack())
    assert AT_ONCE.most - 1 == free()
    del answer
    assert (AT_ONCE.most, ["read", "let go"]) == (free(), held.said)


def test_who_does_not_read_in_time_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LONGEST", 0.1)
    held = Held()
    answer = sent(held.pieces(itertools.repeat("piece")), "text/csv", held.stack())
    with pytest.raises(BrokenOff):
        heard(answer, stops=True)
    assert (AT_ONCE.most, ["read", "let go"]) == (free(), held.said)


def test_who_is_broken_off_can_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LONGEST", 0.3)
    held, port = Held(), free_port()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await sent(held.pieces(itertools.repeat("x" * 1000)), "text/csv", held.stack())(scope, receive, send)

    with serving(app, port), httpx.stream("GET", f"http://127.0.0.1:{port}/", timeout=20) as answer:
        assert 200 == answer.status_code
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()
    assert ["read", "let go"] == held.said
