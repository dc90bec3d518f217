"""The funnel in the order that is asked for, by pages, and beside the period before."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.api.funnels import funnel, refused, tell
from tests.clock import START, TestClock
from tests.conftest import AppServer, merchant_at
from tests.shop import JSON, TestMerchant

AFTERWARDS = START + timedelta(days=1, seconds=1)


@pytest.fixture(scope="module")
def told(shared_server: AppServer) -> Iterator[TestMerchant]:
    shared_server.clock.set(START)
    shop = merchant_at(shared_server.url, shared_server.clock)
    tell(shop, shared_server.clock)
    yield shop
    shop.close()


@pytest.fixture
def shop(told: TestMerchant, clock: TestClock) -> TestMerchant:
    """Where the story was told, for tests that change nothing."""
    clock.set(AFTERWARDS)
    return told


@pytest.mark.parametrize("group_by", ["network", "network,product,day"])
@pytest.mark.parametrize(
    "sort", [None, "-visits", "card_views", "-net", "orders", "network", "-network", "-order_rate", "open_rate"]
)
def test_pages_are_the_rows_in_their_order(shop: TestMerchant, sort: str | None, group_by: str) -> None:
    asked: JSON = {"group_by": group_by, **({} if sort is None else {"sort": sort})}
    report = funnel(shop, **asked)
    rows = report["data"]
    if sort is not None:
        values = [row[sort.removeprefix("-")] for row in rows]
        values = [-1 if value is None else value for value in values]
        assert values == sorted(values, reverse=sort.startswith("-"))
    found: list[JSON] = []
    page = funnel(shop, **asked, limit=2)
    while page["next_cursor"] is not None:
        found += page["data"]
        assert report["totals"] == page["totals"]
        page = funnel(shop, **asked, limit=2, cursor=page["next_cursor"])
    assert rows == found + page["data"]
    assert report["next_cursor"] is None


def test_pages_are_of_one_period_however_long_somebody_reads(shop: TestMerchant, clock: TestClock) -> None:
    first = funnel(shop, group_by="network", limit=1, sort="network")
    clock.move(days=20)
    second = funnel(shop, group_by="network", limit=1, sort="network", cursor=first["next_cursor"])
    assert (first["from"], first["to"]) == (second["from"], second["to"])
    assert first["as_of"] < second["as_of"]


def test_as_rows_the_next_page_stands_in_a_link(shop: TestMerchant) -> None:
    asked: dict[str, Any] = {"group_by": "sharer,kind", "limit": 2, "format": "csv"}
    answer = shop.http.get("/v1/reports/funnel", params=asked)
    assert 3 == len(answer.text.splitlines())
    rest = shop.http.get(answer.links["next"]["url"])
    assert (2, {}) == (len(rest.text.splitlines()), rest.links)


def test_the_period_before_stands_beside_rows_of_several_dimensions(merchant: TestMerchant, clock: TestClock) -> None:
    story = tell(merchant, clock)
    clock.set(START + timedelta(days=6))
    merchant.shopper().share(story["bowl"], "x")
    merchant.order(net=300, currency="usd")
    clock.move(seconds=1)
    week = {
        "from": (START + timedelta(days=5)).date().isoformat(),
        "to": (START + timedelta(days=10)).date().isoformat(),
    }
    report = funnel(merchant, group_by="network,product", compare="previous", **week)
    rows = {(row["network"], row["currency"]): row for row in report["data"]}
    assert (0, 1, 800, -1.0) == (
        rows["facebook", "eur"]["visits"],
        rows["facebook", "eur"]["previous"]["visits"],
        rows["facebook", "eur"]["previous"]["net"],
        rows["facebook", "eur"]["change"],
    )
    assert (1, 0) == (rows["x", "eur"]["shares"], rows["x", "eur"]["previous"]["shares"])
    totals = {row["currency"]: row for row in report["totals"]}
    then = {each: totals[each]["previous"] for each in ("eur", "usd")}
    assert (800, 0, 2, 2) == (then["eur"]["net"], then["usd"]["net"], then["eur"]["visits"], then["usd"]["visits"])
    page = funnel(merchant, group_by="network,product", compare="previous", sort="net", limit=3, **week)
    assert page["data"] == sorted(report["data"], key=lambda row: (row["currency"], row["net"], row["network"]))[:3]


def test_an_order_that_is_none_and_a_cursor_of_another_question_are_refused(shop: TestMerchant) -> None:
    pointer, detail = refused(shop, group_by="network", sort="gross")
    assert ("sort", True) == (pointer, "must be one of wall_views, card_views," in detail)
    assert "order_rate, network, each also with - in front" in detail
    assert "sort" == refused(shop, group_by="network", sort="day")[0]
    cursor = funnel(shop, group_by="network", limit=1)["next_cursor"]
    for other in ({"group_by": "product"}, {"group_by": "network", "sort": "net"}, {"group_by": "network,kind"}):
        assert "cursor" == refused(shop, cursor=cursor, **other)[0]
    assert "cursor" == refused(shop, group_by="network", cursor="nonsense")[0]
    assert "limit" == refused(shop, group_by="network", limit=0)[0].strip("/")


def test_rows_of_the_same_order_come_by_their_names(shop: TestMerchant) -> None:
    rows = funnel(shop, group_by="network,wall", sort="-checkouts")["data"]
    names = [(row["network"], row["wall"]) for row in rows]
    assert all(one < other for one, other in pairwise(names))
