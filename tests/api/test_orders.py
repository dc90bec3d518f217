"""Sales made elsewhere, their refunds, and what is credited for them, over HTTP."""

from collections.abc import Callable

import pytest

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


def test_the_same_refund_twice_is_one_and_another_under_its_name_is_refused(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    address, body = f"/v1/orders/{order['id']}/refunds", {"external_id": "r1", "amount": 600}
    answers = [
        merchant.http.post(address, json=body | more) for more in ({}, {}, {"amount": 1}, {"reason": "chargeback"})
    ]
    assert [201, 200, 409, 409] == [answer.status_code for answer in answers]
    assert answers[0].json() == answers[1].json()
    assert {"refund_exists"} == {answer.json()["code"] for answer in answers[2:]}
    assert 600 == merchant.explanation(order["id"])["refunded"]


def test_a_refund_that_is_undone_twice_is_given_back_once(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    first, second = (merchant.refund(order["id"], amount) for amount in (600, 400))
    address = f"/v1/orders/{order['id']}/refunds/"
    assert [204, 204] == [merchant.http.delete(address + first["id"]).status_code for _ in range(2)]
    found = ok(merchant.http.get(f"/v1/orders/{order['id']}"))
    assert (400, "partially_refunded") == (found["refunded"], found["status"])
    assert 400 == merchant.explanation(order["id"])["refunded"]
    other = merchant.order()
    assert 404 == merchant.http.delete(f"/v1/orders/{other['id']}/refunds/{second['id']}").status_code


def test_a_refund_that_was_dropped_does_not_come_back_under_its_old_name(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    refund = merchant.refund(order["id"], 600, external_id="r1")
    ok(merchant.http.delete(f"/v1/orders/{order['id']}/refunds/{refund['id']}"), 204)

    again = merchant.http.post(f"/v1/orders/{order['id']}/refunds", json={"external_id": "r1", "amount": 600})

    assert (409, "refund_exists") == (again.status_code, again.json()["code"])
    assert 0 == merchant.explanation(order["id"])["refunded"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("{click}", "{click}"),
        ("https://shop.example/mug?gv_click={click}&a=b#c", "{click}"),
        ("/mug?gv_click={click}", "{click}"),
        ("https://shop.example/?" + "x" * 1900 + "&gv_click={click}", "{click}"),
        ("https://shop.example/mug?a=b", None),
        ("https://shop.example/mug?gv_click=", "https://shop.example/mug?gv_click="),
        ("", None),
        ("t1", "t1"),
        ("old-{click}", "old-{click}"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_the_click_may_come_as_the_landing_address(merchant: TestMerchant, said: str, kept: str | None) -> None:
    bo = merchant.shopper()
    click = bo.follow(merchant.shopper().share(merchant.product()["id"])["code"])
    order = merchant.order(click_id=said.format(click=click))
    assert (kept and kept.format(click=click)) == order["click_id"]
    counted = [touch["counted"] for touch in merchant.explanation(order["id"])["journey"]]
    assert ([True] if kept == "{click}" else []) == counted


def test_an_order_is_found_by_what_its_shop_knows_of_it(
    merchant: TestMerchant, new_merchant: Callable[..., TestMerchant]
) -> None:
    one = merchant.order(external_id="A 1", click_id="clk_one", coupon="Ana10")
    two = merchant.order(external_id="a 1", click_id="clk_two", coupon=" ANA10 ")
    for whose in (merchant, new_merchant()):
        for query, found in (
            ({"external_id": "A 1"}, [one]),
            ({"external_id": " A 1 "}, [one]),
            ({"click_id": "clk_two"}, [two]),
            ({"coupon": "ana10"}, [two, one]),
            ({"coupon": "ana10", "external_id": "A 1"}, [one]),
            ({"external_id": "none"}, []),
            ({}, [two, one]),
        ):
            assert (found if whose is merchant else []) == ok(whose.http.get("/v1/orders", params=query))["data"]
    for query in ({"external_id": ""}, {"external_id": "a\0"}, {"coupon": "x" * 201}, {"status": "paid"}):
        assert 422 == merchant.http.get("/v1/orders", params=query).status_code


def test_test_orders_never_meet_the_real_ones(merchant: TestMerchant, clock: TestClock) -> None:
    """Neither in reports, nor as a buyer's previous order, nor by being corrected."""
    ok(merchant.http.put("/v1/policy", json={"journey_reset": True}))
    ana, bo = merchant.shopper(), merchant.shopper()
    bo.follow(ana.share(merchant.product()["id"])["code"])
    clock.move(minutes=1)
    test = merchant.order(net=5, visitor=bo.id, test=True)
    clock.move(minutes=1)
    live = merchant.order(net=700, visitor=bo.id)
    clock.move(minutes=1)
    assert [True, False] == [test["test"], live["test"]]
    assert 422 == merchant.http.patch(f"/v1/orders/{test['id']}", json={"test": False}).status_code

    def nets(**query: str) -> list[int]:
        return [total["net"] for total in merchant.report(**query)["totals"]]

    assert ([700], [5]) == (nets(), nets(livemode="false"))
    assert [ana.id] == [line["sharer"] for line in merchant.explanation(live["id"])["lines"]]
    ok(merchant.http.patch(f"/v1/orders/{test['id']}", json={"net": 9}))
    merchant.refund(test["id"], 3)
    assert ([700], [6]) == (nets(), nets(livemode="false"))
    assert (
        409
        == merchant.http.post(
            "/v1/orders",
            json={
                "external_id": test["external_id"],
                "placed_at": test["placed_at"],
                "currency": "eur",
                "net": 5,
                "visitor": bo.id,
            },
        ).status_code
    ), "the same sale is not a test once and real the next time"
