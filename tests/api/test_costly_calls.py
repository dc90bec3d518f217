"""What anybody may ask costs no more than it is worth: a body of nonsense, an answer that nobody reads."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
from sqlalchemy import insert

from app.kernel.ids import merchant_of, new_code, new_id
from app.referrals.models import Referral
from tests.clock import START
from tests.conftest import AppServer
from tests.shop import Shopper, TestMerchant

pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session")

NONSENSE = "{" + ",".join(f'"field-{number}": 1' for number in range(60_000)) + "}"
"""A mebibyte, nearly."""


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/likes"), ("POST", "/v1/shares"), ("POST", "/v1/consents"), ("PATCH", "/v1/me")],
)
def test_a_page_that_says_too_much_is_not_heard_to_the_end(ana: Shopper, product: str, method: str, path: str) -> None:
    ana.like(product)
    headers = {"Content-Type": "application/json", **ana.headers}
    answer = ana.http.request(method, path, content=NONSENSE, headers=headers)
    assert (413, "too_large") == (answer.status_code, answer.json()["code"])


def test_of_very_many_wrong_fields_the_first_are_named(merchant: TestMerchant) -> None:
    answer = merchant.http.post("/v1/products", content=NONSENSE, headers={"Content-Type": "application/json"})
    assert (422, 100) == (answer.status_code, len(answer.json()["errors"]))
    assert len(answer.content) < 20_000


def passed_on_much(server: AppServer, shopper: Shopper) -> None:
    """Have so much be held of them that no line takes it at once."""
    merchant, many = merchant_of(shopper.id, "vis"), 400
    row = {
        "merchant_id": merchant,
        "kind": "share",
        "visitor_id": shopper.id,
        "network": "whatsapp",
        "caption": "word " * 5_000,
        "at": START,
        "received_at": START,
    }
    with server.database.transaction() as session:
        session.execute(
            insert(Referral),
            [
                {**row, "referral_id": new_id("ref", merchant, START), "target": f"url:{n}", "code": new_code()}
                for n in range(many)
            ],
        )


@contextmanager
def slow(shopper: Shopper, path: str) -> Iterator[None]:
    """Somebody who asks and does not read what comes."""
    url = urlsplit(str(shopper.http.base_url))
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect((url.hostname, url.port))
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nGrapevine-Visitor: {shopper.token}\r\n\r\n".encode())
        assert line.recv(12) == b"HTTP/1.1 200"
        yield


def test_who_does_not_read_what_is_held_of_them_keeps_nobody_else_from_it(
    app_server: AppServer, product: str, ana: Shopper, bo: Shopper
) -> None:
    ana.like(product)
    bo.like(product)
    passed_on_much(app_server, ana)
    with ExitStack() as all_slow:
        for _ in range(4):
            all_slow.enter_context(slow(ana, "/v1/me/data"))
        told = bo.http.get("/v1/me/data", headers=bo.headers)
        assert (200, bo.id) == (told.status_code, told.json()["visitor"])
        assert 503 == ana.http.get("/v1/me/data", headers=ana.headers).status_code
