"""The feed of facts over HTTP, and what one customer did."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.kernel.feed_relay import Relay
from app.kernel.journal import JOURNAL
from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]


def events_of(server: AppServer, merchant: TestMerchant, **asked: Any) -> tuple[list[JSON], str]:
    """All events after a cursor, and the next."""
    Relay(server.database, server.clock, of=JOURNAL).place_all()
    found: list[JSON] = []
    while True:
        page = ok(merchant.http.get("/v1/events", params={"limit": 2, **asked}))
        found += page["data"]
        asked["cursor"] = page["next_cursor"]
        if not page["has_more"]:
            return found, page["next_cursor"]


def types(events: list[JSON]) -> list[str]:
    return [event["type"] for event in events]


@pytest.fixture
def mug(merchant: TestMerchant) -> str:
    return str(merchant.product()["id"])


def test_a_sale_through_a_friend_is_told_from_the_share_to_the_credit(
    app_server: AppServer, merchant: TestMerchant, mug: str
) -> None:
    _, start = events_of(app_server, merchant)
    ana, bo = merchant.shopper(), merchant.shopper()
    share = ana.share(mug)
    click = bo.follow(share["code"])
    merchant.clock.move(minutes=1)
    order = merchant.order(net=1000, click_id=click)
    merchant.clock.move(minutes=1)
    ok(merchant.http.post(f"/v1/orders/{order['id']}/refunds", json={"external_id": "r1", "amount": 100}), 201)
    events, cursor = events_of(app_server, merchant, cursor=start)
    assert [
        *("referral.created", "visit.recorded", "visit.claimed"),
        *("order.recorded", "order.attributed", "order.refunded", "order.attributed"),
    ] == types(events)
    by_type = {event["type"]: event for event in reversed(events)}
    assert share["id"] == by_type["referral.created"]["data"]["id"]
    assert (share["id"], "click") == tuple(by_type["visit.recorded"]["data"][name] for name in ("referral", "type"))
    assert (click, bo.id) == tuple(by_type["visit.claimed"]["data"][name] for name in ("visit", "visitor"))
    shown = ok(merchant.http.get(f"/v1/orders/{order['id']}"))
    assert shown == by_type["order.recorded"]["data"]
    assert shown == {name: value for name, value in by_type["order.refunded"]["data"].items() if name in shown}
    assert "r1" == by_type["order.refunded"]["data"]["refund"]["external_id"]
    assert [(share["id"], 1000, 0, 1000)] == lines(by_type["order.attributed"])
    assert [(share["id"], 0, 100, -100)] == lines(events[-1])
    assert ([], cursor) == events_of(app_server, merchant, cursor=cursor)


def lines(event: JSON) -> list[tuple[str, int, int, int]]:
    fields = ("referral", "gross", "refunded", "net")
    return [tuple(line[name] for name in fields) for line in event["data"]["credits"]]


def test_what_was_told_from_the_beginning_has_the_ids_of_before(
    app_server: AppServer, merchant: TestMerchant, mug: str
) -> None:
    _, start = events_of(app_server, merchant)
    share = merchant.shopper().share(mug)
    merchant.shopper().follow(share["code"], claim=False)
    events, _ = events_of(app_server, merchant, cursor=start)
    snapshot, _ = events_of(app_server, merchant)
    assert [event["id"] for event in events] == [event["id"] for event in snapshot]
    assert [event["data"] for event in events] == [event["data"] for event in snapshot]


def test_who_says_now_hears_what_is_yet_to_come(app_server: AppServer, merchant: TestMerchant, mug: str) -> None:
    merchant.shopper().like(mug)
    Relay(app_server.database, app_server.clock, of=JOURNAL).place_all()
    begun = ok(merchant.http.get("/v1/events?cursor=now"))
    assert ([], False) == (begun["data"], begun["has_more"])
    like = merchant.shopper().like(mug)
    events, _ = events_of(app_server, merchant, cursor=begun["next_cursor"])
    assert [like["id"]] == [event["data"]["id"] for event in events]


def test_some_types_as_lines(app_server: AppServer, merchant: TestMerchant, mug: str) -> None:
    share = merchant.shopper().share(mug)
    merchant.shopper().follow(share["code"])
    Relay(app_server.database, app_server.clock, of=JOURNAL).place_all()
    asked = "/v1/events?types=visit.recorded,visit.claimed&types=order.recorded&format=ndjson"
    answer = merchant.http.get(asked)
    assert "application/x-ndjson" == answer.headers["content-type"]
    assert ["visit.recorded", "visit.claimed"] == types([json.loads(line) for line in answer.text.splitlines()])
    further = answer.links["next"]["url"]
    assert b"" == merchant.http.get(further).content
    merchant.shopper().follow(share["code"], claim=False)
    Relay(app_server.database, app_server.clock, of=JOURNAL).place_all()
    assert ["visit.recorded"] == types([json.loads(line) for line in merchant.http.get(further).text.splitlines()])


def test_no_token_leaves(app_server: AppServer, merchant: TestMerchant, mug: str) -> None:
    ana = merchant.shopper()
    share = ana.share(mug, name="Ana", caption="<b>Look</b>")
    merchant.shopper().follow(share["code"])
    merchant.order(click_id=None, visitor=ana.token, customer="ana@example.com")
    events, _ = events_of(app_server, merchant)
    said = json.dumps(events)
    assert "<b>Look</b>" in said
    assert not [secret for secret in ('"vt_', "ana@example.com", '"Ana"') if secret in said]


def test_a_test_order_is_told_and_all_about_it_says_so(app_server: AppServer, merchant: TestMerchant) -> None:
    for test in (True, False):
        order = merchant.order(net=900, test=test)["id"]
        ok(merchant.http.patch(f"/v1/orders/{order}", json={"net": 800}))
        merchant.refund(order, 100)
    told, _ = events_of(app_server, merchant)
    expected = {f"order.{what}" for what in ("recorded", "corrected", "refunded", "attributed")}
    for test in (True, False):
        assert expected == {event["type"] for event in told if event["data"]["test"] is test}


def test_what_is_no_type_is_refused_and_told_what_is(merchant: TestMerchant) -> None:
    answer = merchant.http.get("/v1/events?types=order.attributed,order.made")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert "types" == error["pointer"]
    assert "order.made" in error["detail"]
    assert "referral.created" in error["detail"]


@pytest.mark.parametrize("cursor", ["x", "1", "s1", "-1-", "0-.1", "%00", "1-x7r2k9m4tq0w.99999", "s" + "x" * 1000])
def test_what_is_no_cursor_is_refused_by_its_name(merchant: TestMerchant, cursor: str) -> None:
    answer = merchant.http.get(f"/v1/events?cursor={cursor}")
    assert (422, "cursor") == (answer.status_code, answer.json()["errors"][0]["pointer"])


def test_a_cursor_of_what_never_was_is_gone(merchant: TestMerchant) -> None:
    answer = merchant.http.get("/v1/events?cursor=7-x7r2k9m4tq0w")
    assert (410, "cursor_gone") == (answer.status_code, answer.json()["code"])


def test_a_report_key_reads_it_and_nobody_reads_anothers(
    app_server: AppServer, merchant: TestMerchant, new_merchant: NewMerchant, mug: str
) -> None:
    other = new_merchant()
    merchant.shopper().like(mug)
    mine, cursor = events_of(app_server, merchant)
    report = {"Authorization": f"Bearer {merchant.report_key}"}
    assert mine == ok(merchant.public.get("/v1/events", headers=report))["data"]
    assert [] == events_of(app_server, other)[0]
    assert 410 == other.http.get(f"/v1/events?cursor={cursor}").status_code
    assert 401 == merchant.public.get("/v1/events").status_code


def test_a_customer_is_known_on_all_devices_with_all_that_they_brought(
    app_server: AppServer, merchant: TestMerchant, mug: str
) -> None:
    phone, laptop, bo = merchant.shopper(), merchant.shopper(), merchant.shopper()
    like = laptop.like(mug)
    merchant.clock.move(minutes=1)
    share = phone.share(mug)
    for device in (phone, laptop):
        ok(merchant.http.put(f"/v1/identities/{device.id}", json={"person": "crm/7"}))
    merchant.clock.move(minutes=1)
    brought = bo.follow(share["code"])
    merchant.clock.move(minutes=1)
    sale = merchant.order(net=1000, click_id=brought)
    merchant.clock.move(minutes=1)
    visit = laptop.follow(bo.share(mug)["code"])
    merchant.clock.move(minutes=1)
    own = merchant.order(net=500, visitor=laptop.id)
    by_click = merchant.order(net=300, click_id=visit)
    ok(merchant.http.post(f"/v1/orders/{sale['id']}/refunds", json={"external_id": "r1", "amount": 100}), 201)
    wanted = [
        *sorted((("order", own["id"], 500), ("order", by_click["id"], 300)), reverse=True),
        ("visit", visit, None),
        ("sale_brought", sale["id"], 900),
        ("visit_brought", brought, None),
        ("share", share["id"], None),
        ("like", like["id"], None),
    ]
    whole = ok(merchant.http.get("/v1/customers/crm/7/timeline"))
    assert wanted == [(each["type"], each["id"], each["net"]) for each in whole["data"]]
    assert (sorted([phone.id, laptop.id]), None) == (whole["visitors"], whole["next_cursor"])
    paged: list[JSON] = []
    asked: dict[str, Any] = {"limit": 2}
    while "cursor" not in asked or asked["cursor"] is not None:
        page = ok(merchant.http.get("/v1/customers/crm/7/timeline", params=asked))
        paged += page["data"]
        asked["cursor"] = page["next_cursor"]
    assert whole["data"] == paged


def test_a_visitor_whom_nobody_joined_has_a_timeline_too(merchant: TestMerchant, mug: str) -> None:
    ana = merchant.shopper()
    like = ana.like(mug)
    shown = ok(merchant.http.get(f"/v1/customers/{ana.id}/timeline"))
    assert ([ana.id], [like["id"]]) == (shown["visitors"], [each["id"] for each in shown["data"]])


def test_of_somebody_unknown_or_of_another_merchant_there_is_no_timeline(
    merchant: TestMerchant, new_merchant: NewMerchant, mug: str
) -> None:
    other, ana = new_merchant(), merchant.shopper()
    ana.like(mug)
    answers = [other.http.get(f"/v1/customers/{who}/timeline") for who in (ana.id, "nobody")]
    assert [404, 404] == [answer.status_code for answer in answers]
    report = {"Authorization": f"Bearer {merchant.report_key}"}
    assert 403 == merchant.public.get(f"/v1/customers/{ana.id}/timeline", headers=report).status_code
