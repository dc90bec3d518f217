"""Live walls of several servers on one PostgreSQL: one in a process of its own, one here that has no relay, and a line
that can be bad."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import make_url

from app import main, resources
from app.merchants.directory import Directory
from app.storefront.front import Storefront
from tests.clock import TestClock
from tests.conftest import keys_at, settings_for
from tests.net import free_port, serving
from tests.proxy import Proxy, between
from tests.served import Server
from tests.shop import TestMerchant
from tests.soak import SOAK
from tests.streams import Stream, listening

pytestmark = pytest.mark.parametrize("new_database", ["postgresql"], indirect=True, scope="session")

SOON = 2.0
"""Seconds within which what happens is seen."""


@pytest.fixture(scope="module")
def process(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(database_url, tmp_path_factory.mktemp("process"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def line(database_url: str) -> Iterator[Proxy]:
    """To PostgreSQL."""
    with between(make_url(database_url).port or 0) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def near(database_url: str, line: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server in this process: without the fast lane, since either lane alone is complete."""
    port = free_port()
    behind = make_url(database_url).set(port=line.port)
    given = {"public_url": f"http://127.0.0.1:{port}", "jobs": False}
    folder = tmp_path_factory.mktemp("near")
    here = main.assemble(settings_for(behind.render_as_string(False), folder, **given), TestClock())
    with serving(main.api(here, Directory(here.database), Storefront(here, resources.WIDGETS)), port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def merchant(process: Server) -> Iterator[TestMerchant]:
    keys = keys_at(process.url)
    known = TestMerchant(keys["id"], keys["secret_key"], keys["report_key"], process.url, TestClock())
    yield known
    known.close()


@pytest.fixture
def product(merchant: TestMerchant) -> str:
    return str(merchant.product()["id"])


@pytest.fixture
def follow(merchant: TestMerchant, product: str) -> Callable[[str], str]:
    """The address of a wall's stream at a server."""
    wall = merchant.wall(product)["id"]
    return lambda server: f"{server}/v1/walls/{wall}/live"


def seen(stream: Stream, product: str, likes: int) -> float:
    """After how many seconds."""
    since = time.monotonic()
    stream.count(product, likes)
    return time.monotonic() - since


def test_a_like_through_one_process_is_seen_in_the_streams_of_another(
    process: Server, near: str, merchant: TestMerchant, product: str, follow: Callable[[str], str]
) -> None:
    with listening(follow(near)) as here, listening(follow(process.url)) as there:
        here.next(), there.next()
        merchant.shopper().like(product)
        assert SOON > max(seen(here, product, 1), seen(there, product, 1))
        other = TestMerchant(merchant.id, merchant.secret_key, merchant.report_key, near, merchant.clock)
        other.shopper().like(product)  # where nobody relays: another process looks after it
        assert SOON > max(seen(here, product, 2), seen(there, product, 2))
        other.close()


def test_streams_outlive_a_database_that_is_away(
    near: str,
    line: Proxy,
    merchant: TestMerchant,
    product: str,
    follow: Callable[[str], str],
) -> None:
    with listening(follow(near)) as here:
        here.next()
        line.hang()
        merchant.shopper().like(product)
        assert here.is_silent(1)
        line.cut()
        merchant.shopper().like(product)
        line.flow()
        here.count(product, 2)


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="the long form: make soak")
def test_a_thousand_streams_take_little_memory_each(
    process: Server, merchant: TestMerchant, product: str, follow: Callable[[str], str]
) -> None:
    with listening(follow(process.url)) as witness, ExitStack() as lines:
        witness.next()
        before = process.resident
        for _ in range(1000):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", process.port)))
            path = follow("").encode()
            line.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n" % path)
            assert line.recv(12) == b"HTTP/1.1 200"
        time.sleep(1)
        each = (process.resident - before) / 1000
        print(f"{each:.0f} bytes for each stream")
        assert each < 30_000
        merchant.shopper().like(product)
        witness.count(product, 1, SOON)


def test_a_server_that_is_told_to_stop_ends_its_streams_and_does_not_wait(
    process: Server, near: str, follow: Callable[[str], str]
) -> None:
    with listening(follow(process.url)) as there, listening(follow(near)) as here:
        here.next(), there.next()
        assert process.process is not None
        since = time.monotonic()
        process.process.terminate()
        assert there.ends(SOON)
        assert process.process.wait(20) in (0, -15)
        assert time.monotonic() - since < 4
        assert here.is_silent(0.1)
