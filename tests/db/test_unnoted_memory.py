"""What the look for forgotten facts holds does not grow with a crowd: a rise each hour stays with the process."""

import tracemalloc
from collections.abc import Callable

import pytest

from app.delivery import unnoted
from app.kernel.ids import new_ids
from app.referrals import visits
from app.referrals.visits import NewVisit
from tests.db.journalling import place_all
from tests.db.selling import Market
from tests.db.test_unnoted import forget

CROWD = 30_000
HELD = 3 * 1024 * 1024
"""Bytes; all visits of the crowd at once are twice as much, and more."""


def look(market: Market) -> int:
    return unnoted.note_forgotten(market.here.database, market.merchant, market.clock.now())


@pytest.fixture
def crowd(market: Market) -> list[str]:
    """So many come within a moment, after the journal has begun; their ids."""
    look(market)
    place_all(market.here.database)
    market.clock.move(minutes=30)
    at, link = market.clock.now(), market.links[0]
    ids = new_ids("clk", market.merchant, at, CROWD)
    for begin in range(0, CROWD, 5_000):
        some = [NewVisit(market.merchant, id, link, "click", None, None, None, at) for id in ids[begin : begin + 5_000]]
        with market.here.database.transaction() as session:
            visits.write(session, some)
    market.clock.move(hours=1)
    return ids


def held_by(work: Callable[[], object]) -> int:
    """Bytes that were held at once while it was done."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_a_crowd_that_is_noted(market: Market, crowd: list[str]) -> None:
    assert 0 == look(market), "all that is loaded once is"
    assert held_by(lambda: look(market)) < HELD, f"{len(crowd):,} visits"


def test_a_crowd_that_was_forgotten_is_noted_a_part_at_a_time(market: Market, crowd: list[str]) -> None:
    forget(market.here.database, market.merchant)
    noted: list[int] = []
    assert held_by(lambda: noted.append(look(market))) < HELD
    assert [len(crowd)] == noted
    assert 0 == look(market)
