"""What belongs to another merchant answers exactly as what does not exist, in every operation there is.

The operations come from the OpenAPI document that the server serves: one that is new and has no line in the
tables below makes these tests fail, so that nobody forgets to think about it.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.delivery.models import WebhookDelivery
from app.kernel.feed_relay import Relay
from app.kernel.ids import merchant_of, new_id
from app.kernel.rollups import reading as rollups
from app.kernel.rollups.tables import DIMENSIONS
from app.tables import METADATA
from tests import policies
from tests.clock import START
from tests.conftest import AppServer
from tests.derived import DERIVED
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]
_numbers = itertools.count(1)

KINDS = {
    "product_id": "product",
    "wall_id": "wall",
    "import_id": "import",
    "order_id": "order",
    "refund_id": "refund",
    "key_id": "key",
    "like_id": "like",
    "job_id": "job",
    "merchant_id": "merchant",
    "visitor": "visitor",
    "sharer": "visitor",
    "person": "visitor",
    "code": "coupon",
    "endpoint_id": "endpoint",
    "delivery_id": "delivery",
}
"""What kind of id a path's parameter takes."""

PREFIXES = {
    "product": "prod",
    "wall": "wall",
    "import": "imp",
    "order": "ord",
    "refund": "rfd",
    "key": "key",
    "like": "ref",
    "job": "job",
    "merchant": "mer",
    "click": "clk",
    "visitor": "vis",
    "variant": "var",
    "endpoint": "whe",
    "delivery": "whd",
}

BODIES: Mapping[str, Callable[["Things"], JSON]] = {
    "POST /v1/walls": lambda own: {"title": "Wall", "products": [own["product"]]},
    "PATCH /v1/walls/{wall_id}": lambda own: {"title": "Other wall"},
    "PATCH /v1/merchants/{merchant_id}": lambda own: {"stripe_account": None},
    "PATCH /v1/products/{product_id}": lambda own: {"title": "Other title"},
    "POST /v1/likes": lambda own: {"product": own["product"]},
    "POST /v1/shares": lambda own: {"product": own["product"], "network": "x"},
    "POST /v1/orders": lambda own: {
        "external_id": f"tried-{next(_numbers)}",
        "placed_at": "2026-03-01T00:00:00Z",
        "currency": "eur",
        "net": 5,
    },
    "POST /v1/orders/{order_id}/refunds": lambda own: {"external_id": f"tried-{next(_numbers)}", "amount": 1},
    "PATCH /v1/orders/{order_id}": lambda own: {"note": "looked at"},
    "POST /v1/orders/bulk": lambda own: {"orders": [BODIES["POST /v1/orders"](own)]},
    "POST /v1/checkouts": lambda own: {"items": [{"variant": own["variant"]}]},
    "PUT /v1/promotion-codes/{code}": lambda own: {"referral": own["share"], "coupon": "TEN"},
    "PUT /v1/identities/{visitor}": lambda own: {"person": "customer-7"},
    "PUT /v1/coupons/{code}": lambda own: {"referral": own["share"]},
    "PATCH /v1/webhook-endpoints/{endpoint_id}": lambda own: {"disabled": False},
    "POST /v1/webhook-endpoints/{endpoint_id}/rotate": lambda own: {"overlap_hours": 0},
    "POST /v1/webhook-endpoints/{endpoint_id}/replay": lambda own: {"cursor": ""},
}
"""A body that is right, for the operations that take ids in one."""

