"""What connected shops say, in the books: sold, edited, given back, cancelled, called back; through whom."""

from collections.abc import Callable

import pytest

from tests.other_shops import (
    UNPAID,
    OtherShop,
    books,
    meta,
    modified,
    shopify_order,
    shopify_refund,
    updated,
    woo_refund,
    woocommerce_order,
)
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]


@pytest.fixture
def shopify(merchant: TestMerchant) -> OtherShop:
    return OtherShop(merchant, "shopify")


@pytest.fixture
def woocommerce(merchant: TestMerchant) -> OtherShop:
    return OtherShop(merchant, "woocommerce")


# A sale


@pytest.mark.parametrize("system", ["shopify", "woocommerce"])
def test_a_paid_order_is_a_sale(merchant: TestMerchant, system: str) -> None:
    shop = OtherShop(merchant, system)
    topic, body = {
        "shopify": ("orders/paid", shopify_order()),
        "woocommerce": ("order.created", woocommerce_order()),
    }[system]
    shop.tell(topic, body)
    order = shop.order()
    assert (9000, 11305, 0, "eur", system) == tuple(
        order[name] for name in ("net", "gross", "refunded", "currency", "source")
    )
    assert f"{system}:{body['id']}" == order["external_id"]
    assert order["placed_at"] in ("2026-03-01T08:59:58Z", "2026-03-01T10:00:00Z")
    assert (None, "tenoff") == (order["click_id"], order["coupon"].casefold())
    assert [5400, 3600] == [line["amount"] for line in order["lines"]]
    assert [2, 1] == [line["quantity"] for line in order["lines"]]


def test_the_same_message_again_changes_nothing(shopify: OtherShop) -> None:
    shopify.tell("orders/paid", shopify_order())
    once = shopify.order()
    for topic in ("orders/paid", "orders/updated", "orders/create"):
        shopify.tell(topic, shopify_order())
    assert once == shopify.order()


def test_an_order_is_no_sale_before_it_is_paid(shopify: OtherShop, woocommerce: OtherShop) -> None:
    for status in ("pending", "authorized", "voided"):
        shopify.tell("orders/create", shopify_order(financial_status=status))
    for status in ("checkout-draft", "pending", "on-hold", "failed"):
        woocommerce.tell("order.created", modified(0, status))
    woocommerce.tell("order.updated", modified(1, date_paid_gmt=None))  # to be paid on delivery
    assert [] == shopify.orders()
    shopify.tell("orders/paid", updated(1))
    woocommerce.tell("order.updated", modified(2, "completed", **UNPAID))
    assert {9000} == {order["net"] for order in shopify.orders()}
    assert 2 == len(shopify.orders())


def test_a_status_of_a_plug_in_counts_if_the_order_was_paid(woocommerce: OtherShop) -> None:
    woocommerce.tell("order.updated", modified(0, "wc-shipped", **UNPAID))
    assert [] == woocommerce.orders()
    woocommerce.tell("order.updated", modified(1, "wc-shipped"))
    assert 9000 == woocommerce.order()["net"]


def test_an_order_that_is_paid_in_two_parts_is_one_sale(shopify: OtherShop) -> None:
    shopify.tell("orders/updated", updated(1, financial_status="partially_paid", total_outstanding="13.05"))
    assert (7961, 10000) == (shopify.order()["net"], shopify.order()["gross"])
    shopify.tell("orders/paid", updated(2))
    assert (9000, 11305) == (shopify.order()["net"], shopify.order()["gross"])


@pytest.mark.parametrize("test", ["order", "header"])
def test_a_shops_test_order_is_a_test_order(shopify: OtherShop, test: str) -> None:
    headers = {"X-Shopify-Test": "true"} if test == "header" else {}
    shopify.send("orders/paid", shopify_order(test=test == "order"), **headers)
    assert shopify.order()["test"]
    assert [] == shopify.merchant.report(livemode="true")["data"]


