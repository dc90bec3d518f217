"""Two merchants, and every way to try the other's ids: for tests/api/test_tenant_matrix.py."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select

from app.delivery.models import WebhookDelivery
from app.kernel.feed_relay import Relay
from app.kernel.ids import merchant_of, new_id
from app.kernel.rollups import reading as rollups
from app.kernel.rollups.tables import DIMENSIONS
from app.tables import METADATA
from tests import doubts, policies
from tests.clock import START
from tests.conftest import AppServer
from tests.derived import DERIVED
from tests.shop import JSON, TestMerchant, ok
from tests.tenant_tables import BODIES, ID_FIELDS, IN_BODIES, KINDS, NOT_ANOTHERS, PREFIXES

_numbers = itertools.count(1)

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
    agreed = {"merchant": merchant.id, "version": "1"}
    consent = ok(merchant.public.post("/v1/consents", json=agreed, headers=ana.headers), 201)
    endpoint = ok(merchant.http.post("/v1/webhook-endpoints", json={"url": "https://shop.invalid/"}), 201)
    ok(merchant.http.patch(f"/v1/webhook-endpoints/{endpoint['id']}", json={"disabled": True}))
    (doubt,) = doubts.raised(server, merchant, doubts.found(order["id"]))
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
        consent=consent["id"],
        endpoint=endpoint["id"],
        doubt=doubt,
        **delivered(server, endpoint["id"]),
        **{"import": begun["id"]},
    )


def another_of_each(merchant: TestMerchant, server: AppServer) -> None:
    """One more of what is listed."""
    product = merchant.product()["id"]
    merchant.wall(product)
    share = merchant.shopper().share(product)
    order = merchant.order(net=1000, click_id=merchant.shopper().follow(share["code"]))
    doubts.raised(server, merchant, doubts.found(order["id"]))
    ok(merchant.http.post("/v1/keys", json={"kind": "report"}), 201)
    ok(merchant.http.put(f"/v1/coupons/MORE{next(_numbers)}", json={"referral": share["id"]}))


def delivered(server: AppServer, endpoint: str) -> dict[str, str]:
    """Something that an endpoint was told, and of which event."""
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
    told = {"delivery": row.delivery_id, "event": row.event_id}
    with server.database.transaction() as session:
        session.add(row)
    return told


@dataclass(frozen=True)
class Operation:
    """An operation of the OpenAPI document."""

    method: str
    path: str
    keyed: bool
    parameters: tuple[str, ...]
    queries: tuple[str, ...]
    fields: tuple[str, ...]
    has_body: bool

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def places(self) -> list[str]:
        """Where ids stand: parameters of the path, fields of the body."""
        places = [*self.parameters, *(each for each in self.fields if each in ID_FIELDS)]
        told = self.name in NOT_ANOTHERS
        return [] if told else [each for each in places if f"{self.name} {each}" not in NOT_ANOTHERS]


_WHERE = ("path", "query")


def operations(document: JSON) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            content = about.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
            named = {
                where: [each["name"] for each in about.get("parameters", []) if each["in"] == where] for where in _WHERE
            }
            yield Operation(
                method.upper(),
                path,
                bool(about.get("security")),
                tuple(named["path"]),
                tuple(named["query"]),
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

    def path(self, operation: Operation, place: str = "", tried: str = "") -> str:
        """The operation's address with our own ids, but for what is `tried`."""
        path = operation.path
        for name in operation.parameters:
            own = self.own[KINDS[name]] if name in KINDS else "x"
            path = path.replace(f"{{{name}}}", tried if name == place else own)
        return path

    def ask(self, operation: Operation, parameter: str, tried: str) -> httpx.Response:
        """What a query answers us."""
        return self.ours.http.get(self.path(operation), params={parameter: tried})

    def call(self, operation: Operation, place: str, tried: str) -> httpx.Response:
        path = self.path(operation, place, tried)
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
