"""What is said to have changed is built anew at once, and not only when it is a second old; unless it cannot be."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError

from app.storefront.shelf import Shelf

AWAY = OperationalError("SELECT 1", {}, Exception("the server closed the connection"))


@dataclass(frozen=True)
class Thing:
    number: int
    size: int = 1


class Builder:
    """Counts; waits or fails when it is told to."""

    def __init__(self) -> None:
        self.built = 0
        self.trouble: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, _: str, __: Thing | None) -> Thing:
        self.built += 1
        number = self.built
        self.gate.wait(10)
        if self.trouble is not None:
            raise self.trouble
        return Thing(number)


def told(story: Callable[[Builder, Shelf[str, Thing]], Awaitable[None]]) -> None:
    async def tell() -> None:
        build = Builder()
        await story(build, Shelf(build, pool, 10))

    with ThreadPoolExecutor(2) as pool:
        asyncio.run(tell())


def test_what_has_changed_is_built_anew_and_nothing_else() -> None:
    async def story(_: Builder, shelf: Shelf[str, Thing]) -> None:
        assert [1, 2] == [(await shelf.get(key)).number for key in "ab"]
        shelf.outdate("a".__eq__)
        assert [3, 2, 3] == [(await shelf.get(key)).number for key in "aba"]

    told(story)


def test_what_changes_while_it_is_built_is_built_once_more() -> None:
    async def story(build: Builder, shelf: Shelf[str, Thing]) -> None:
        build.gate.clear()
        asking = asyncio.create_task(shelf.get("a"))
        while not build.built:
            await asyncio.sleep(0.001)
        shelf.outdate("a".__eq__)
        build.gate.set()
        assert (await asking).number == 1
        assert [2, 2] == [(await shelf.get("a")).number for _ in range(2)]

    told(story)


def test_what_has_changed_is_given_as_it_was_while_the_database_is_away() -> None:
    async def story(build: Builder, shelf: Shelf[str, Thing]) -> None:
        await shelf.get("a")
        build.trouble = AWAY
        shelf.outdate("a".__eq__)
        assert (await shelf.get("a")).number == 1

    told(story)