def test_an_order_that_was_paid_in_a_test_mode_is_a_test_order(woocommerce: OtherShop) -> None:
    woocommerce.tell("order.created", woocommerce_order(meta_data=meta(_wcpay_mode="test")))
    assert woocommerce.order()["test"]


def test_an_order_without_decimals_and_one_with_three(shopify: OtherShop, woocommerce: OtherShop) -> None:
    plain: JSON = {"currency": "JPY", "taxes_included": False, "line_items": [], "current_total_price": None}
    shopify.tell("orders/paid", shopify_order(**plain, total_price="1500", subtotal_price="1300"))
    assert (1300, 1500, "jpy") == tuple(shopify.order()[name] for name in ("net", "gross", "currency"))
    amounts = {"total": "15.125", "total_tax": "1.120", "shipping_total": "1.004", "line_items": []}
    woocommerce.tell("order.created", woocommerce_order(currency="KWD", **amounts))
    assert [13001, 15125] == [woocommerce.orders()[0][name] for name in ("net", "gross")]


def test_an_order_that_is_in_the_books_under_its_name_already_is_noted(shopify: OtherShop) -> None:
    mine = shopify.merchant.order(5000, external_id="shopify:450789469")
    answer = ok(shopify.send("orders/paid", shopify_order()), 200)
    assert (False, "orders/paid: Another order is called shopify:450789469 already.") == (
        answer["kept"], answer["detail"],
    )  # fmt: skip
    assert mine["net"] == shopify.order()["net"]


def test_an_order_stays_in_its_currency(shopify: OtherShop) -> None:
    shopify.tell("orders/paid", shopify_order())
    answer = ok(shopify.send("orders/updated", updated(1, currency="USD")), 200)
    assert (False, "orders/updated: Its currency was eur before, and is usd now.") == (answer["kept"], answer["detail"])
    assert ("eur", 9000) == (shopify.order()["currency"], shopify.order()["net"])
    shopify.tell("orders/updated", updated(2, subtotal_price="95.20"))
    assert 7810 == shopify.order()["net"]


# Given back


def test_a_refund_takes_its_part_of_the_net(shopify: OtherShop) -> None:
    shopify.tell("orders/paid", shopify_order())
    shopify.tell("refunds/create", shopify_refund())
    assert (2558, "partially_refunded") == (
        shopify.order()["refunded"],
        shopify.order()["status"],
    )  # 32.13 x 90 / 113.05
    refund = shopify_refund(id=600, amount="80.92")
    shopify.tell("orders/updated", updated(2, financial_status="refunded", refunds=[shopify_refund(), refund]))
    assert (9000, "refunded") == (shopify.order()["refunded"], shopify.order()["status"])


def test_a_refund_that_came_before_its_order_waits_for_it(shopify: OtherShop) -> None:
    shopify.tell("refunds/create", shopify_refund())
    assert [] == shopify.orders()
    shopify.tell("orders/paid", shopify_order())
    assert 2558 == shopify.order()["refunded"]


def test_a_refund_whose_money_did_not_go_takes_nothing(shopify: OtherShop) -> None:
    shopify.tell("orders/paid", shopify_order())
    shopify.tell("refunds/create", shopify_refund(status="pending"))
    assert 2558 == shopify.order()["refunded"]
    shopify.tell("orders/updated", updated(1, refunds=[shopify_refund(status="failure")]))
    assert 0 == shopify.order()["refunded"]
    shopify.tell("refunds/create", shopify_refund(status="pending"))  # once more, and late
    assert 0 == shopify.order()["refunded"]


@pytest.mark.parametrize(
    ("currency", "amount", "refunded"),
    [("USD", "61.05", 4500), ("USD", "122.10", 9000), ("GBP", "61.05", 0)],
    ids=["half", "all", "of a third currency"],
)
def test_a_refund_in_the_currency_that_the_buyer_saw_is_that_part_of_the_order(
    shopify: OtherShop, currency: str, amount: str, refunded: int
) -> None:
    money = {"shop_money": {"amount": "113.05", "currency_code": "EUR"}}
    seen = money | {"presentment_money": {"amount": "122.10", "currency_code": "USD"}}
    shopify.tell("orders/paid", shopify_order(total_price_set=seen, presentment_currency="USD"))
    refund = shopify_refund(amount)
    refund["transactions"][0]["currency"] = currency
    shopify.tell("refunds/create", refund)
    assert refunded == shopify.order()["refunded"]


