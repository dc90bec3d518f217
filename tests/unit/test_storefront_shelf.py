"""The shelf: once a second, once for all who wait, from memory while the database is away."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.kernel.errors import NotFound, Unavailable
from app.storefront import shelf as shelves
from app.storefront.shelf import Shelf, Wanted
from tests.shelved import AWAY, Builder, Thing


@pytest.fixture
def build() -> Builder:
    return Builder()


@pytest.fixture
def new_shelf(build: Builder) -> Iterator[Callable[..., Shelf[str, Thing]]]:
    with ThreadPoolExecutor(2) as pool:
        yield lambda room=10: Shelf(build, pool, room)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass on the shelf's clock."""
    start, ahead = time.monotonic(), [0.0]
    monkeypatch.setattr(shelves, "monotonic", lambda: start + ahead[0])

    def go(seconds: float) -> None:
        ahead[0] += seconds

    return go


def test_many_who_ask_at_once_wait_for_one(build: Builder, new_shelf: Callable[..., Shelf[str, Thing]]) -> None:
    async def ask() -> list[Thing]:
        shelf = new_shelf()
        return await asyncio.gather(*(shelf.get("a") for _ in range(50)))

    assert {thing.number for thing in asyncio.run(ask())} == {1}


def test_a_thing_lives_for_a_second(
    build: Builder, new_shelf: Callable[..., Shelf[str, Thing]], passes: Callable[[float], None]
) -> None:
    async def ask() -> list[int]:
        shelf, seen = new_shelf(), []
        for seconds in (0.0, 0.5, 0.6):
            passes(seconds)
            seen.append((await shelf.get("a")).number)
        return seen

    assert asyncio.run(ask()) == [1, 1, 2]


def test_what_is_asked_for_is_renewed_before_anybody_has_to_wait(
    build: Builder, new_shelf: Callable[..., Shelf[str, Thing]], passes: Callable[[float], None]
) -> None:
    async def ask() -> tuple[int, int]:
        shelf = new_shelf()
        await shelf.get("a")
        passes(0.8)
        meanwhile = (await shelf.get("a")).number
        while build.built < 2:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        passes(0.4)  # the first one is too old by now
        return meanwhile, (await shelf.get("a")).number

    assert asyncio.run(ask()) == (1, 2)


def test_while_the_database_is_away_what_is_kept_is_given(
    build: Builder, new_shelf: Callable[..., Shelf[str, Thing]], passes: Callable[[float], None]
) -> None:
    async def ask() -> list[int]:
        shelf = new_shelf()
        seen = [(await shelf.get("a")).number]
        build.trouble = AWAY
        for _ in range(3):
            passes(10)
            seen.append((await shelf.get("a")).number)
        with pytest.raises(Unavailable):
            await shelf.get("never seen")
        build.trouble = None
        passes(10)
        return [*seen, (await shelf.get("a")).number]

    assert asyncio.run(ask()) == [1, 1, 1, 1, 2]


def test_a_database_that_does_not_answer_is_away(
    build: Builder,
    new_shelf: Callable[..., Shelf[str, Thing]],
    passes: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shelves, "PATIENCE", 0.05)

    async def ask() -> list[int]:
        shelf = new_shelf()
        seen = [(await shelf.get("a")).number]
        passes(5)
        build.gate.clear()
        seen += [(await shelf.get("a")).number, (await shelf.get("a")).number]
        build.gate.set()
        while build.built < 2:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        return [*seen, (await shelf.get("a")).number]

    assert asyncio.run(ask()) == [1, 1, 1, 2]


def test_what_is_gone_is_forgotten_at_once(
    build: Builder, new_shelf: Callable[..., Shelf[str, Thing]], passes: Callable[[float], None]
) -> None:
    async def ask() -> None:
        shelf = new_shelf()
        await shelf.get("a")
        build.trouble = NotFound()
        passes(2)
        with pytest.raises(NotFound):
            await shelf.get("a")
        build.trouble = AWAY
        with pytest.raises(Unavailable):
            await shelf.get("a")

    asyncio.run(ask())


def test_a_full_shelf_lets_go_of_what_is_least_used(
    build: Builder, new_shelf: Callable[..., Shelf[str, Thing]]
) -> None:
    async def ask() -> tuple[int, int]:
        shelf = new_shelf(room=2)
        for key in "abac":  # c pushes b out
            await shelf.get(key)
        return (await shelf.get("a")).number, (await shelf.get("b")).number

    assert asyncio.run(ask()) == (1, 4)


@pytest.mark.parametrize(("bound", "keys"), [("MOST_UNDER_WAY", "abc"), ("MOST_WAITING", "aaa")])
def test_of_what_never_was_only_so_much_is_waited_for(
    build: Builder,
    new_shelf: Callable[..., Shelf[str, Thing]],
    passes: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    keys: str,
) -> None:
    monkeypatch.setattr(shelves, bound, 3)
    monkeypatch.setattr(shelves, "PATIENCE", 0.01)

    async def ask() -> None:
        shelf = new_shelf()
        kept = await shelf.get("kept")
        build.gate.clear()
        waiting = [asyncio.create_task(shelf.get(key)) for key in keys]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await shelf.get("d")
        passes(2)
        assert kept == await shelf.get("kept"), "what stood is given all the same"
        build.gate.set()
        assert list(keys) == [thing.key for thing in await asyncio.gather(*waiting)]
        assert "d" == (await shelf.get("d")).key

    asyncio.run(ask())


