"""Only so many requests are inside at once, and none waits for ever; whoever is too many is told when to come back."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
import pytest
from starlette.types import Message, Receive, Scope, Send

from app.kernel.http.crowd import STEP, Crowd

SHORT = 0.15
"""Seconds of patience in these tests."""

Inside = Callable[[], Awaitable[None]]


@dataclass
class Asked:
    """A request and its answer."""

    body: list[bytes] = field(default_factory=list)
    length: int | None = None
    method: str = "POST"
    path: str = "/"
    pause: float = 0.0
    more: bool = False
    """The body stops short of its end."""
    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        length = len(b"".join(self.body)) if self.length is None else self.length
        headers = [(b"content-length", b"%d" % length)] if length > 0 else []
        headers = [(b"transfer-encoding", b"chunked")] if length < 0 else headers
        return {"type": "http", "method": self.method, "path": self.path, "headers": headers}

    async def receive(self) -> Message:
        await asyncio.sleep(self.pause)
        if self.more and not self.body:
            await asyncio.Event().wait()
        piece = self.body.pop(0) if self.body else b""
        return {"type": "http.request", "body": piece, "more_body": self.more or bool(self.body)}

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


async def read(receive: Receive) -> None:
    while (await receive())["more_body"]:
        pass


def small() -> Asked:
    return Asked(body=[b"x"])


def slow(size: int = 1, **about: Any) -> Asked:
    """So much of the body comes, and no more."""
    return Asked(body=[b"x" * size], length=-1, more=True, **about)


async def begin(crowd: Crowd, *asked: Asked) -> list["asyncio.Task[Asked]"]:
    tasks = [asyncio.create_task(ask(crowd, each)) for each in asked]
    await asyncio.sleep(0.01)
    return tasks


def end(tasks: Iterable["asyncio.Task[Asked]"]) -> None:
    for task in tasks:
        task.cancel()


def test_bodies_are_let_in_as_far_as_there_is_room_and_one_alone_always() -> None:
    async def story() -> None:
        open_now = asyncio.Event()

        async def work(receive: Receive) -> None:
            await read(receive)
            await open_now.wait()

        crowd = Crowd(app_that(work), room=1000)
        (first,) = await begin(crowd, Asked(body=[b"x" * 5000]))
        assert (await ask(crowd, small())).is_put_off
        without = await begin(crowd, Asked(body=[b"x"], method="GET"), Asked(method="DELETE"), Asked(length=-1))
        open_now.set()
        assert [200] * 4 == [(await each).status for each in (first, *without)]
        several = await begin(crowd, *(Asked(body=[b"x" * 300], length=10**9) for _ in range(3)))
        assert [200] * 3 == [(await each).status for each in several], "what is said to come weighs nothing"

    asyncio.run(story())


def test_whoever_is_slow_takes_nobodys_place() -> None:
    async def story() -> None:
        crowd = Crowd(app_that(read), most=3, room=1000)
        waiting = await begin(crowd, *(slow(300) for _ in range(3)))
        assert [200, 200] == [(await ask(crowd, each)).status for each in (small(), Asked(method="DELETE"))]
        (another,) = await begin(crowd, slow())
        assert [True, False, False] == [each.done() for each in waiting], "the eldest makes way"
        assert waiting[0].result().is_put_off
        end([*waiting, another])

    asyncio.run(story())


def test_where_bodies_are_too_much_whoever_carries_most_of_those_that_are_slow_makes_way() -> None:
    async def story() -> None:
        crowd = Crowd(app_that(read), room=1000)
        waiting = await begin(crowd, slow(300), slow(600))
        assert 200 == (await ask(crowd, Asked(body=[b"x" * 200]))).status
        await asyncio.sleep(0.01)
        assert [False, True] == [each.done() for each in waiting]
        assert waiting[1].result().is_put_off
        assert (await ask(crowd, Asked(body=[b"x" * 800]))).is_put_off, "it is the largest itself"
        assert 200 == (await ask(crowd, Asked(body=[b"x" * 700]))).status
        end(waiting)

    asyncio.run(story())


def test_what_is_read_piece_by_piece_weighs_a_piece() -> None:
    async def story() -> None:
        crowd = Crowd(app_that(read), room=1000, streamed=("/long",))
        streams = await begin(crowd, *(Asked(body=[b"x" * 90] * 9, more=True, path="/long") for _ in range(9)))
        assert 200 == (await ask(crowd, Asked(body=[b"x" * 100]))).status
        assert not any(each.done() for each in streams)
        end(streams)

    asyncio.run(story())


def test_some_are_asked_past_everybody() -> None:
    async def story() -> None:
        async def wait(_: Receive) -> None:
            await asyncio.Event().wait()

        app = app_that(read)
        crowd = Crowd(app_that(wait), most=1, apart={"/healthz": app})
        inside = await begin(crowd, small())
        assert (await ask(crowd, small())).is_put_off
        assert 200 == (await ask(crowd, Asked(method="GET", path="/healthz"))).status
        end(inside)

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


def test_a_small_body_has_the_patience_once_and_a_large_one_for_each_step() -> None:
    async def story() -> None:
        crowd = Crowd(app_that(read), patience=SHORT, streamed=("/long",))
        quick = Asked(body=[b"x"] * 3, pause=SHORT / 6)
        trickling = Asked(body=[b"x"] * 8, pause=SHORT / 4)
        large = Asked(body=[b"x" * STEP] * 8, pause=SHORT / 4)
        streamed = Asked(body=[b"x"] * 8, pause=SHORT / 4, path="/long")
        await asyncio.gather(*(ask(crowd, each) for each in (quick, trickling, large, streamed)))
        assert [200, 503, 200, 200] == [each.status for each in (quick, trickling, large, streamed)]
        assert (await ask(crowd, slow(path="/long"))).is_put_off

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
