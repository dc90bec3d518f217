"""Bad and hostile input: always a problem with the right status and pointer, never our fault, and nothing changed."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.kernel.feed import FEED
from app.kernel.feed_relay import Relay
from app.kernel.ids import merchant_of, new_id
from app.kernel.journal import JOURNAL
from app.tables import METADATA
from tests.clock import START
from tests.conftest import AppServer
from tests.derived import DERIVED
from tests.shop import JSON, TestMerchant, ok

Body = Callable[[JSON], JSON]
EUR = {"amount": 1999, "currency": "eur"}

GOOD: dict[str, JSON] = {
    "PATCH /v1/merchant": {"name": "Vine"},
    "PUT /v1/policy": {"model": "linear"},
    "POST /v1/keys": {"kind": "report"},
    "POST /v1/products": {"title": "Mug", "variants": [{"price": EUR}]},
    "PATCH /v1/products/{product}": {"title": "Mug", "variants": [{"price": EUR}]},
    "POST /v1/walls": {"title": "Wall", "theme": {"radius": 4}, "products": []},
    "PATCH /v1/walls/{wall}": {"title": "Wall"},
    "POST /v1/orders": {"external_id": "x", "placed_at": "2026-03-01T00:00:00Z", "currency": "eur", "net": 5},
    "POST /v1/orders/{order}/refunds": {"external_id": "x", "amount": 5},
    "POST /v1/likes": {"product": "{product}"},
    "POST /v1/shares": {"product": "{product}", "network": "x"},
}
"""A body that would be taken, for each operation that takes JSON."""

PRODUCT, ORDER, REFUND = "POST /v1/products", "POST /v1/orders", "POST /v1/orders/{order}/refunds"
LIKE, SHARE, WALL = "POST /v1/likes", "POST /v1/shares", "POST /v1/walls"


def priced(amount: Any, currency: Any = "eur") -> JSON:
    return {
        "variants": [
            {"title": "One", "price": EUR},
            {"title": "Two", "price": {"amount": amount, "currency": currency}},
        ]
    }


NO_AMOUNTS: tuple[Any, ...] = (
    -1,
    1.5,
    19.0,
    "5",
    True,
    None,
    [],
    10**12,
    2**63,
    10**400,
    float("nan"),
    float("inf"),
    float("-inf"),
)
NO_TEXTS: tuple[Any, ...] = ("a\x00b", "\ud800", 5, True, [], {}, {"$ne": 1})


def wrong_fields() -> Iterator[tuple[str, JSON, str]]:
    """Operation, what is wrong in its body, and where."""
    for operation in GOOD:
        yield operation, {"no_such_field": 1}, "/no_such_field"
        yield operation, {"a/b~c": 1}, "/a~1b~0c"
    for amount in NO_AMOUNTS:
        yield PRODUCT, priced(amount), "/variants/1/price/amount"
        yield "PATCH /v1/products/{product}", priced(amount), "/variants/1/price/amount"
        yield ORDER, {"net": amount}, "/net"
        if amount is not None:
            yield ORDER, {"gross": amount}, "/gross"
        yield ORDER, {"lines": [{"title": "Mug", "amount": amount}]}, "/lines/0/amount"
        yield REFUND, {"amount": amount}, "/amount"
    yield REFUND, {"amount": 0}, "/amount"
    yield ORDER, {"gross": 4}, "/gross"  # less than its net
    for currency in ("xxx", "", "euro", "e", "€", 978, None, "e\x00r", ["eur"]):
        yield PRODUCT, priced(1, currency), "/variants/1/price/currency"
        yield ORDER, {"currency": currency}, "/currency"
        if currency is not None:
            yield "PATCH /v1/merchant", {"currency": currency}, "/currency"
    for text in NO_TEXTS:
        yield PRODUCT, {"title": text}, "/title"
        yield PRODUCT, {"tags": ["good", text]}, "/tags/1"
        yield WALL, {"title": text}, "/title"
        yield ORDER, {"external_id": text}, "/external_id"
        yield ORDER, {"coupon": text}, "/coupon"
        yield ORDER, {"click_id": text}, "/click_id"
        yield REFUND, {"external_id": text}, "/external_id"
        yield SHARE, {"caption": text}, "/caption"
        yield SHARE, {"network": text}, "/network"
        yield LIKE, {"product": text}, "/product"
        yield LIKE, {"via": text}, "/via"
        yield "PATCH /v1/merchant", {"name": text}, "/name"
        yield "POST /v1/keys", {"kind": text}, "/kind"
    for at in (
        "yesterday",
        "2026-03-01",
        "2026-03-01T00:00:00",
        1_700_000_000,
        None,
        "0001-01-01T00:00:00+10:00",
        "2999-01-01T00:00:00Z",
    ):
        yield ORDER, {"placed_at": at}, "/placed_at"
    for url in ("javascript:alert(1)", "ftp://x", "//x", "https://a b", "x" * 3000, "data:text/html,x", 5):
        yield PRODUCT, {"url": url}, "/url"
        yield PRODUCT, {"images": ["https://good.example/1.jpg", url]}, "/images/1"
    for stock in (-1, 1.5, "3", 10**10, True):
        yield PRODUCT, {"variants": [{"stock": stock}]}, "/variants/0/stock"
    for quantity in (0, -1, 1.5, "2", 10**7):
        yield ORDER, {"lines": [{"title": "Mug", "amount": 1, "quantity": quantity}]}, "/lines/0/quantity"
    for id_ in ("prod_", "{wall}", "{order}", "x" * 65, "'; DROP TABLE products; --", "../../etc/passwd"):
        yield LIKE, {"product": id_}, "/product"
        yield SHARE, {"product": id_}, "/product"
        yield WALL, {"products": [id_]}, "/products/0"
    yield LIKE, {"wall": "{product}"}, "/wall"
    yield LIKE, {"wall": "wall_"}, "/wall"
    yield WALL, {"theme": {"radius": "4"}} | {"theme": {"radius": 4.5}}, "/theme/radius"
    yield PRODUCT, {"variants": [{}] * 251}, "/variants"
    yield PRODUCT, {"title": "x" * 301}, "/title"
    yield PRODUCT, {"description": "x" * 20_001}, "/description"
    yield REFUND, {"reason": "regret"}, "/reason"


WRONG = list(wrong_fields())


@pytest.fixture(scope="module")
def kept() -> dict[str, tuple[TestMerchant, dict[str, str]]]:
    """One merchant for each database: nothing of it may change, so all tests can share it."""
    return {}


@pytest.fixture
def shop(
    kept: dict[str, tuple[TestMerchant, dict[str, str]]],
    new_merchant: Callable[..., TestMerchant],
    app_server: AppServer,
) -> Iterator[tuple[TestMerchant, dict[str, str]]]:
    if app_server.url not in kept:
        made = new_merchant()
        product = made.product()["id"]
        kept[app_server.url] = (
            made,
            {"product": product, "wall": made.wall(product)["id"], "order": made.order(100)["id"]},
        )
    made, ids = kept[app_server.url]
    open_again = TestMerchant(made.id, made.secret_key, made.report_key, made.base, made.clock)
    yield open_again, ids
    open_again.close()


def counts(server: AppServer, merchant: TestMerchant) -> dict[str, int]:
    """How many rows the merchant has in each table."""
    number = merchant_of(merchant.id)
    for numbered in (FEED, JOURNAL):
        Relay(server.database, server.clock, of=numbered).place_all()  # what it would write in a moment
    with server.database.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table).where(table.c.merchant_id == number))
            or 0
            for table in METADATA.sorted_tables
            if "merchant_id" in table.c and table.name not in DERIVED
        }


def send(
    merchant: TestMerchant, ids: dict[str, str], operation: str, content: bytes, media: str = "application/json"
) -> httpx.Response:
    method, path = operation.split(" ")
    http = merchant.public if operation in (LIKE, SHARE) else merchant.http
    for name, id_ in ids.items():
        path, content = path.replace(f"{{{name}}}", id_), content.replace(f"{{{name}}}".encode(), id_.encode())
    return http.request(method, path, content=content, headers={"Content-Type": media} if media else {})


def is_problem(answer: httpx.Response, *statuses: int) -> JSON:
    assert answer.status_code in statuses, (answer.status_code, answer.text[:500])
    assert answer.headers["content-type"] == "application/problem+json"
    problem: JSON = answer.json()
    assert problem["status"] == answer.status_code
    assert {"type", "title", "status", "code", "detail"} <= set(problem)
    assert problem["type"] == f"urn:grapevine:problem:{problem['code']}"
    return problem


def test_the_bodies_that_are_made_wrong_here_are_right_otherwise(
    shop: tuple[TestMerchant, dict[str, str]], new_merchant: Callable[..., TestMerchant]
) -> None:
    merchant = new_merchant()
    product = merchant.product()["id"]
    ids = {"product": product, "wall": merchant.wall(product)["id"], "order": merchant.order(100)["id"]}
    for operation, body in GOOD.items():
        answer = send(merchant, ids, operation, json.dumps(body).encode())
        assert answer.is_success, (operation, answer.text)


def test_a_wrong_field_is_named_and_changes_nothing(
    shop: tuple[TestMerchant, dict[str, str]], app_server: AppServer
) -> None:
    merchant, ids = shop
    before = counts(app_server, merchant)
    assert len(WRONG) > 200
    for operation, wrong, pointer in WRONG:
        answer = send(merchant, ids, operation, json.dumps({**GOOD[operation], **wrong}).encode())
        problem = is_problem(answer, 422)
        assert problem["code"] == "invalid_request"
        pointers = [error["pointer"] for error in problem["errors"]]
        assert pointer in pointers, (operation, str(wrong)[:200], problem)
        assert all(each.startswith(pointer) for each in pointers) or operation == WALL, (
            operation,
            str(wrong)[:200],
            problem,
        )
        assert "ctx" not in answer.text
    assert before == counts(app_server, merchant)


def deep(levels: int) -> bytes:
    return b'{"title": ' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize(
    ("content", "statuses"),
    [
        (b"", (400, 422)),
        (b"{", (400,)),
        (b"{'title': 1}", (400,)),
        (b'{"title": "Mug"} x', (400,)),
        (b'{"title": "Mug", }', (400,)),
        (b"\xff\xfe\x00", (400,)),
        (b'{"title": "\xff"}', (400,)),
        (b"\x00", (400,)),
        (b"null", (422,)),
        (b"[]", (422,)),
        (b'[{"title": "Mug"}]', (422,)),
        (b'"Mug"', (422,)),
        (b"5", (422,)),
        (b"NaN", (400, 422)),
        (b"{}", (200, 422)),
        (deep(200), (400, 422)),
        (deep(100_000), (400, 422, 413)),  # what pages send is smaller
        (b'{"title": ' + b"9" * 10_000 + b"}", (400, 422)),
        (b'{"' + b"x" * 100_000 + b'": 1}', (422, 413)),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_object_of_json_is_refused(
    shop: tuple[TestMerchant, dict[str, str]], app_server: AppServer, content: bytes, statuses: tuple[int, ...]
) -> None:
    merchant, ids = shop
    before = counts(app_server, merchant)
    for operation in GOOD:
        if (operation, content) == ("PUT /v1/policy", b"{}"):
            continue  # a policy: what is left out has its default, and each PUT is a version
        answer = send(merchant, ids, operation, content)
        if answer.status_code == 200 in statuses and operation.startswith(("PATCH", "PUT")):
            continue  # a change that changes nothing
        problem = is_problem(answer, *statuses)
        assert problem["code"] in ("bad_request", "invalid_request", "too_large")
        assert len(answer.content) < 300_000
    assert before == counts(app_server, merchant)


@pytest.mark.parametrize(
    "media", ["", "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_body_of_another_type_is_refused(
    shop: tuple[TestMerchant, dict[str, str]], app_server: AppServer, media: str
) -> None:
    merchant, ids = shop
    before = counts(app_server, merchant)
    for operation, body in GOOD.items():
        is_problem(send(merchant, ids, operation, json.dumps(body).encode(), media), 400, 415, 422)
    assert before == counts(app_server, merchant)


def test_a_body_over_the_limit_is_refused_whether_it_says_so_or_not(
    shop: tuple[TestMerchant, dict[str, str]], app_server: AppServer
) -> None:
    merchant, ids = shop
    before = counts(app_server, merchant)
    huge = json.dumps({"title": "x" * 10_000_000}).encode()
    for operation in (PRODUCT, ORDER, "PATCH /v1/walls/{wall}", LIKE):
        assert "too_large" == is_problem(send(merchant, ids, operation, huge), 413)["code"]
    pieces = (huge[position : position + 65_536] for position in range(0, len(huge), 65_536))
    try:
        answer = merchant.http.post("/v1/products", content=pieces, headers={"Content-Type": "application/json"})
    except httpx.WriteError:  # refused before all was sent
        pass
    else:
        assert "too_large" == is_problem(answer, 413)["code"]
    assert before == counts(app_server, merchant)


PATHS = [
    "/v1/products/{}",
    "/v1/walls/{}",
    "/v1/walls/{}/embed-code",
    "/v1/orders/{}",
    "/v1/orders/{}/attribution",
    "/v1/imports/{}",
    "/v1/jobs/{}",
    "/v1/policies/{}",
    "/v1/walls/{}/widget",
    "/v1/products/{}/widget",
]


@pytest.mark.parametrize(
    "id_",
    [
        "x",
        "prod_",
        "%00",
        "%2e%2e",
        "%F0%9F%98%80",
        "%ff",
        "prod_" + "0" * 31,
        "x" * 5000,
        "null",
        "-1",
        "%27%20OR%201=1",
        "{}",
        new_id("clk", 1, START),
        new_id("prod", 32**8 - 1, START),
        new_id("wall", 32**8 - 1, START),
        new_id("ord", 0, START),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_no_id_of_that_kind_is_not_found(shop: tuple[TestMerchant, dict[str, str]], id_: str) -> None:
    merchant, _ = shop
    for path in PATHS:
        is_problem(merchant.http.get(path.replace("{}", id_, 1)), 404)
    for method, path in (("DELETE", "/v1/likes/{}"), ("POST", "/v1/visits/{}/claim"), ("DELETE", "/v1/keys/{}")):
        is_problem(merchant.http.request(method, path.replace("{}", id_, 1)), 404)


def test_ids_of_another_kind_are_not_found(shop: tuple[TestMerchant, dict[str, str]]) -> None:
    merchant, ids = shop
    for kind, id_ in ids.items():
        for path in PATHS:
            if f"/{kind}s/" not in path:
                is_problem(merchant.http.get(path.replace("{}", id_)), 404)


def test_an_address_that_is_not_there_and_a_method_that_it_does_not_know(
    shop: tuple[TestMerchant, dict[str, str]],
) -> None:
    merchant, _ = shop
    assert "not_found" == is_problem(merchant.http.get("/v2/products"), 404)["code"]
    answer = merchant.http.put("/v1/products", json={})
    assert "method_not_allowed" == is_problem(answer, 405)["code"]
    assert {"GET", "POST"} >= set(answer.headers["allow"].replace(" ", "").split(","))


@pytest.mark.parametrize("token", ["", "x", "vt_", "vt_x.y", "x" * 200, "x" * 201, "vt_\xff", "Bearer x"])
def test_a_visitors_token_that_is_none_makes_a_new_visitor_or_is_refused(
    shop: tuple[TestMerchant, dict[str, str]], token: str
) -> None:
    merchant, ids = shop
    headers = {"Grapevine-Visitor": token.encode("latin-1")}
    answer = merchant.public.post("/v1/likes", json={"product": ids["product"]}, headers=headers)  # type: ignore[arg-type]
    if len(token) > 200:
        is_problem(answer, 422)
    else:
        assert ok(answer, 201)["visitor"].startswith("vt_vis_")


def test_pages_and_answers_of_the_wrong_size_are_refused(shop: tuple[TestMerchant, dict[str, str]]) -> None:
    merchant, _ = shop
    for path in ("/v1/products", "/v1/walls", "/v1/orders", "/v1/jobs"):
        for query in (
            {"limit": "0"},
            {"limit": "101"},
            {"limit": "1e2"},
            {"limit": "-1"},
            {"cursor": "x"},
            {"cursor": "AAAA"},
            {"page": "2"},
        ):
            assert list(query) == [
                error["pointer"] for error in is_problem(merchant.http.get(path, params=query), 422)["errors"]
            ]
