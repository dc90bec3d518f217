"""Only so many requests are inside at once, and none waits for ever; whoever is too many is told when to come back."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import anyio.to_thread
import pytest
from starlette.types import Message, Receive, Scope, Send

from app.kernel.http.crowd import Crowd

SHORT = 0.15
"""Seconds of patience in these tests."""

Inside = Callable[[], Awaitable[None]]


@dataclass
class Asked:
    """A request and its answer."""

    body: list[bytes] = field(default_factory=list)
    length: int | None = None
    method: str = "POST"
    pause: float = 0.0
    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        length = len(b"".join(self.body)) if self.length is None else self.length
        headers = [(b"content-length", b"%d" % length)] if length >= 0 else []
        return {"type": "http", "method": self.method, "path": "/", "headers": headers}

    async def receive(self) -> Message:
        await asyncio.sleep(self.pause)
        piece = self.body.pop(0) if self.body else b""
        return {"type": "http.request", "body": piece, "more_body": bool(self.body)}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert self.status == 0, "answered twice"
            self.status, self.headers = message["status"], dict(message["headers"])

    @property
    def is_put_off(self) -> bool:
        return self.status == 503 and int(self.headers[b"retry-after"]) > 0


def app_that(does: Callable[[Receive], Awaitable[None]]) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await does(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


async def ask(crowd: Crowd, asked: Asked) -> Asked:
    await crowd(asked.scope, asked.receive, asked.send)
    return asked


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds up threads until it is set."""
    made = threading.Event()
    yield made
    made.set()


def test_whoever_is_too_many_is_told_to_come_back_and_those_inside_are_answered() -> None:
    async def story() -> None:
        open_now = asyncio.Event()

        async def wait(_: Receive) -> None:
            await open_now.wait()

        crowd = Crowd(app_that(wait), most=2)
        inside = [asyncio.create_task(ask(crowd, Asked())) for _ in range(2)]
        await asyncio.sleep(0)
        assert (await ask(crowd, Asked(method="GET"))).is_put_off
        open_now.set()
        assert [200, 200] == [(await each).status for each in inside]
        assert (await ask(crowd, Asked())).status == 200, "there is room again"

    asyncio.run(story())


def test_bodies_are_let_in_as_far_as_there_is_room_and_one_alone_always() -> None:
    async def story() -> None:
        open_now = asyncio.Event()

        async def wait(_: Receive) -> None:
            await open_now.wait()

        crowd = Crowd(app_that(wait), room=1000)
        first = asyncio.create_task(ask(crowd, Asked(length=5000)))
        await asyncio.sleep(0)
        assert (await ask(crowd, Asked(length=1))).is_put_off
        assert (await ask(crowd, Asked(length=-1))).is_put_off, "who does not say how long it is"
        without = asyncio.create_task(ask(crowd, Asked(length=1, method="GET")))
        await asyncio.sleep(0)
        open_now.set()
        assert [200, 200] == [(await first).status, (await without).status]
        small = [asyncio.create_task(ask(crowd, Asked(length=300))) for _ in range(3)]
        assert [200, 200, 200] == [(await each).status for each in small]

    asyncio.run(story())


def test_who_waits_in_vain_for_a_thread_is_told_so_and_nothing_is_done_for_them(gate: threading.Event) -> None:
    done = []

    def in_thread() -> None:
        gate.wait(5)
        done.append(1)

    async def story() -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1

        async def work(_: Receive) -> None:
            await anyio.to_thread.run_sync(in_thread)

        crowd = Crowd(app_that(work), patience=SHORT)
        working = asyncio.create_task(ask(crowd, Asked()))
        await asyncio.sleep(0.01)
        assert all(each.is_put_off for each in await asyncio.gather(*(ask(crowd, Asked()) for _ in range(5))))
        await asyncio.sleep(SHORT * 2)
        assert not working.done(), "who is in a thread is let be, however long that takes"
        gate.set()
        assert (await working).status == 200
        assert (await ask(crowd, Asked())).status == 200

    asyncio.run(story())
    assert len(done) == 2


def test_who_waits_in_vain_for_something_else_is_told_so() -> None:
    async def story() -> None:
        async def wait(_: Receive) -> None:
            await asyncio.Event().wait()

        assert (await ask(Crowd(app_that(wait), patience=SHORT), Asked())).is_put_off

    asyncio.run(story())


def test_a_body_that_comes_piece_by_piece_is_waited_for_and_one_that_stops_is_not() -> None:
    async def story() -> None:
        async def read(receive: Receive) -> None:
            while (await receive())["more_body"]:
                pass

        crowd = Crowd(app_that(read), patience=SHORT)
        slow = await ask(crowd, Asked(body=[b"x"] * 6, pause=SHORT / 2))
        assert slow.status == 200
        assert (await ask(crowd, Asked(body=[b"x"], pause=100))).is_put_off

    asyncio.run(story())


def test_an_answer_that_has_begun_goes_on_however_long_it_takes() -> None:
    async def story() -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await asyncio.sleep(SHORT * 3)
            await send({"type": "http.response.body", "body": b"end"})

        assert (await ask(Crowd(app, patience=SHORT), Asked())).status == 200

    asyncio.run(story())


def test_whoever_goes_away_goes_and_leaves_room() -> None:
    async def story() -> None:
        async def wait(_: Receive) -> None:
            await asyncio.Event().wait()

        crowd = Crowd(app_that(wait), most=1)
        gone = asyncio.create_task(ask(crowd, Asked()))
        await asyncio.sleep(0)
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
        assert gone.cancelled()
        left = asyncio.create_task(ask(crowd, Asked()))
        await asyncio.sleep(0)
        assert not left.done()
        left.cancel()

    asyncio.run(story())
