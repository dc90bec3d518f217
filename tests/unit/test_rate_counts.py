"""So many in a window, counted here or for all processes in Redis; who cannot ask Redis counts alone."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from app.kernel.http.rates.counters import Counters
from app.kernel.http.rates.counting import RateCounts, Standing
from app.kernel.http.rates.policies import policies_of
from app.settings import WrongSettings, load
from tests.net import free_port

SECRET = b"secret-of-the-tests"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis of these tests' own."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("no Redis on this machine: counting together is not tested")
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    said = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), "--requirepass", "word"]
    with subprocess.Popen([program, *said], stdout=subprocess.DEVNULL) as process:
        _wait_for(port)
        yield f"redis://:word@127.0.0.1:{port}/0"
        process.terminate()


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("Redis did not start")


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    asyncio.run(told())


async def left(counts: RateCounts, who: str, times: int = 1) -> list[int]:
    standings = [await counts.take("visitor", who) for _ in range(times)]
    return [standing.left for standing in standings if standing is not None]


def test_so_many_are_let_through_and_each_is_told_what_is_left() -> None:
    async def story() -> None:
        counts = RateCounts("visitor=2/minute")
        assert [1, 0, -1, -1] == await left(counts, "ana", 4)
        assert [1] == await left(counts, "bo")
        standing = await counts.look("visitor", "ana")
        assert standing is not None
        assert standing.is_over
        assert 55 <= standing.resets_in <= 60

    run(story)


def test_a_look_counts_nothing() -> None:
    async def story() -> None:
        counts = RateCounts("visitor=2/minute")
        looks = [await counts.look("visitor", "ana") for _ in range(5)]
        assert [2] * 5 == [look.left for look in looks if look is not None]

    run(story)


def test_a_new_window_begins_when_the_old_one_has_ended() -> None:
    async def story() -> None:
        counts = RateCounts("visitor=1/second")
        assert [0, -1] == await left(counts, "ana", 2)
        await asyncio.sleep(1.02)
        assert [0] == await left(counts, "ana")

    run(story)


def test_what_is_off_and_who_is_nobody_is_not_counted() -> None:
    async def story() -> None:
        off, other = RateCounts("off"), RateCounts("visitor=off")
        assert await off.take("visitor", "ana") is None
        assert await other.take("visitor", "ana") is None
        assert await other.take("network", "block") is not None
        assert await other.take("network", None) is None

    run(story)


def test_headers_are_those_of_the_draft() -> None:
    standing = Standing(policies_of("key=5/hour")["key"], 3, 42)
    expected = [(b"ratelimit-policy", b'"key";q=5;w=3600'), (b"ratelimit", b'"key";r=3;t=42')]
    assert expected == standing.headers()
    assert (b"ratelimit", b'"key";r=0;t=42') in Standing(standing.policy, -1, 42).headers()


def test_the_eldest_is_forgotten_where_there_is_no_more_room() -> None:
    async def story() -> None:
        counters = Counters(most=3)
        for name in "abcd":
            assert 1 == await counters.incr(name, 60)
        assert 3 == len(counters)
        assert [0, 1] == [await counters.get("a"), await counters.get("d")]

    run(story)


def test_those_whose_time_is_over_go_as_others_come() -> None:
    async def story() -> None:
        counters = Counters()
        for number in range(100):
            await counters.incr(f"old-{number}", 0.01)
        await asyncio.sleep(0.02)
        for number in range(50):
            await counters.incr(f"new-{number}", 60)
        assert 50 == len(counters)

    run(story)


def test_nobody_is_known_by_what_is_kept_of_them() -> None:
    one, other = RateCounts(secret=SECRET), RateCounts(secret=SECRET)
    scope = {"client": ("93.184.216.34", 5)}
    assert one.block(scope) == one.block({"client": ("93.184.216.99", 6)}) is not None
    assert one.block(scope) != other.block(scope), "each process has a key of its own"
    assert "93" not in {one.block(scope), one.name_of("93")}
    assert one.block({"client": None}) is one.block({}) is one.block({"client": ("127.0.0.1", 5)}) is None


def test_processes_count_together_in_redis(redis: str) -> None:
    async def story() -> None:
        one, other = (RateCounts("visitor=3/minute", redis, SECRET) for _ in range(2))
        who = one.name_of(f"ana {time.time()}")
        assert [2, 1] == await left(one, who, 2)
        assert [0, -1] == await left(other, who, 2)
        assert [-1] == await left(one, who)
        scope = {"client": ("93.184.216.34", 5)}
        assert one.block(scope) == other.block(scope)
        assert one.block(scope) != RateCounts("", redis, b"another secret").block(scope)
        await one.close()
        await other.close()

    run(story)


def test_many_at_once_are_counted_exactly_in_redis(redis: str) -> None:
    async def story() -> None:
        counts = RateCounts("visitor=100/minute", redis, SECRET)
        who = counts.name_of(f"bo {time.time()}")
        standings = await asyncio.gather(*(counts.take("visitor", who) for _ in range(150)))
        assert 50 == sum(standing.is_over for standing in standings if standing is not None)
        await counts.close()

    run(story)


@pytest.mark.parametrize("address", ["redis://127.0.0.1:{port}/0", "redis://:wrong@127.0.0.1:{port}/0"])
def test_where_redis_is_away_nobody_waits_for_it_and_each_process_counts(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        counts = RateCounts("visitor=2/minute", address.format(port=free_port()), SECRET)
        began = time.monotonic()
        assert [1, 0, -1] == await left(counts, "ana", 3)
        assert time.monotonic() - began < 2
        await counts.close()

    run(story)
    assert ["Redis is away" in record.getMessage() for record in caplog.records] == [True], "once, not each time"
    assert "127.0.0.1" not in caplog.text


def test_a_redis_that_does_not_answer_is_waited_for_once(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:

        async def story() -> None:
            counts = RateCounts("visitor=2/minute", f"redis://127.0.0.1:{silent.getsockname()[1]}/0", SECRET)
            began = time.monotonic()
            assert [1, 0, -1] == await left(counts, "ana", 3)
            assert 0.4 < time.monotonic() - began < 2
            await counts.close()

        run(story)
    assert 1 == len(caplog.records)


def test_the_setting_changes_what_it_names_and_knows_all_there_is(tmp_path: Path) -> None:
    usual = policies_of("")
    text = ",".join(f"{name}=7/hour" for name in usual)
    assert {(7, 3600)} == {
        (each.most, each.seconds)
        for each in policies_of(load(data_dir=tmp_path, rate_limits=text).rate_limits).values()
    }
    changed = policies_of(load(data_dir=tmp_path, rate_limits=" key=9/second , misses=off,").rate_limits)
    assert set(usual) - {"misses"} == set(changed)
    assert ('"key";q=9;w=1', usual["network"]) == (changed["key"].header, changed["network"])
    assert {} == policies_of(load(data_dir=tmp_path, rate_limits="off").rate_limits)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("rate_limits", text)
            for text in ("key", "key=5", "key=0/minute", "key=5/month", "nobody=5/minute", "off, off")
        ),
        *(("rate_limit_storage", text) for text in ("memcached://x", "redis://", "localhost:6379")),
        *(("trusted_proxies", text) for text in ("proxy.internal", "10.0.0.1/8", "10.0.0.1, *", "10.0.0", "::1/abc")),
    ],
)
def test_what_is_no_limit_no_redis_and_no_address_stops_the_start(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(WrongSettings, match=f"GRAPEVINE_{name.upper()}: .*must be ") as wrong:
        load(data_dir=tmp_path, **{name: value})
    assert "\n" not in str(wrong.value)


def test_the_word_for_redis_is_a_secret_of_the_logs(tmp_path: Path) -> None:
    assert "s3same" in load(data_dir=tmp_path, rate_limit_storage="redis://:s3same@cache:6379/0").secrets
