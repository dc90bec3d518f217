"""Beacons on the fast lane: what the lane does with requests of every manner, and that its twin answers the same."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select, text

from app import main, resources
from app.kernel.database import Database
from app.merchants.directory import Directory
from app.referrals.models import Beacon
from app.storefront.beacons import answers, body
from app.storefront.beacons.reading import LARGEST_BODY
from app.storefront.front import Storefront
from tests.clock import TestClock
from tests.conftest import AppServer, NewDatabase, merchant_at, settings_for
from tests.net import free_port, serving
from tests.shop import BROWSER, TestMerchant

BLOG, STRANGER = "https://blog.example", "https://stranger.example"
_ALL = 100
"""Reports to one request, as many as may be."""


def seen(product: str, count: int = 1) -> bytes:
    return json.dumps([{"type": "card_view", "product": product}] * count).encode()


def post(client: httpx.Client, content: bytes, **headers: str) -> httpx.Response:
    return client.post("/v1/beacons", content=content, headers={"User-Agent": BROWSER, **headers})


def told(answer: httpx.Response) -> tuple[object, ...]:
    """An answer without what is different each time."""
    names = ("content-type", "access-control-allow-origin", "vary", "retry-after")
    return answer.status_code, answer.content, *(answer.headers.get(name) for name in names)


@pytest.fixture(scope="module")
def twin(shared_server: AppServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The application without the lane, on the same database."""
    port = free_port()
    folder = tmp_path_factory.mktemp("twin")
    here = main.assemble(settings_for(shared_server.settings.database, folder, jobs=False), shared_server.clock)
    app = main.api(here, Directory(here.database), Storefront(here, resources.WIDGETS))
    with serving(app, port), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield client


def test_the_twin_answers_the_same(twin: httpx.Client, merchant: TestMerchant, product: str) -> None:
    for content in (seen(product, 2), seen("prod_none"), b"[]", b"{}", b"[", b" " * (LARGEST_BODY + 1)):
        assert told(post(twin, content)) == told(post(merchant.public, content)), content[:80]
    assert (202, b'{"kept":2,"refused":0}') == told(post(twin, seen(product, 2)))[:2]


@pytest.fixture(scope="module")
def alone(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestMerchant]:
    """A merchant on a server without others: beacons name none before they are read, so everybody's lists count."""
    port, clock = free_port(), TestClock()
    url = f"http://127.0.0.1:{port}"
    settings = settings_for(new_database("alone"), tmp_path_factory.mktemp("alone"), jobs=False, public_url=url)
    with serving(main.application(settings, clock), port):
        merchant = merchant_at(url, clock, allowed_origins=[BLOG])
        yield merchant
        merchant.close()


@pytest.mark.parametrize("origin", [BLOG, STRANGER, "null", None])
@pytest.mark.parametrize("content", [b"[]", b"{", b" " * (LARGEST_BODY + 1)])
def test_pages_may_read_answers_as_of_any_public_call(alone: TestMerchant, origin: str | None, content: bytes) -> None:
    merchant = alone
    deadline = time.monotonic() + 5
    while told(post(merchant.public, b"[]", Origin=BLOG))[3] is None and time.monotonic() < deadline:
        time.sleep(0.05)  # a list that was changed is in force within a second
    answer = post(merchant.public, content, **({"Origin": origin} if origin else {}))
    assert (None if origin == STRANGER else origin) == answer.headers.get("access-control-allow-origin")
    assert (None if origin is None else "Origin") == answer.headers.get("vary")
    expected = {b"[]": (202, "application/json"), b"{": (422, "application/problem+json")}
    assert expected.get(content, (413, "application/problem+json")) == told(answer)[:3:2]


def test_our_own_pages_may_report(merchant: TestMerchant, product: str) -> None:
    answer = post(merchant.public, seen(product), Origin=merchant.base)
    assert (b'{"kept":1,"refused":0}', merchant.base) == (answer.content, answer.headers["access-control-allow-origin"])


def test_another_method_or_path_is_none(merchant: TestMerchant, product: str) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = merchant.public.request(method, "/v1/beacons", headers={"User-Agent": BROWSER})
        assert (405, "POST") == (answer.status_code, answer.headers["allow"]), method
    assert 404 == merchant.public.post("/v1/beacons/x", content=seen(product)).status_code
    asked = {"Origin": merchant.base, "Access-Control-Request-Method": "POST"}
    before = merchant.public.options("/v1/beacons", headers=asked)
    assert (204, merchant.base) == (before.status_code, before.headers["access-control-allow-origin"])


