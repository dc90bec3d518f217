"""Hostile inputs (tests/data/hostile.json) in every field of every body, and in every parameter of paths and queries:
never our fault, always a problem that names the field, and what is refused writes nothing.

In the ordinary run each place gets some of the inputs, each time others; `make soak` puts all of them everywhere.
"""

import json
from collections.abc import Callable, Mapping
from urllib.parse import quote_from_bytes

import httpx
import pytest
from sqlalchemy import func, select

from app.kernel.feed import FEED
from app.kernel.feed_relay import Relay
from app.kernel.ids import merchant_of
from app.kernel.journal import JOURNAL
from app.tables import METADATA
from tests.conftest import ADMIN_TOKEN, AppServer
from tests.derived import DERIVED
from tests.hostile import Hostile, Place, body_with, inputs, places
from tests.shop import JSON, TestMerchant, ok
from tests.soak import SOAK
from tests.tenant_tables import ASKS_STRIPE, BODIES, KINDS
from tests.tenants import Things, operations, things_of

NewMerchant = Callable[..., TestMerchant]
INPUTS = inputs()
EACH = {"body": 1, "path": 1, "query": 1} if SOAK else {"body": 109, "path": 109, "query": 601}
"""Of so many inputs a place gets one. Primes, so that neighbours get others."""
AGAIN = 7
"""Of so many refusals one is tried again while the rows are counted."""

GOOD: Mapping[str, Callable[[Mapping[str, str]], JSON]] = {
    **BODIES,
    "POST /v1/merchants": lambda own: {"name": "Vine", "currency": "eur"},
    "PATCH /v1/merchant": lambda own: {"name": "Vine"},
    "POST /v1/keys": lambda own: {"kind": "report"},
    "POST /v1/products": lambda own: {"title": "Mug"},
    "PATCH /v1/me": lambda own: {"name": "Ana"},
    "POST /v1/consents": lambda own: {"product": own["product"], "version": "1"},
    "POST /v1/webhook-endpoints": lambda own: {"url": "https://shop.invalid/"},
    "PUT /v1/policy": lambda own: {"model": "linear"},
    "PUT /v1/policies/{name}": lambda own: {"model": "linear"},
    "PUT /v1/rules": lambda own: {"rules": {"too_fast": {"do": "flag", "thresholds": {"seconds": 2}}}},
    "POST /v1/attribution/preview": lambda own: {},
    "PUT /v1/connectors/{system}": lambda own: {"secret": "shpss_2f1b0a77c9d94d31"},
    "POST /v1/stripe/webhook": lambda own: {},
    "POST /v1/connectors/{system}/{merchant_id}": lambda own: {},
    "POST /v1/beacons": lambda own: {"type": "wall_view", "wall": own["wall"]},
}
"""A body that is right, for each operation that takes one."""

ALONE: Mapping[str, tuple[str, ...]] = {
    "POST /v1/consents": ("wall", "product", "merchant"),
    "PUT /v1/coupons/{code}": ("referral", "sharer"),
    "PUT /v1/promotion-codes/{code}": ("referral", "sharer"),
    "POST /v1/webhook-endpoints/{endpoint_id}/replay": ("since", "cursor", "events"),
}
"""Fields of which a body has one."""

OTHERWISE: Mapping[str, str] = {"system": "shopify", "name": "linear"}
"""What parameters of paths are that are no ids."""


def test_there_are_enough_inputs_and_each_is_another() -> None:
    assert len(INPUTS) >= 250
    assert len({each.json for each in INPUTS}) == len(INPUTS)
    assert {"sql", "markup", "tables", "paths", "headers", "direction", "normal forms", "surrogates"} <= {
        each.kind for each in INPUTS
    }


