"""The orders behind a figure: all pages together are the figure, to the cent, whatever is asked."""

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from app.reports.drilldown_api import AT_ONCE
from tests import simulated
from tests.clock import TestClock
from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok
from tests.simulated import World

FILTERS = ("network", "product", "wall", "sharer")


@pytest.fixture(scope="module")
def world(shared_server: AppServer) -> World:
    return simulated.world(shared_server, simulated.TINY)


def pages(world: World, **asked: str) -> Iterator[JSON]:
    """All pages of the list, some orders each."""
    shop = world.made.merchants[0]
    cursor: dict[str, str] = {}
    while True:
        page = world.report(shop, "orders", limit="37", **asked, **cursor)
        yield page
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def orders(world: World, **asked: str) -> list[JSON]:
    return [order for page in pages(world, **asked) for order in page["data"]]


def sums(rows: list[JSON], currency: str) -> tuple[int, int, int, int]:
    mine = [row for row in rows if row["currency"] == currency]
    gross, refunded, net = (sum(row[name] for row in mine) for name in ("gross", "refunded", "net"))
    return len(mine), gross, refunded, net


@pytest.mark.parametrize("dimension", FILTERS)
def test_the_orders_behind_each_row_add_up_to_it(world: World, dimension: str) -> None:
    rows = world.report(world.made.merchants[0], "attribution", group_by=dimension)["data"]
    assert len(rows) > 3
    step = max(1, len(rows) // 12)  # of sharers there are many
    for row in rows[::step]:
        behind = orders(world, **{dimension: row[dimension]})
        expected = row["orders"], row["gross"], row["refunded"], row["net"]
        assert expected == sums(behind, row["currency"]), row
        for order in behind:
            assert {row[dimension]} == {credit[dimension] or "(none)" for credit in order["credits"]}
            assert order["net"] == sum(credit["net"] for credit in order["credits"])


def test_all_orders_come_once_newest_first_and_are_the_totals(world: World) -> None:
    found = orders(world)
    assert len(found) == len({order["order"] for order in found}) > 100
    assert found == sorted(found, key=lambda order: (order["placed_at"], order["order"]), reverse=True)
    report = world.report(world.made.merchants[0], "attribution")
    for total in report["totals"]:
        expected = total["orders"], total["gross"], total["refunded"], total["net"]
        assert expected == sums(found, total["currency"])
    assert all(report["totals"] == page["totals"] for page in pages(world))


def test_several_values_an_exclusion_and_a_currency_leave_what_the_report_says(world: World) -> None:
    shop = world.made.merchants[0]
    names = [row["network"] for row in world.report(shop, "attribution")["data"]]
    product = world.report(shop, "attribution", group_by="product")["data"][0]
    asked = {"network": ",".join(names[:3]), "-product": product["product"], "currency": product["currency"]}
    total = world.report(shop, "attribution", **asked)["totals"]
    (expected,) = [(each["orders"], each["gross"], each["refunded"], each["net"]) for each in total]
    assert expected == sums(orders(world, **asked), product["currency"])
    assert expected[0] > 5


def test_as_it_was_known_once(world: World) -> None:
    once = str(world.made.options.until.replace(day=1))
    total = world.report(world.made.merchants[0], "attribution", as_of=once)["totals"]
    assert total
    assert [sums(orders(world, as_of=once), each["currency"])[3] for each in total] == [each["net"] for each in total]


def test_each_order_is_explained_where_it_says(world: World) -> None:
    shop = world.made.merchants[0]
    order = next(order for order in orders(world) if order["credits"][0]["referral"])
    key = {"Authorization": f"Bearer {shop.report_key}"}
    told = ok(httpx.get(f"{world.server.url}{order['explanation']}", headers=key, verify=False))
    assert order["order"] == told["order"]


def test_as_rows_the_next_page_stands_in_the_header(merchant: TestMerchant, clock: TestClock) -> None:
    mug = merchant.product()["id"]
    click = merchant.shopper().follow(merchant.shopper().share(mug)["code"])
    for number in range(3):
        merchant.order(net=10 + number, click_id=click, external_id=f"=o{number}")
    clock.move(seconds=1)
    first = merchant.http.get("/v1/reports/orders?limit=2&format=csv")
    assert 200 == first.status_code
    head, *lines = first.text.splitlines()
    assert head.startswith("order,external_id,placed_at,currency,gross,refunded,net,referral,sharer,level,network,")
    assert 2 == len(lines)
    assert all(",'=o" in line for line in lines), "no spreadsheet runs it"
    rest = merchant.http.get(first.headers["link"].split(">")[0].lstrip("<"))
    assert 1 == len(rest.text.splitlines()) - 1
    assert "link" not in rest.headers


@pytest.fixture
def chained(merchant: TestMerchant, clock: TestClock) -> str:
    """An order that Bo brought, who had passed on Ana's word. She gave a name, Bo none."""
    mug = merchant.product()["id"]
    ok(merchant.http.put("/v1/policy", json={"upline": {"mode": "geometric", "max_depth": 2}}))
    code = merchant.shopper().share(mug, name="=Ana")["code"]
    bo = merchant.shopper()
    bo.follow(code)
    click = merchant.shopper().follow(bo.share(mug, via=bo.click)["code"])
    order = merchant.order(net=999, click_id=click)["id"]
    clock.move(seconds=1)
    return str(order)


def test_whoever_gave_a_name_is_named_beside_their_credit(merchant: TestMerchant, chained: str) -> None:
    def named() -> list[tuple[int, str | None]]:
        (order,) = ok(merchant.http.get("/v1/reports/orders"))["data"]
        assert chained == order["order"]
        return [(credit["level"], credit["name"]) for credit in order["credits"]]

    assert [(0, None), (1, "=Ana")] == sorted(named())
    people = ok(merchant.http.get("/v1/sharers"))["data"]
    assert {None, "=Ana"} == {each["name"] for each in people}


def test_a_spreadsheet_has_a_row_for_each_credit_and_they_add_up(merchant: TestMerchant, chained: str) -> None:
    (order,) = ok(merchant.http.get("/v1/reports/orders"))["data"]
    rows = [*csv.DictReader(merchant.http.get("/v1/reports/orders?format=csv").text.splitlines())]
    assert 2 == len(rows) == len(order["credits"])
    assert {chained} == {row["order"] for row in rows}
    assert 999 == sum(int(row["net"]) for row in rows)
    assert [str(credit["net"]) for credit in order["credits"]] == [row["net"] for row in rows]
    assert {"'=Ana", ""} == {row["name"] for row in rows}, "no spreadsheet runs it"
    assert not any("{" in cell for row in rows for cell in row.values())
    (line,) = merchant.http.get("/v1/reports/orders?format=ndjson").text.splitlines()
    assert order == json.loads(line)


def test_largest_first_by_currency_page_by_page_while_more_is_sold(merchant: TestMerchant, clock: TestClock) -> None:
    click = merchant.shopper().follow(merchant.shopper().share(merchant.product()["id"])["code"])
    for net, currency in ((5, "usd"), (70, "eur"), (300, "eur"), (70, "eur"), (9, "usd")):
        merchant.order(net=net, click_id=click, currency=currency)
        clock.move(seconds=1)
    for sort, expected in {
        "-net": [("eur", 300), ("eur", 70), ("eur", 70), ("usd", 9), ("usd", 5)],
        "net": [("eur", 70), ("eur", 70), ("eur", 300), ("usd", 5), ("usd", 9)],
        "placed_at": [("usd", 5), ("eur", 70), ("eur", 300), ("eur", 70), ("usd", 9)],
    }.items():
        found: list[JSON] = []
        asked: dict[str, str | None] = {"sort": sort, "limit": "2"}
        while True:
            page = ok(merchant.http.get("/v1/reports/orders", params=asked))
            found += page["data"]
            if page["next_cursor"] is None:
                break
            asked["cursor"] = page["next_cursor"]
            merchant.order(net=71, click_id=click)  # is not told by pages of before
            clock.move(seconds=1)
        told = [(each["currency"], each["net"]) for each in found if each["net"] != 71]
        assert (expected, len(found)) == (told, len({each["order"] for each in found}))
        ends = ok(merchant.http.get("/v1/reports/orders", params={"sort": sort, "limit": "2"}))["next_cursor"]
        other = merchant.http.get("/v1/reports/orders", params={"cursor": ends})
        assert 422 == other.status_code, "a cursor belongs to one order"


def test_few_have_orders_sorted_at_once_and_nobody_waits_for_them(merchant: TestMerchant, chained: str) -> None:
    def asked(sort: str) -> tuple[int, str | None]:
        answer = merchant.http.get("/v1/reports/orders", params={"sort": sort})
        return answer.status_code, answer.headers.get("retry-after")

    with ExitStack() as others:
        for _ in range(AT_ONCE.most):
            others.enter_context(AT_ONCE)
        status, again = asked("-net")
        assert (503, True) == (status, again is not None)
        assert [(200, None)] * 2 == [asked("placed_at"), asked("-placed_at")]
    assert (200, None) == asked("-net")


def test_nothing_is_nothing_and_somebody_elses_is_nothing(merchant: TestMerchant, world: World) -> None:
    assert ([], None) == (lambda page: (page["data"], page["next_cursor"]))(ok(merchant.http.get("/v1/reports/orders")))
    some = world.report(world.made.merchants[0], "attribution", group_by="sharer")["data"][0]["sharer"]
    assert [] == ok(merchant.http.get("/v1/reports/orders", params={"sharer": some}))["data"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("cursor=x", "cursor"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("group_by=network", "group_by"),
        ("sort=gross", "sort"),
    ],
)
def test_what_cannot_be_asked_is_named(merchant: TestMerchant, query: str, pointer: str) -> None:
    answer = merchant.http.get(f"/v1/reports/orders?{query}")
    assert 422 == answer.status_code
    assert pointer in answer.json()["errors"][0]["pointer"]


def test_a_cursor_is_of_one_question(world: World, merchant: TestMerchant) -> None:
    cursor = next(pages(world))["next_cursor"]
    shop = world.made.merchants[0]
    key = {"Authorization": f"Bearer {shop.report_key}"}
    address = f"{world.server.url}/v1/reports/orders"
    other = httpx.get(address, params={"cursor": cursor, "network": "email"}, headers=key, verify=False)
    assert 422 == other.status_code
