"""Report keys that are shown no small groups: what they may ask, and what they are told."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations, count
from typing import Any

import httpx
import pytest

from app.reports.suppression import APART, FEW
from tests.shop import BROWSER, JSON, TestMerchant, ok

ATTRIBUTION, FUNNEL = "/v1/reports/attribution", "/v1/reports/funnel"
_numbers = count(1)
YEAR = {"from": "2026-01-01", "to": "2026-12-31"}


@pytest.fixture
def agency(merchant: TestMerchant) -> Iterator[httpx.Client]:
    """Somebody outside who was given a key."""
    made = ok(merchant.http.post("/v1/keys", json={"kind": "report", "suppressed": True}), 201)
    assert made["suppressed"]
    with httpx.Client(base_url=merchant.base, headers={"Authorization": f"Bearer {made['key']}"}, timeout=30) as client:
        yield client


def sharing(merchant: TestMerchant, *networks: str) -> dict[str, str]:
    """The code of a share on each of these networks; a coupon of the network's name speaks for it."""
    product = merchant.product()["id"]
    shared = {network: merchant.shopper().share(product, network) for network in networks}
    for network, share in shared.items():
        ok(merchant.http.put(f"/v1/coupons/{network}", json={"referral": share["id"]}))
    return {network: share["code"] for network, share in shared.items()}


def bought(merchant: TestMerchant, network: str, *nets: int, **fields: Any) -> None:
    """Somebody buys for each of these amounts, with the coupon of a network."""
    if not nets:
        return
    at, name = merchant.clock.now().isoformat(), f"order-{next(_numbers)}"
    sale = {"placed_at": at, "currency": "eur", "coupon": network, **fields}
    orders = [{"external_id": f"{name}-{number}", "net": net, **sale} for number, net in enumerate(nets)]
    answer = ok(merchant.http.post("/v1/orders/bulk", json={"orders": orders}))
    assert len(nets) == answer["created"], answer


def come(merchant: TestMerchant, code: str, number: int) -> None:
    for _ in range(number):
        merchant.shopper().follow(code, claim=False)


def later(merchant: TestMerchant, **by: float) -> None:
    merchant.clock.move(**by)


def asked(client: httpx.Client, path: str = ATTRIBUTION, **query: Any) -> JSON:
    return dict(ok(client.get(path, params={**YEAR, **query})))


def refused(client: httpx.Client, path: str = ATTRIBUTION, **query: Any) -> str:
    answer = client.get(path, params=query)
    assert (422, 1) == (answer.status_code, len(answer.json()["errors"])), answer.text
    return str(answer.json()["errors"][0]["pointer"])


# Keys.


def test_a_report_key_says_whether_it_is_suppressed(merchant: TestMerchant, agency: httpx.Client) -> None:
    assert [True, False, False] == [key["suppressed"] for key in ok(merchant.http.get("/v1/keys"))["data"]]


@pytest.mark.parametrize("body", [{"kind": "secret", "suppressed": True}, {"kind": "report", "suppressed": "yes"}])
def test_only_a_report_key_can_be_suppressed(merchant: TestMerchant, body: JSON) -> None:
    answer = merchant.http.post("/v1/keys", json=body)
    assert (422, "/suppressed") == (answer.status_code, answer.json()["errors"][0]["pointer"])


@pytest.mark.parametrize("small_group", [-1, 101, "5", 2.5, True])
def test_a_threshold_that_is_none_is_refused(merchant: TestMerchant, small_group: Any) -> None:
    answer = merchant.http.patch("/v1/merchant", json={"small_group": small_group})
    assert (422, "/small_group") == (answer.status_code, answer.json()["errors"][0]["pointer"])


# What such a key may ask.