def test_woocommerces_refunds_are_those_that_its_newest_message_lists(woocommerce: OtherShop) -> None:
    woocommerce.tell("order.created", modified(0))
    woocommerce.tell("order.updated", modified(2, refunds=[woo_refund(801, "32.13"), woo_refund(802, "10.00")]))
    assert 3354 == woocommerce.order()["refunded"]  # 42.13 x 90 / 113.05
    woocommerce.tell("order.updated", modified(1, refunds=[woo_refund(801, "32.13")]))  # late
    assert 3354 == woocommerce.order()["refunded"]
    # A refund that is deleted does not change the time of its order; a later one that stands tells that it was there.
    woocommerce.tell("order.updated", modified(2, refunds=[woo_refund(802, "10.00")]))
    assert 796 == woocommerce.order()["refunded"]
    full = [woo_refund(802, "10.00"), woo_refund(803, "103.05")]
    woocommerce.tell("order.updated", modified(3, "refunded", refunds=full))
    assert (9000, "refunded") == (woocommerce.order()["refunded"], woocommerce.order()["status"])


def test_a_refund_that_leaves_the_time_of_its_order_counts(woocommerce: OtherShop) -> None:
    woocommerce.tell("order.updated", modified(1))
    woocommerce.tell("order.updated", modified(1, refunds=[woo_refund(801, "32.13")]))
    woocommerce.tell("order.updated", modified(1))  # the first again, late
    assert (2558, "partially_refunded") == (woocommerce.order()["refunded"], woocommerce.order()["status"])


def test_a_refund_happened_when_it_was_first_told_whatever_came_first(woocommerce: OtherShop) -> None:
    woocommerce.tell("order.updated", modified(5, "completed", refunds=[woo_refund(801, "32.13")]))
    woocommerce.tell("order.updated", modified(1, refunds=[woo_refund(801, "32.13")]))
    woocommerce.tell("order.updated", modified(3, refunds=[woo_refund(801, "32.13")]))
    told = [(each["at"], each["amount"], each["dropped_at"] is None) for each in woocommerce.order()["refunds"]]
    assert [("2026-03-01T10:01:05Z", 2558, True), ("2026-03-01T10:05:05Z", 2558, False)] == sorted(told)
    assert 2558 == woocommerce.order()["refunded"]


# Edited, cancelled, called back


@pytest.mark.parametrize("sent", [("first", "last"), ("last", "first")], ids=["in turn", "turned round"])
@pytest.mark.parametrize(("first", "last"), [("113.05", "70.21"), ("70.21", "113.05")], ids=["cheaper", "dearer"])
def test_of_two_edits_in_one_second_the_one_that_was_triggered_later_holds(
    shopify: OtherShop, first: str, last: str, sent: tuple[str, str]
) -> None:
    said = {"first": (first, "2026-03-01T09:00:05.099999999Z"), "last": (last, "2026-03-01T09:00:05.100Z")}
    for total, at in map(said.__getitem__, sent):
        body = shopify_order(total_price=total, current_total_price=total, subtotal_price="50.00")
        assert ok(shopify.send("orders/updated", body, X_Shopify_Triggered_At=at), 200)["kept"]
    assert {"113.05": 11305, "70.21": 7021}[last] == shopify.order()["gross"]


def test_an_edited_order_is_corrected(shopify: OtherShop) -> None:
    shopify.tell("orders/paid", shopify_order())
    lines = shopify_order()["line_items"][:1]
    edited = updated(1, subtotal_price="64.26", total_price="70.21", total_tax="11.21", line_items=lines)
    shopify.tell("orders/updated", edited)
    assert (5400, 7021) == (shopify.order()["net"], shopify.order()["gross"])
    assert [5400] == [line["amount"] for line in shopify.order()["lines"]]
    shopify.tell("orders/updated", updated(0))  # late
    assert (5400, 7021) == (shopify.order()["net"], shopify.order()["gross"])