IN_BODIES: Mapping[str, Mapping[str, tuple[str, Callable[[JSON, str], JSON]]]] = {
    "POST /v1/walls": {"products": ("product", lambda body, id_: {**body, "products": [*body["products"], id_]})},
    "PATCH /v1/walls/{wall_id}": {"products": ("product", lambda body, id_: {**body, "products": [id_]})},
    "POST /v1/likes": {
        "wall": ("wall", lambda body, id_: {**body, "wall": id_}),
        "via": ("click", lambda body, id_: {**body, "via": id_}),
    },
    "POST /v1/shares": {
        "wall": ("wall", lambda body, id_: {**body, "wall": id_}),
        "via": ("click", lambda body, id_: {**body, "via": id_}),
    },
    "POST /v1/orders": {
        "click_id": ("click", lambda body, id_: {**body, "click_id": id_}),
        "visitor": ("visitor", lambda body, id_: {**body, "visitor": id_}),
    },
    "PATCH /v1/orders/{order_id}": {
        "click_id": ("click", lambda body, id_: {**body, "click_id": id_}),
        "visitor": ("visitor", lambda body, id_: {**body, "visitor": id_}),
    },
    "POST /v1/orders/bulk": {
        "orders": ("click", lambda body, id_: {"orders": [{**order, "click_id": id_} for order in body["orders"]]}),
    },
    "POST /v1/checkouts": {
        "items": ("variant", lambda body, id_: {**body, "items": [*body["items"], {"variant": id_}]}),
        "wall": ("wall", lambda body, id_: {**body, "wall": id_}),
        "click": ("click", lambda body, id_: {**body, "click": id_}),
    },
    "PUT /v1/coupons/{code}": {
        "referral": ("like", lambda body, id_: {**body, "referral": id_}),
        "sharer": ("visitor", lambda body, id_: {"sharer": id_}),
    },
    "PUT /v1/promotion-codes/{code}": {
        "referral": ("like", lambda body, id_: {**body, "referral": id_}),
        "sharer": ("visitor", lambda body, id_: {"sharer": id_, "coupon": "TEN"}),
    },
}
"""Where ids stand in bodies, their kind, and how another one is put there."""

NOT_ANOTHERS: Mapping[str, str] = {
    "POST /v1/merchants": "no ids: makes a merchant",
    "PATCH /v1/merchant": "no ids: the merchant is the key's",
    "POST /v1/keys": "no ids",
    "PATCH /v1/me": "no ids: the visitor is the token's",
    "POST /v1/webhook-endpoints": "no ids: an address is whose it is",
    "PUT /v1/policy": "no ids: the merchant is the key's",
    "GET /v1/policies/{name}": "no ids: a name is the merchant's own word",
    "PUT /v1/policies/{name}": "no ids: a name is the merchant's own word",
    "DELETE /v1/policies/{name}": "no ids: a name is the merchant's own word",
    "POST /v1/attribution/preview": "no ids: the merchant is the key's",
    "POST /v1/history": "ids in lines are the sender's own words: another merchant's is only a name",
    "GET /v1/coupons/{code}": "no ids: a code is the merchant's own word",
    "PUT /v1/coupons/{code} code": "a code is the merchant's own word",
    "DELETE /v1/coupons/{code}": "no ids: a code is the merchant's own word",
    "PUT /v1/promotion-codes/{code} code": "a code is the merchant's own word",
    "GET /v1/connectors/{system}": "no ids: a system's name",
    "PUT /v1/connectors/{system}": "no ids: a system's name",
    "DELETE /v1/connectors/{system}": "no ids: a system's name",
    "POST /v1/connectors/{system}/{merchant_id}": "signed by the merchant's own shop; tests/api/test_connectors.py",
    "POST /v1/products": "no ids: an external_id is the merchant's own word",
    "POST /v1/imports": "no ids: a file's handles are the merchant's own words",
    "POST /v1/stripe/webhook": "signed by Stripe; what it names is looked up globally",
    "POST /v1/visits/{click}/claim": "public: a click id is all that a visitor has",
    "GET /v1/walls/{wall_id}/widget": "public",
    "GET /v1/walls/{wall_id}/live": "public",
    "POST /v1/beacons": "public; names of another merchant's things are in test_beacons.py",
    "GET /v1/products/{product_id}/widget": "public",
    "GET /v1/merchants/{merchant_id}/sharing": "public",
    "GET /cards/{public_id}.png": "public",
    "GET /embed/walls/{wall_id}": "public",
    "GET /embed/products/{product_id}": "public",
    "GET /embed/r/{code}": "public",
    "GET /w/{wall_id}/feed.json": "public",
    "GET /w/{wall_id}/feed.xml": "public",
    "GET /w/{wall_id}": "public",
    "GET /w/{wall_id}/embed": "public",
    "GET /p/{product_id}": "public",
    "GET /r/{code}": "public",
    "GET /r/{code}.svg": "public",
    "GET /thanks/{checkout_id}": "public: only the buyer was given its id",
    "POST /v1/likes product": "public: the product says whose shopper this is",
    "POST /v1/shares product": "public: the product says whose shopper this is",
}
"""Operations (and fields) in which nothing can be another merchant's, and why."""

