"""The API's document is made once, beside the event loop, and kept packed."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.resources import WIDGETS
from app.storefront.reference.answers import Reference
from app.storefront.reference.api import router
from tests.conftest import AppServer
from tests.net import free_port, serving
from tests.shop import ok


class Slow:
    """An application whose document takes as long as one lets it."""

    def __init__(self) -> None:
        self.app = FastAPI(openapi_url=None)
        self.app.include_router(router)
        self.app.state.reference = Reference(WIDGETS / "pages", "/", self.describe, "")
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.times = 0

    def describe(self) -> dict[str, Any]:
        self.times += 1
        self.begun.set()
        assert self.go_on.wait(20)
        return {"info": {"title": "Slow"}}


@pytest.fixture
def slow() -> Iterator[tuple[Slow, httpx.Client]]:
    made, port = Slow(), free_port()

    async def at_once() -> str:
        return "here"

    made.app.add_api_route("/other", at_once)
    with serving(made.app, port), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
        yield made, http


def test_others_are_answered_while_the_document_is_made_and_it_is_made_once(slow: tuple[Slow, httpx.Client]) -> None:
    made, http = slow
    with ThreadPoolExecutor(5) as crowd:
        asked = [crowd.submit(http.get, "/openapi.json") for _ in range(5)]
        assert made.begun.wait(10)
        try:
            assert "here" == http.get("/other").json()
            assert not any(each.done() for each in asked)
        finally:
            made.go_on.set()
        assert 5 * [{"info": {"title": "Slow"}}] == [each.result().json() for each in asked]
    assert 1 == made.times


def test_the_document_is_sent_packed_and_only_to_who_does_not_have_it(app_server: AppServer) -> None:
    with httpx.Client(base_url=app_server.url, verify=False) as http:
        whole = http.get("/openapi.json", headers={"Accept-Encoding": "identity"})
        for coding in ("br", "gzip"):
            packed = http.get("/openapi.json", headers={"Accept-Encoding": coding})
            assert (coding, whole.json()) == (packed.headers["content-encoding"], ok(packed))
            assert int(packed.headers["content-length"]) < len(whole.content) / 4
        assert 304 == http.get("/openapi.json", headers={"If-None-Match": whole.headers["etag"]}).status_code
        head = http.head("/openapi.json", headers={"Accept-Encoding": "identity"})
        assert (200, b"", whole.headers["etag"]) == (head.status_code, head.content, head.headers["etag"])
        assert "application/json" == whole.headers["content-type"]
