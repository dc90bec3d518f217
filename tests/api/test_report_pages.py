"""The attribution report sorted, page by page, filtered by every dimension; the impossible is refused by name."""

import httpx
import pytest

from tests import simulated
from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok
from tests.simulated import World

NUMBERS = ("orders", "gross", "refunded", "net")
DIMENSIONS = ("network", "shared_to", "seen_from", "product", "wall", "sharer", "kind", "depth")


@pytest.fixture(scope="module")
def world(shared_server: AppServer) -> World:
    return simulated.world(shared_server, simulated.TINY)


def report(world: World, name: str = "attribution", **asked: str) -> JSON:
    return world.report(world.made.merchants[0], name, **asked)


def totals(found: JSON) -> dict[str, tuple[int, ...]]:
    return {total["currency"]: tuple(total[name] for name in NUMBERS) for total in found["totals"]}


def refused(merchant: TestMerchant, path: str, **asked: str) -> list[tuple[str, str]]:
    answer = merchant.http.get(path, params=asked)
    assert 422 == answer.status_code, answer.text
    return [(error["pointer"], error["detail"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_filter_leaves_its_rows_and_an_exclusion_the_others(world: World, dimension: str) -> None:
    """Of each dimension, in the report, the drill-down and the list of people."""
    rows = report(world, group_by=dimension)["data"]
    assert rows
    for row in (rows[0], rows[-1]):
        value = row[dimension]
        mine = [each for each in rows if each[dimension] == value]
        only, without = ({prefix + dimension: value} for prefix in ("", "-"))
        filtered, excluded = (report(world, group_by=dimension, **asked) for asked in (only, without))
        assert [{**each, "share": None} for each in mine] == [{**each, "share": None} for each in filtered["data"]]
        assert value not in {each[dimension] for each in excluded["data"]}
        assert {each["currency"]: tuple(each[name] for name in NUMBERS) for each in mine} == totals(filtered)
        assert totals(filtered) == totals(report(world, "orders", limit="1", **only))
        assert totals(excluded) == totals(report(world, "orders", limit="1", **without))
        both = [totals(each) for each in (filtered, excluded, report(world, group_by=dimension))]
        for currency, (_, *amounts) in both[2].items():
            parts = [part.get(currency, (0, 0, 0, 0))[1:] for part in both[:2]]
            assert amounts == [sum(each) for each in zip(*parts, strict=True)]


@pytest.mark.parametrize("dimension", ["kind", "depth", "shared_to", "seen_from"])
def test_people_are_listed_by_the_credit_that_a_filter_leaves(world: World, dimension: str) -> None:
    shop = world.made.merchants[0]
    value = report(world, group_by=dimension)["data"][0][dimension]
    asked = {dimension: value, "from": str(world.made.options.first_day), "to": str(world.made.options.until)}
    wanted = report(world, group_by="sharer", **{dimension: value})["data"]
    people = [row for row in wanted if row["sharer"] not in ("(none)", "(house)")][:20]
    key = {"Authorization": f"Bearer {shop.report_key}"}
    found = ok(httpx.get(f"{world.server.url}/v1/sharers", params=asked, headers=key, verify=False))["data"]
    assert [(row["sharer"], row["net"]) for row in people] == [(row["sharer"], row["net"]) for row in found]


@pytest.mark.parametrize("path", ["/v1/reports/attribution", "/v1/reports/orders", "/v1/sharers"])
@pytest.mark.parametrize(
    "asked", [{"depth": "one"}, {"kind": "gift,x"}, {"seen_from": "\U0001f600"}, {"depth": "9" * 99}]
)
def test_an_unknown_value_finds_nothing(merchant: TestMerchant, path: str, asked: dict[str, str]) -> None:
    click = merchant.shopper().follow(merchant.shopper().share(merchant.product()["id"])["code"])
    merchant.order(net=10, click_id=click)
    merchant.clock.move(seconds=1)
    assert ok(merchant.http.get(path))["data"]
    assert [] == ok(merchant.http.get(path, params=asked))["data"]


@pytest.mark.parametrize("path", ["attribution", "funnel", "models", "spread", "orders", "machines"])
def test_an_unknown_parameter_is_named_and_those_that_there_are(merchant: TestMerchant, path: str) -> None:
    told = refused(merchant, f"/v1/reports/{path}", netwrk="x", Format="csv")
    assert ["netwrk", "Format"] == [name for name, _ in told]
    assert "network, -network" in told[0][1] or path == "machines"
    assert "from" in told[0][1]
    assert "begin" not in told[0][1]


@pytest.mark.parametrize("path", ["attribution", "funnel", "spread", "machines"])
def test_an_unknown_dimension_is_answered_with_those_that_there_are(merchant: TestMerchant, path: str) -> None:
    ((name, detail),) = refused(merchant, f"/v1/reports/{path}", group_by="price")
    assert "group_by" == name
    assert "network" in detail
    assert "product" in detail


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ({"from": "2026-11-02", "to": "2026-11-02"}, "to"),
        ({"from": "2026-02-30"}, "from"),
        ({"to": "yesterday"}, "to"),
        ({"from": "2026-11-02T10:00:00"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"timezone": "Europe/Atlantis"}, "timezone"),
        ({"currency": "eur,usd"}, "currency"),
        ({"currency": "euro"}, "currency"),
        ({"compare": "year"}, "compare"),
        ({"compare": "previous", "group_by": "day"}, "compare"),
    ],
)
@pytest.mark.parametrize("path", ["attribution", "funnel"])
def test_what_is_impossible_is_refused_by_name(
    merchant: TestMerchant, path: str, asked: dict[str, str], name: str
) -> None:
    assert [name] == [pointer for pointer, _ in refused(merchant, f"/v1/reports/{path}", **asked)]


@pytest.mark.parametrize("sort", ["-net", "net", "orders", "-gross", "-refunded", "network", "-product"])
@pytest.mark.parametrize("group_by", ["network,product", "network,product,month"])
def test_pages_are_the_rows_in_their_order(world: World, sort: str, group_by: str) -> None:
    asked = {"group_by": group_by, "sort": sort}
    rows = report(world, **asked)["data"]
    by = sort.removeprefix("-")
    values = [(row["currency"], row[by]) for row in rows]
    for currency in {row["currency"] for row in rows}:
        mine = [value for each, value in values if each == currency]
        assert mine == sorted(mine, reverse=sort.startswith("-"))
    assert [row["currency"] for row in rows] == sorted(row["currency"] for row in rows)
    found: list[JSON] = []
    cursor: dict[str, str] = {}
    while True:
        page = report(world, **asked, limit="7", **cursor)
        found += page["data"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert rows == found
    assert len(rows) > 14


def test_pages_show_what_was_known_when_the_first_was_asked_for(merchant: TestMerchant) -> None:
    codes = {name: merchant.shopper().share(merchant.product()["id"], name)["code"] for name in ("x", "email", "copy")}
    for net, code in zip((10, 20, 30), codes.values(), strict=True):
        merchant.order(net=net, click_id=merchant.shopper().follow(code))
    merchant.clock.move(seconds=1)
    first = merchant.report(limit=1)
    assert ["copy"] == [row["network"] for row in first["data"]]
    merchant.order(net=500, click_id=merchant.shopper().follow(codes["copy"]))
    merchant.clock.move(seconds=1)
    second = merchant.report(limit=1, cursor=first["next_cursor"])
    third = merchant.report(limit=1, cursor=second["next_cursor"])
    assert [("email", 20), ("x", 10)] == [(row["network"], row["net"]) for row in (*second["data"], *third["data"])]
    assert first["as_of"] == second["as_of"] == third["as_of"]
    assert third["next_cursor"] is None
    assert 560 == merchant.report()["totals"][0]["net"]


def test_a_cursor_of_another_question_is_refused_and_rows_link_to_the_next_page(
    merchant: TestMerchant,
) -> None:
    for network in ("x", "email"):
        code = merchant.shopper().share(merchant.product()["id"], network)["code"]
        merchant.order(net=10, click_id=merchant.shopper().follow(code))
    merchant.clock.move(seconds=1)
    path = "/v1/reports/attribution"
    cursor = merchant.report(limit=1)["next_cursor"]
    for other in ({"group_by": "product"}, {"sort": "net"}, {"kind": "share"}, {"compare": "previous"}):
        assert ["cursor"] == [name for name, _ in refused(merchant, path, limit="1", cursor=cursor, **other)]
    first = merchant.http.get(path, params={"limit": 1, "format": "csv"})
    following = merchant.http.get(first.headers["link"].split(">")[0].lstrip("<"))
    assert "link" not in following.headers
    assert ["email", "x"] == [text.splitlines()[1].split(",")[0] for text in (first.text, following.text)]
