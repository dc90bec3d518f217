"""PostgreSQL killed with -9 while everything is being written: nothing acknowledged is lost, nothing is there twice,
and the server, which is not touched, goes on by itself as soon as PostgreSQL is back."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.merchants.directory import FRESH_FOR
from tests import postgres
from tests.db.storm import ORIGIN, Story, ask_again_and_compare, begin, hammering
from tests.served import Server
from tests.soak import SOAK

ROUNDS = 20 if SOAK else 1


@pytest.fixture
def server(cluster: postgres.Cluster, tmp_path: Path) -> Iterator[Server]:
    running = Server(f"{cluster.url}/postgres", tmp_path)
    running.start()
    yield running
    running.kill()


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_and_the_server_heals_by_itself(cluster: postgres.Cluster, server: Server) -> None:
    story = begin(server)
    process = server.process
    for _ in range(ROUNDS):
        put_off = story.said.put_off.copy()
        with hammering(story):
            time.sleep(1.0)
            with httpx.Client(base_url=server.url, verify=False, timeout=20) as http:
                assert ORIGIN == preflight(http)
            cluster.kill()
            look_while_it_is_away(story)
            cluster.start(patience=30)
            acknowledged = len(story.said.orders)
            deadline = time.monotonic() + 20
            while len(story.said.orders) < acknowledged + 10:
                assert time.monotonic() < deadline, "the server does not heal"
                time.sleep(0.05)
        assert {"like", "visit", "order", "product", "webhook"} == (story.said.put_off - put_off).keys()
    assert process is server.process
    assert {} == story.said.unanswered  # each was told at once what is the matter
    ask_again_and_compare(story)


def look_while_it_is_away(story: Story) -> None:
    with httpx.Client(base_url=story.server.url, verify=False, timeout=20) as http:
        ready = http.get("/readyz")
        assert (503, "away") == (ready.status_code, ready.json()["database"])
        assert http.get("/healthz").status_code == 200
        orders = http.get("/v1/orders", headers=story.key)
        assert (503, "application/problem+json") == (orders.status_code, orders.headers["content-type"])
        assert int(orders.headers["retry-after"]) > 0
        page = {"Origin": ORIGIN}
        for _ in range(2):  # also when what is known of the merchant is no longer fresh
            like = http.post("/v1/likes", json={"product": story.products[0]}, headers=page)
            assert (503, "application/problem+json") == (like.status_code, like.headers["content-type"])
            assert ORIGIN == like.headers["access-control-allow-origin"]
            assert ORIGIN == preflight(http)
            time.sleep(FRESH_FOR)


def preflight(http: httpx.Client) -> str:
    """What a browser asks before it sends a like from another origin; the origin that may."""
    answer = http.options("/v1/likes", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 204, answer.text
    return str(answer.headers.get("access-control-allow-origin", ""))
