"""Shopify's messages in our words."""

import json
from typing import Any

import pytest

from app.kernel.clock import from_micros
from app.kernel.money import LARGEST_AMOUNT
from app.orders.connectors import fields, shopify
from app.orders.connectors.said import Hint, NotAnOrder, ShopSaid, Version
from tests.other_shops import attribute, shopify_order, shopify_refund
from tests.shop import JSON

CLICK = "clk_" + "0" * 30
OTHER_CLICK = "clk_" + "1" * 30
CODE = "6u3kZ9mQx"


def read(body: JSON, topic: str = "orders/updated", **given: Any) -> ShopSaid:
    said = shopify.read(topic, fields.parse(json.dumps(body).encode()), **given)
    assert said is not None
    return said


def version(triggered: str = "", **changes: Any) -> Version:
    found = read(shopify_order(**changes), triggered=triggered).version
    assert found is not None
    return found


def test_an_order_is_read_as_the_documentation_shows_it() -> None:
    said = read(shopify_order())
    order = said.version
    assert order is not None
    assert ("450789469", None, ()) == (said.order_id, said.fate, said.refunds)
    assert ("eur", 11305, 9000) == (order.currency, order.paid, order.net)
    assert "2026-03-01T08:59:58+00:00" == from_micros(order.placed).isoformat()
    assert "2026-03-01T09:00:05+00:00" == from_micros(order.changed).isoformat()
    assert (True, False, False) == (order.counts, order.cancelled, order.test)
    assert [("632910392", "39072856", "Mug - green", 2, 5400), ("632910393", "49148385", "Lamp", 1, 3600)] == [
        (line.product, line.variant, line.title, line.quantity, line.amount) for line in order.lines
    ]
    assert (("TENOFF",), (), "cy@example.com") == (order.coupons, order.hints, order.customer)


def test_the_lines_of_an_order_add_up_to_its_net() -> None:
    assert version().net == sum(line.amount for line in version().lines)


def test_tax_that_is_added_is_no_part_of_the_net_and_tax_that_is_included_is_taken_out() -> None:
    added = version(taxes_included=False, subtotal_price="90.00", total_price="113.05")
    assert (9000, 11305) == (added.net, added.paid)


@pytest.mark.parametrize(
    ("currency", "total", "subtotal", "paid", "net"),
    [
        ("JPY", "1500", "1300", 1500, 1300),
        ("JPY", "1500.00", "1300.00", 1500, 1300),
        ("KWD", "15.125", "13.001", 15125, 13001),
        ("KWD", "15.12", "13", 15120, 13000),
        ("EUR", "0.00", "0.00", 0, 0),
        ("EUR", "19.995", "19.994", 2000, 1999),  # more decimals than there are: half a cent rounds up
    ],
)
def test_decimals_become_minor_units_exactly(currency: str, total: str, subtotal: str, paid: int, net: int) -> None:
    order = version(
        currency=currency, taxes_included=False, total_price=total, subtotal_price=subtotal,
        current_total_price=None, line_items=[],
    )  # fmt: skip
    assert (currency.lower(), paid, net, True) == (order.currency, order.paid, order.net, order.counts)


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("pending", False),
        ("authorized", False),
        ("paid", True),
        ("partially_refunded", True),
        ("refunded", True),
        ("voided", False),
        ("expired", False),
    ],
)
def test_an_order_counts_once_money_has_come_in(status: str, counts: bool) -> None:
    assert counts is version(financial_status=status).counts


def test_of_an_order_that_is_paid_in_part_the_part_counts() -> None:
    order = version(financial_status="partially_paid", total_outstanding="13.05")
    assert (True, 10000, 7961) == (order.counts, order.paid, order.net)  # 9000 x 10000 / 11305


@pytest.mark.parametrize("outstanding", ["113.05", "200.00", None], ids=["all", "more", "not said"])
def test_of_a_part_that_is_nothing_nothing_counts(outstanding: str | None) -> None:
    assert not version(financial_status="partially_paid", total_outstanding=outstanding).counts


def test_what_was_taken_off_before_it_was_paid_is_no_part_of_the_order() -> None:
    removal = shopify_refund() | {"transactions": []}
    order = version(current_total_price="80.92", refunds=[removal])
    assert (8092, 6300) == (order.paid, order.net)  # 113.05 - 32.13; 90.00 - 27.00
    added = version(taxes_included=False, subtotal_price="90.00", current_total_price="80.92", refunds=[removal])
    assert (8092, 5787) == (added.paid, added.net)  # its subtotal is without tax then


def test_what_was_paid_and_is_owed_or_was_given_back_stays_a_part_of_the_order() -> None:
    removal = shopify_refund(id=7) | {"transactions": []}
    owed = version(current_total_price="80.92", total_outstanding="-32.13", refunds=[removal])
    assert (11305, 9000) == (owed.paid, owed.net)
    settled = version(current_total_price="80.92", refunds=[removal, shopify_refund(refund_line_items=[])])
    assert (11305, 9000) == (settled.paid, settled.net)
    returned = version(current_total_price="80.92", refunds=[shopify_refund()])
    assert (11305, 9000) == (returned.paid, returned.net)
    without_things = version(current_total_price="100.00", refunds=[])
    assert (11305, 9000) == (without_things.paid, without_things.net)