@pytest.mark.parametrize(
    "path",
    [
        "/v1/reports/models",
        "/v1/reports/spread",
        "/v1/reports/orders",
        "/v1/sharers",
        "/v1/sharers/vis_x",
        "/v1/sharers/vis_x/tree",
        "/v1/events",
    ],
)
def test_reports_of_persons_and_of_single_orders_are_not_for_it(agency: httpx.Client, path: str) -> None:
    answer = agency.get(path)
    assert (403, "forbidden") == (answer.status_code, answer.json()["code"])
    assert 403 == agency.get("/v1/merchant").status_code


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network", "whatsapp"),
        ("-network", "whatsapp"),
        ("product", "prod_x"),
        ("wall", "wall_x"),
        ("sharer", "vis_x"),
        ("-sharer", "vis_x"),
        ("timezone", "Asia/Tokyo"),
        ("as_of", "2026-03-01"),
        ("policy", "current"),
        ("from", "2026-03-01T00:00:00Z"),
        ("to", "2026-03-01T12:00:00+01:00"),
        ("group_by", "sharer"),
        ("group_by", "depth"),
        ("group_by", "kind"),
        ("group_by", "shared_to"),
        ("group_by", "network,product"),
        ("group_by", "day,week"),
    ],
)
def test_what_would_tell_people_apart_cannot_be_asked(agency: httpx.Client, name: str, value: str) -> None:
    assert name == refused(agency, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("kind", "like"), ("network", "x"), ("sharer", "vis_x"), ("-sharer", "vis_x"), ("policy", "current")),
        *(("group_by", each) for each in ("seen_from", "sharer", "depth", "network,product", "network,sharer,day")),
    ],
)
def test_nor_of_the_funnel(agency: httpx.Client, name: str, value: str) -> None:
    assert name == refused(agency, FUNNEL, **{name: value})


@pytest.mark.parametrize("day", ["2026-13-01", "yesterday", "1969-01-01", ""])
def test_a_day_that_is_none_is_refused(agency: httpx.Client, day: str) -> None:
    assert "from" == refused(agency, **{"from": day})


def test_a_period_that_ends_before_it_begins_is_refused(agency: httpx.Client) -> None:
    assert "to" == refused(agency, **{"from": "2026-02-02", "to": "2026-02-02"})


# What it is told.


def test_a_day_of_few_orders_is_told_with_those_that_follow(merchant: TestMerchant, agency: httpx.Client) -> None:
    sharing(merchant, "whatsapp")
    for number in (3, 1, 2, 6):  # from the second of March on
        bought(merchant, "whatsapp", *[1000] * number)
        later(merchant, days=1)
    rows = asked(agency, group_by="day")["data"]
    assert [("2026-03-05", 6, 6000), ("2026-03-04", 6, 6000)] == sorted(
        ((row["day"], row["orders"], row["net"]) for row in rows), reverse=True
    )
    assert [] == asked(agency, group_by="day", to="2026-03-04")["data"]
    assert 12 == asked(agency, group_by="month")["totals"][0]["orders"]


def test_the_day_that_is_running_is_not_told(merchant: TestMerchant, agency: httpx.Client) -> None:
    sharing(merchant, "x")
    bought(merchant, "x", *[1000] * 5)
    assert ([], []) == (asked(agency, group_by="day")["data"], asked(agency, group_by="day")["totals"])
    later(merchant, days=1)
    assert 5 == asked(agency, group_by="day")["totals"][0]["orders"]
    assert 5 == dict(ok(agency.get(ATTRIBUTION, params={"group_by": "day"})))["totals"][0]["orders"]


def test_days_are_the_merchants(merchant: TestMerchant, agency: httpx.Client) -> None:
    ok(merchant.http.patch("/v1/merchant", json={"timezone": "Asia/Tokyo"}))
    sharing(merchant, "x")
    later(merchant, days=1)
    bought(merchant, "x", *[1000] * 5, placed_at="2026-03-02T14:59:59Z")
    bought(merchant, "x", *[1000] * 7, placed_at="2026-03-02T15:00:00Z")  # already the third of March there
    later(merchant, days=1)
    assert {("2026-03-02", 5), ("2026-03-03", 7)} == {
        (row["day"], row["orders"]) for row in asked(agency, group_by="day")["data"]
    }


def test_a_network_of_few_orders_is_one_of_a_few(merchant: TestMerchant, agency: httpx.Client) -> None:
    sharing(merchant, "whatsapp", "x", "email")
    bought(merchant, "whatsapp", *[1000] * (5 * APART - 8))
    bought(merchant, "x", *[1000] * 7)
    bought(merchant, "email", 99_900)
    later(merchant, days=1)
    told = asked(agency, group_by="network")
    assert [(FEW, 8, 106_900), ("whatsapp", 42, 42_000)] == [
        (r["network"], r["orders"], r["net"]) for r in told["data"]
    ]
    assert [{"currency": "eur", "orders": 50, "gross": 148_900, "refunded": 0, "net": 148_900}] == told["totals"]
    assert 1.0 == sum(row["share"] for row in told["data"])
    exact = merchant.report(**YEAR)
    assert (5, None) == (told["small_group"], exact["small_group"])
    assert 3 == len(exact["data"])
    assert exact["totals"] == told["totals"]