class TogetherBuilder(Builder):
    """Builds several in one go as well; some cannot be built."""

    def __init__(self) -> None:
        super().__init__()
        self.goes: list[int] = []
        self.bad = ""
        self.away = False

    def all(self, wanted: Sequence[Wanted[str, Thing]]) -> list[Thing | Exception]:
        self.goes.append(len(wanted))
        if self.away:
            raise AWAY
        return [NotFound() if key in self.bad else self(key, old) for key, old in wanted]


async def renewed(shelf: Shelf[str, Thing], passes: Callable[[float], None], keys: str) -> list[Thing]:
    """What is given while all is renewed ahead, after which a second has passed."""
    for key in keys:
        await shelf.get(key)
    passes(0.8)
    assert shelf.ready(keys[0]) is None
    meanwhile = [await shelf.get(key) for key in keys]
    await asyncio.sleep(shelves.TOGETHER * 3)
    passes(0.4)
    return meanwhile


def test_what_is_renewed_ahead_is_renewed_in_one_go(passes: Callable[[float], None]) -> None:
    build = TogetherBuilder()

    async def ask(pool: ThreadPoolExecutor) -> tuple[list[int], list[int]]:
        shelf = Shelf(build, pool, 1000, build.all)
        meanwhile = await renewed(shelf, passes, "abc")
        after = [thing for key in "abc" if (thing := shelf.ready(key)) is not None]
        return [thing.number for thing in meanwhile], [thing.number for thing in after]

    with ThreadPoolExecutor(2) as pool:
        assert asyncio.run(ask(pool)) == ([1, 2, 3], [4, 5, 6])
    assert build.goes == [3]


def test_of_very_many_some_are_renewed_in_one_go(passes: Callable[[float], None]) -> None:
    build, keys = TogetherBuilder(), "".join(map(chr, range(200, 200 + shelves.MOST_TOGETHER + 7)))

    async def ask(pool: ThreadPoolExecutor) -> None:
        await renewed(Shelf(build, pool, 1000, build.all), passes, keys)

    with ThreadPoolExecutor(2) as pool:
        asyncio.run(ask(pool))
    assert sorted(build.goes) == [7, shelves.MOST_TOGETHER]


def test_what_is_gone_by_then_is_gone_alone(passes: Callable[[float], None]) -> None:
    build = TogetherBuilder()
    build.bad = "b"

    async def ask(pool: ThreadPoolExecutor) -> list[Thing | None]:
        shelf = Shelf(build, pool, 1000, build.all)
        await renewed(shelf, passes, "abc")
        return [shelf.ready(key) for key in "abc"]

    with ThreadPoolExecutor(2) as pool:
        assert [thing is not None for thing in asyncio.run(ask(pool))] == [True, False, True]


def test_while_the_database_is_away_all_that_was_to_be_renewed_is_given(passes: Callable[[float], None]) -> None:
    build = TogetherBuilder()
    build.away = True

    async def ask(pool: ThreadPoolExecutor) -> list[int]:
        shelf = Shelf(build, pool, 1000, build.all)
        await renewed(shelf, passes, "abc")
        return [(await shelf.get(key)).number for key in "abc"]

    with ThreadPoolExecutor(2) as pool:
        assert asyncio.run(ask(pool)) == [1, 2, 3]


def test_what_many_ask_for_at_once_is_built_in_one_go(passes: Callable[[float], None]) -> None:
    build = TogetherBuilder()
    build.bad = "d"

    async def ask(pool: ThreadPoolExecutor) -> list[list[int | str]]:
        shelf, told = Shelf(build, pool, 1000, build.all), []
        for _ in range(2):
            done = await asyncio.gather(*(shelf.get(key) for key in "abcda"), return_exceptions=True)
            told.append([each.number if isinstance(each, Thing) else type(each).__name__ for each in done])
            passes(2)
        return told

    with ThreadPoolExecutor(2) as pool:
        assert asyncio.run(ask(pool)) == [[1, 2, 3, "NotFound", 1], [4, 5, 6, "NotFound", 4]]
    assert build.goes == [4, 4]


def test_who_has_to_wait_does_not_wait_for_what_is_renewed_ahead(
    passes: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "TOGETHER", 60.0)
    build = TogetherBuilder()

    async def ask(pool: ThreadPoolExecutor) -> list[int]:
        shelf = Shelf(build, pool, 1000, build.all)
        await shelf.get("a")
        passes(0.8)
        await shelf.get("a")
        async with asyncio.timeout(10):
            new = await shelf.get("b")
        after = shelf.ready("a")
        return [new.number, after.number if after else 0]

    with ThreadPoolExecutor(2) as pool:
        assert asyncio.run(ask(pool)) == [3, 2]
    assert build.goes == [2]
