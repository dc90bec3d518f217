"""Places for those who wait: one after the other, whoever came first and however many of them one is."""

import asyncio
from collections.abc import Iterable

import pytest

from app.storefront.pictures.turns import Turns


async def _take(turns: Turns, whose: str, log: list[str], until: asyncio.Event) -> None:
    async with turns.turn(whose):
        log.append(whose)
        await until.wait()


def _ran(places: int, each: int, who: Iterable[str], *, release: bool) -> list[str]:
    """Who had a place, in order, when all of `who` asked at once; in all, or before anybody left one."""

    async def run() -> list[str]:
        turns, log, until = Turns(places, each), list[str](), asyncio.Event()
        tasks = [asyncio.create_task(_take(turns, whose, log, until)) for whose in who]
        await asyncio.sleep(0)
        if release:
            until.set()
        for _ in range(100):
            await asyncio.sleep(0)
        seen = list(log)
        until.set()
        await asyncio.gather(*tasks)
        assert sorted(who) == sorted(log)
        return seen

    return asyncio.run(run())


def test_there_are_only_so_many_places() -> None:
    assert ["a", "b", "c"] == _ran(3, 1, "abcde", release=False)


def test_one_has_only_so_many_of_them() -> None:
    assert ["a", "a", "b"] == _ran(8, 2, "aaaaab", release=False)


def test_who_comes_late_waits_for_one_turn_of_each_other_and_not_for_all() -> None:
    assert ["a", "b", "c", "a", "b", "a", "a"] == _ran(1, 1, "aaaabbc", release=True)


def test_who_waits_no_longer_takes_no_place() -> None:
    async def run() -> list[str]:
        turns, log, until = Turns(1, 1), list[str](), asyncio.Event()
        first, second, third = (asyncio.create_task(_take(turns, whose, log, until)) for whose in "abc")
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        until.set()
        await asyncio.gather(first, third)
        return log

    assert ["a", "c"] == asyncio.run(run())


def test_who_is_stopped_with_a_place_gives_it_back() -> None:
    async def run() -> list[str]:
        turns, log, until = Turns(1, 1), list[str](), asyncio.Event()
        first, second = (asyncio.create_task(_take(turns, whose, log, until)) for whose in "ab")
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        until.set()
        await second
        return log

    assert ["a", "b"] == asyncio.run(run())


def test_who_is_stopped_in_the_moment_of_its_turn_gives_it_on() -> None:
    async def run() -> list[str]:
        turns, log, until = Turns(1, 1), list[str](), asyncio.Event()
        first, second, third = (asyncio.create_task(_take(turns, whose, log, until)) for whose in "abc")
        await asyncio.sleep(0)
        until.set()
        await asyncio.sleep(0)  # the first has gone: the second has its turn, and does not know it yet
        assert first.done()
        second.cancel()
        await asyncio.gather(first, third)
        return log

    assert ["a", "c"] == asyncio.run(run())