def test_a_refund_keeps_its_part_of_an_order_that_is_edited_after_it(shopify: OtherShop) -> None:
    shopify.tell("orders/paid", shopify_order())
    shopify.tell("refunds/create", shopify_refund())
    lines = shopify_order()["line_items"][:1]
    shopify.tell("orders/updated", updated(1, subtotal_price="64.26", total_price="70.21", total_tax="11.21",
                                           line_items=lines, refunds=[shopify_refund()]))  # fmt: skip
    assert (5400, 2471) == (shopify.order()["net"], shopify.order()["refunded"])  # 32.13 x 54 / 70.21


def test_a_cancelled_order_gives_all_back_and_its_refunds_stay_refunds(shopify: OtherShop) -> None:
    shopify.tell("orders/paid", shopify_order())
    shopify.tell("refunds/create", shopify_refund())
    cancelled = updated(3, cancelled_at="2026-03-01T10:03:00+01:00", refunds=[shopify_refund()])
    shopify.tell("orders/cancelled", cancelled)
    order = shopify.order()
    assert (9000, "cancelled") == (order["refunded"], order["status"])
    assert [("cancelled", 6442, "cancellation"), ("shopify:509562969", 2558, "refund")] == books(order)["refunds"]
    later = [shopify_refund(), shopify_refund("80.92", id=600)]
    shopify.tell("refunds/create", later[1])
    assert [("cancelled", 0), ("shopify:509562969", 2558), ("shopify:600", 6442)] == [
        each[:2] for each in books(shopify.order())["refunds"]
    ]


def test_an_order_that_was_cancelled_before_it_was_paid_is_none(shopify: OtherShop, woocommerce: OtherShop) -> None:
    shopify.tell("orders/cancelled", shopify_order(financial_status="voided", cancelled_at="2026-03-01T10:03:00+01:00"))
    woocommerce.tell("order.updated", modified(0, "cancelled"))
    assert [] == shopify.orders()


def test_an_order_that_is_called_back_counts_again(woocommerce: OtherShop) -> None:
    woocommerce.tell("order.created", modified(0))
    for minute, status, refunded in (
        (1, "cancelled", 9000), (2, "processing", 0), (3, "on-hold", 9000), (4, "completed", 0), (5, "trash", 9000),
    ):  # fmt: skip
        woocommerce.tell("order.updated", modified(minute, status))
        assert refunded == woocommerce.order()["refunded"], status


def test_a_deleted_order_is_cancelled_and_a_restored_one_is_called_back(
    shopify: OtherShop, woocommerce: OtherShop
) -> None:
    woocommerce.tell("order.created", modified(0))
    woocommerce.tell("order.deleted", {"id": 727}, delivery="d1")
    woocommerce.tell("order.deleted", {"id": 727}, delivery="d1")
    assert "cancelled" == woocommerce.order()["status"]
    woocommerce.tell("order.restored", modified(0), delivery="d2")
    assert "paid" == woocommerce.order()["status"]
    woocommerce.tell("order.deleted", {"id": 727}, delivery="d3")
    assert "cancelled" == woocommerce.order()["status"]
    shopify.tell("orders/paid", shopify_order())
    shopify.tell("orders/delete", {"id": 450789469})
    shopify.tell("orders/updated", updated(5))
    assert ["cancelled"] * 2 == [order["status"] for order in shopify.orders()]


def test_a_recorded_message_that_is_sent_again_under_another_name_deletes_nothing(
    shopify: OtherShop, woocommerce: OtherShop
) -> None:
    shopify.tell("orders/paid", shopify_order())
    assert not ok(shopify.send("orders/delete", shopify_order()))["kept"]
    woocommerce.tell("order.created", woocommerce_order())
    assert not ok(woocommerce.send("order.deleted", woocommerce_order()))["kept"]
    assert ["paid"] * 2 == [order["status"] for order in shopify.orders()]
