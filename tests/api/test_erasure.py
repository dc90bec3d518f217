"""Being forgotten, over HTTP: by one's own word, and by a merchant's."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.delivery.models import WebhookDelivery
from app.kernel.ids import merchant_of
from app.orders.models import Checkout
from app.privacy.erasure import ERASED
from app.reports import reckoned
from tests.conftest import AppServer
from tests.db.forgetting import places
from tests.shop import JSON, Shopper, TestMerchant, ok
from tests.till import Till

TOLD = {("journal_entries", "subjects"), ("webhook_deliveries", "subject"), ("webhook_deliveries", "body")}
"""Where it may stand for some weeks who was erased, so that others can be told."""


def erased(shopper: Shopper) -> httpx.Response:
    return shopper.http.delete("/v1/me", headers=shopper.headers)


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it holds within some seconds: others' memory is a second old, and jobs have their own pace."""
    for _ in range(300):
        if holds():
            return True
        time.sleep(0.05)
    return False


def until_nothing_is_left(server: AppServer, merchant: TestMerchant, *names: str) -> None:
    """The job goes through what no index leads to."""
    number = merchant_of(merchant.id, "mer")
    assert eventually(lambda: places(server.database, number, names) <= TOLD), places(server.database, number, names)


def seen_by_the_merchant(merchant: TestMerchant, order: str) -> JSON:
    """What was reckoned, without who it was."""
    said = merchant.explanation(order)
    return {
        "lines": [{name: line[name] for name in line.keys() - {"sharer", "explanation"}} for line in said["lines"]],
        **{by: merchant.report(by) for by in ("network", "product", "depth")},
        "sharers": sorted((row["net"], row["gross"]) for row in merchant.report("sharer")["data"]),
    }


@pytest.fixture
def story(merchant: TestMerchant, product: str) -> JSON:
    """Ana shares, Bo comes through her, shares on and buys; then comes Cleo through Bo, and buys too."""
    ana, bo, cleo = (merchant.shopper() for _ in range(3))
    first = ana.share(product, caption="Ana's own words", name="Ana")
    bo.follow(first["code"])
    second = bo.share(product, network="mastodon", name="Bo", caption="Bo's own words")
    bo.like(product)
    order = merchant.order(9999, visitor=bo.id, customer="bo@example.com")
    cleo.follow(second["code"])
    other = merchant.order(5000, click_id=cleo.click)
    ok(merchant.http.put(f"/v1/identities/{bo.id}", json={"person": "customer-bo"}))
    return {"ana": ana, "bo": bo, "cleo": cleo, "codes": [first["code"], second["code"]], "orders": [order, other]}


def test_who_is_erased_is_named_nowhere_and_every_sum_stays(
    app_server: AppServer, merchant: TestMerchant, story: JSON
) -> None:
    bo, ids = story["bo"], [order["id"] for order in story["orders"]]
    before = [seen_by_the_merchant(merchant, each) for each in ids]
    assert 204 == erased(bo).status_code
    assert before == [seen_by_the_merchant(merchant, each) for each in ids]
    until_nothing_is_left(app_server, merchant, bo.id, "customer-bo", "Bo", "Bo's own words")
    assert before == [seen_by_the_merchant(merchant, each) for each in ids]
    assert 401 == erased(bo).status_code
    assert 401 == bo.http.get("/v1/me", headers=bo.headers).status_code
    assert eventually(lambda: [200, 410] == [bo.http.get(f"/r/{code}").status_code for code in story["codes"]])


def test_a_merchant_forgets_a_customer_and_every_browser_of_theirs(
    app_server: AppServer, merchant: TestMerchant, story: JSON
) -> None:
    ok(merchant.http.put(f"/v1/identities/{story['cleo'].id}", json={"person": "customer-bo"}))
    before = [seen_by_the_merchant(merchant, order["id"]) for order in story["orders"]]
    for _ in range(2):  # twice is once
        assert 204 == merchant.http.delete("/v1/customers/customer-bo").status_code
    trail = ok(merchant.http.get("/v1/audit"))["data"]
    assert {"person.erased"} <= {entry["action"] for entry in trail}
    assert not [entry for entry in trail if _says(json.dumps(entry), "customer-bo", story["bo"].id)]
    assert before == [seen_by_the_merchant(merchant, order["id"]) for order in story["orders"]]
    until_nothing_is_left(app_server, merchant, story["bo"].id, story["cleo"].id, "customer-bo")
    assert [401, 401, 200] == [
        who.http.get("/v1/me", headers=who.headers).status_code for who in (story["bo"], story["cleo"], story["ana"])
    ]


def test_others_are_told_whom_to_forget(merchant: TestMerchant, story: JSON) -> None:
    cursor = ok(merchant.http.get("/v1/events", params={"cursor": "now"}))["next_cursor"]
    assert 204 == merchant.http.delete(f"/v1/visitors/{story['bo'].id}").status_code
    for _ in range(100):
        events = ok(merchant.http.get("/v1/events", params={"types": "visitor.erased", "cursor": cursor}))["data"]
        if events:
            break
        time.sleep(0.05)
    assert [story["bo"].id] == [event["data"]["visitor"] for event in events]


