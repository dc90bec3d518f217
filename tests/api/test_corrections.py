"""Orders that turn out to have been otherwise: cancelled, called back, corrected; and what is credited for them."""

from collections.abc import Callable

import pytest

from tests.clock import TestClock
from tests.correcting import come_through, earned, patch, refused
from tests.shop import JSON, Shopper, TestMerchant, ok
from tests.till import taken

# -- cancelling --------------------------------------------------------------------------------------------------


def test_a_cancelled_order_earns_nothing_and_one_that_is_called_back_all(
    merchant: TestMerchant, ana: Shopper, product: str, clock: TestClock
) -> None:
    order = merchant.order(net=1000, click_id=come_through(merchant, ana, product).click)
    assert ("paid", None) == (order["status"], order["cancelled_at"])
    clock.move(hours=1)
    cancelled = patch(merchant, order, cancelled=True, note="Called off by phone")
    assert ("cancelled", 1000) == (cancelled["status"], cancelled["refunded"])
    assert clock.now().isoformat().replace("+00:00", "Z") == cancelled["cancelled_at"]
    assert [("cancellation", 1000)] == [(each["reason"], each["amount"]) for each in cancelled["refunds"]]
    assert {ana.id: 0} == earned(merchant, order)
    said = [(each["before"], each["note"]) for each in cancelled["corrections"]]
    assert [({"cancelled": False}, "Called off by phone")] == said

    back = patch(merchant, order, cancelled=False)
    assert ("paid", 0, None) == (back["status"], back["refunded"], back["cancelled_at"])
    assert {ana.id: 1000} == earned(merchant, order)
    again = patch(merchant, order, cancelled=True)
    assert ("cancelled", {ana.id: 0}) == (again["status"], earned(merchant, order))


@pytest.mark.parametrize("fields", [{"cancelled": True}, {"cancelled": False}, {"net": 900, "coupon": "X"}, {}])
def test_the_same_correction_again_appends_nothing(merchant: TestMerchant, fields: JSON) -> None:
    order = merchant.order(net=1000)
    once = patch(merchant, order, **fields)
    entries = merchant.explanation(order["id"])["entries"]
    assert once == patch(merchant, order, **fields) == patch(merchant, order, note="and a word")
    assert entries == merchant.explanation(order["id"])["entries"]
    assert once == ok(merchant.http.get(f"/v1/orders/{order['id']}"))


