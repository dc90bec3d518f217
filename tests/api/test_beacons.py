"""Beacons: what was seen and opened is kept, whatever else comes with it; and the card of a referral is a touch."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.kernel.clock import rfc3339
from app.referrals.models import Beacon
from tests.clock import START, TestClock
from tests.conftest import AppServer
from tests.shop import BROWSER, JSON, Shopper, TestMerchant, ok

DAY = timedelta(days=1)


@pytest.fixture
def wall(merchant: TestMerchant, product: str) -> str:
    return str(merchant.wall(product)["id"])


def post(merchant: TestMerchant, body: str | bytes, **headers: str) -> httpx.Response:
    """As `navigator.sendBeacon` and `fetch` with text do."""
    given = {"Content-Type": "text/plain;charset=UTF-8", "User-Agent": BROWSER, **headers}
    return merchant.public.post("/v1/beacons", content=body, headers=given)


def report(merchant: TestMerchant, *entries: object, **headers: str) -> tuple[int, int]:
    """How many are kept and refused."""
    answer = ok(post(merchant, json.dumps(entries), **headers), 202)
    return answer["kept"], answer["refused"]


def kept(server: AppServer, product: str) -> list[Beacon]:
    with server.database.reading() as session:
        found = select(Beacon).where(Beacon.product_id == product).order_by(Beacon.beacon_id)
        return list(session.scalars(found))


def test_what_was_seen_is_kept_as_nobodys(
    app_server: AppServer, merchant: TestMerchant, wall: str, product: str
) -> None:
    ana = merchant.shopper()
    ana.like(product)
    seen = {"wall": wall, "product": product, "visitor": ana.token, "at": rfc3339(START - timedelta(minutes=5))}
    types = ["card_view", "card_open", "share_open", "checkout_open"]
    entries: list[object] = [{"type": kind, **seen} for kind in types]
    assert (5, 0) == report(merchant, {"type": "wall_view", "wall": wall}, *entries)
    found = kept(app_server, product)
    assert types == [beacon.type for beacon in found]
    assert {(wall, product, None, None, None, START - timedelta(minutes=5), START)} == {
        (each.wall_id, each.product_id, each.visitor_id, each.click_id, each.referral_id, each.at, each.received_at)
        for each in found
    }


def test_json_and_text_are_the_same(merchant: TestMerchant, product: str) -> None:
    body = [{"type": "card_view", "product": product}]
    assert ok(merchant.public.post("/v1/beacons", json=body, headers={"User-Agent": BROWSER}), 202)["kept"] == 1
    assert (1, 0) == report(merchant, *body)
    assert (0, 0) == report(merchant)


def hostile(product: str, wall: str, other: TestMerchant) -> list[object]:
    good = {"type": "card_view", "product": product}
    theirs = str(other.product()["id"])
    changes: list[JSON] = [
        {"type": "purchase"},
        {"type": None},
        {"unheard": 1},
        {"product": None},
        {"product": 7},
        {"product": product + "\x00"},
        {"product": "\ud800"},
        {"product": "x" * 65},
        {"product": wall},
        {"product": product[:-1] + ("0" if product[-1] != "0" else "1")},  # one that never was
        {"product": theirs, "wall": wall},  # of two merchants
        {"wall": "wall_nothing"},
        {"wall": other.wall(theirs)["id"]},
        {"click": other.shopper().follow(other.shopper().share(theirs)["code"], claim=False)},
        {"click": "clk_'; drop table visits"},
        {"code": "unknown12"},
        {"code": "x" * 201},
        {"code": other.shopper().share(theirs)["code"]},
        {"at": 1_700_000_000},
        {"at": "yesterday"},
        {"at": "0001-01-01T00:00:00+23:59"},
        {"visitor": "x" * 201},
        {"visitor": {"$ne": None}},
        {"type": "wall_view"},
    ]
    return [*({**good, **change} for change in changes), None, 7, "card_view", [], [good], {}]


def test_a_bad_entry_never_loses_the_others(
    app_server: AppServer, merchant: TestMerchant, new_merchant: Callable[..., TestMerchant], product: str, wall: str
) -> None:
    good = {"type": "card_view", "product": product}
    bad = hostile(product, wall, new_merchant())
    mixed = [each for entry in bad for each in (entry, good)]
    assert (len(bad), len(bad)) == report(merchant, *mixed)
    assert len(bad) == len(kept(app_server, product))
    for entry in bad:
        assert (0, 1) == report(merchant, entry), entry


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"null", b"[", b"\xff\xfe", b"[" * 30_000, b"[" + b"9" * 5000 + b"]", b"[" + b"1," * 100 + b"1]"],
)
def test_what_is_no_list_of_reports_is_refused(merchant: TestMerchant, body: bytes) -> None:
    assert 422 == post(merchant, body).status_code


def test_a_body_that_is_too_large_is_refused(merchant: TestMerchant, product: str) -> None:
    good = json.dumps([{"type": "card_view", "product": product}])
    assert 202 == post(merchant, good + " " * (64 * 1024 - len(good))).status_code
    answer = post(merchant, good + " " * (64 * 1024 - len(good) + 1))
    assert (413, "too_large") == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(
    ("told", "believed"),
    [(timedelta(days=-2), -DAY), (-DAY, -DAY), (timedelta(hours=-1), timedelta(hours=-1)), (DAY * 400, timedelta(0))],
)
def test_a_time_is_believed_between_a_day_ago_and_now(
    app_server: AppServer, merchant: TestMerchant, product: str, told: timedelta, believed: timedelta
) -> None:
    report(merchant, {"type": "card_view", "product": product, "at": rfc3339(START + told)})
    assert [START + believed] == [beacon.at for beacon in kept(app_server, product)]


@pytest.mark.parametrize("header", ["Sec-GPC", "DNT"])
def test_who_does_not_want_to_be_followed_is_counted_and_not_known(
    app_server: AppServer, merchant: TestMerchant, ana: Shopper, product: str, header: str
) -> None:
    ok(merchant.http.patch("/v1/merchant", json={"privacy": "consented"}))
    ana.like(str(merchant.product("Other")["id"]))
    ok(ana.http.post("/v1/consents", json={"product": product, "version": "1"}, headers=ana.headers), 201)
    click = ana.follow(merchant.shopper().share(product)["code"])
    entry = {"type": "card_view", "product": product, "visitor": ana.token, "click": click}
    assert (1, 0) == report(merchant, entry, **{header: "1"})
    assert (1, 0) == report(merchant, entry)
    assert [(None, None), (ana.id, click)] == [
        (beacon.visitor_id, beacon.click_id) for beacon in kept(app_server, product)
    ]


def test_a_merchant_who_keeps_no_visitors_keeps_none_here(
    app_server: AppServer, merchant: TestMerchant, ana: Shopper, product: str
) -> None:
    code = ana.share(product)["code"]
    viewer = merchant.shopper()
    viewer.like(product)
    ok(merchant.http.patch("/v1/merchant", json={"privacy": "none"}))
    entry = {"type": "card_view", "product": product, "visitor": viewer.token, "code": code}
    for _ in range(300):
        assert (1, 0) == report(merchant, entry)
        if kept(app_server, product)[-1].visitor_id is None:
            return
    raise AssertionError("the setting is not in force")


@pytest.mark.parametrize("token", ["vt_forged", "vt_vis_01jq2z.aaaa", "nonsense", "\u00e9"])
def test_a_token_that_proves_nothing_is_nobodys(
    app_server: AppServer, merchant: TestMerchant, product: str, token: str
) -> None:
    assert (1, 0) == report(merchant, {"type": "card_view", "product": product, "visitor": token})
    assert [None] == [beacon.visitor_id for beacon in kept(app_server, product)]


@pytest.mark.parametrize("agent", ["", "Googlebot/2.1", "facebookexternalhit/1.1"])
def test_machines_count_for_nothing(app_server: AppServer, merchant: TestMerchant, product: str, agent: str) -> None:
    assert (0, 1) == report(merchant, {"type": "card_view", "product": product}, **{"User-Agent": agent})
    assert [] == kept(app_server, product)


def test_only_listed_pages_may_report(new_merchant: Callable[..., TestMerchant]) -> None:
    merchant = new_merchant(allowed_origins=["https://blog.example"])
    entry = {"type": "card_view", "product": merchant.product()["id"]}
    assert (1, 0) == report(merchant, entry, Origin="https://blog.example")
    assert (0, 1) == report(merchant, entry, Origin="https://evil.example")
    answer = post(merchant, json.dumps([entry]), Origin="https://blog.example")
    assert "https://blog.example" == answer.headers["access-control-allow-origin"]


def bought(merchant: TestMerchant, clock: TestClock, buyer: Shopper, after: timedelta, **fields: Any) -> str | None:
    """The network that is credited for what the buyer bought so much later."""
    clock.set(START + after)
    lines = merchant.explanation(merchant.order(visitor=buyer.token, **fields)["id"])["lines"]
    return str(lines[0]["network"])


@pytest.fixture
def buyer(merchant: TestMerchant) -> Shopper:
    """Somebody who is known, and came through nobody."""
    known = merchant.shopper()
    known.like(str(merchant.product("Something")["id"]))
    return known


def saw(merchant: TestMerchant, viewer: Shopper, code: str, **fields: object) -> None:
    assert (1, 0) == report(merchant, {"type": "card_view", "code": code, "visitor": viewer.token, **fields})


@pytest.mark.parametrize(
    ("after", "network"), [(timedelta(0), "mastodon"), (DAY, "mastodon"), (DAY + timedelta(seconds=1), "(direct)")]
)
def test_a_view_earns_the_sale_for_one_day(
    merchant: TestMerchant,
    clock: TestClock,
    ana: Shopper,
    buyer: Shopper,
    product: str,
    after: timedelta,
    network: str,
) -> None:
    saw(merchant, buyer, ana.share(product, "mastodon")["code"])
    assert network == bought(merchant, clock, buyer, after)


@pytest.mark.parametrize(("kind", "network"), [("share", "whatsapp"), ("like", "onsite")])
def test_a_click_or_like_outranks_a_view(
    merchant: TestMerchant, clock: TestClock, ana: Shopper, buyer: Shopper, product: str, kind: str, network: str
) -> None:
    passed_on = ana.share(product) if kind == "share" else ana.like(product)
    buyer.follow(passed_on["code"])
    clock.set(START + timedelta(hours=1))
    saw(merchant, buyer, merchant.shopper().share(product, "mastodon")["code"])
    assert network == bought(merchant, clock, buyer, timedelta(hours=2))


def test_without_priority_the_later_view_earns_the_sale(
    merchant: TestMerchant, clock: TestClock, ana: Shopper, buyer: Shopper, product: str
) -> None:
    ok(merchant.http.put("/v1/policy", json={"type_priority": "none"}))
    buyer.follow(ana.share(product)["code"])
    clock.set(START + timedelta(hours=1))
    saw(merchant, buyer, merchant.shopper().share(product, "mastodon")["code"])
    assert "mastodon" == bought(merchant, clock, buyer, timedelta(hours=2))


def test_a_view_that_is_told_late_earns_an_order_that_was_there_before(
    merchant: TestMerchant, clock: TestClock, ana: Shopper, buyer: Shopper, product: str
) -> None:
    code = ana.share(product, "mastodon")["code"]
    clock.set(START + timedelta(hours=5))
    order = merchant.order(visitor=buyer.token)["id"]
    saw(merchant, buyer, code, at=rfc3339(START + timedelta(hours=4)))
    assert ["mastodon"] == [line["network"] for line in merchant.explanation(order)["lines"] if line["net"]]


def test_views_of_one_hour_are_one_touch_and_no_visit(
    merchant: TestMerchant, clock: TestClock, ana: Shopper, buyer: Shopper, product: str
) -> None:
    ok(merchant.http.put("/v1/policy", json={"model": "linear"}))
    first, second = ana.share(product, "mastodon")["code"], merchant.shopper().share(product, "bluesky")["code"]
    for _ in range(3):
        saw(merchant, buyer, first)
    saw(merchant, buyer, second)
    order = merchant.order(visitor=buyer.token)["id"]
    credit = {line["network"]: line["net"] for line in merchant.explanation(order)["lines"]}
    assert {"mastodon": 5000, "bluesky": 5000} == credit
    assert None is buyer.share(product)["parent"]  # who only saw a card has not come through it


def test_no_touch_without_a_proven_visitor_or_of_what_was_taken_back(
    merchant: TestMerchant, clock: TestClock, ana: Shopper, buyer: Shopper, product: str
) -> None:
    liked = ana.like(product)
    ok(merchant.public.delete(f"/v1/likes/{liked['id']}", headers=ana.headers))
    saw(merchant, buyer, liked["code"])
    code = merchant.shopper().share(product)["code"]
    assert (1, 0) == report(merchant, {"type": "card_view", "code": code, "visitor": f"{buyer.token}x"})
    assert (1, 0) == report(merchant, {"type": "card_view", "code": code, "visitor": buyer.token}, DNT="1")
    assert (1, 0) == report(merchant, {"type": "card_open", "code": code, "visitor": buyer.token})
    assert "(direct)" == bought(merchant, clock, buyer, timedelta(minutes=1))


def test_ones_own_card_earns_nothing(merchant: TestMerchant, clock: TestClock, ana: Shopper, product: str) -> None:
    saw(merchant, ana, ana.share(product)["code"])
    assert "(direct)" == bought(merchant, clock, ana, timedelta(minutes=1))
