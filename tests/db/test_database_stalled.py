"""A database that stalls for a while under everything at once: PostgreSQL whose processes do nothing (SIGSTOP), SQLite
whose file another process is writing to. Walls are shown from memory all the while; what would write waits or is told
to come back, in bounded number, time and memory; nothing acknowledged is lost, nothing is there twice, and it heals by
itself."""

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.client import HTTPResponse
from pathlib import Path
from socket import create_connection, socket

import httpx
import pytest

from app.kernel.ids import new_code
from app.storefront.shelf import PATIENCE
from tests import postgres
from tests.db.storm import Story, ask_again_and_compare, begin, hammering, wait_for_something_to_lose
from tests.served import Server
from tests.shop import BROWSER, ok
from tests.soak import SOAK

STALL = 60.0 if SOAK else 3.0
"""Seconds."""
CROWD = 3000 if SOAK else 150
"""So many ask for something to be written while it lasts, beside the others."""
GONE = 60_000 if SOAK else 3000
"""So many report what they saw, and as many follow links that never were, and hang up at once."""
MOST_MEMORY = 120 * 1024 * 1024
"""Bytes that the server may take more meanwhile."""

Stalled = Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["sqlite", "postgresql"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, Stalled]]:
    """A server, and how its database stalls."""
    with ExitStack() as until_the_end:
        if request.param == "sqlite":
            server = Server(f"sqlite:///{tmp_path / 'grapevine.db'}", tmp_path)
            stalled: Stalled = lambda: written_to(tmp_path / "grapevine.db")  # noqa: E731
        else:
            cluster = until_the_end.enter_context(postgres.cluster(durable=True))
            server = Server(f"{cluster.url}/postgres", tmp_path)
            stalled = cluster.stalled
        server.start()
        yield server, stalled
        server.kill()


@contextmanager
def written_to(file: Path) -> Iterator[None]:
    """Another process holds the right to write."""
    other = sqlite3.connect(file, isolation_level=None, timeout=20)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_walls_are_served_all_the_while_and_nothing_is_lost_or_written_twice(ground: tuple[Server, Stalled]) -> None:
    server, stalled = ground
    story = begin(server)
    wall = wall_of(story)
    process, before = server.process, server.resident
    with hammering(story, each=1, pause=0.05):
        time.sleep(0.5)
        wait_for_something_to_lose(story.said, 1)
        with crowd(story) as (ask, answers), stalled():
            ask.start()
            threading.Thread(target=_hang_up, args=(server.port, story.products[0]), daemon=True).start()
            most = look_at_walls(server, wall, story.products[0])
        assert most - before < MOST_MEMORY
        acknowledged = len(story.said.orders)
        deadline = time.monotonic() + 30
        while len(story.said.orders) < acknowledged + 5:
            assert time.monotonic() < deadline, "the server does not heal"
            time.sleep(0.05)
    assert process is server.process
    assert CROWD == answers[201] + answers[503], answers
    ask_again_and_compare(story)


def wall_of(story: Story) -> str:
    with httpx.Client(base_url=story.server.url, verify=False, timeout=20) as http:
        wall = ok(http.post("/v1/walls", json={"title": "W", "products": story.products}, headers=story.key), 201)
        for path in (f"/v1/walls/{wall['id']}/widget", f"/w/{wall['id']}", f"/p/{story.products[0]}"):
            assert http.get(path).status_code == 200
    return str(wall["id"])


def look_at_walls(server: Server, wall: str, product: str) -> int:
    """Each answer comes; the first may have waited to see whether the database does. The most memory that it took."""
    most, slow, asked = 0, 0, 0
    until = time.monotonic() + STALL
    with httpx.Client(base_url=server.url, verify=False, timeout=PATIENCE + 8) as http:
        while time.monotonic() < until:
            for path in (f"/v1/walls/{wall}/widget", f"/w/{wall}", f"/p/{product}", "/healthz"):
                since = time.monotonic()
                assert http.get(path).status_code == 200
                slow += time.monotonic() - since > 1.0
                asked += 1
            most = max(most, server.resident)
            time.sleep(0.1)
    assert slow <= 3 + asked // 20, f"{slow} of {asked} were slow"
    return most


@contextmanager
def crowd(story: Story) -> Iterator[tuple[threading.Thread, Counter[int]]]:
    """Many who like something at once, each on a line of their own, as soon as the thread is started; and what they
    were answered, once the block is over."""
    answers: Counter[int] = Counter()
    with ExitStack() as lines:
        opened = [lines.enter_context(create_connection(("127.0.0.1", story.server.port), 10)) for _ in range(CROWD)]
        asking = threading.Thread(target=_ask, args=(opened, story.products[0]), daemon=True)
        yield asking, answers
        asking.join(30)
        for line in opened:
            line.settimeout(60)
            with HTTPResponse(line) as answer:
                answer.begin()
                assert answer.status != 503 or answer.headers["retry-after"], answer.headers
                if answer.status == 201:
                    like = json.load(answer)
                    story.said.likes[like["id"]] = like["visitor"]
                answers[answer.status] += 1


def _ask(lines: list[socket], product: str) -> None:
    body = json.dumps({"product": product}).encode()
    head = b"POST /v1/likes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    for line in lines:
        line.sendall(head + body)
        time.sleep(min(0.005, STALL / CROWD / 2))


def _hang_up(port: int, product: str) -> None:
    """Ask for what must be looked up and written, and hear no answer."""
    seen = [{"type": "card_view", "product": product, "visitor": f"{number:0190}"} for number in range(100)]
    body, about = json.dumps(seen).encode(), f"HTTP/1.1\r\nHost: x\r\nUser-Agent: {BROWSER}\r\n"
    report = f"POST /v1/beacons {about}Content-Length: {len(body)}\r\n\r\n".encode() + body
    until = time.monotonic() + STALL
    for _ in range(GONE):
        for message in (report, f"GET /r/{new_code()} {about}\r\n".encode()):
            if time.monotonic() > until:
                return
            with create_connection(("127.0.0.1", port), 10) as line:
                line.sendall(message)
