"""What is said to have changed is built anew at once, and not only when it is a second old; unless it cannot be."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from app.storefront.shelf import Shelf
from tests.shelved import AWAY, Builder, Thing


def is_a(key: str, _: Thing | None) -> bool:
    return key == "a"


def told(story: Callable[[Builder, Shelf[str, Thing]], Awaitable[None]]) -> None:
    async def tell() -> None:
        build = Builder()
        await story(build, Shelf(build, pool, 10))

    with ThreadPoolExecutor(2) as pool:
        asyncio.run(tell())


def test_what_has_changed_is_built_anew_and_nothing_else() -> None:
    async def story(_: Builder, shelf: Shelf[str, Thing]) -> None:
        assert [1, 2] == [(await shelf.get(key)).number for key in "ab"]
        shelf.outdate(is_a)
        assert [3, 2, 3] == [(await shelf.get(key)).number for key in "aba"]

    told(story)


def test_what_changes_while_it_is_built_is_built_once_more() -> None:
    async def story(build: Builder, shelf: Shelf[str, Thing]) -> None:
        build.gate.clear()
        asking = asyncio.create_task(shelf.get("a"))
        while not build.begun:
            await asyncio.sleep(0.001)
        shelf.outdate(is_a)
        build.gate.set()
        assert (await asking).number == 1
        assert [2, 2] == [(await shelf.get("a")).number for _ in range(2)]

    told(story)


def test_what_has_changed_is_given_as_it_was_while_the_database_is_away() -> None:
    async def story(build: Builder, shelf: Shelf[str, Thing]) -> None:
        await shelf.get("a")
        build.trouble = AWAY
        shelf.outdate(is_a)
        assert (await shelf.get("a")).number == 1

    told(story)


def test_it_is_told_what_is_kept_where_anything_is() -> None:
    async def story(build: Builder, shelf: Shelf[str, Thing]) -> None:
        kept = await shelf.get("a")
        build.gate.clear()
        asking = asyncio.create_task(shelf.get("b"))
        await asyncio.sleep(0)
        shown: list[tuple[str, Thing | None]] = []

        def note(key: str, old: Thing | None) -> bool:
            shown.append((key, old))
            return False

        shelf.outdate(note)
        assert [("a", kept), ("b", None)] == shown
        build.gate.set()
        await asking

    told(story)
