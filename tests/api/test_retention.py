"""How long facts are kept, over HTTP: a merchant's own periods, and what is told when visits are gone."""

from datetime import timedelta

import pytest

from app.kernel.clock import rfc3339
from app.kernel.ids import merchant_of
from app.merchants.models import Merchant
from app.retention.visits import forget_visits
from tests.clock import TestClock
from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok

USUAL = {"visits": 800, "beacons": 400, "machine_visits": 800, "checkouts": 400}
LINEAR = {"model": "linear"}


def test_a_merchant_may_keep_facts_for_a_shorter_time(merchant: TestMerchant) -> None:
    assert USUAL == ok(merchant.http.get("/v1/merchant"))["retention"]
    own = {"visits": 400, "beacons": 60}
    changed = ok(merchant.http.patch("/v1/merchant", json={"retention": own}))
    assert {**USUAL, **own} == changed["retention"]
    assert None is changed["visits_kept_from"]
    changed = ok(merchant.http.patch("/v1/merchant", json={"retention": {"visits": None, "checkouts": 90}}))
    assert {**USUAL, "beacons": 60, "checkouts": 90} == changed["retention"]
    entries = ok(merchant.http.get("/v1/audit"))["data"]
    said = [entry["changes"]["retention"] for entry in entries if "retention" in entry["changes"]]
    assert {"from": {**USUAL, **own}, "to": {**USUAL, "beacons": 60, "checkouts": 90}} == said[0]


@pytest.mark.parametrize(
    ("periods", "wrong"),
    [
        ({"visits": 59}, {"/retention/visits": "must be at least 60"}),
        ({"visits": 801}, {"/retention/visits": "must be at most 800"}),
        (
            {"beacons": 401, "checkouts": 401},
            {"/retention/beacons": "at most 400", "/retention/checkouts": "at most 400"},
        ),
        ({"visits": 30}, {"/retention/visits": "greater than or equal to 31"}),
        ({"visits": "90"}, {"/retention/visits": "integer"}),
        ({"visits": 90.5}, {"/retention/visits": "integer"}),
        ({"orders": 90}, {"/retention/orders": ""}),
        ([], {"/retention": ""}),
    ],
)
def test_a_period_that_cannot_be_is_named(merchant: TestMerchant, periods: object, wrong: dict[str, str]) -> None:
    answer = merchant.http.patch("/v1/merchant", json={"retention": periods})
    assert 422 == answer.status_code, answer.text
    told = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert wrong.keys() == told.keys()
    assert all(detail in told[pointer] for pointer, detail in wrong.items()), told
    assert USUAL == ok(merchant.http.get("/v1/merchant"))["retention"]


def test_visits_are_kept_as_long_as_a_policy_looks_back(merchant: TestMerchant) -> None:
    ok(merchant.http.put("/v1/policy", json={"windows": {"click": 90 * 86_400}}))
    refused = merchant.http.patch("/v1/merchant", json={"retention": {"visits": 119}})
    assert "must be at least 120" in refused.json()["errors"][0]["detail"]
    ok(merchant.http.patch("/v1/merchant", json={"retention": {"visits": 120}}))


@pytest.fixture
def sold(app_server: AppServer, merchant: TestMerchant, product: str, clock: TestClock) -> JSON:
    """Ana and Bo pass the word, Cleo comes through both and buys; long after that their visits are gone."""
    ok(merchant.http.put("/v1/policy", json=LINEAR))
    ok(merchant.http.patch("/v1/merchant", json={"retention": {"visits": 60}}))
    ana, bo, cleo = (merchant.shopper() for _ in range(3))
    for sharer in (ana, bo):
        cleo.follow(sharer.share(product)["code"])
        clock.move(minutes=1)
    ok(merchant.http.put(f"/v1/identities/{cleo.id}", json={"person": "cleo"}))
    order = merchant.order(1_001, visitor=cleo.id)
    before = merchant.explanation(order["id"])
    at = clock.move(days=70)
    for _ in range(2):
        forget_visits(app_server.database, clock, at, 800, lambda: None)
    with app_server.database.reading() as session:
        kept_from = session.get_one(Merchant, merchant_of(merchant.id, "mer")).visits_kept_from
    assert kept_from is not None
    assert timedelta(days=61) > at - kept_from >= timedelta(days=60)
    return {"order": order["id"], "before": before, "cleo": cleo, "kept_from": kept_from, "clicks": [cleo.click]}


