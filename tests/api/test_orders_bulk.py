"""Many sales in one call: each answered for itself, all that is answered on disk, none lost for another's sake."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.kernel.database import Database
from tests.clock import TestClock
from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok


def sale(name: str, **fields: Any) -> JSON:
    return {"external_id": name, "placed_at": "2026-03-01T10:00:00Z", "currency": "eur", "net": 1000, **fields}


def send(merchant: TestMerchant, orders: list[Any], **headers: str) -> httpx.Response:
    return merchant.http.post("/v1/orders/bulk", json={"orders": orders}, headers=headers)


def told(merchant: TestMerchant, orders: list[Any]) -> list[tuple[str, str | None]]:
    """What became of each, and why not."""
    answer = ok(send(merchant, orders), 200)
    results = answer["results"]
    counts = Counter(result["status"] for result in results)
    assert [answer[status] for status in ("created", "unchanged", "refused")] == [
        counts[status] for status in ("created", "unchanged", "refused")
    ]
    assert len(orders) == len(results)
    return [(result["status"], result["code"]) for result in results]


def kept(merchant: TestMerchant) -> list[str]:
    """All orders of the merchant by the shop's names, oldest first."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = ok(merchant.http.get("/v1/orders", params={"limit": 100} | ({"cursor": cursor} if cursor else {})))
        found.extend(order["external_id"] for order in page["data"])
        if (cursor := page["next_cursor"]) is None:
            return found[::-1]


CREATED, UNCHANGED, EXISTS = ("created", None), ("unchanged", None), ("refused", "order_exists")
INVALID = ("refused", "invalid_request")


def test_each_order_is_what_it_would_be_alone(merchant: TestMerchant, clock: TestClock) -> None:
    ana, bo = merchant.shopper(), merchant.shopper()
    shared = ana.share(merchant.product()["id"])
    bo.follow(shared["code"])
    clock.move(minutes=1)
    at = clock.now().isoformat()
    bodies = [
        sale("1", placed_at=at, click_id=f"https://shop.example/?gv_click={bo.click}", gross=1200, customer="bo"),
        sale(
            "2", placed_at=at, visitor=bo.token, lines=[{"title": "Mug", "amount": 600}, {"title": "Cup", "amount": 4}]
        ),
        sale("3", placed_at=at, coupon=shared["code"], test=True),
        sale("4", placed_at=at, coupon=bo.click),
        sale("5", placed_at=at, click_id="clk_unknown", net=9, currency="JPY"),
    ]
    together = ok(send(merchant, bodies))["results"]
    alone = [
        ok(merchant.http.post("/v1/orders", json=body | {"external_id": f"a{body['external_id']}"})) for body in bodies
    ]

    def shown(order: str) -> JSON:
        fields = ok(merchant.http.get(f"/v1/orders/{order}"))
        explanation = merchant.explanation(order)
        lines = [(line["sharer"], line["network"], line["gross"], line["source"]) for line in explanation["lines"]]
        entries = [(entry["sharer"], entry["gross"]) for entry in explanation["entries"]]
        return {**fields, "id": "", "external_id": "", "lines of credit": lines, "entries": entries}

    assert [CREATED] * 5 == [(each["status"], each["code"]) for each in together]
    assert [shown(each["id"]) for each in alone] == [shown(each["id"]) for each in together]
    assert [ana.id] * 4 + ["(none)"] == [shown(each["id"])["entries"][0][0] for each in together]
    for one, each in zip(bodies, together, strict=True):
        again = ok(merchant.http.post("/v1/orders", json=one), 200)
        assert each["id"] == again["id"]