def test_a_cancellation_takes_what_refunds_leave_whenever_they_come_and_go(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    merchant.refund(order["id"], 300, external_id="before")
    patch(merchant, order, cancelled=True)

    def takings() -> dict[str, int]:
        shown = ok(merchant.http.get(f"/v1/orders/{order['id']}"))
        assert ("cancelled", 1000) == (shown["status"], shown["refunded"])
        assert 1000 == merchant.explanation(order["id"])["refunded"]
        return taken(dict(shown))

    assert {"before": 300, "cancelled": 700} == takings()
    after = merchant.refund(order["id"], 200, external_id="after")
    assert {"before": 300, "after": 200, "cancelled": 500} == takings()
    ok(merchant.http.delete(f"/v1/orders/{order['id']}/refunds/{after['id']}"), 204)
    assert {"before": 300, "cancelled": 700} == takings()
    merchant.refund(order["id"], 700, external_id="rest")
    assert {"before": 300, "rest": 700, "cancelled": 0} == takings()
    back = patch(merchant, order, cancelled=False)
    assert ("refunded", 1000) == (back["status"], back["refunded"])


def test_a_cancellation_follows_the_net(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    patch(merchant, order, cancelled=True)
    shown = patch(merchant, order, net=1500)
    assert ("cancelled", 1500, 1500) == (shown["status"], shown["net"], shown["refunded"])
    assert 1500 == merchant.explanation(order["id"])["refunded"]
    both = patch(merchant, order, net=700, cancelled=False)
    assert ("paid", 700, 0) == (both["status"], both["net"], both["refunded"])


def test_an_order_of_nothing_can_be_cancelled(merchant: TestMerchant) -> None:
    order = merchant.order(net=0)
    assert "cancelled" == patch(merchant, order, cancelled=True)["status"]
    assert "paid" == patch(merchant, order, cancelled=False)["status"]


def test_to_undo_the_refund_of_a_cancellation_is_to_call_the_order_back_and_twice_is_once(
    merchant: TestMerchant,
) -> None:
    order = merchant.order(net=1000)
    (taken,) = patch(merchant, order, cancelled=True)["refunds"]
    address = f"/v1/orders/{order['id']}/refunds/{taken['id']}"
    assert [204, 204] == [merchant.http.delete(address).status_code for _ in range(2)]
    shown = ok(merchant.http.get(f"/v1/orders/{order['id']}"))
    assert ("paid", [{"cancelled": False}, {"cancelled": True}]) == (
        shown["status"],
        [each["before"] for each in shown["corrections"]],
    )
    assert 404 == merchant.http.delete(address[:-1] + ("0" if address[-1] != "0" else "1")).status_code


def test_the_explanation_tells_of_a_cancellation_in_words(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    patch(merchant, order, cancelled=True)
    merchant.refund(order["id"], 400)
    told = [each["explanation"]["en"] for each in merchant.explanation(order["id"])["refunds"]]
    assert {
        "The cancellation of €10.00 was undone or gave way to a refund, so it takes nothing.",
        "This refund took back €4.00.",
        "The cancellation took back €6.00.",
    } == set(told)


def test_no_refund_may_be_called_as_cancellations_are(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    answer = merchant.http.post(f"/v1/orders/{order['id']}/refunds", json={"external_id": "cancelled", "amount": 1})
    assert (422, "/external_id") == (answer.status_code, answer.json()["errors"][0]["pointer"])


# -- correcting --------------------------------------------------------------------------------------------------


def test_a_corrected_net_is_divided_anew_and_what_was_said_before_is_kept(
    merchant: TestMerchant, ana: Shopper, product: str, clock: TestClock
) -> None:
    order = merchant.order(net=1000, gross=1300, click_id=come_through(merchant, ana, product).click)
    clock.move(minutes=1)
    shown = patch(merchant, order, net=850, lines=[{"title": "Cup", "amount": 850}], note="One cup broke")
    assert (850, 1300, {ana.id: 850}) == (shown["net"], shown["gross"], earned(merchant, order))
    assert ["Cup"] == [line["title"] for line in shown["lines"]]
    at = clock.now().isoformat().replace("+00:00", "Z")
    assert [{"at": at, "before": {"net": 1000, "lines": []}, "note": "One cup broke"}] == shown["corrections"]
    more = patch(merchant, order, lines=[])
    assert [] == more["lines"] == ok(merchant.http.get(f"/v1/orders/{order['id']}"))["lines"]
    assert "Cup" == more["corrections"][-1]["before"]["lines"][0]["title"]


def test_what_was_paid_follows_the_net_where_nothing_else_was_said(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    assert (1200, 1200) == (patch(merchant, order, net=1200)["gross"], patch(merchant, order, net=1200)["net"])
    assert 1500 == patch(merchant, order, gross=1500)["gross"]
    assert (1500, 900) == (patch(merchant, order, net=900)["gross"], patch(merchant, order, net=900)["net"])


def test_amounts_that_cannot_be_are_refused_and_change_nothing(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000, gross=1300)
    merchant.refund(order["id"], 600)
    assert ["/net"] == refused(merchant, order["id"], net=599)
    assert ["/net"] == refused(merchant, order["id"], net=1301)
    assert ["/gross"] == refused(merchant, order["id"], gross=999)
    assert ["/gross"] == refused(merchant, order["id"], gross=1400, net=1401)
    assert ["/net"] == refused(merchant, order["id"], net=599, cancelled=True)
    shown = ok(merchant.http.get(f"/v1/orders/{order['id']}"))
    assert (1000, 1300, [], "partially_refunded") == (
        *(shown["net"], shown["gross"], shown["corrections"]),
        shown["status"],
    )
    assert 600 == patch(merchant, order, net=600)["net"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"net": -1}, "/net"),
        ({"net": 10**15}, "/net"),
        ({"net": 10**400}, "/net"),
        ({"net": 1.5}, "/net"),
        ({"net": "1"}, "/net"),
        ({"net": True}, "/net"),
        ({"net": None}, "/net"),
        ({"gross": None}, "/gross"),
        ({"lines": None}, "/lines"),
        ({"lines": [{"title": "a\0", "amount": 1}]}, "/lines/0/title"),
        ({"lines": [{"title": "a", "amount": 1, "price": 1}]}, "/lines/0/price"),
        ({"cancelled": None}, "/cancelled"),
        ({"cancelled": "yes"}, "/cancelled"),
        ({"cancelled": 1}, "/cancelled"),
        ({"coupon": "a\0b"}, "/coupon"),
        ({"coupon": "x" * 201}, "/coupon"),
        ({"click_id": "x" * 2001}, "/click_id"),
        ({"visitor": "somebody"}, "/visitor"),
        ({"visitor": "vt_forged.x"}, "/visitor"),
        ({"note": "x" * 301}, "/note"),
        ({"test": True}, "/test"),
        ({"currency": "usd"}, "/currency"),
        ({"placed_at": "2026-03-01T00:00:00Z"}, "/placed_at"),
    ],
)
def test_what_cannot_be_corrected_is_refused(merchant: TestMerchant, fields: JSON, pointer: str) -> None:
    order = merchant.order(net=1000)
    assert [pointer] == refused(merchant, order["id"], **fields)
    assert order == ok(merchant.http.get(f"/v1/orders/{order['id']}"))


@pytest.mark.parametrize("body", ["[]", "null", "1", '"cancelled"', "{"])
def test_a_correction_that_is_no_object_is_refused(merchant: TestMerchant, body: str) -> None:
    order = merchant.order()
    headers = {"Content-Type": "application/json"}
    answer = merchant.http.patch(f"/v1/orders/{order['id']}", content=body, headers=headers)
    assert answer.status_code in (400, 422)


def test_nobody_corrects_the_orders_of_another(
    merchant: TestMerchant, new_merchant: Callable[..., TestMerchant]
) -> None:
    order, other = merchant.order(), new_merchant()
    for address in (order["id"], "ord_unknown", order["id"][:-1] + "!", "%00"):
        assert 404 == other.http.patch(f"/v1/orders/{address}", json={"cancelled": True}).status_code
    assert order == ok(merchant.http.get(f"/v1/orders/{order['id']}"))
    stranger = other.shopper()
    stranger.like(other.product()["id"])
    assert ["/visitor"] == refused(merchant, order["id"], visitor=stranger.id)
    assert ["/visitor"] == refused(merchant, order["id"], visitor=stranger.token)


def test_amounts_of_another_systems_order_are_corrected_there(merchant: TestMerchant) -> None:
    line = '{"kind": "order", "id": "o1", "visitor": null, "currency": "eur", "net": 900, "coupon": null, "at": "%s"}'
    said = line % merchant.clock.now().isoformat()
    assert 1 == ok(merchant.http.post("/v1/history", content=said))["accepted"]
    (order,) = ok(merchant.http.get("/v1/orders", params={"external_id": "o1"}))["data"]
    assert (850, 850) == (patch(merchant, order, net=850)["net"], merchant.explanation(order["id"])["net"])
    again = ok(merchant.http.post("/v1/history", content=said))
    assert (1, []) == (again["unchanged"], again["refused"]), "what was told first is told again"
    body = {"external_id": "o1", "placed_at": merchant.clock.now().isoformat(), "currency": "eur", "net": 900}
    assert 200 == merchant.http.post("/v1/orders", json=body).status_code
    assert 409 == merchant.http.post("/v1/orders", json=body | {"net": 850}).status_code


def test_a_sale_that_is_told_again_finds_its_corrected_order(merchant: TestMerchant) -> None:
    body = {"external_id": "a", "placed_at": merchant.clock.now().isoformat(), "currency": "eur", "net": 900}
    order = ok(merchant.http.post("/v1/orders", json=body), 201)
    patch(merchant, order, net=850)
    assert 850 == ok(merchant.http.post("/v1/orders", json=body), 200)["net"]
