"""The hub of live walls, straight on a database: slow listeners, many of them, and a database that goes away."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import delete, update

from app.kernel import feed
from app.kernel.database import Database
from app.kernel.errors import NotFound, Unavailable
from app.kernel.feed import FeedEnd, FeedEntry
from app.kernel.feed_relay import Relay
from app.storefront import shelf
from app.storefront.answers import Answer, Ask
from app.storefront.live import hub as live
from app.storefront.live.hub import Hub
from app.walls import service as walls
from tests.clock import TestClock
from tests.db.lines import OWN, BrowserLine, asked, run
from tests.db.referring import Shop, written


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


def test_who_is_slow_hears_the_latest_counts_and_not_all_between(
    database: Database, shop: Shop, like: Callable[..., None]
) -> None:
    wall, (mug, cup, _) = shop.wall(), shop.products

    async def story(hub: Hub) -> None:
        slow, quick = (
            BrowserLine().open(await hub.live(asked(), wall)),
            BrowserLine().open(await hub.live(asked(), wall)),
        )
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
        lines = [BrowserLine().open(await hub.live(asked(), wall)) for _ in range(2)]
        await lines[1].until(lambda line: bool(line.events))
        with pytest.raises(Unavailable) as full:
            await hub.live(asked(), wall)
        assert full.value.retry_after == live.RETRY_AFTER
        await lines[0].hang_up()
        third = BrowserLine().open(await hub.live(asked(), wall))
        await third.until(lambda line: bool(line.events))
        for line in (lines[1], third):
            await line.hang_up()

    run(database, story, most=2)


def test_all_streams_end_at_once_also_those_who_do_not_listen(database: Database, shop: Shop) -> None:
    wall = shop.wall()

    async def story(hub: Hub) -> None:
        quick, deaf = (
            BrowserLine().open(await hub.live(asked(), wall)),
            BrowserLine().open(await hub.live(asked(), wall)),
        )
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
        line = BrowserLine().open(await hub.live(asked(), wall))
        await line.until(lambda line: line.sent.count(b":\n\n") >= 2)
        await line.hang_up()

    run(database, story)


def test_a_second_listener_misses_nothing_of_what_was_kept_ready_for_another(
    database: Database, shop: Shop, like: Callable[..., None]
) -> None:
    """A beginning is kept ready for a second; what happens meanwhile is told by the wall's own recent past."""
    wall, (mug, _, _) = shop.wall(), shop.products

    async def story(hub: Hub) -> None:
        first = BrowserLine().open(await hub.live(asked(), wall))
        await first.until(lambda line: bool(line.events))
        await asyncio.to_thread(like, mug)
        await first.until(lambda line: line.events[-1] == {"likes": {mug: 1}})
        second = BrowserLine().open(await hub.live(asked(), wall))
        await second.until(lambda line: bool(line.events) and line.events[-1]["likes"] == {mug: 1})
        for line in (first, second):
            await line.hang_up()

    run(database, story)


def test_who_hangs_up_before_anything_was_said_leaves_their_place_to_others(database: Database, shop: Shop) -> None:
    wall = shop.wall()

    async def story(hub: Hub) -> None:
        for _ in range(3):
            deaf = BrowserLine()
            deaf.takes.clear()
            deaf.open(await hub.live(asked(), wall))
            await deaf.until(lambda line: line.status == 200)
            assert hub.streams == 1
            await deaf.cut()
            assert hub.streams == 0

    run(database, story, most=1)


def test_a_stream_that_ends_before_its_head_was_taken_ends_whole(database: Database, shop: Shop) -> None:
    wall = shop.wall()

    async def story(hub: Hub) -> None:
        slow = BrowserLine()
        slow.takes.clear()
        slow.open(await hub.live(asked(), wall))
        await slow.until(lambda line: line.status == 200)
        hub.end()
        slow.takes.set()
        await slow.end()
        assert slow.is_over
        assert hub.streams == 0

    run(database, story)


def test_many_who_come_at_once_do_not_pass_the_limit_together(database: Database, shop: Shop) -> None:
    wall = shop.wall()

    async def story(hub: Hub) -> None:
        lines = [BrowserLine().come(hub.live(asked(), wall)) for _ in range(40)]
        for line in lines:
            await line.until(lambda line: line.status != 0)
        assert [200] * 10 + [503] * 30 == sorted(line.status for line in lines)
        for line in lines:
            await line.hang_up()

    run(database, story, most=10)


def test_streams_end_where_the_database_was_put_back_and_begin_anew(
    database: Database, shop: Shop, like: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "FRESH_FOR", 0.0)  # what was kept ready is not from before
    wall, (mug, cup, _) = shop.wall(), shop.products
    like(mug, 2)

    async def story(hub: Hub) -> None:
        line = BrowserLine().open(await hub.live(asked(), wall))
        await line.until(lambda line: bool(line.events))
        await asyncio.to_thread(put_back, database, shop.merchant, 1)
        await asyncio.to_thread(like, cup, 3)  # further than it had come before
        await line.end()
        again = BrowserLine().open(await hub.live(asked(**{"last-event-id": line.last_id}), wall))
        await again.until(lambda line: bool(line.events))
        assert {"likes": {mug: 2, cup: 3}, "all": True, "shown": sorted(shop.products)} == again.events[0]
        await again.hang_up()

    run(database, story)


def put_back(database: Database, merchant: int, entries: int) -> None:
    """Let the feed be as it was so many entries ago."""
    with database.transaction() as session:
        end = feed.ends(session, [merchant])[merchant].position - entries
        session.execute(delete(FeedEntry).where(FeedEntry.merchant_id == merchant, FeedEntry.position > end))
        session.execute(update(FeedEnd).where(FeedEnd.merchant_id == merchant).values(position=end))


def test_places_that_are_made_up_are_no_work(
    database: Database, shop: Shop, like: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    wall, read = shop.wall(), []
    product_ids = walls.product_ids
    monkeypatch.setattr(walls, "product_ids", lambda *given: read.append(1) or product_ids(*given))  # type: ignore[func-returns-value]
    like(shop.products[0])

    async def story(hub: Hub) -> None:
        for number in range(20):
            await hub.live(asked(**{"last-event-id": f"1-{number:012}"}), wall)
        assert len(read) <= 3  # once a second

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
