"""Sales made elsewhere, their refunds, and what is credited for them, over HTTP."""

from tests.clock import TestClock
from tests.shop import TestMerchant, ok


def test_a_sale_is_credited_to_the_friend_and_network_that_brought_it(merchant: TestMerchant, clock: TestClock) -> None:
    product = merchant.product()
    ana, bo = merchant.shopper(), merchant.shopper()
    share = ana.share(product["id"], "whatsapp")
    clock.move(minutes=5)
    bo.follow(share["code"])
    clock.move(minutes=5)

    order = merchant.order(net=1999, click_id=bo.click)

    explanation = merchant.explanation(order["id"])
    assert [(1999, "whatsapp", ana.id, 0)] == [
        (line["net"], line["network"], line["sharer"], line["level"]) for line in explanation["lines"]
    ]
    assert [touch["counted"] for touch in explanation["journey"]] == [True]


def test_a_refund_takes_credit_back_and_a_dropped_one_gives_it_back(merchant: TestMerchant, clock: TestClock) -> None:
    product = merchant.product()
    ana, bo = merchant.shopper(), merchant.shopper()
    bo.follow(ana.share(product["id"])["code"])
    order = merchant.order(net=10_000, click_id=bo.click)
    clock.move(days=1)

    refund = merchant.refund(order["id"], 2500)
    assert [line["net"] for line in merchant.explanation(order["id"])["lines"]] == [7500]

    ok(merchant.http.delete(f"/v1/orders/{order['id']}/refunds/{refund['id']}"), 204)
    assert [line["net"] for line in merchant.explanation(order["id"])["lines"]] == [10_000]
    assert [entry["gross"] for entry in merchant.explanation(order["id"])["entries"]] == [10_000, 0, 0]


def test_an_unknown_click_never_refuses_a_sale(merchant: TestMerchant) -> None:
    order = merchant.order(click_id="clk_nobody_knows")

    explanation = merchant.explanation(order["id"])
    assert explanation["reason"] == "unknown_click"
    assert [line["network"] for line in explanation["lines"]] == ["(direct)"]


def test_the_same_sale_twice_is_one_and_another_body_is_refused(merchant: TestMerchant) -> None:
    body = {"external_id": "a-1", "placed_at": "2026-03-01T10:00:00Z", "currency": "eur", "net": 500}

    first = merchant.http.post("/v1/orders", json=body)
    again = merchant.http.post("/v1/orders", json=body)
    other = merchant.http.post("/v1/orders", json=body | {"net": 600})

    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 409]
    assert first.json() == again.json()
    assert other.json()["code"] == "order_exists"


def test_a_refund_above_what_is_left_is_refused(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    merchant.refund(order["id"], 600)

    refused = merchant.http.post(f"/v1/orders/{order['id']}/refunds", json={"external_id": "r2", "amount": 401})

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/amount"]
    assert merchant.explanation(order["id"])["net"] - merchant.explanation(order["id"])["refunded"] == 400


def test_a_refund_that_was_dropped_does_not_come_back_under_its_old_name(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    refund = merchant.refund(order["id"], 600, external_id="r1")
    ok(merchant.http.delete(f"/v1/orders/{order['id']}/refunds/{refund['id']}"), 204)

    again = merchant.http.post(f"/v1/orders/{order['id']}/refunds", json={"external_id": "r1", "amount": 600})

    assert (409, "refund_exists") == (again.status_code, again.json()["code"])
    assert 0 == merchant.explanation(order["id"])["refunded"]
