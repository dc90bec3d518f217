"""A server that may have few files open: it asks for all it can have, and keeps room for more than streams."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.clock import TestClock
from tests.conftest import merchant_at
from tests.served import Server

pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session")

SOFT, HARD = 100, 420
"""A server that loads and migrates needs a few dozens."""
STREAMS = 120
"""Of these, beside the reserve of 300."""


@pytest.fixture
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(database_url, tmp_path_factory.mktemp("few"), open_files=(SOFT, HARD))
    made.start()
    yield made
    made.kill()


def test_streams_are_refused_while_there_is_room_for_everything_else(server: Server) -> None:
    merchant = merchant_at(server.url, TestClock())
    wall = merchant.wall(merchant.product()["id"])["id"]
    asked = b"GET /v1/walls/%s/live HTTP/1.1\r\nHost: localhost\r\n\r\n" % wall.encode()
    answers = []
    with ExitStack() as lines:
        for _ in range(STREAMS + 20):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            line.sendall(asked)
            answers.append(line.recv(12))
        assert [b"HTTP/1.1 200"] * STREAMS + [b"HTTP/1.1 503"] * 20 == answers
        assert httpx.get(f"{server.url}/healthz").is_success
        assert httpx.get(f"{server.url}/w/{wall}").is_success
    merchant.close()