ASKS_STRIPE = {"/v1/checkouts", "/v1/promotion-codes/{code}"}
"""Here there is none, which is a 503."""

ID_FIELDS = {
    "product",
    "products",
    "wall",
    "via",
    "click",
    "click_id",
    "visitor",
    "items",
    "variant",
    "order",
    "orders",
    "referral",
    "sharer",
}
MADE = {"id", "code", "url", "intent_url", "visitor", "external_id", "click_id", "likes", "corrections"}
"""Fields of answers that are new each time, or say again what was sent."""


class Things(dict[str, str]):
    """One id of each kind, of one merchant."""


def things_of(merchant: TestMerchant, server: AppServer) -> Things:
    product = merchant.product("Mug", external_id="mug")
    wall = merchant.wall(product["id"])
    ana, bo = merchant.shopper(), merchant.shopper()
    like, share = ana.like(product["id"]), ana.share(product["id"])
    click = bo.follow(share["code"])
    order = merchant.order(net=1000, click_id=click)
    refund = merchant.refund(order["id"], 100)
    upload = {"file": ("products.csv", b"Handle,Title\n", "text/csv")}
    begun = ok(merchant.http.post("/v1/imports", data={"format": "shopify_csv"}, files=upload), 202)
    key = ok(merchant.http.post("/v1/keys", json={"kind": "report"}), 201)
    job = policies.change(merchant, policies.LINEAR, since="beginning")["job"]
    ok(merchant.http.put(f"/v1/identities/{ana.id}", json={"person": ana.id}))
    coupon = f"TEN{next(_numbers)}"
    ok(merchant.http.put(f"/v1/coupons/{coupon}", json={"referral": share["id"]}))
    endpoint = ok(merchant.http.post("/v1/webhook-endpoints", json={"url": "https://shop.invalid/"}), 201)
    ok(merchant.http.patch(f"/v1/webhook-endpoints/{endpoint['id']}", json={"disabled": True}))
    return Things(
        merchant=merchant.id,
        product=product["id"],
        variant=product["variants"][0]["id"],
        wall=wall["id"],
        like=like["id"],
        share=share["id"],
        click=click,
        visitor=ana.id,
        coupon=coupon,
        order=order["id"],
        refund=refund["id"],
        key=key["id"],
        job=job["id"],
        token=str(ana.token),
        endpoint=endpoint["id"],
        delivery=delivered(server, endpoint["id"]),
        **{"import": begun["id"]},
    )


def delivered(server: AppServer, endpoint: str) -> str:
    """Something that an endpoint was told."""
    number = merchant_of(endpoint)
    row = WebhookDelivery(
        merchant_id=number,
        delivery_id=new_id("whd", number, START),
        endpoint_id=endpoint,
        event_id=new_id("evt", number, START),
        type="referral.created",
        subject="ref",
        body="{}",
        created_at=START,
        attempts=1,
        delivered_at=START,
    )
    with server.database.transaction() as session:
        session.add(row)
    return row.delivery_id


