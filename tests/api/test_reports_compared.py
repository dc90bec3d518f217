"""The attribution report and the funnel beside themselves of the period before, and days of 23 and 25 hours."""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api.funnels import COUNTS
from tests.shop import TestMerchant, ok


def sold(merchant: TestMerchant) -> dict[str, str]:
    """Last week 100 by x and 40 by email, of which 10 came back; this week 150 by x and 7 by word of mouth. The period
    of this week."""
    codes = {name: merchant.shopper().share(merchant.product()["id"], name)["code"] for name in ("x", "email", "copy")}
    monday = merchant.clock.now()
    for name, net, days in (("x", 100, 1), ("email", 40, 2), ("x", 150, 5), ("copy", 7, 1)):
        merchant.clock.move(days=days)
        order = merchant.order(net=net, click_id=merchant.shopper().follow(codes[name]))
        if net == 40:
            merchant.refund(order["id"], 10)
    merchant.clock.move(seconds=1)
    return {"from": str((monday + timedelta(days=7)).date()), "to": str((monday + timedelta(days=14)).date())}


def week_before(week: dict[str, str]) -> dict[str, str]:
    begin = datetime.fromisoformat(week["from"]) - timedelta(days=7)
    return {"from": f"{begin:%Y-%m-%d}T00:00:00Z", "to": f"{week['from']}T00:00:00Z"}


def test_each_row_stands_beside_the_period_before(merchant: TestMerchant) -> None:
    week = sold(merchant)
    found = merchant.report(**week, compare="previous")
    then = {row["network"]: (row["net"], row["previous"]["net"], row["change"]) for row in found["data"]}
    assert {"x": (150, 100, 0.5), "copy": (7, 0, None), "email": (0, 30, -1.0)} == then
    assert ["x", "copy", "email"] == [row["network"] for row in found["data"]]
    assert {"orders": 1, "gross": 40, "refunded": 10, "net": 30} == found["data"][2]["previous"]
    (total,) = found["totals"]
    assert (157, {"orders": 2, "gross": 140, "refunded": 10, "net": 130}, 0.207692) == (
        total["net"],
        total["previous"],
        total["change"],
    )
    assert week_before(week) == found["previous"]
    page = merchant.report(**week, compare="previous", sort="net", limit=1)
    assert ["email"] == [row["network"] for row in page["data"]]
    rest = merchant.report(**week, compare="previous", sort="net", limit=5, cursor=page["next_cursor"])
    assert ["copy", "x"] == [row["network"] for row in rest["data"]]


@pytest.mark.parametrize("path", ["attribution", "funnel"])
def test_as_rows_the_period_before_stands_in_columns(merchant: TestMerchant, path: str) -> None:
    week = sold(merchant)
    asked: dict[str, Any] = {**week, "compare": "previous", "group_by": "network"}
    rows = ok(merchant.http.get(f"/v1/reports/{path}", params=asked))["data"]
    assert len(rows) >= 3
    flat = [
        {
            **{name: cell for name, cell in row.items() if name not in ("previous", "change")},
            **{f"previous_{name}": cell for name, cell in row["previous"].items()},
            "change": row["change"],
        }
        for row in rows
    ]
    lines = merchant.http.get(f"/v1/reports/{path}", params={**asked, "format": "ndjson"}).text.splitlines()
    assert flat == [json.loads(line) for line in lines]
    table = merchant.http.get(f"/v1/reports/{path}", params={**asked, "format": "csv"}).text
    told = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in flat] == told


def test_the_funnel_stands_beside_the_period_before(merchant: TestMerchant) -> None:
    week = sold(merchant)
    asked = {**week, "compare": "previous", "group_by": "network"}
    found = ok(merchant.http.get("/v1/reports/funnel", params=asked))
    rows = {row["network"]: row for row in found["data"]}
    sales = {name: (row["net"], row["previous"]["net"], row["change"]) for name, row in rows.items()}
    assert {"x": (150, 100, 0.5), "copy": (7, 0, None), "email": (0, 30, -1.0)} == sales
    assert {*COUNTS, "orders", "net"} == {*rows["x"]["previous"]}
    assert (130, 2) == (found["totals"][0]["previous"]["net"], found["totals"][0]["previous"]["orders"])
    assert week_before(week) == found["previous"]
    assert ok(merchant.http.get("/v1/reports/funnel", params=week))["previous"] is None


def test_a_key_without_small_groups_is_told_what_it_may_see_beside_the_period_before(merchant: TestMerchant) -> None:
    """What it is not told of one period is null, and no nothing."""
    week = sold(merchant)
    merchant.clock.move(days=9)
    ok(merchant.http.patch("/v1/merchant", json={"small_group": 1}))
    key = ok(merchant.http.post("/v1/keys", json={"kind": "report", "suppressed": True}), 201)["key"]
    asked = {**week, "compare": "previous", "sort": "network", "group_by": "network"}
    with httpx.Client(base_url=merchant.base, headers={"Authorization": f"Bearer {key}"}) as agency:
        first = ok(agency.get("/v1/reports/attribution", params={**asked, "limit": 1}))
        rest = ok(agency.get("/v1/reports/attribution", params={**asked, "cursor": first["next_cursor"]}))
        del asked["sort"]
        funnel = ok(agency.get("/v1/reports/funnel", params=asked))
    rows = [*first["data"], *rest["data"]]
    assert [("copy", 7, None, None), ("x", 150, 100, 0.5)] == [
        (row["network"], row["net"], row["previous"] and row["previous"]["net"], row["change"]) for row in rows
    ]
    assert [("x", 100), ("copy", 0)] == [
        (row["network"], row["previous"]["net"]) for row in funnel["data"] if row["net"]
    ], "a row of what was shared then"


PARIS = {
    "2025-03-29T22:59:59Z": ("2025-03-29", 1),
    "2025-03-29T23:00:00Z": ("2025-03-30", 10),
    "2025-03-30T21:59:59Z": ("2025-03-30", 10),
    "2025-03-30T22:00:00Z": ("2025-03-31", 100),
    "2025-10-25T21:59:59Z": ("2025-10-25", 1),
    "2025-10-25T22:00:00Z": ("2025-10-26", 10),
    "2025-10-26T22:59:59Z": ("2025-10-26", 10),
    "2025-10-26T23:00:00Z": ("2025-10-27", 100),
}
"""Around the days of 23 and of 25 hours: clocks went forward on 30 March 2025, and back on 26 October."""


def test_days_of_twenty_three_and_twenty_five_hours_are_whole_days(new_merchant: Callable[..., TestMerchant]) -> None:
    merchant = new_merchant(timezone="Europe/Paris")
    for moment, (_, net) in PARIS.items():
        merchant.order(net=net, placed_at=moment)
    merchant.clock.move(seconds=1)
    rows = merchant.report(group_by="day", **{"from": "2025-03-01"})["data"]
    expected = {day: sum(net for other, net in PARIS.values() if other == day) for day, _ in PARIS.values()}
    assert expected == {row["day"]: row["net"] for row in rows}
    for first, second, third in (
        ("2025-03-30", "2025-03-31", "2025-04-01"),
        ("2025-10-26", "2025-10-27", "2025-10-28"),
    ):
        assert [20] == [total["net"] for total in merchant.report(**{"from": first, "to": second})["totals"]]
        asked = {"from": second, "to": third, "compare": "previous"}
        for name in ("attribution", "funnel"):
            (total,) = ok(merchant.http.get(f"/v1/reports/{name}", params=asked))["totals"]
            assert (100, 20, 4.0) == (total["net"], total["previous"]["net"], total["change"]), (name, first)
