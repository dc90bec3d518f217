"""What one server process bears: everything that is asked most, many streams, and memory that does not grow.

Short forms; the long ones take hours (`make soak`): an hour of requests on each database, and ten thousand streams.
"""

import time
from collections.abc import Sequence
from statistics import linear_regression

import pytest

from tests.bench import processes
from tests.bench.asked import Path
from tests.bench.conftest import Place
from tests.bench.crowd import Followers, room_for
from tests.bench.load import Plan, Result, ask
from tests.bench.processes import hot_paths
from tests.conftest import BACKENDS
from tests.soak import SOAK

STREAMS = 10_000 if SOAK else 1_000
EACH_STREAM = 22 * 1024
"""Bytes that one open stream may cost: twice of what it does, which is 11 KiB."""

REQUESTS = {200: 1_000, 302: 1_000, 201: 100, 202: 100}
"""Of each hot path in one turn, by the status of its answer."""
TURNS = 5
LEAK = 128
"""Bytes to a request: what grows by more would fill 150 MiB within a million requests."""
PAGES = 8 * 1024 * 1024
"""Bytes that SQLite keeps of its file, and fills as the file grows in so many requests."""
HOUR = 3600.0
WARM = 600.0
"""Seconds of the hour that do not count."""
BREAK = 6.0
"""Seconds between two turns of the hour, so that the disk is not filled."""
FLAT = 4.0
"""Mebibytes by which the last part of the hour may lie above the first: what the system does not take back at once."""


def test_every_hot_path_gives_what_the_benchmark_expects(place: Place) -> None:
    for path in hot_paths(place.server, place.its):
        done = _ask(path, most=200)
        assert {} == done.failed, path.name
        assert done.answers >= 100, path.name


def test_no_more_is_asked_than_was_wanted(place: Place) -> None:
    assert 100 == _ask(hot_paths(place.server, place.its)[0], most=100).answers


@pytest.mark.soak
@pytest.mark.timeout(600 if SOAK else 120)
def test_a_thousand_open_streams_cost_little_and_all_of_them_hear_of_a_like(place: Place) -> None:
    if not room_for(STREAMS):
        pytest.skip(f"this system does not let a process have {STREAMS:,} connections open")
    with Followers(place.server.port, place.its.wall, 50) as few:
        few.gather()  # whatever the first streams load, the others share
        before = _resident(place)
        with Followers(place.server.port, place.its.wall, STREAMS - 50) as crowd:
            crowd.gather()
            assert processes.told(place.server, place.its, crowd) < 10
            after = _resident(place)
    assert (after - before) * 1024 * 1024 / STREAMS < EACH_STREAM
    assert after < processes.SMALL_WITH_STREAMS


@pytest.mark.soak
@pytest.mark.timeout(3 * HOUR if SOAK else 120)
@pytest.mark.parametrize("new_database", BACKENDS if SOAK else ["sqlite"], indirect=True)
def test_memory_does_not_grow_with_what_was_asked(place: Place) -> None:
    paths = hot_paths(place.server, place.its)
    if SOAK:
        _assert_flat_for_an_hour(place, paths)
        return
    _turn(paths)
    sizes, asked = [_resident(place)], 0
    for _ in range(TURNS - 1):
        asked += _turn(paths)
        sizes.append(_resident(place))
    assert asked > 10_000, "enough was asked for a leak to be seen"
    allowed = LEAK * asked + (PAGES if place.is_sqlite else 0)
    assert grown(sizes) * 1024 * 1024 < allowed, f"{sizes} MiB after turns of {asked // (TURNS - 1):,} requests"


def test_growth_is_told_from_noise() -> None:
    assert 0 == pytest.approx(grown([100.0, 104.0, 100.0, 104.0, 100.0]), abs=0.1)
    assert 8 == pytest.approx(grown([100.0, 102.0, 104.0, 106.0, 108.0]))


def grown(sizes: list[float]) -> float:
    """By how much the straight line through the sizes rises from the first to the last."""
    return linear_regression(range(len(sizes)), sizes).slope * (len(sizes) - 1)


def _assert_flat_for_an_hour(place: Place, paths: Sequence[Path]) -> None:
    sizes, begin = [], time.monotonic()
    while time.monotonic() < begin + HOUR:
        _turn(paths)
        time.sleep(BREAK)
        if time.monotonic() > begin + WARM:
            sizes.append(_resident(place))
    assert grown(sizes) < FLAT, f"{sizes[::20]} MiB"
    assert max(sizes) < processes.SMALL


def _turn(paths: Sequence[Path]) -> int:
    """Ask for every hot path; how many answers there were."""
    done = [_ask(path, most=REQUESTS[path.status]) for path in paths]
    assert all(not each.failed for each in done), [each.failed for each in done]
    return sum(each.answers for each in done)


def _ask(path: Path, most: int) -> Result:
    return ask(Plan(path.server.port, list(path.requests), path.status, 10.0, 0.0, most=most))


def _resident(place: Place) -> float:
    resident = place.server.resident()
    if resident is None:
        pytest.skip("this system does not tell how much memory a process holds")
    return resident
