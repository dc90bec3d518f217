"""Three servers and two workers on one PostgreSQL, all of them asked for everything at once, killed (kill -9) in turn
and started again: what was acknowledged stands once, credit is right, the feed has no gap, pages that follow a wall go
on at another server where they were, and a changed price is seen everywhere within a second. Really kills them."""

import os
import signal
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import httpx
import pytest
from sqlalchemy import func, select

from app.kernel.database import Database
from app.kernel.feed import FeedEnd, FeedEntry
from app.kernel.ids import merchant_of
from app.kernel.outbox import OutboxRow
from app.referrals.models import Beacon
from tests import postgres
from tests.db import fleet as fleets
from tests.db.fleet import A_SECOND, Day, Fleet
from tests.db.storm import ask_again_and_compare, begin, wait_for_something_to_lose
from tests.net import free_port
from tests.served import Server
from tests.shop import ok
from tests.soak import SOAK

TURNS = 60 if SOAK else 5
BETWEEN = 1.0 if SOAK else 0.3
"""Seconds of work before each kill."""


@pytest.fixture
def fleet(cluster: postgres.Cluster, tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(f"{cluster.url}/postgres", tmp_path)
    made.start(servers=3, workers=2)
    yield made
    made.kill()


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_whichever_is_killed_all_that_was_said_stands_once_and_everybody_goes_on(fleet: Fleet) -> None:
    day = fleets.opened(fleet)
    with fleets.busy(fleet, day):
        for turn, process in enumerate(islice(cycle([*fleet.servers, *fleet.workers]), TURNS), start=1):
            time.sleep(BETWEEN)
            wait_for_something_to_lose(day.story.said, turn)
            process.kill()
            process.launch()
    assert day.story.said.unanswered, "nothing was cut off: the kills came at the wrong time"
    check_what_was_seen(day)
    settle(fleet)
    ask_again_and_compare(day.story)
    fleet.kill()
    check_the_rows(fleet, day)


def check_what_was_seen(day: Day) -> None:
    for page in day.followers:
        assert page.resumed, "nobody was cut off"
        assert page.began_anew == 1, "a page that was cut off did not go on where it was"
    assert day.prices is not None
    assert day.prices.seen > 5
    assert [] == day.prices.late
    assert median(day.prices.quickest) < A_SECOND / 2, "nobody was woken"


def settle(fleet: Fleet) -> None:
    """All that was told has its place, and all work is done but what a process took that was killed: that is taken
    again when its lease is over."""
    database = Database(fleet.database_url)

    def is_calm() -> bool:
        with database.reading() as session:
            unplaced = session.scalar(select(func.count()).where(FeedEntry.position.is_(None)))
            untaken = session.scalar(select(func.count()).where(OutboxRow.attempts == 0))
        return unplaced == untaken == 0

    fleets.until(is_calm, "everything that waits is done", within=90 if SOAK else 20)
    database.close()


def check_the_rows(fleet: Fleet, day: Day) -> None:
    merchant = merchant_of(day.story.merchant)
    database = Database(fleet.database_url)
    with database.reading() as session:
        positions = session.scalars(select(FeedEntry.position).where(FeedEntry.merchant_id == merchant)).all()
        end = session.scalar(select(FeedEnd.position).where(FeedEnd.merchant_id == merchant))
        beacons = session.scalar(select(func.count()).select_from(Beacon)) or 0
        assert [] == session.scalars(select(OutboxRow.error).where(OutboxRow.error.is_not(None))).all()
    database.close()
    assert list(range(1, len(positions) + 1)) == sorted(position or 0 for position in positions)
    assert len(positions) == end
    unanswered = day.story.said.unanswered["beacon"] * fleets.EVENTS
    assert sum(day.beacons) <= beacons <= sum(day.beacons) + unanswered
    assert beacons % fleets.EVENTS == 0, "half a message was kept"
    assert sum(day.beacons) > 50


@pytest.mark.slow
def test_one_command_serves_with_several_processes_and_replaces_one_that_was_killed(
    cluster: postgres.Cluster, tmp_path: Path
) -> None:
    server = Server(f"{cluster.url}/postgres", tmp_path, workers=2, port=free_port())
    server.start()
    assert server.process is not None
    try:
        story = begin(server)
        before = serving(server)
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        fleets.until(lambda: len(serving(server)) == 2 and before[0] not in serving(server), "another takes its place")
        with httpx.Client(base_url=server.url, verify=False, timeout=20) as http:
            fleets.until(server.is_ready, "it answers")
            assert len(ok(http.get("/v1/products", headers=story.key))["data"]) == 3
    finally:
        server.process.terminate()
        assert server.process.wait(20) in (0, -15)
    assert [] == serving(server)


def serving(server: Server) -> list[int]:
    """The processes in which it answers."""
    assert server.process is not None
    return [child for child in postgres.children(server.process.pid) if "spawn_main" in postgres.command_of(child)]