@dataclass(frozen=True)
class Operation:
    """An operation of the OpenAPI document."""

    method: str
    path: str
    keyed: bool
    parameters: tuple[str, ...]
    fields: tuple[str, ...]
    has_body: bool
    tags: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def places(self) -> list[str]:
        """Where ids stand: parameters of the path, fields of the body."""
        places = [*self.parameters, *(each for each in self.fields if each in ID_FIELDS)]
        told = self.name in NOT_ANOTHERS
        return [] if told else [each for each in places if f"{self.name} {each}" not in NOT_ANOTHERS]


def operations(document: JSON) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            content = about.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
            parameters = [each["name"] for each in about.get("parameters", []) if each["in"] == "path"]
            yield Operation(
                method.upper(),
                path,
                bool(about.get("security")),
                tuple(parameters),
                tuple(schema.get("properties", {})),
                bool(content),
            )


@dataclass(frozen=True)
class Matrix:
    """Us, them, and a way to try their ids as us."""

    ours: TestMerchant
    own: Things
    theirs: TestMerchant
    foreign: Things

    def missing(self, kind: str) -> list[str]:
        """Ids of nothing: as we, they and nobody might have them."""
        numbers = [merchant_of(self.theirs.id), 10**9]
        # There is no list of visitors: each that carries our number may be ours. And a variant says whose shop it is.
        if kind not in ("visitor", "variant"):
            numbers.append(merchant_of(self.ours.id))
        return [new_id(PREFIXES[kind], number, START) for number in numbers]

    def call(self, operation: Operation, place: str, tried: str) -> httpx.Response:
        path = operation.path
        for name in operation.parameters:
            path = path.replace(f"{{{name}}}", tried if name == place else self.own[KINDS[name]])
        body = BODIES[operation.name](self.own) if operation.name in BODIES else None
        if body is not None and place in operation.fields:
            body = IN_BODIES[operation.name][place][1](body, tried)
        if operation.keyed:
            return self.ours.http.request(operation.method, path, json=body)
        # Somebody new each time where something is made, so that nothing "stood already".
        token = {"Grapevine-Visitor": self.own["token"]} if operation.method == "DELETE" else {}
        return self.ours.public.request(operation.method, path, json=body, headers=token)


def shown(answer: httpx.Response, tried: str) -> tuple[int, str, Any]:
    """Everything that an answer tells, but for what is new each time or was said by the caller."""
    media_type = answer.headers.get("content-type", "")
    if not answer.content:
        return answer.status_code, media_type, None
    text = answer.text.replace(tried, "<tried>")
    return answer.status_code, media_type, _without_what_is_made(json.loads(text))


def _without_what_is_made(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "<made>"
            if name in MADE and each is not None and "<tried>" not in str(each)
            else _without_what_is_made(each)
            for name, each in value.items()
        }
    return [_without_what_is_made(each) for each in value] if isinstance(value, list) else value


AT_WORK = {"outbox", "imports", "import_chunks", "journal_entries", "journal_ends"} | DERIVED
"""Tables that go on changing by themselves. What counts come to is compared."""


def everything_of(server: AppServer, merchant: TestMerchant) -> dict[str, list[str]]:
    """Every row of a merchant's, in every table that has such, and what was counted."""
    number = merchant_of(merchant.id)
    Relay(server.database, server.clock).place_all()  # what it would write in a moment
    with server.database.reading() as session:
        rows = {
            table.name: sorted(map(repr, session.execute(select(table).where(table.c.merchant_id == number))))
            for table in METADATA.sorted_tables
            if "merchant_id" in table.c and table.name not in AT_WORK
        }
        whole = rollups.extent(session, number)
        counts: dict[str, list[str]] = {
            dimension: sorted(map(repr, rollups.sums(session, number, dimension, [whole] if whole else []).items()))
            for dimension in DIMENSIONS
        }
        return {**rows, **counts}


@pytest.fixture
def matrix(new_merchant: NewMerchant, app_server: AppServer) -> Matrix:
    ours, theirs = new_merchant(), new_merchant()
    return Matrix(ours, things_of(ours, app_server), theirs, things_of(theirs, app_server))


