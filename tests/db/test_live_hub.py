"""The hub of live walls, straight on a database: slow listeners, many of them, and a database that goes away."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.kernel.database import Database
from app.kernel.errors import NotFound, Unavailable
from app.kernel.feed import Relay
from app.storefront.answers import Answer, Ask, Message, Stream
from app.storefront.live import hub as live
from app.storefront.live.hub import Hub
from tests.clock import TestClock
from tests.db.referring import Shop, written

OWN = "http://shop.localhost"


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


@pytest.fixture
def like(database: Database, shop: Shop) -> Callable[..., None]:
    """Likes by new visitors, each with its place in the feed."""
    relay = Relay(database, TestClock())

    def like(product: str, times: int = 1) -> None:
        for _ in range(times):
            written(database, [shop.like(shop.visitor(), product)])
            relay.place_all()

    relay.place_all()
    return like


class Line:
    """A browser's end of a line: what it was sent, and whether it takes more just now."""

    def __init__(self) -> None:
        self.status = 0
        self.sent: list[bytes] = []
        self.is_over = False
        self.takes = asyncio.Event()
        self.takes.set()
        self._hung_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self, stream: Answer | Stream) -> "Line":
        assert not isinstance(stream, Answer)
        self._task = asyncio.create_task(stream.run(self._receive, self._send))
        return self

    async def hang_up(self) -> None:
        self._hung_up.set()
        await self.end()

    async def end(self) -> None:
        assert self._task is not None
        await asyncio.wait_for(self._task, 10)

    async def until(self, done: Callable[["Line"], bool]) -> None:
        for _ in range(500):
            if done(self):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(self.sent)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was said, but for comments."""
        told = b"".join(self.sent).decode().split("\n\n")
        return [json.loads(each.split("data: ")[1]) for each in told if "data: " in each]

    async def _receive(self) -> Message:
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.sent.append(message["body"])
            self.is_over = not message.get("more_body")
        await self.takes.wait()


def run(database: Database, story: Callable[[Hub], Awaitable[None]], **options: Any) -> None:
    async def tell() -> None:
        hub = Hub(database, OWN, **options)
        try:
            await story(hub)
        finally:
            hub.end()
            hub.close()
            await asyncio.sleep(0.05)

    asyncio.run(tell())


def asked(**headers: str) -> Ask:
    return Ask("GET", headers, b"")


def test_who_is_slow_hears_the_latest_counts_and_not_all_between(
    database: Database, shop: Shop, like: Callable[..., None]
) -> None:
    wall, (mug, cup, _) = shop.wall(), shop.products

    async def story(hub: Hub) -> None:
        slow, quick = Line().open(await hub.live(asked(), wall)), Line().open(await hub.live(asked(), wall))
        await slow.until(lambda line: bool(line.events))
        slow.takes.clear()
        for number in range(1, 6):
            await asyncio.to_thread(like, mug)
            await quick.until(lambda line, n=number: line.events[-1] == {"likes": {mug: n}})  # type: ignore[misc]
        await asyncio.to_thread(like, cup)
        await quick.until(lambda line: line.events[-1] == {"likes": {cup: 1}})
        slow.takes.set()
        await slow.until(lambda line: line.events[-1] == {"likes": {mug: 5, cup: 1}})
        assert len(slow.events) <= 3 < len(quick.events)
        await slow.hang_up()
        await quick.hang_up()
        assert hub.streams == 0

    run(database, story)


def test_no_more_streams_are_begun_than_there_is_room_for(database: Database, shop: Shop) -> None:
    wall = shop.wall()

    async def story(hub: Hub) -> None:
        lines = [Line().open(await hub.live(asked(), wall)) for _ in range(2)]
        await lines[1].until(lambda line: bool(line.events))
        with pytest.raises(Unavailable) as full:
            await hub.live(asked(), wall)
        assert full.value.retry_after == live.RETRY_AFTER
        await lines[0].hang_up()
        third = Line().open(await hub.live(asked(), wall))
        await third.until(lambda line: bool(line.events))
        for line in (lines[1], third):
            await line.hang_up()

    run(database, story, most=2)


def test_all_streams_end_at_once_also_those_who_do_not_listen(database: Database, shop: Shop) -> None:
    wall = shop.wall()

    async def story(hub: Hub) -> None:
        quick, deaf = Line().open(await hub.live(asked(), wall)), Line().open(await hub.live(asked(), wall))
        for line in (quick, deaf):
            await line.until(lambda line: bool(line.events))
        deaf.takes.clear()
        hub.end()
        for line in (quick, deaf):
            await line.end()
        assert quick.is_over
        assert hub.streams == 0
        with pytest.raises(Unavailable):
            await hub.live(asked(), wall)

    run(database, story)


def test_lines_are_kept_awake(database: Database, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEATS_EVERY", 0.4)
    wall = shop.wall()

    async def story(hub: Hub) -> None:
        line = Line().open(await hub.live(asked(), wall))
        await line.until(lambda line: line.sent.count(b":\n\n") >= 2)
        await line.hang_up()

    run(database, story)


def test_a_second_listener_misses_nothing_of_what_was_kept_ready_for_another(
    database: Database, shop: Shop, like: Callable[..., None]
) -> None:
    """A beginning is kept ready for a second; what happens meanwhile is told by the wall's own recent past."""
    wall, (mug, _, _) = shop.wall(), shop.products

    async def story(hub: Hub) -> None:
        first = Line().open(await hub.live(asked(), wall))
        await first.until(lambda line: bool(line.events))
        await asyncio.to_thread(like, mug)
        await first.until(lambda line: line.events[-1] == {"likes": {mug: 1}})
        second = Line().open(await hub.live(asked(), wall))
        await second.until(lambda line: bool(line.events) and line.events[-1]["likes"] == {mug: 1})
        for line in (first, second):
            await line.hang_up()

    run(database, story)


def test_a_head_is_told_and_begins_nothing(database: Database, shop: Shop) -> None:
    wall = shop.wall()

    async def story(hub: Hub) -> None:
        told = await hub.live(Ask("HEAD", {"origin": OWN}, b""), wall)
        assert isinstance(told, Answer)
        assert (b"access-control-allow-origin", OWN.encode()) in told.headers
        assert hub.streams == 0
        with pytest.raises(NotFound):
            await hub.live(asked(), wall[:-1] + ("0" if wall[-1] != "0" else "1"))

    run(database, story)


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOKS_EVERY", 0.05)
