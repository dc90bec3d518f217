"""The environment's proxy is the way to the real Stripe, and never to a simulated one on the same machine."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.demo.stripe.double import StripeDouble
from app.demo.stripe.server import running
from app.orders.stripe.client import Client
from app.orders.stripe.problems import CheckoutUnavailable
from app.orders.stripe.session import Item, NewSession
from app.orders.stripe.tags import Tags
from tests.net import free_port, serving


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The environment's proxy, which lets nobody through; the hosts that it was asked for."""
    asked: list[str] = []

    def refuse(request: Request) -> Response:
        asked.append(request.headers["host"])
        return JSONResponse({"error": {"type": "api_error", "message": "The proxy lets nobody through."}}, 503)

    port = free_port()
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
    with serving(Starlette(routes=[Route("/{path:path}", refuse, methods=["GET", "POST"])]), port):
        yield asked


def new_session() -> NewSession:
    return NewSession(
        key="key-1",
        account=None,
        currency="eur",
        items=[Item("Mug", 1999, 1, None)],
        tags=Tags(merchant="mer_1", checkout="chk_1"),
        success_url="https://shop.example/thanks",
        cancel_url="https://shop.example/",
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_simulated_stripe_on_this_machine_is_reached_without_it(proxy: list[str], host: str) -> None:
    double = StripeDouble()
    with running(double) as address:
        client = Client(double.api_key, address.replace("127.0.0.1", host))
        assert client.create_session(new_session()).id.startswith("cs_test_")
        client.close()
    assert [] == proxy


def test_a_stripe_elsewhere_is_asked_through_it(proxy: list[str]) -> None:
    client = Client("sk_test_1", "http://stripe.example")
    with pytest.raises(CheckoutUnavailable):
        client.create_session(new_session())
    client.close()
    assert {"stripe.example"} == set(proxy)
