"""The funnel: what was seen, said, visited, begun and bought, against counting by hand."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.kernel.periods import label
from tests.api.funnels import COUNTS, by, funnel, refused, some, tell
from tests.clock import START, TestClock
from tests.conftest import AppServer, merchant_at
from tests.history import written
from tests.moving import bring
from tests.shop import JSON, TestMerchant, ok
from tests.till import Till, items, variant

WINTER = datetime(2011, 10, 1, tzinfo=UTC)


@pytest.fixture
def story(merchant: TestMerchant, clock: TestClock) -> JSON:
    """The story, for a test that goes on with it."""
    return tell(merchant, clock)


@pytest.fixture(scope="module")
def winter(shared_server: AppServer) -> Iterator[tuple[TestMerchant, list[datetime]]]:
    """Visits of half a year, long ago."""
    shared_server.clock.set(START)
    shop, chance, past, moments = (
        merchant_at(shared_server.url, shared_server.clock),
        Random(1),
        list[JSON](),
        list[datetime](),
    )
    for number in range(400):
        at = (WINTER + timedelta(days=chance.random() * 200)).replace(microsecond=0)
        moments.append(at)
        about = {"id": f"t{number}", "visitor": f"v{number}", "network": chance.choice(["x", "y"]), "referral": None}
        past.append({"kind": "touch", "type": "click", **about, "at": at.isoformat()})
    bring(shop, written(past))
    yield shop, moments
    shop.close()


def test_a_story_is_told_in_numbers(shop: TestMerchant) -> None:
    report = funnel(shop)
    (row,) = report["data"]
    told = {"wall_views": 1, "card_views": 2, "card_opens": 1, "likes": 1, "shares": 1, "visits": 2}
    assert told == some(row)
    assert ("eur", 1, 800, 0) == (row["currency"], row["orders"], row["net"], row["checkouts"])
    assert (0.5, 0.5, 1.0, 0.0, 0.5) == tuple(
        row[name] for name in ("open_rate", "share_rate", "visits_per_referral", "checkout_rate", "order_rate")
    )
    assert report["totals"] == [row]
    assert ("current", True) == (report["policy_name"], report["livemode"])


def test_each_dimension_counts_all_once(shop: TestMerchant, known: JSON) -> None:
    merchant, mug, bowl, wall = shop, known["mug"], known["bowl"], known["wall"]
    assert {
        "facebook": {"visits": 1},
        "whatsapp": {"shares": 1, "visits": 1, "card_views": 1},
        "onsite": {"likes": 1},
        "(direct)": {"wall_views": 1, "card_views": 1, "card_opens": 1},
    } == by(funnel(merchant, group_by="network"), "network")
    assert {
        "whatsapp": {"shares": 1, "visits": 2, "card_views": 1},
        "onsite": {"likes": 1},
        "(none)": {"wall_views": 1, "card_views": 1, "card_opens": 1},
    } == by(funnel(merchant, group_by="shared_to"), "shared_to")
    assert {
        mug: {"shares": 1, "visits": 2, "card_views": 2, "card_opens": 1},
        bowl: {"likes": 1},
        "(none)": {"wall_views": 1},
    } == by(funnel(merchant, group_by="product"), "product")
    assert {
        wall: {"shares": 1, "visits": 2, "wall_views": 1, "card_views": 1, "card_opens": 1},
        "(none)": {"likes": 1, "card_views": 1},
    } == by(funnel(merchant, group_by="wall"), "wall")
    assert {"facebook": {"visits": 1}} == by(funnel(merchant, group_by="seen_from", seen_from="facebook"), "seen_from")
    assert {"share": {"shares": 1, "visits": 2, "card_views": 1}, "like": {"likes": 1}} == by(
        funnel(merchant, group_by="kind", **{"-kind": "(none)"}), "kind"
    )


def test_orders_and_net_are_those_of_the_attribution_report(
    merchant: TestMerchant, story: JSON, clock: TestClock
) -> None:
    merchant.order(net=500)
    clock.move(seconds=1)
    for dimension in ("network", "shared_to", "seen_from", "product", "wall", "kind", "day", "week", "month"):
        ledger = {row[dimension]: (row["orders"], row["net"]) for row in merchant.report(dimension)["data"]}
        sold = {row[dimension]: (row["orders"], row["net"]) for row in funnel(merchant, group_by=dimension)["data"]}
        assert ledger == {name: said for name, said in sold.items() if any(said)}
    assert (2, 1300) == tuple(funnel(merchant, group_by="product")["totals"][0][name] for name in ("orders", "net"))
    assert (1, 800) == tuple(funnel(merchant, network="facebook")["totals"][0][name] for name in ("orders", "net"))


def test_days_are_those_of_the_zone_with_rows_of_both(shop: TestMerchant) -> None:
    first, second = START.date().isoformat(), (START.date() + timedelta(days=1)).isoformat()
    assert {
        ("facebook", first): {"visits": 1},
        ("whatsapp", first): {"shares": 1},
        ("onsite", first): {"likes": 1},
        ("whatsapp", second): {"visits": 1, "card_views": 1},
        ("(direct)", second): {"wall_views": 1, "card_views": 1, "card_opens": 1},
        ("facebook", second): {},  # where the sale is
    } == by(funnel(shop, group_by="day,network"), "network", "day")
    later = funnel(shop, group_by="day", timezone="Pacific/Kiritimati")
    assert "Pacific/Kiritimati" == later["timezone"]
    assert [second, (START.date() + timedelta(days=2)).isoformat()] == [row["day"] for row in later["data"]]


def test_a_like_that_is_taken_back_is_none(merchant: TestMerchant, story: JSON) -> None:
    ok(merchant.public.delete(f"/v1/likes/{story['like']['id']}", headers=story["ana"].headers))
    ok(merchant.public.delete(f"/v1/likes/{story['like']['id']}", headers=story["ana"].headers))
    assert 0 == funnel(merchant)["totals"][0]["likes"]
    assert "onsite" not in by(funnel(merchant, group_by="network"), "network")
    story["ana"].like(story["bowl"])
    assert 1 == funnel(merchant)["totals"][0]["likes"]


def test_a_checkout_stands_where_its_buyer_came_from(till: Till, new_seller: Any) -> None:
    seller = new_seller()
    mug = variant(seller, 2000)
    product = ok(seller.http.get("/v1/products"))["data"][0]["id"]
    bo, share = seller.shopper(), seller.shopper().share(product, "copy")
    bo.follow(share["code"], Referer="https://www.facebook.com/")
    for click in (bo.click, bo.click, "clk_unknown", None):
        ok(till.ask(items({"variant": mug}) | ({"click": click} if click else {})), 201)
    assert {"facebook": {"visits": 1, "checkouts": 2}, "copy": {"shares": 1}, "(direct)": {"checkouts": 2}} == by(
        funnel(seller, group_by="network"), "network"
    )
    assert {product: {"shares": 1, "visits": 1, "checkouts": 4}} == by(funnel(seller, group_by="product"), "product")
    assert {"share": 2, "(none)": 2} == {
        row["kind"]: row["checkouts"] for row in funnel(seller, group_by="kind")["data"]
    }


@pytest.mark.parametrize(
    "zone",
    [
        *("UTC", "Europe/Paris", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "America/Sao_Paulo"),
        *("Pacific/Apia", "Africa/Monrovia", "Asia/Beirut", "America/Havana"),
    ],
)
def test_days_weeks_and_months_of_any_zone_add_up_what_was_in_them(
    winter: tuple[TestMerchant, list[datetime]], clock: TestClock, zone: str
) -> None:
    """Over changes of the clock by an hour and by half of one, at midnight too, and a day that there never was."""
    merchant, moments = winter
    since, until = WINTER + timedelta(days=7, hours=5, minutes=15), WINTER + timedelta(days=180, minutes=30)
    period = {"from": since.isoformat(), "to": until.isoformat(), "timezone": zone}
    for unit in ("day", "week", "month"):
        quarters = (datetime.fromtimestamp(at.timestamp() // 900 * 900, UTC) for at in moments if since <= at < until)
        expected = Counter(label(quarter, ZoneInfo(zone), unit) for quarter in quarters)
        report = funnel(merchant, group_by=unit, **period)
        assert expected == {row[unit]: row["visits"] for row in report["data"]}
        assert sum(expected.values()) == report["totals"][0]["visits"]


def test_a_period_is_whole_quarters_and_says_which(shop: TestMerchant, clock: TestClock) -> None:
    merchant = shop
    clock.set(START + timedelta(minutes=7, seconds=3))
    report = funnel(merchant)
    assert ("2026-01-31T10:00:00Z", "2026-03-02T10:15:00Z", "2026-03-02T10:07:03Z") == (
        *(report["from"], report["to"], report["as_of"]),
    )
    nearest = "2026-02-01T10:15Z or 2026-02-01T10:30Z"
    assert ("from", f"must be a whole quarter of an hour, such as {nearest}") == refused(
        merchant, **{"from": "2026-02-01T10:20:00Z"}
    )
    assert "to" == refused(merchant, to="2026-03-02T09:59:59Z")[0]
    later = funnel(merchant, to="2026-03-02T10:07:04Z")  # what is not over yet
    assert "2026-03-02T10:15:00Z" == later["to"]
    local = funnel(merchant, **{"from": "2026-02-01", "timezone": "Asia/Kathmandu"})
    assert "2026-01-31T18:15:00Z" == local["from"]


def test_what_the_funnel_cannot_tell_is_refused_naming_what_it_can(shop: TestMerchant) -> None:
    merchant = shop
    for several in ("price", "network,price", "day,hour"):
        pointer, detail = refused(merchant, group_by=several)
        assert "group_by" == pointer
        assert "any of network, shared_to, seen_from, product, wall, kind, sharer, depth, day, week, month" in detail
    assert "depth" == refused(merchant, depth="0")[0].strip("/")
    assert ("as_of", "cannot be asked for: the funnel is always as of now") == refused(merchant, as_of="2026-01-01")
    assert "policy" == refused(merchant, policy="nobody's")[0]
    assert "to" == refused(merchant, **{"from": "2026-03-02", "to": "2026-03-01"})[0]


def test_nothing_at_all_is_no_rows_and_a_total_of_nothing(merchant: TestMerchant) -> None:
    for_ever = {"from": "1970-01-01", "to": "9998-12-31", "group_by": "day"}
    for query in ({}, {"group_by": "product"}, {"group_by": "network,day"}, for_ever):
        report = funnel(merchant, **query)
        assert [] == report["data"]
        (total,) = report["totals"]
        assert ("eur", {}, 0, 0, None) == (
            *(total["currency"], some(total), total["orders"], total["net"], total["visits_per_referral"]),
        )


def test_filters_choose_values_by_the_names_that_are_shown(shop: TestMerchant) -> None:
    merchant = shop
    assert {"whatsapp", "onsite"} == by(
        funnel(merchant, group_by="network", network="whatsapp,onsite"), "network"
    ).keys()
    assert {"(direct)"} == by(funnel(merchant, group_by="network", network="(direct)"), "network").keys()
    left = funnel(merchant, group_by="network", **{"-network": ["whatsapp,onsite", "(direct)"]})
    assert {"facebook": {"visits": 1}} == by(left, "network")
    assert {"visits": 1} == some(left["totals"][0])
    assert {"visits": 1, "shares": 1, "card_views": 1} == some(funnel(merchant, network="whatsapp")["totals"][0])
    assert {} == some(funnel(merchant, network="whats,' OR 1=1 --")["totals"][0])


def test_the_page_of_all_requests_shows_how_the_funnel_is_asked_and_answers(shop: TestMerchant) -> None:
    page = ok(shop.public.get("/openapi.json"))
    asked = {each["name"]: each for each in page["paths"]["/v1/reports/funnel"]["get"]["parameters"]}
    for name in ("network", "shared_to", "seen_from", "product", "wall", "kind"):
        assert asked[name]["schema"]["examples"], name
    report = page["components"]["schemas"]["FunnelReport"]["properties"]
    (example,) = report["data"]["examples"][0]
    (row,) = funnel(shop)["data"]
    assert {"network", *row} == example.keys()


def test_rows_come_as_csv_and_ndjson_too(shop: TestMerchant) -> None:
    merchant = shop
    rows = funnel(merchant, group_by="network,day")["data"]
    told = merchant.http.get("/v1/reports/funnel", params={"group_by": "network,day", "format": "csv"})
    table = list(csv.DictReader(io.StringIO(told.text)))
    assert [str(row["visits"]) for row in rows] == [row["visits"] for row in table]
    assert ["network", "day", "currency", *COUNTS, "orders", "net"] == list(table[0])[:14]
    lines = merchant.http.get("/v1/reports/funnel", params={"group_by": "network,day", "format": "ndjson"})
    assert rows == [json.loads(line) for line in lines.text.splitlines()]


def test_another_merchant_sees_nothing_of_it(shop: TestMerchant, known: JSON, new_merchant: Any) -> None:
    other = new_merchant()
    assert [] == funnel(other)["data"]
    assert [] == funnel(other, product=known["mug"])["data"]
    assert 401 == shop.public.get("/v1/reports/funnel").status_code