@contextmanager
def raw(merchant: TestMerchant, length: int | str) -> Iterator[socket.socket]:
    """A connection on which the head of a request was sent."""
    url = httpx.URL(merchant.base)
    size = f"Content-Length: {length}" if isinstance(length, int) else f"Transfer-Encoding: {length}"
    head = f"POST /v1/beacons HTTP/1.1\r\nHost: {url.host}\r\nUser-Agent: {BROWSER}\r\n{size}\r\n\r\n"
    with closing(socket.create_connection((url.host, url.port or 80), 20)) as line:
        line.sendall(head.encode())
        yield line


def test_a_body_that_comes_in_pieces_is_one(merchant: TestMerchant, product: str) -> None:
    content = seen(product, 3)
    with raw(merchant, len(content)) as line:
        for at in range(0, len(content), 50):
            line.sendall(content[at : at + 50])
            time.sleep(0.01)
        assert line.recv(4096).endswith(b'{"kept":3,"refused":0}')


def test_a_body_that_is_said_to_be_too_large_is_refused_before_it_comes(merchant: TestMerchant) -> None:
    for length in (LARGEST_BODY + 1, 10**15):
        with raw(merchant, length) as line:
            assert line.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_an_end_is_refused_as_soon_as_it_is_too_large(merchant: TestMerchant) -> None:
    piece = b"1000\r\n" + b" " * 4096 + b"\r\n"
    with raw(merchant, "chunked") as line:
        for _ in range(LARGEST_BODY // 4096 + 1):
            line.sendall(piece)
        assert line.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_who_goes_away_in_the_middle_is_not_written_and_troubles_nobody(
    app_server: AppServer, merchant: TestMerchant, product: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        with raw(merchant, 1000) as line:
            line.sendall(seen(product))
    assert b'{"kept":1,"refused":0}' == post(merchant.public, seen(product)).content
    assert 1 == kept(app_server.database, product)
    assert [] == [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


def test_who_is_too_slow_is_told_so(merchant: TestMerchant, product: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "PATIENCE", 0.1)
    with raw(merchant, 1000) as line:
        line.sendall(seen(product))
        assert line.recv(4096).startswith(b"HTTP/1.1 400 ")


def kept(database: Database, product: str) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Beacon).where(Beacon.product_id == product)) or 0


@contextmanager
def nothing_is_written(database: Database) -> Iterator[None]:
    """While somebody else keeps the beacons to themselves."""
    with database.transaction() as session:
        # On SQLite whoever is in a transaction that writes keeps everybody else from writing.
        hold = "SELECT 1" if database.is_sqlite else "LOCK TABLE beacons IN ACCESS EXCLUSIVE MODE"
        session.execute(text(hold))
        yield


def test_a_flood_of_beacons_is_told_to_come_again_and_leaves_room_for_likes(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = settings_for(new_database("flood"), tmp_path, public_url=url, jobs=False)
    database = Database(settings.database)
    with serving(main.application(settings, TestClock()), port), closing(database):
        shop = merchant_at(url, TestClock())
        product = str(shop.product()["id"])
        post(shop.public, seen(product))
        with closing(shop):
            asyncio.run(_flood(url, product, database))


async def _flood(url: str, product: str, database: Database) -> None:
    most = answers.MOST_WAITING // _ALL
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, headers={"User-Agent": BROWSER}, timeout=60, limits=limits) as http:
        with nothing_is_written(database):
            flood = [asyncio.ensure_future(http.post("/v1/beacons", content=seen(product, _ALL))) for _ in range(most)]
            behind = await _until_refused(http, product)
            like = asyncio.ensure_future(http.post("/v1/likes", json={"product": product}))
            await asyncio.sleep(0.2)
            assert [] == [
                each.result().text for each in (like, *flood) if each.done()
            ]  # they wait, and were not refused
        begin = time.monotonic()
        assert 201 == (await like).status_code
        assert time.monotonic() - begin < 5
        assert {(202, b'{"kept":100,"refused":0}')} == {told(await each)[:2] for each in flood}
        assert {202, 503} >= {(await each).status_code for each in behind}
        assert 202 == (await http.post("/v1/beacons", content=seen(product))).status_code
    assert 1 + most * _ALL + 1 == kept(database, product)


async def _until_refused(http: httpx.AsyncClient, product: str) -> list["asyncio.Future[httpx.Response]"]:
    """Report what is not there until all of the flood has arrived and nothing more is taken; what was taken until
    then."""
    never = product[:-1] + ("0" if product[-1] != "0" else "1")
    behind: list[asyncio.Future[httpx.Response]] = []
    while len(behind) < 100:
        asked = asyncio.ensure_future(http.post("/v1/beacons", content=seen(never)))
        done, _ = await asyncio.wait({asked}, timeout=0.1)
        if done:
            answer = asked.result()
            found = (answer.status_code, answer.json()["code"], answer.headers["retry-after"])
            assert (503, "unavailable", "2") == found, answer.text
            return behind
        behind.append(asked)
    raise AssertionError("nothing was refused")