def test_an_order_whose_visits_are_gone_is_explained_as_it_was_credited(merchant: TestMerchant, sold: JSON) -> None:
    now, before = merchant.explanation(sold["order"]), sold["before"]
    assert before["closed"] is None
    assert now["closed"]["en"].startswith("The visits of its time are no longer kept")
    assert [] == now["journey"]
    same = ("touch", "referral", "sharer", "network", "level", "gross", "net", "reversed", "reason")
    assert [[line[name] for name in same] for line in before["lines"]] == [
        [line[name] for name in same] for line in now["lines"]
    ]
    assert before["entries"] == now["entries"]
    assert "stands as it was credited" in now["summary"]["en"]
    then = ok(merchant.http.get(f"/v1/orders/{sold['order']}/attribution", params={"as_of": before["at"]}))
    assert [line["gross"] for line in before["lines"]] == [line["gross"] for line in then["lines"]]


def test_a_refund_of_such_an_order_takes_from_what_was_credited(merchant: TestMerchant, sold: JSON) -> None:
    merchant.refund(sold["order"], 3)
    now = merchant.explanation(sold["order"])
    assert [(500, 1), (501, 2)] == [(line["gross"], line["reversed"]) for line in now["lines"]]
    assert [[1, 2]] == [[each["amount"] for each in refund["takings"]] for refund in now["refunds"]]
    assert 998 == sum(row["net"] for row in merchant.report("sharer", **{"from": "2026-01-01"})["data"])


def after(merchant: TestMerchant) -> str:
    return rfc3339(merchant.clock.now() + timedelta(days=1))


def test_what_is_reckoned_from_visits_that_are_gone_says_so(merchant: TestMerchant, sold: JSON) -> None:
    long_ago, lately = sold["kept_from"] - timedelta(days=30), sold["kept_from"] + timedelta(days=31)
    day = f"{sold['kept_from']:%Y-%m-%d}"
    preview = {"policy": LINEAR, "orders": False}
    for period, says_so in (({"from": rfc3339(long_ago)}, True), ({"from": rfc3339(lately)}, False), ({}, True)):
        note = ok(merchant.http.post("/v1/attribution/preview", json={**preview, **period})).get("note")
        assert says_so is (note is not None and day in note["en"] and day in note["fr"])
    for report in ("models", "spread"):
        for begin, says_so in ((long_ago, True), (lately, False)):
            query = {"from": rfc3339(begin), "to": after(merchant)}
            note = ok(merchant.http.get(f"/v1/reports/{report}", params=query))["note"]
            assert says_so is (note is not None)


def test_what_is_gone_is_left_out_and_nothing_fails_for_it(merchant: TestMerchant, sold: JSON) -> None:
    events = ok(merchant.http.get("/v1/events", params={"limit": 100}))["data"]
    assert "order.attributed" in {event["type"] for event in events}
    assert not {"visit.recorded", "visit.claimed"} & {event["type"] for event in events}
    kinds = {moment["type"] for moment in ok(merchant.http.get("/v1/customers/cleo/timeline"))["data"]}
    assert {"order"} == kinds
    cleo = sold["cleo"]
    held = ok(cleo.http.get("/v1/me/data", headers=cleo.headers))
    assert held
    assert 404 == cleo.http.post(f"/v1/visits/{cleo.click}/claim", headers=cleo.headers).status_code
    assert 204 == cleo.http.delete("/v1/me", headers=cleo.headers).status_code
    assert [500, 501] == [line["gross"] for line in merchant.explanation(sold["order"])["lines"]]