@pytest.fixture
def served(app_server: AppServer) -> list[Operation]:
    return list(operations(ok(httpx.get(f"{app_server.url}/openapi.json", verify=False))))


def test_every_operation_was_thought_about(served: list[Operation]) -> None:
    for operation in served:
        if operation.name in NOT_ANOTHERS or not (operation.parameters or operation.has_body):
            continue
        for parameter in operation.parameters:
            assert parameter in KINDS, f"{operation.name}: say in KINDS what {parameter} is, or in NOT_ANOTHERS why not"
        if operation.has_body:
            assert operation.name in BODIES, f"{operation.name}: give it a body in BODIES, or a reason in NOT_ANOTHERS"
        for name in set(operation.places) - set(operation.parameters):
            assert name in IN_BODIES.get(operation.name, {}), (
                f"{operation.name}: say in IN_BODIES how an id comes to {name}"
            )
    known = {operation.name for operation in served}
    told = {
        *BODIES,
        *IN_BODIES,
        *(re.sub(r" \w+$", "", name) if name.count(" ") > 1 else name for name in NOT_ANOTHERS),
    }
    assert told <= known, f"no longer served: {sorted(told - known)}"


def test_what_is_anothers_answers_as_what_is_missing_and_stays_as_it_was(
    matrix: Matrix, served: list[Operation], app_server: AppServer
) -> None:
    before = everything_of(app_server, matrix.theirs)
    assert sum(map(len, before.values())) > 15
    tried = 0
    for operation in served:
        for place in operation.places:
            kind = KINDS[place] if place in operation.parameters else IN_BODIES[operation.name][place][0]
            foreign = shown(matrix.call(operation, place, matrix.foreign[kind]), matrix.foreign[kind])
            for missing in matrix.missing(kind):
                assert foreign == shown(matrix.call(operation, place, missing), missing), (operation.name, place)
            assert foreign[0] < 500 or operation.path in ASKS_STRIPE, (operation.name, place, foreign)
            if place in operation.parameters:
                assert foreign[0] in (401, 404), (operation.name, place, foreign)
            tried += 1
    assert tried >= 25
    assert before == everything_of(app_server, matrix.theirs)


def test_their_refund_is_not_found_under_our_order(matrix: Matrix) -> None:
    answer = matrix.ours.http.delete(f"/v1/orders/{matrix.own['order']}/refunds/{matrix.foreign['refund']}")
    assert answer.status_code == 404


def test_what_is_ours_is_found_by_the_same_calls(matrix: Matrix, served: list[Operation]) -> None:
    """Otherwise the comparison above would compare nothing with nothing."""
    reading = [each for each in served if each.keyed and each.method == "GET" and each.parameters and each.places]
    assert len(reading) >= 6
    for operation in reading:
        if "merchant_id" in operation.parameters:
            continue
        *_, place = operation.parameters
        assert matrix.call(operation, place, matrix.own[KINDS[place]]).status_code == 200, operation.name


def test_our_lists_and_reports_show_nothing_of_theirs(matrix: Matrix, served: list[Operation]) -> None:
    lists = [each for each in served if each.method == "GET" and each.keyed and not each.parameters]
    assert len(lists) >= 6
    for operation in lists:
        answer = matrix.ours.http.get(operation.path)
        assert answer.status_code == 200, operation.name
        assert not [kind for kind, id_ in matrix.foreign.items() if id_ in answer.text], operation.name


def test_a_visitors_token_of_theirs_is_nobody_with_us(matrix: Matrix) -> None:
    body = {"product": matrix.own["product"]}
    answer = ok(matrix.ours.public.post("/v1/likes", json=body, headers={"Grapevine-Visitor": matrix.foreign["token"]}))
    assert answer["visitor"] not in (None, matrix.foreign["token"])
    assert merchant_of(matrix.ours.id) == merchant_of(answer["visitor"][3:].partition(".")[0])
