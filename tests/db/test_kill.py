"""The server killed with -9 in the middle of likes, visits, orders and webhooks: nothing acknowledged is lost, and
nothing is counted twice (promise 3). Really kills it."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.db.storm import ask_again_and_compare, begin, hammering, wait_for_something_to_lose
from tests.served import Server

BETWEEN_KILLS = 1.5
"""Seconds of work before each kill, give or take."""


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if request.param == "sqlite":
        running = Server(f"sqlite:///{tmp_path / 'grapevine.db'}", tmp_path)
        yield running
        running.kill()
        return
    with postgres.running(durable=True) as url:
        running = Server(f"{url}/postgres", tmp_path)
        yield running
        running.kill()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_nothing_acknowledged_is_lost_and_nothing_is_counted_twice(server: Server) -> None:
    server.start()
    story = begin(server)
    for turn in range(1, 4):
        with hammering(story):
            time.sleep(BETWEEN_KILLS * random.uniform(0.7, 1.3))
            wait_for_something_to_lose(story.said, turn)
            server.kill()
        server.start()
    said = story.said
    assert said.unanswered, "nothing was cut off: the kills came at the wrong time"
    assert min(map(len, (said.likes, said.visits, said.orders, said.products))) > 20, said
    assert said.received, said  # few: each start loads Stripe's library anew
    ask_again_and_compare(story)
