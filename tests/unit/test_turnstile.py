"""The turnstile: so many inside, the others wait a little and are told to come back."""

import asyncio

import pytest

from app.kernel.errors import Unavailable
from app.kernel.http.turnstile import Turnstile


def test_who_waits_too_long_is_told_to_come_back_and_who_leaves_lets_the_next_in() -> None:
    async def story() -> list[str]:
        turnstile, said, leave = Turnstile(2, 0.05, Unavailable), list[str](), asyncio.Event()

        async def visit(name: str) -> None:
            async with turnstile.inside():
                said.append(f"{name} is inside")
                await leave.wait()

        visits = [asyncio.ensure_future(visit(name)) for name in "ab"]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as refused:
            await visit("c")
        assert refused.value.retry_after
        visits.append(asyncio.ensure_future(visit("d")))
        await asyncio.sleep(0)
        leave.set()
        await asyncio.gather(*visits)
        return said

    assert ["a is inside", "b is inside", "d is inside"] == asyncio.run(story())


def test_who_fails_inside_leaves_too() -> None:
    async def story() -> int:
        turnstile, inside = Turnstile(1, 0.05, Unavailable), 0
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):  # noqa: PT012  # the block is what is inside
                async with turnstile.inside():
                    inside += 1
                    raise ZeroDivisionError
        return inside

    assert 3 == asyncio.run(story())
