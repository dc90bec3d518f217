"""WooCommerce's messages in our words."""

import json
from typing import Any

import pytest

from app.kernel.clock import from_micros
from app.orders.connectors import fields, woocommerce
from app.orders.connectors.said import NotAnOrder, ShopSaid, Version
from tests.other_shops import meta, woocommerce_order
from tests.shop import JSON

CLICK = "clk_" + "0" * 30
OTHER_CLICK = "clk_" + "1" * 30
CODE = "6u3kZ9mQx"


def read(body: JSON, topic: str = "order.updated") -> ShopSaid:
    said = woocommerce.read(topic, fields.parse(json.dumps(body).encode()))
    assert said is not None
    return said


def version(**changes: Any) -> Version:
    found = read(woocommerce_order(**changes)).version
    assert found is not None
    return found


def test_an_order_is_read_as_the_documentation_shows_it() -> None:
    said = read(woocommerce_order())
    order = said.version
    assert order is not None
    assert ("727", None, ()) == (said.order_id, said.fate, said.refunds)
    assert ("eur", 11305, 9000) == (order.currency, order.paid, order.net)
    assert "2026-03-01T10:00:00+00:00" == from_micros(order.placed).isoformat()
    assert "2026-03-01T10:00:05+00:00" == from_micros(order.changed).isoformat()
    assert (True, False, False) == (order.counts, order.cancelled, order.test)
    assert [("93", "94", "Mug", 2, 5400), ("22", None, "Lamp", 1, 3600)] == [
        (line.product, line.variant, line.title, line.quantity, line.amount) for line in order.lines
    ]
    assert (("tenoff",), (), "cy@example.com", ()) == (order.coupons, order.hints, order.customer, order.refunds)
    assert order.net == sum(line.amount for line in order.lines)
    assert order == Version.from_json(order.to_json())


@pytest.mark.parametrize(
    ("status", "paid_at", "counts", "cancelled"),
    [
        ("pending", None, False, False),
        ("pending", "2026-03-01T10:00:04", False, False),
        ("on-hold", "2026-03-01T10:00:04", False, False),
        ("failed", None, False, False),
        ("processing", None, False, False),
        ("processing", "2026-03-01T10:00:04", True, False),
        ("completed", None, True, False),
        ("refunded", None, True, False),
        ("shipped", "2026-03-01T10:00:04", True, False),
        ("wc-shipped", None, False, False),
        ("cancelled", "2026-03-01T10:00:04", False, True),
        ("trash", "2026-03-01T10:00:04", False, True),
    ],
)
def test_an_order_counts_once_it_is_paid(status: str, paid_at: str | None, counts: bool, cancelled: bool) -> None:
    order = version(status=status, date_paid_gmt=paid_at)
    assert (counts, cancelled) == (order.counts, order.cancelled)


@pytest.mark.parametrize(
    ("currency", "total", "tax", "shipping", "paid", "net"),
    [
        ("JPY", "1500", "100", "200", 1500, 1200),
        ("JPY", "1500.00", "100.00", "", 1500, 1400),
        ("KWD", "15.125", "1.124", "0.001", 15125, 14000),
        ("EUR", "0.00", "0.00", "0.00", 0, 0),
        ("EUR", "19.995", "0.004", "0", 2000, 2000),
        ("EUR", "5.00", "4.00", "4.00", 500, 0),
    ],
)
def test_decimals_become_minor_units_exactly(
    currency: str, total: str, tax: str, shipping: str, paid: int, net: int
) -> None:
    order = version(currency=currency, total=total, total_tax=tax, shipping_total=shipping, line_items=[])
    assert (currency.lower(), paid, net) == (order.currency, order.paid, order.net)


def test_fees_are_a_part_of_the_net() -> None:
    fee = [{"id": 1, "name": "Gift wrap", "total": "5.00", "total_tax": "0.95"}]
    assert 9500 == version(total="119.00", total_tax="19.00", fee_lines=fee).net


def test_refunds_are_those_in_the_orders_list() -> None:
    said = read(woocommerce_order(refunds=[{"id": 801, "reason": "", "total": "-32.13"}, {"id": 802, "total": "10"}]))
    assert ("801", "802") == said.version.refunds  # type: ignore[union-attr]
    moves = [move for refund in said.refunds for move in refund.moves.values()]
    assert [("done", 3213, "eur"), ("done", 1000, "eur")] == [
        (move.state, move.amount, move.currency) for move in moves
    ]
    assert {said.version.changed} == {refund.at for refund in said.refunds}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (["processing"], ["completed"]),
        (["processing"], ["processing", 801]),
        (["processing", 801], ["processing", 801, 802]),
        (["processing", 9], ["processing", 9, 10]),  # by number, not by their letters
        (["processing", 801, 802], ["processing", 802]),  # it could not lack 801 before 802 was made
        (["processing", 801], ["processing", 802]),
        (["completed"], ["processing", 801]),
        (["processing", 801], ["completed", 801]),
    ],
)
def test_of_one_second_the_version_with_the_latest_refund_is_the_later(earlier: list[Any], later: list[Any]) -> None:
    ranks = [
        version(status=status, refunds=[{"id": id_, "total": "-1.00"} for id_ in ids]).rank
        for status, *ids in (earlier, later)
    ]
    assert ranks == sorted(ranks)
    assert ranks[0] != ranks[1]