def test_a_like_with_the_token_of_somebody_erased_is_somebody_elses(
    merchant: TestMerchant, story: JSON, product: str
) -> None:
    bo = story["bo"]
    old = bo.id
    erased(bo)
    bo.like(product)
    assert old != bo.id


@pytest.mark.parametrize("path", ["/v1/visitors/{}", "/v1/customers/{}"])
def test_another_merchants_visitor_is_not_there(
    merchant: TestMerchant, new_merchant: Any, product: str, path: str
) -> None:
    other = new_merchant()
    stranger = other.shopper()
    stranger.like(other.product()["id"])
    assert 404 == merchant.http.delete(path.format(stranger.id)).status_code
    assert 200 == stranger.http.get("/v1/me", headers=stranger.headers).status_code


def test_whoever_asks_is_given_all_that_is_held_of_them(merchant: TestMerchant, story: JSON, product: str) -> None:
    bo = story["bo"]
    answer = bo.http.get("/v1/me/data", headers=bo.headers)
    told = ok(answer)
    parts = {part["name"]: part["rows"] for part in told["parts"]}
    assert (bo.id, merchant.id) == (told["visitor"], told["merchant"])
    assert "no-store" == answer.headers["Cache-Control"]
    assert "attachment" in answer.headers["Content-Disposition"]
    liked_and_shared = {(row["kind"], row["caption"]) for row in parts["likes_and_shares"]}
    assert {("like", None), ("share", "Bo's own words")} == liked_and_shared
    assert [(1, "customer-bo")] == [(len(parts["visits"]), row["person"]) for row in parts["identities"]]
    assert [story["orders"][0]["id"]] == [row["order_id"] for row in parts["orders"]]
    assert all(part["about"] for part in told["parts"])
    assert story["cleo"].id not in answer.text
    assert story["ana"].id not in answer.text
    assert 401 == bo.http.get("/v1/me/data").status_code
    erased(bo)
    assert 401 == bo.http.get("/v1/me/data", headers=bo.headers).status_code


def test_what_endpoints_were_told_or_wait_for_names_nobody_any_more(
    app_server: AppServer, merchant: TestMerchant, product: str
) -> None:
    hook = {"url": "https://crm.example.com/", "types": ["*"]}
    ok(merchant.http.post("/v1/webhook-endpoints", json=hook), 201)
    ana = merchant.shopper()
    share = ana.share(product, caption="Ana's own words")
    ana.share(product, network="x")

    def told(*, of_erasures: bool) -> str:
        mine = (WebhookDelivery.merchant_id == merchant_of(merchant.id, "mer"),)
        kind = WebhookDelivery.type == ERASED
        with app_server.database.reading() as session:
            wanted = select(WebhookDelivery.body).where(*mine, kind if of_erasures else ~kind)
            return "".join(session.scalars(wanted))

    assert eventually(lambda: share["id"] in told(of_erasures=False))
    assert ana.id in told(of_erasures=False)
    erased(ana)
    assert eventually(lambda: ana.id in told(of_erasures=True))
    assert eventually(lambda: not _says(told(of_erasures=False), ana.id, "Ana's own words"))
    assert share["id"] in told(of_erasures=False)


def _says(text: str, *words: str) -> bool:
    return any(word in text for word in words)


def test_counts_are_those_of_the_facts_after_an_erasure_of_somebody_brought_in_too(
    app_server: AppServer, merchant: TestMerchant, story: JSON
) -> None:
    about = {"visitor": "v1", "network": "onsite", "product": "mug", "at": "2026-02-01T00:00:00Z"}
    like = {"kind": "referral", "id": "s1", "type": "like", **about}
    lines = [like, {**like, "id": "s2", "type": "share", "network": "x"}]
    told = merchant.http.post("/v1/history", content="\n".join(map(json.dumps, lines)))
    assert 2 == ok(told)["accepted"]
    erased(story["bo"])
    assert 204 == merchant.http.delete("/v1/visitors/v1").status_code
    until_nothing_is_left(app_server, merchant, story["bo"].id, "v1")
    with app_server.database.reading() as session:
        assert [] == reckoned.differences(session, merchant_of(merchant.id, "mer"), 0, 4 * 10**15, 0)


def test_who_is_erased_while_stripe_is_asked_buys_as_nobody(till: Till, seller: TestMerchant) -> None:
    bo, variant = seller.shopper(), seller.product()["variants"][0]["id"]
    bo.like(seller.product()["id"])
    old, headers = bo.id, bo.headers
    till.line.slow = 1.0
    body = {"items": [{"variant": variant, "quantity": 1}], "coupon": "NOBODYS"}
    with ThreadPoolExecutor() as beside:
        asked = beside.submit(lambda: bo.http.post("/v1/checkouts", json=body, headers=headers))
        time.sleep(0.2)
        assert 204 == erased(bo).status_code
        assert 201 == asked.result().status_code

    def buyers() -> set[str | None]:
        said = Checkout.merchant_id == merchant_of(seller.id, "mer")
        with till.database.reading() as session:
            return {*session.scalars(select(Checkout.visitor_id).where(said))}

    assert eventually(lambda: old not in buyers())