def test_one_bad_order_loses_no_other(merchant: TestMerchant) -> None:
    merchant.order(external_id="stands", net=7)
    deep: Any = []
    for _ in range(50):
        deep = [deep]
    orders: list[Any] = [
        sale("good"),
        sale("less", gross=999),
        sale("late", placed_at="2027-01-01T00:00:00Z"),
        sale("nul\0"),
        sale("below", net=-1),
        sale("huge", net=10**30),
        sale("text", net="10"),
        sale("typo", nett=1),
        {"external_id": "short"},
        {},
        None,
        7,
        "order",
        deep,
        {"external_id": deep},
        sale("stands", net=8),
        sale("good"),
        sale("good", net=1001),
        sale("x" * 256),
        sale("last"),
    ]
    answer = ok(send(merchant, orders), 200)
    refused = [each["external_id"] for each in answer["results"] if each["code"] == "invalid_request"]
    assert ["less", "late", "nul\0", "below", "huge", "text", "typo", "short", *[None] * 6, "x" * 255] == refused
    pointers = [[error["pointer"] for error in each["errors"]] for each in answer["results"]]
    assert [["/gross"], ["/placed_at"], ["/external_id"], ["/net"], ["/net"], ["/net"], ["/nett"]] == pointers[1:8]
    assert {"/placed_at", "/currency", "/net"} == set(pointers[8])
    statuses = [(each["status"], each["code"]) for each in answer["results"]]
    assert [CREATED, *[INVALID] * 14, EXISTS, UNCHANGED, EXISTS, INVALID, CREATED] == statuses
    assert ["stands", "good", "last"] == kept(merchant)
    assert [error for each in answer["results"] for error in each["errors"] if "\ud800" in error["pointer"]] == []


def test_half_a_character_is_refused_and_said_back_readably(merchant: TestMerchant) -> None:
    body = r'{"orders": [{"external_id": "\ud800"}, {"\udc00": 1}, "\ud800"]}'
    answer = merchant.http.post("/v1/orders/bulk", content=body, headers={"Content-Type": "application/json"})
    assert [INVALID] * 3 == [(each["status"], each["code"]) for each in ok(answer, 200)["results"]]


@pytest.mark.parametrize(
    "body",
    [{}, {"orders": None}, {"orders": {}}, {"orders": []}, {"orders": [sale("1")], "more": 1}, {"orders": [1] * 1001}],
)
def test_what_is_no_list_of_up_to_a_thousand_is_refused_as_a_whole(merchant: TestMerchant, body: JSON) -> None:
    assert 422 == merchant.http.post("/v1/orders/bulk", json=body).status_code
    assert [] == kept(merchant)


def test_more_than_the_largest_body_is_refused(merchant: TestMerchant) -> None:
    assert 413 == send(merchant, [sale("1", customer="x" * 9_000_000)]).status_code


def test_the_same_again_changes_nothing_also_under_another_attempt(merchant: TestMerchant) -> None:
    orders = [sale(str(number), net=number) for number in range(20)]
    first = ok(send(merchant, orders, **{"Idempotency-Key": "a"}))
    assert [CREATED] * 20 == [(each["status"], each["code"]) for each in first["results"]]
    assert first == ok(send(merchant, orders, **{"Idempotency-Key": "a"}))
    assert [UNCHANGED] * 20 == told(merchant, orders)
    assert [EXISTS] * 20 == told(merchant, [{**order, "net": 77} for order in orders])
    mixed = [*orders[5:], sale("new")]
    assert [*[UNCHANGED] * 15, CREATED] == told(merchant, mixed)
    assert 409 == send(merchant, mixed, **{"Idempotency-Key": "a"}).status_code


def test_refunds_that_came_before_their_orders_are_theirs(merchant: TestMerchant) -> None:
    said = {"kind": "refund", "amount": 400, "reason": "refund", "at": "2026-03-01T11:00:00Z"}
    lines = [json.dumps({**said, "id": f"r{number}", "order": str(number)}) for number in range(3)]
    ok(merchant.http.post("/v1/history", content="\n".join(lines)))
    results = ok(send(merchant, [sale(str(number)) for number in range(4)]))["results"]
    assert [400, 400, 400, 0] == [merchant.explanation(each["id"])["refunded"] for each in results]