class Attack:
    """What a merchant, an operator and the public can ask, with an input in one place of it."""

    def __init__(self, merchant: TestMerchant, own: Things, document: JSON) -> None:
        self.merchant, self.own = merchant, own
        self.operations = {each.name: each for each in operations(document)}
        self.places = [each for each in places(document) if each.operation in self.operations]

    def send(self, place: Place, hostile: Hostile) -> httpx.Response | None:
        """The answer; None where the input cannot be put there."""
        operation = self.operations[place.operation]
        text = None if hostile.text is None else hostile.text.encode("utf-8", "surrogatepass")
        if place.where != "body" and (text is None or len(text) > 4000):
            return None
        path = operation.path
        for name in operation.parameters:
            own = self.own.get(KINDS.get(name, name)) or OTHERWISE.get(name, "x")
            tried = place.where == "path" and name == place.pointer[0]
            path = path.replace(f"{{{name}}}", quote_from_bytes(text or b"", safe="") if tried else own)
        if place.where == "query":
            path += f"?{place.pointer[0]}={quote_from_bytes(text or b'', safe='')}"
        headers = {"Authorization": f"Bearer {self._key(operation.path)}"} if operation.keyed else {}
        if operation.path.startswith(("/v1/me", "/v1/consents/")):
            headers["Grapevine-Visitor"] = self.own["token"]
        content = self._body(place, hostile)
        if content is not None:
            headers["Content-Type"] = "application/json"
        http = self.merchant.public
        with http.stream(operation.method, path, content=content, headers=headers) as answer:
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                return None  # goes on until somebody leaves
            answer.read()
            return answer

    def _key(self, path: str) -> str:
        return ADMIN_TOKEN if path.startswith("/v1/merchants") else self.merchant.secret_key

    def _body(self, place: Place, hostile: Hostile) -> bytes | None:
        if place.operation not in GOOD:
            return None
        good = GOOD[place.operation](self.own)
        if place.where == "body" and place.pointer[0] in (alone := ALONE.get(place.operation, ())):
            good = {name: each for name, each in good.items() if name not in alone}
        if place.operation == "POST /v1/shares" and place.pointer[0] in ("merchant", "url", "title"):
            good = {"merchant": self.own["merchant"], "url": "https://shop.example/mug", "network": "x"}
        return json.dumps(good).encode() if place.where != "body" else body_with(good, place.pointer, hostile)


@pytest.fixture
def attack(merchant: TestMerchant, app_server: AppServer) -> Attack:
    ok(merchant.http.patch("/v1/merchant", json={"allowed_origins": ["https://shop.example"]}))
    document = ok(httpx.get(f"{app_server.url}/openapi.json", verify=False))
    return Attack(merchant, things_of(merchant, app_server), document)


def rows(server: AppServer, merchant: TestMerchant) -> dict[str, int]:
    """How many the merchant has in each table."""
    number = merchant_of(merchant.id)
    for numbered in (FEED, JOURNAL):
        Relay(server.database, server.clock, of=numbered).place_all()  # what it would write in a moment
    count = select(func.count())
    with server.database.reading() as session:
        return {
            table.name: session.scalar(count.select_from(table).where(table.c.merchant_id == number)) or 0
            for table in METADATA.sorted_tables
            if "merchant_id" in table.c and table.name not in DERIVED
        }


def wrong_with(answer: httpx.Response, place: Place, hostile: Hostile) -> str | None:
    """What an answer should not have been."""
    if answer.status_code >= 500 and not (answer.status_code == 503 and place.operation.partition(" ")[2] in NO_STRIPE):
        return f"{answer.status_code} {answer.text[:300]}"
    media_type = answer.headers.get("content-type", "")
    if answer.status_code < 400 or media_type.startswith("text/html") or answer.status_code == 304:
        return None
    if media_type != "application/problem+json":
        return f"no problem but {media_type}"
    if len(answer.content) > 20_000:
        return f"says {len(answer.content)} bytes back"
    problem = answer.json()
    if problem["code"] != "invalid_request":
        return None
    pointers = [error["pointer"] for error in problem["errors"]]
    if place.where == "body":
        first = "/" + str(place.pointer[0])
        near = [each for each in pointers if each == "" or each.startswith(first)]
        return None if near or place.operation in OF_ALL else f"names {pointers}"
    return None if place.pointed in pointers else f"names {pointers}"


NO_STRIPE = {*ASKS_STRIPE, "/v1/stripe/webhook"}
OF_ALL = frozenset({"POST /v1/orders/bulk"})


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(3600 if SOAK else 300)
def test_hostile_input_is_refused_by_its_name_or_taken_as_it_is(attack: Attack, app_server: AppServer) -> None:
    without = {each.operation for each in attack.places if each.where == "body"} - GOOD.keys()
    assert set() == without, "give these a body in GOOD"
    assert len(attack.places) > 500
    wrong: list[str] = []
    refused: list[tuple[Place, Hostile]] = []
    for number, place in enumerate(attack.places):
        each = EACH[place.where]
        for hostile in INPUTS[number * 7 % each :: each]:
            answer = attack.send(place, hostile)
            if answer is None:
                continue
            if found := wrong_with(answer, place, hostile):
                wrong.append(f"{place.operation} {place.pointed}: {hostile.json[:80]!r}: {found}")
            if answer.status_code in (400, 404, 413, 422):
                refused.append((place, hostile))
    assert "" == "\n".join(wrong)

    before = rows(app_server, attack.merchant)
    for place, hostile in refused[::AGAIN]:
        attack.send(place, hostile)
    assert before == rows(app_server, attack.merchant)
