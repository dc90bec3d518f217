"""The funnel by several dimensions at once, by people, and with filters of others: counted from the facts."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.reports import funnel_facts
from app.reports.funnel_facts import AT_ONCE
from tests.api.funnels import COUNTS, by, funnel, refused, some, tell
from tests.clock import START, TestClock
from tests.history import written
from tests.moving import bring
from tests.shop import BROWSER, JSON, TestMerchant, ok

RATES = ("open_rate", "share_rate", "visits_per_referral", "checkout_rate", "order_rate")


def test_several_dimensions_tell_each_fact_once(shop: TestMerchant, known: JSON) -> None:
    mug, bowl, wall = known["mug"], known["bowl"], known["wall"]
    report = funnel(shop, group_by="network,product,wall")
    assert {
        ("facebook", mug, wall): {"visits": 1},
        ("whatsapp", mug, wall): {"shares": 1, "visits": 1},
        ("whatsapp", mug, "(none)"): {"card_views": 1},
        ("onsite", bowl, "(none)"): {"likes": 1},
        ("(direct)", mug, wall): {"card_views": 1, "card_opens": 1},
        ("(direct)", "(none)", wall): {"wall_views": 1},
    } == by(report, "network", "product", "wall")
    assert funnel(shop)["totals"] == report["totals"]
    sold = {row["network"]: (row["orders"], row["net"], row["order_rate"]) for row in report["data"] if row["orders"]}
    assert {"facebook": (1, 800, 1.0)} == sold


def test_people_are_told_what_came_of_their_word(shop: TestMerchant, known: JSON) -> None:
    ana = known["ana"].id
    report = funnel(shop, group_by="sharer")
    assert {
        ana: {"likes": 1, "shares": 1, "visits": 2, "card_views": 1},
        "(none)": {"wall_views": 1, "card_views": 1, "card_opens": 1},
    } == by(report, "sharer")
    assert (800, 800) == (report["data"][0]["net"], report["totals"][0]["net"])
    assert funnel(shop)["totals"] == report["totals"]
    assert by(report, "sharer")[ana] == some(funnel(shop, sharer=ana)["totals"][0])
    assert {"facebook": {"visits": 1}, "whatsapp": {"shares": 1, "visits": 1, "card_views": 1}} == by(
        funnel(shop, group_by="network", sharer=ana, **{"-kind": "like"}), "network"
    )
    assert ["(none)"] == [row["sharer"] for row in funnel(shop, group_by="sharer", **{"-sharer": ana})["data"]]
    assert [] == funnel(shop, group_by="sharer", sharer="vis_nobody")["data"]


def test_who_was_joined_is_one_person(merchant: TestMerchant, clock: TestClock) -> None:
    mug = merchant.product("Mug")["id"]
    phone, laptop, other = (merchant.shopper() for _ in range(3))
    for each in (phone, laptop, other):
        merchant.shopper().follow(each.share(mug, "x")["code"])
    for each in (phone, laptop):
        ok(merchant.http.put(f"/v1/identities/{each.id}", json={"person": "Ana"}))
    clock.move(seconds=1)
    assert {"Ana": {"shares": 2, "visits": 2}, other.id: {"shares": 1, "visits": 1}} == by(
        funnel(merchant, group_by="sharer"), "sharer"
    )
    assert {"shares": 2, "visits": 2} == some(funnel(merchant, sharer="Ana", network="x")["totals"][0])


def test_filters_of_other_dimensions_choose_facts_by_the_names_that_rows_have(shop: TestMerchant, known: JSON) -> None:
    mug, wall = known["mug"], known["wall"]
    assert {"facebook": {"visits": 1}, "whatsapp": {"shares": 1, "visits": 1}} == by(
        funnel(shop, group_by="network", product=mug, wall=wall, **{"-network": "(direct)"}), "network"
    )
    assert {mug: {"card_views": 1, "card_opens": 1}, "(none)": {"wall_views": 1}} == by(
        funnel(shop, group_by="product", network="(direct)"), "product"
    )
    assert {"card_views": 1} == some(funnel(shop, network="whatsapp", wall="(none)")["totals"][0])
    assert {"card_views": 1} == some(funnel(shop, seen_from="(none)", kind="share", **{"-wall": wall})["totals"][0])
    assert {} == some(funnel(shop, network="whats,' OR 1=1 --", product=mug)["totals"][0])
    (total,) = funnel(shop, network="facebook", product=mug)["totals"]
    assert ({"visits": 1}, 1, 800) == (some(total), total["orders"], total["net"])


def test_referrals_without_a_network_are_told_apart_from_people_without_a_link(
    merchant: TestMerchant, clock: TestClock
) -> None:
    nowhere: JSON = {"id": "s1", "visitor": "v1", "network": None, "at": START.isoformat(), "product": "theirs"}
    click = {"kind": "touch", "type": "click", "network": None, "at": START.isoformat()}
    lines = [
        {"kind": "referral", "type": "share", **nowhere},
        {**click, "id": "t1", "visitor": "v2", "referral": "s1"},
        {**click, "id": "t2", "visitor": "v3", "referral": "never told"},
    ]
    bring(merchant, written(lines))
    product = merchant.product()["id"]
    ok(
        merchant.public.post(
            "/v1/beacons", json=[{"type": "card_view", "product": product}], headers={"User-Agent": BROWSER}
        ),
        202,
    )
    clock.move(seconds=1)
    assert {
        ("(unknown)", "theirs"): {"shares": 1, "visits": 1},
        ("(unknown)", "(none)"): {"visits": 1},
        ("(direct)", product): {"card_views": 1},
    } == by(funnel(merchant, group_by="network,product"), "network", "product")
    for name, counts in {"(direct)": {"card_views": 1}, "(unknown)": {"shares": 1, "visits": 2}, "(none)": {}}.items():
        assert counts == some(funnel(merchant, network=name, **{"-product": "prod_x"})["totals"][0])
    assert {"v1": {"shares": 1, "visits": 1}} == by(
        funnel(merchant, group_by="sharer", **{"-sharer": "(none)"}), "sharer"
    )


def test_weeks_and_months_stand_beside_each_other(shop: TestMerchant) -> None:
    told = funnel(shop, group_by="month,week,product")
    assert ["month", "week", "product", "currency"] == list(told["data"][0])[:4]
    monday = (START.date() - timedelta(days=START.weekday())).isoformat()
    assert {(START.date().replace(day=1).isoformat(), monday)} == {(row["month"], row["week"]) for row in told["data"]}
    assert by(funnel(shop, group_by="product"), "product") == by(told, "product")
    narrow = funnel(shop, group_by="week,day")
    assert by(funnel(shop, group_by="day"), "day") == by(narrow, "day")
    assert [row["day"] for row in narrow["data"]] == sorted(row["day"] for row in narrow["data"])


def test_days_of_any_zone_are_the_same_however_they_are_counted(merchant: TestMerchant, clock: TestClock) -> None:
    """Over changes of the clock, in quarters of an hour around them."""
    changes = ("2011-11-06T02:31:00+00:00", "2011-11-06T03:15:00+00:00", "2012-03-11T02:31:00+00:00")
    click = {"kind": "touch", "type": "click", "network": "x", "referral": None}
    moments = [
        (datetime.fromisoformat(each) + timedelta(minutes=minutes)).isoformat()
        for each in changes
        for minutes in (-1440, -180, -60, -31, -16, -1, 0, 15, 30, 75, 1440)
    ]
    bring(merchant, written([{**click, "id": f"t{n}", "visitor": f"v{n}", "at": at} for n, at in enumerate(moments)]))
    period = {"from": "2011-10-01T00:00Z", "to": "2012-05-01T00:00Z"}
    for zone in ("America/St_Johns", "Pacific/Apia"):
        for unit in ("day", "week", "month"):
            asked = {**period, "timezone": zone}
            told = funnel(merchant, group_by=f"{unit},sharer", **asked)
            assert by(funnel(merchant, group_by=unit, **asked), unit) == by(told, unit)
            assert len(moments) == told["totals"][0]["visits"]


def test_by_depth_there_are_orders_and_net_alone(shop: TestMerchant) -> None:
    report = funnel(shop, group_by="depth,network")
    (row,) = report["data"]
    assert ("0", "facebook", 1, 800) == (row["depth"], row["network"], row["orders"], row["net"])
    assert {None} == {row[name] for name in (*COUNTS, *RATES)}
    assert funnel(shop)["totals"] == report["totals"]
    (compared,) = funnel(shop, group_by="depth", compare="previous")["data"]
    assert dict.fromkeys(COUNTS) | {"orders": 0, "net": 0} == compared["previous"]


def test_what_was_dropped_by_age_is_not_told(merchant: TestMerchant, clock: TestClock) -> None:
    story = tell(merchant, clock)
    clock.move(days=401)
    asked = {"from": START.isoformat(), "group_by": "network,product"}
    report = funnel(merchant, **asked)
    seen = [name for name in COUNTS if name.endswith(("views", "opens"))]
    for row in (*report["data"], *report["totals"]):
        assert {None} == {row[name] for name in (*seen, "open_rate", "share_rate")}
    assert {"facebook", "whatsapp", "onsite"} == {row["network"] for row in report["data"]}
    assert (2, 1, 1.0) == tuple(report["totals"][0][name] for name in ("visits", "orders", "visits_per_referral"))
    line = merchant.http.get("/v1/reports/funnel", params={**asked, "format": "csv"}).text.splitlines()[1]
    assert ",eur,,,,,,0,0,1,0,1,800,," in line
    assert 2 == funnel(merchant, **{**asked, "group_by": "product"})["totals"][0]["card_views"]
    ok(
        merchant.public.post(
            "/v1/beacons", json=[{"type": "wall_view", "wall": story["wall"]}], headers={"User-Agent": BROWSER}
        ),
        202,
    )
    clock.move(seconds=1)
    lately = funnel(merchant, group_by="network,wall")
    assert {("(direct)", story["wall"]): {"wall_views": 1}} == by(lately, "network", "wall")


# Too much.


def test_more_facts_than_are_counted_are_refused_saying_how_many(
    shop: TestMerchant, known: JSON, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(funnel_facts, "MOST", 7)
    hint = "ask for a shorter period, or of one dimension alone: of network, shared_to, seen_from, product, wall, kind"
    told = f"takes 8 facts to be counted, and at most 7 are for one answer: {hint}"
    for group_by in ("network,product", "sharer", "day,product,wall"):
        assert ("group_by", told) == refused(shop, group_by=group_by)
        assert ("group_by", told) == refused(shop, group_by=group_by, format="csv")
    assert ("product", told) == refused(shop, group_by="network", product=known["mug"])
    assert ("-product", told) == refused(shop, network="x", **{"-product": known["mug"], "-network": "y"})
    assert ("sharer", told) == refused(shop, sharer="vis_x")
    assert ("group_by", told) == refused(shop, group_by="network,wall", compare="previous")
    second = {"from": (START + timedelta(days=1)).date().isoformat(), "group_by": "network,product"}
    assert 4 == len(funnel(shop, **second)["data"]), "a shorter period"
    assert 5 == len(funnel(shop, group_by="network,day", network="onsite,whatsapp,facebook")["data"]), "one dimension"


def test_only_a_few_have_facts_counted_at_once(shop: TestMerchant) -> None:
    with AT_ONCE, AT_ONCE:
        answer = shop.http.get("/v1/reports/funnel", params={"group_by": "network,product"})
        assert (503, True) == (answer.status_code, "retry-after" in answer.headers)
        assert funnel(shop, group_by="network")["data"]
    assert funnel(shop, group_by="network,product")["data"]


def test_another_merchant_finds_nothing_of_it(known: JSON, new_merchant: Any) -> None:
    other = new_merchant()
    ana = known["ana"].id
    for asked in ({"sharer": ana}, {"group_by": "sharer,product"}, {"network": "whatsapp", "product": known["mug"]}):
        report = funnel(other, **asked)
        assert ([], {}) == (report["data"], some(report["totals"][0]))