def test_rows_may_be_by_time_too_and_in_other_forms(merchant: TestMerchant, agency: httpx.Client) -> None:
    sharing(merchant, "whatsapp", "x")
    for number in (40, 0, 15, 25):
        bought(merchant, "whatsapp", *[1000] * number)
        bought(merchant, "x", *[1000] * 5)
        later(merchant, days=1)
    rows = asked(agency, group_by="day,network")["data"]
    assert [
        ("2026-03-03", "whatsapp", 40),
        ("2026-03-03", "x", 10),
        ("2026-03-05", "whatsapp", 40),
        ("2026-03-05", "x", 10),
    ] == sorted((row["day"], row["network"], row["orders"]) for row in rows)
    text = agency.get(ATTRIBUTION, params={**YEAR, "group_by": "network,week", "format": "csv"}).text
    assert ["network,week,currency,orders,gross,refunded,net,share", "whatsapp,2026-03-02,eur,80"] == [
        text.splitlines()[0],
        text.splitlines()[1][:26],
    ]


def test_currencies_are_cut_each_by_itself(merchant: TestMerchant, agency: httpx.Client) -> None:
    sharing(merchant, "x")
    bought(merchant, "x", *[1000] * 5)
    bought(merchant, "x", *[1000] * 4, currency="chf")
    later(merchant, days=1)
    assert ["eur"] == [total["currency"] for total in asked(agency, group_by="day")["totals"]]
    assert [] == asked(agency, group_by="day", currency="chf")["totals"]


def test_a_merchant_may_tell_every_order(merchant: TestMerchant, agency: httpx.Client) -> None:
    ok(merchant.http.patch("/v1/merchant", json={"small_group": 1}))
    sharing(merchant, "x")
    bought(merchant, "x", 1000)
    later(merchant, days=1)
    for group_by in ("network", "product,day", "week"):
        assert merchant.report(group_by, **YEAR)["data"] == asked(agency, group_by=group_by)["data"]


def test_no_two_answers_over_http_differ_by_few_orders(merchant: TestMerchant, agency: httpx.Client) -> None:
    """Each order is worth another power of two, so a sum of money says which orders it is of."""
    sharing(merchant, "whatsapp", "x")
    ok(merchant.http.patch("/v1/merchant", json={"small_group": 2}))
    for number in range(26):
        bought(merchant, "x" if number % 4 == 0 else "whatsapp", 1 << number)
        if number % 3 == 0:
            later(merchant, hours=20)
    later(merchant, days=1)
    days = [(merchant.clock.now() - timedelta(days=ago)).date().isoformat() for ago in range(6)]
    sums = set()
    for to, since in combinations(days, 2):
        for group_by in ("network", "day"):
            report = asked(agency, group_by=group_by, **{"from": since, "to": to})
            sums |= {row["net"] for row in [*report["data"], *report["totals"]]}
    assert len(sums) > 5
    for one, other in combinations(sums | {0}, 2):
        if one & other in (one, other):
            assert (one ^ other).bit_count() >= 2


# The funnel.


def test_each_step_of_the_funnel_is_cut_by_itself(merchant: TestMerchant, agency: httpx.Client) -> None:
    code = sharing(merchant, "whatsapp")["whatsapp"]
    come(merchant, code, 4)
    later(merchant, days=1)
    assert (None, None) == (funnel_total(agency)["visits"], funnel_total(agency)["orders"])
    come(merchant, code, 4)
    bought(merchant, "whatsapp", *[1000] * 4)
    later(merchant, days=1)
    told = funnel_total(agency)
    assert (8, None, None, None) == tuple(told[name] for name in ("visits", "orders", "net", "shares"))
    assert (None, None) == (told["order_rate"], told["visits_per_referral"])
    assert (8, 4, 1) == tuple(funnel_total(merchant.http)[name] for name in ("visits", "orders", "shares"))
    bought(merchant, "whatsapp", 1000)
    later(merchant, days=1)
    total = funnel_total(agency)
    assert (8, 5, 5000) == tuple(total[name] for name in ("visits", "orders", "net"))
    assert 0.625 == total["order_rate"]


def funnel_total(client: httpx.Client, **query: Any) -> JSON:
    (total,) = asked(client, FUNNEL, **query)["totals"]
    return dict(total)