def test_a_cancelled_order_and_a_test_order_say_so() -> None:
    assert version(cancelled_at="2026-03-01T12:00:00+01:00").cancelled
    assert version(test=True).test
    assert read(shopify_order(), test=True).version.test  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("found", "changes"),
    [
        ([CLICK], {"note_attributes": attribute(gv_click=CLICK), "landing_site": f"/?gv_click={OTHER_CLICK}"}),
        ([CODE], {"note_attributes": attribute(gv_code=CODE)}),
        ([CLICK, CODE], {"note_attributes": attribute(gv_code=CODE, gv_click=CLICK)}),
        ([OTHER_CLICK], {"landing_site": f"/products/mug?utm=x&gv_click={OTHER_CLICK}", "note": CLICK}),
        ([CODE], {"landing_site": f"https://go.example/r/{CODE}?x=1"}),
        ([CLICK], {"note": f"Please ring. My friend's link: {CLICK}."}),
        ([CODE], {"note": f"I come from https://go.example/r/{CODE}"}),
        ([CLICK], {"discount_codes": [{"code": CLICK.upper(), "amount": "0.00", "type": "percentage"}]}),
        ([CODE], {"discount_codes": [{"code": CODE, "amount": "0.00", "type": "percentage"}]}),
        ([], {"note_attributes": attribute(gv_click="clk_short"), "note": "no link", "landing_site": "/r/short"}),
        ([], {"note_attributes": "none", "landing_site": None, "note": 5, "discount_codes": None}),
    ],
    ids=[
        "attribute", "code attribute", "click before code", "landing", "landing link", "note", "link in note",
        "coupon", "code as coupon", "nothing good", "other types",
    ],
)  # fmt: skip
def test_the_click_or_code_is_looked_for_in_attributes_landing_note_and_coupon(
    found: list[str], changes: dict[str, Any]
) -> None:
    hints = version(**changes).hints
    assert found == [hint.text for hint in hints][: len(found)]
    assert bool(found) is bool(hints)
    assert all(Hint("code" if hint.text == CODE else "click", hint.text) == hint for hint in hints)


def test_each_hint_is_kept_once_and_only_a_few() -> None:
    many = attribute(gv_click=CLICK)[1:] * 3 + attribute(gv_code=CODE)[1:]
    assert [CLICK, CODE] == [hint.text for hint in version(note_attributes=many).hints]
    clicks = [{"name": "gv_click", "value": f"clk_{at:030}"} for at in range(100)]
    assert 5 == len(version(note_attributes=clicks).hints)


def test_nothing_of_a_person_is_in_what_is_read_but_the_mail_that_will_be_hashed() -> None:
    kept = str(version(note="Ring at Mrs Example's, +15550100").to_json()).replace("cy@example.com", "")
    for private in ("Example", "+1555", "203.0.113.9", "Birthday", "10115", "imasecret"):
        assert private not in kept


@pytest.mark.parametrize(
    ("changes", "customer"),
    [
        ({"email": ""}, "cy@example.com"),
        ({"email": "", "contact_email": None}, "207119551"),
        ({"email": "", "contact_email": None, "customer": None}, None),
    ],
    ids=["the contact's", "the customer's number", "nobody's"],
)
def test_the_customer_is_known_by_mail_else_by_number(changes: dict[str, Any], customer: str | None) -> None:
    assert customer == version(**changes).customer


def test_a_refund_is_its_movements_of_money() -> None:
    said = read(shopify_refund(), "refunds/create")
    assert ("450789469", None) == (said.order_id, said.version)
    (refund,) = said.refunds
    assert ("509562969", "2026-03-02T09:00:00+00:00") == (refund.id, from_micros(refund.at).isoformat())
    assert [("done", 3213, "eur")] == [(move.state, move.amount, move.currency) for move in refund.moves.values()]
    assert said.refunds == read(shopify_order(refunds=[shopify_refund()])).refunds


@pytest.mark.parametrize(
    ("status", "state"),
    [("success", "done"), ("pending", "pending"), ("failure", "failed"), ("error", "failed"), ("new", "pending")],
)
def test_a_movement_of_money_is_done_under_way_or_failed(status: str, state: str) -> None:
    (refund,) = read(shopify_refund(status=status), "refunds/create").refunds
    assert [state] == [move.state for move in refund.moves.values()]


def test_only_what_went_back_is_a_refunds_movement() -> None:
    refund = shopify_refund()
    moves = [refund["transactions"][0] | {"id": at, "kind": kind} for at, kind in enumerate(("void", "sale", "refund"))]
    (read_,) = read(refund | {"transactions": moves}, "refunds/create").refunds
    assert ["2"] == list(read_.moves)