def test_a_sale_of_yesterday_changes_what_its_buyer_bought_since(merchant: TestMerchant, clock: TestClock) -> None:
    ok(merchant.http.put("/v1/policy", json={"journey_reset": True}))
    ana, bo = merchant.shopper(), merchant.shopper()
    bo.follow(ana.share(merchant.product()["id"])["code"])
    clock.move(days=1)
    between = clock.now().isoformat()
    clock.move(days=1)
    order = merchant.order(visitor=bo.id)
    assert [ana.id] == [line["sharer"] for line in merchant.explanation(order["id"])["lines"]]
    assert [CREATED] * 2 == told(merchant, [sale("1", placed_at=between, visitor=bo.id), sale("2")])
    explanation = merchant.explanation(order["id"])
    left: Counter[str] = Counter()
    for entry in explanation["entries"]:
        left[entry["sharer"]] += entry["gross"]
    assert {"(none)": 10_000} == +left
    assert ["(none)"] == [line["sharer"] for line in explanation["lines"]]


def test_nobody_meets_the_orders_of_another(merchant: TestMerchant, new_merchant: Callable[..., TestMerchant]) -> None:
    other = new_merchant()
    stranger = other.shopper()
    stranger.follow(other.shopper().share(other.product()["id"])["code"])
    orders = [sale("1", visitor=stranger.id), sale("2", click_id=stranger.click)]
    assert [CREATED] * 2 == told(other, orders)
    assert [CREATED] * 2 == told(merchant, orders)
    two, one = ok(merchant.http.get("/v1/orders"))["data"]
    assert (None, "unknown_click") == (one["visitor"], merchant.explanation(two["id"])["reason"])
    bearer = {"Authorization": f"Bearer {merchant.report_key}"}
    assert 403 == merchant.public.post("/v1/orders/bulk", json={"orders": orders}, headers=bearer).status_code
    assert 401 == merchant.public.post("/v1/orders/bulk", json={"orders": orders}).status_code


def test_the_same_orders_from_everywhere_at_once_are_each_one(merchant: TestMerchant) -> None:
    orders = [sale(str(number), visitor=None, net=number) for number in range(60)]

    def call(turn: int) -> int:
        if turn % 2:
            return int(ok(send(merchant, orders[turn:] + orders[:turn]))["created"])
        return sum(merchant.http.post("/v1/orders", json=order).status_code == 201 for order in orders[turn::7])

    with ThreadPoolExecutor(8) as pool:
        assert 60 == sum(pool.map(call, range(8)))
    assert {order["external_id"] for order in orders} == set(kept(merchant))
    assert 60 == len(kept(merchant))


# -- in the database ---------------------------------------------------------------------------------------------


@contextmanager
def refusing(database: Database, name: str) -> Iterator[None]:
    """A database that lets no order of that name in."""
    if database.is_sqlite:
        make = f"""CREATE TRIGGER poison BEFORE INSERT ON orders WHEN NEW.external_id = '{name}'
            BEGIN SELECT RAISE(ABORT, 'poison'); END"""
        drop = "DROP TRIGGER poison"
    else:
        make = f"ALTER TABLE orders ADD CONSTRAINT poison CHECK (external_id <> '{name}')"
        drop = "ALTER TABLE orders DROP CONSTRAINT poison"
    with database.transaction() as session:
        session.execute(text(make))
    try:
        yield
    finally:
        with database.transaction() as session:
            session.execute(text(drop))


def test_an_order_that_the_database_refuses_loses_no_other(merchant: TestMerchant, app_server: AppServer) -> None:
    names = [f"{merchant.id} {number}" for number in range(9)]
    orders = [sale(name, lines=[{"title": "Mug", "amount": 1}]) for name in names]
    with refusing(app_server.database, names[4]):
        broken = ("refused", "internal_error")
        assert [*[CREATED] * 4, broken, *[CREATED] * 4, broken] == told(merchant, [*orders, orders[4]])
    assert names[:4] + names[5:] == kept(merchant)
    assert [1000] * 8 == [order["net"] for order in ok(merchant.http.get("/v1/orders"))["data"] if order["lines"]]
    assert [*[UNCHANGED] * 4, CREATED, *[UNCHANGED] * 4] == told(merchant, orders)