def test_the_rows_of_the_funnel_add_up(merchant: TestMerchant, agency: httpx.Client) -> None:
    codes = sharing(merchant, "whatsapp", "x", "email")
    product = merchant.product()["id"]
    for network, number in {"whatsapp": 12, "x": 7, "email": 1}.items():
        come(merchant, codes[network], number)
        bought(merchant, network, *[1000] * number)
    merchant.order(500, currency="chf")
    seen = [{"type": "card_view", "product": product}] * 60
    ok(merchant.public.post("/v1/beacons", json=seen, headers={"User-Agent": BROWSER}), 202)
    later(merchant, days=1)
    ok(merchant.http.patch("/v1/merchant", json={"small_group": 2}))
    report = asked(agency, FUNNEL, group_by="network,month")
    rows = {(row["network"], row["month"]): (row["card_views"], row["visits"], row["orders"]) for row in report["data"]}
    assert {
        ("whatsapp", "2026-03-01"): (None, 12, 12),
        (FEW, "2026-03-01"): (None, 8, 8),
        ("(direct)", "2026-03-01"): (60, None, None),
    } == rows
    rates = {row["network"]: (row["order_rate"], row["open_rate"]) for row in report["data"]}
    assert {"whatsapp": (1.0, None), FEW: (None, None), "(direct)": (None, None)} == rates
    table = agency.get(FUNNEL, params={**YEAR, "group_by": "network", "sort": "-visits", "format": "csv"}).text
    assert ["whatsapp", FEW, "(direct)"] == [line.split(",")[0] for line in table.splitlines()[1:]]
    assert "(direct),eur,,60,,,,,,,,,,,,,," == table.splitlines()[3]
    (total,) = report["totals"]
    assert (60, 20, 20, 20_000) == tuple(total[name] for name in ("card_views", "visits", "orders", "net"))
    assert 3 == len(asked(agency, FUNNEL, group_by="network", currency="chf")["data"])


def test_an_empty_funnel_is_empty(agency: httpx.Client) -> None:
    assert {None} == {*funnel_total(agency).values()} - {"eur"}
    assert [] == asked(agency, FUNNEL, group_by="day")["data"]


# Compared, sorted, and by pages.


def test_what_it_is_told_may_be_sorted_and_comes_in_pages(merchant: TestMerchant, agency: httpx.Client) -> None:
    sharing(merchant, "whatsapp", "x", "email")
    bought(merchant, "whatsapp", *[1000] * 30)
    bought(merchant, "x", *[1000] * 15)
    bought(merchant, "email", *[1000] * 3, 500, 500)
    later(merchant, days=1)
    asking: JSON = {"group_by": "network", "sort": "net", "limit": 2}
    first = asked(agency, **asking)
    second = asked(agency, **asking, cursor=first["next_cursor"])
    assert [("email", 4000), ("x", 15_000), ("whatsapp", 30_000)] == [
        (row["network"], row["net"]) for row in [*first["data"], *second["data"]]
    ]
    assert (None, first["totals"]) == (second["next_cursor"], second["totals"])
    assert 422 == agency.get(ATTRIBUTION, params={**YEAR, **asking, "cursor": "nonsense"}).status_code


def test_the_period_before_is_told_as_carefully(merchant: TestMerchant, agency: httpx.Client) -> None:
    sharing(merchant, "whatsapp", "x")
    for few in (1, 25):
        bought(merchant, "whatsapp", *[1000] * (50 - few))
        bought(merchant, "x", *[1000] * few)
        later(merchant, days=1)
    days: JSON = {"from": "2026-03-03", "to": "2026-03-04", "compare": "previous", "group_by": "network"}
    told = asked(agency, **days)
    rows = {row["network"]: (row["net"], row["previous"]) for row in told["data"]}
    # On the day before, one had come by X: it was told together with all others, so of neither is known what it was.
    assert {"whatsapp": (25_000, None), "x": (25_000, None)} == rows
    assert 50_000 == told["totals"][0]["previous"]["net"]
    exact = dict(ok(merchant.http.get(ATTRIBUTION, params=days)))
    assert {1000, 49_000} == {row["previous"]["net"] for row in exact["data"]}
    assert {"visits": None, "orders": 50} == {
        name: asked(agency, FUNNEL, **days)["totals"][0]["previous"][name] for name in ("visits", "orders")
    }
    text = agency.get(ATTRIBUTION, params={**days, "format": "csv"}).text
    assert 3 == len(text.splitlines())
