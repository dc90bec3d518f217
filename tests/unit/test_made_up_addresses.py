"""Addresses that are made up without end: what has not even the shape of an id is looked for nowhere and kept nowhere.

The database of these tests has no tables: whoever looks into it fails otherwise than with "not found".
"""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle, islice
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.types import ASGIApp, Message

from app import main
from app.kernel.ids import new_id
from app.settings import Settings
from app.storefront.shelf import Shelf
from tests.clock import START
from tests.conftest import settings_for

MADE_UP = 10_000
A_WALL = f"wall_{7:030}"
PLACES = [
    "/w/{}",
    "/w/{}/embed",
    "/w/{}/feed.json",
    "/w/{}/feed.xml",
    "/p/{}",
    f"/p/{{}}?wall={A_WALL}",
    "/thanks/{}",
    "/embed/walls/{}",
    "/embed/products/{}",
    f"/embed/products/{{}}?wall={A_WALL}",
    "/embed/r/{}",
    "/r/{}",
    "/r/{}.svg",
    *(f"/oembed?url=http%3A%2F%2F127.0.0.1%3A8000%2F{page}%2F{{}}" for page in "wpr"),
    "/v1/walls/{}/widget",
    "/v1/products/{}/widget",
    "/v1/walls/{}/live",
    "/v1/merchants/{}/sharing",
    "/cards/{}.png",
    f"/cards/{{}}.png?wall={A_WALL}",
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("nothing")
    return settings_for(f"sqlite:///{folder / 'empty.db'}", folder, public_url="http://127.0.0.1:8000", jobs=False)


@pytest.fixture(scope="module")
def server(settings: Settings) -> ASGIApp:
    return main.application(settings)


@pytest.fixture
def looked_for(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is looked for on any shelf, or in a thread where one may wait for the database."""
    seen: list[object] = []
    get, submit = Shelf.get, ThreadPoolExecutor.submit

    def getting(shelf: Any, key: Any) -> Any:
        seen.append(key)
        return get(shelf, key)

    def submitting(pool: Any, work: Any, *given: Any, **named: Any) -> Any:
        seen.append((work, given))
        return submit(pool, work, *given, **named)

    monkeypatch.setattr(Shelf, "get", getting)
    monkeypatch.setattr(ThreadPoolExecutor, "submit", submitting)
    return seen


def made_up() -> Iterator[str]:
    """Names without end, of which none has the shape of an id or a code."""
    for number in count():
        yield f"x{number}"
        yield f"wall_{number:031}"  # too long by one
        yield f"prod_{number:029}"  # too short by one
        yield f"wall_{number:029}u"  # a letter that is none of ours
        yield f"mer_{number:031}"
        yield f"chk_{number:030}%0A"
        yield f"wall_{number:030}%00"
        yield f"WALL_{number:030}"
        yield f"{number}" * 500
        yield ("%C3%A9" * 300) + str(number)


async def ask(server: ASGIApp, address: str) -> tuple[int, Mapping[bytes, bytes], bytes]:
    path, _, query = address.partition("?")
    told: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("nobody sends a body")

    async def send(message: Message) -> None:
        told.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"user-agent", b"Mozilla/5.0 Firefox/130.0"), (b"host", b"127.0.0.1:8000")],
    }
    await server(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in told[1:])
    return told[0]["status"], dict(told[0]["headers"]), body


def test_ten_thousand_made_up_addresses_are_looked_for_nowhere(server: ASGIApp, looked_for: list[object]) -> None:
    async def ask_all() -> set[tuple[str, int]]:
        asked = islice(zip(cycle(PLACES), made_up(), strict=False), MADE_UP)
        return {(place, (await ask(server, place.format(name)))[0]) for place, name in asked}

    assert {(place, 404) for place in PLACES} == asyncio.run(ask_all())
    assert [] == looked_for


@pytest.mark.parametrize("place", PLACES)
def test_an_id_of_another_kind_is_no_better(place: str, server: ASGIApp, looked_for: list[object]) -> None:
    kinds = {"w": "var", "p": "wall", "thanks": "prod", "embed": "chk", "oembed": "clk"}
    for kind in ("var", kinds.get(place.split("/")[1], "clk")):
        assert 404 == asyncio.run(ask(server, place.format(new_id(kind, 7, START))))[0]
    assert [] == looked_for


@pytest.mark.parametrize("place", PLACES)
def test_what_may_be_there_is_looked_for(place: str, server: ASGIApp, looked_for: list[object]) -> None:
    """Else the tests above would show nothing."""
    names = [new_id(kind, 7, START) for kind in ("wall", "prod", "mer", "chk")] + ["abcdefghi"]
    assert 503 in {asyncio.run(ask(server, place.format(name)))[0] for name in names}
    assert [] != looked_for