def test_a_deletion_is_an_id_alone_and_a_restoration_a_whole_order() -> None:
    assert ShopSaid("727", fate="deleted") == read({"id": 727}, "order.deleted")
    with pytest.raises(NotAnOrder, match="deletion"):
        woocommerce.read("order.deleted", woocommerce_order())
    restored = read(woocommerce_order(), "order.restored")
    assert ("restored", 9000) == (restored.fate, restored.version and restored.version.net)


@pytest.mark.parametrize(
    "topic", ["product.updated", "customer.created", "action.woocommerce_add_to_cart", "", "orders/paid"]
)
def test_topics_that_tell_nothing_of_orders_are_nothing(topic: str) -> None:
    assert woocommerce.read(topic, {"id": 5}) is None


@pytest.mark.parametrize(
    ("found", "changes"),
    [
        ([CLICK, OTHER_CLICK], {"meta_data": meta(gv_click=CLICK), "customer_note": OTHER_CLICK}),
        ([CLICK, OTHER_CLICK], {"meta_data": meta(_gv_click=OTHER_CLICK, gv_click=CLICK)}),
        ([CODE], {"meta_data": meta(gv_code=CODE)}),
        ([CLICK], {"meta_data": [{"key": "_wc_order_attribution_session_entry", "value": f"/?x=1&gv_click={CLICK}"}]}),
        ([CLICK], {"customer_note": f"Via {CLICK}, thanks"}),
        ([CODE], {"customer_note": f"https://go.example/r/{CODE}"}),
        ([CLICK], {"coupon_lines": [{"code": CLICK}]}),
        ([], {"meta_data": meta(gv_click="nothing"), "customer_note": None, "coupon_lines": [{"code": " "}]}),
        ([], {"meta_data": None, "coupon_lines": "none"}),
    ],
    ids=["meta", "two", "code", "entry", "note", "link in note", "coupon", "nothing good", "other types"],
)  # fmt: skip
def test_the_click_or_code_is_looked_for_in_meta_entry_note_and_coupon(
    found: list[str], changes: dict[str, Any]
) -> None:
    assert found == [hint.text for hint in version(**changes).hints]


@pytest.mark.parametrize(("mode", "test"), [("test", True), ("dev", True), ("prod", False)])
def test_an_order_of_a_test_mode_of_woocommerces_own_payments_is_a_test(mode: str, test: bool) -> None:
    assert test is version(meta_data=meta(_wcpay_mode=mode)).test


@pytest.mark.parametrize(
    ("changes", "customer"),
    [
        ({"billing": {"email": ""}, "customer_id": 12}, "12"),
        ({"billing": {}, "customer_id": 0}, None),
        ({"billing": None, "customer_id": None}, None),
    ],
)
def test_the_customer_is_known_by_mail_else_by_number(changes: dict[str, Any], customer: str | None) -> None:
    assert customer == version(**changes).customer


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", None), ("id", "five"), ("currency", ""), ("currency", "BTC"), ("status", ""), ("status", 5),
        ("total", "113,05"), ("total", {}), ("total_tax", "x"), ("date_created_gmt", None), ("refunds", [{"id": None}]),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_which_field_it_is(name: str, value: object) -> None:
    with pytest.raises(NotAnOrder, match="id" if name == "refunds" else name):
        woocommerce.read("order.updated", woocommerce_order(**{name: value}))


@pytest.mark.parametrize(
    ("body", "is_ping"),
    [
        (b"webhook_id=7", True),
        (b"webhook_id=", False),
        (b"webhook_id=7\n", False),
        (b"x&webhook_id=7", False),
        (b"", False),
    ],
)
def test_a_ping_is_known_by_its_form(body: bytes, is_ping: bool) -> None:
    assert is_ping is woocommerce.is_ping(body)


def test_strange_lines_do_not_hold_up_a_sale() -> None:
    lines: list[Any] = [{"name": None, "total": "-5.00", "quantity": 0, "product_id": 0}, 7]
    (line,) = version(line_items=lines).lines
    assert (None, None, "?", 1, 0) == (line.product, line.variant, line.title, line.quantity, line.amount)
    assert fields.MOST_LINES == len(version(line_items=woocommerce_order()["line_items"] * 400).lines)