def test_a_deletion_is_an_id_alone() -> None:
    assert ShopSaid("450789469", fate="deleted") == read({"id": 450789469}, "orders/delete")
    for whole in (shopify_order(), shopify_refund()):
        with pytest.raises(NotAnOrder, match="deletion"):
            shopify.read("orders/delete", whole)


@pytest.mark.parametrize("topic", ["orders/edited", "products/update", "app/uninstalled", "", "order.created"])
def test_topics_that_tell_nothing_of_orders_are_nothing(topic: str) -> None:
    assert shopify.read(topic, {"order_edit": {"id": 1, "order_id": 450789469}}) is None


def test_all_topics_that_a_merchant_is_told_are_read() -> None:
    bodies = {"refunds/create": shopify_refund(), "orders/delete": {"id": 1}}
    assert all(shopify.read(topic, bodies.get(topic, shopify_order())) for topic in shopify.TOPICS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", None), ("id", "x"), ("id", True), ("id", -1), ("id", [1]),
        ("currency", None), ("currency", "XXX"), ("currency", 5),
        ("financial_status", None), ("financial_status", "owed"),
        ("total_price", "a lot"), ("total_price", "1e5"), ("total_price", True), ("total_price", [1]),
        ("total_price", "9" * 30), ("total_price", str(LARGEST_AMOUNT)), ("total_price", "1,00"),
        ("total_price", "NaN"), ("total_price", "١"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_which_field_it_is(name: str, value: object) -> None:
    with pytest.raises(NotAnOrder, match=name):
        shopify.read("orders/paid", shopify_order(**{name: value}))


@pytest.mark.parametrize("value", [None, "", "soon", 5, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"])
def test_an_order_without_a_time_is_none(value: object) -> None:
    with pytest.raises(NotAnOrder, match="processed_at"):
        shopify.read("orders/paid", shopify_order(created_at=value, processed_at=value))
    with pytest.raises(NotAnOrder, match="updated_at"):
        shopify.read("orders/paid", shopify_order(created_at=value, updated_at=value))


def test_strange_lines_do_not_hold_up_a_sale() -> None:
    lines = [
        {"title": None, "price": None, "quantity": "two", "product_id": None, "variant_id": -1},
        {"title": "x" * 900 + "\0", "variant_title": "y" * 900, "price": "1.00", "quantity": 0},
        {"title": "Discounted", "price": "1.00", "quantity": 1, "discount_allocations": [{"amount": "5.00"}]},
        {"title": "Many", "price": "9999999999.99", "quantity": 999_999},
        "no line",
    ]
    order = version(line_items=lines)
    assert [
        ("?", 1, 0),
        (f"{'x' * 200} - {'y' * 90}", 1, 100),
        ("Discounted", 1, 0),
        ("Many", 999_999, LARGEST_AMOUNT),
    ] == [(line.title, line.quantity, line.amount) for line in order.lines]
    assert fields.MOST_LINES == len(version(line_items=shopify_order()["line_items"] * 400).lines)


def test_amounts_below_zero_are_nothing_and_a_net_is_never_more_than_was_paid() -> None:
    # The order that Shopify sends as a test notification has a subtotal of -5.00.
    sample = version(subtotal_price="-5.00", total_price="5.00")
    assert (0, 500) == (sample.net, sample.paid)
    assert 500 == version(subtotal_price="90.00", total_price="5.00", taxes_included=False).net


def test_a_version_is_the_same_after_it_was_kept_as_json() -> None:
    order = version(note_attributes=attribute(gv_click=CLICK))
    assert order == Version.from_json(order.to_json())


@pytest.mark.parametrize("body", [b"", b"[]", b"5", b"{", b"\xff", b"[" * 100_000, b'"x"', b"1" * 5000])
def test_what_is_no_object_of_json_is_no_order(body: bytes) -> None:
    with pytest.raises(NotAnOrder):
        fields.parse(body)


def test_decimals_stay_the_text_that_they_were() -> None:
    assert {"a": "0.10000000000000000555", "b": 7} == fields.parse(b'{"a": 0.10000000000000000555, "b": 7}')


def test_of_one_second_the_further_version_counts_and_of_those_the_one_that_was_triggered_later() -> None:
    early, late = "2026-03-01T09:00:05.099999999Z", "2026-03-01T09:00:05.1Z"
    assert version().rank < version(early).rank < version(late).rank == version("2026-03-01T10:00:05.100+01:00").rank
    assert version(late, financial_status="pending").rank < version(early).rank
    assert version(late).rank < version(cancelled_at="2026-03-01T10:00:05+01:00").rank


@pytest.mark.parametrize("triggered", ["", "now", "0", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9" * 5000])
def test_a_moment_that_is_none_is_as_if_it_was_not_said(triggered: str) -> None:
    assert version().rank == version(triggered).rank
