"""Stripe's messages in our words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.orders.stripe import messages
from app.orders.stripe.promotion import Promotion
from app.orders.stripe.session import Item, NewSession
from app.orders.stripe.tags import Tags

SESSION: dict[str, Any] = {
    "id": "cs_1",
    "object": "checkout.session",
    "mode": "payment",
    "created": 1_700_000_000,
    "currency": "eur",
    "amount_total": 1500,
    "total_details": {"amount_tax": 200, "amount_shipping": 300, "amount_discount": 0},
    "payment_status": "paid",
    "payment_intent": "pi_1",
    "customer_details": {"email": "ana@example.com", "name": "Ana", "address": {"city": "Metz"}},
    "metadata": {"gv_merchant": "mer_1", "gv_checkout": "chk_1", "gv_click": "clk_1", "theirs": "x"},
}
REFUND: dict[str, Any] = {
    "id": "re_1",
    "object": "refund",
    "created": 1_700_000_000,
    "currency": "eur",
    "amount": 500,
    "status": "succeeded",
    "payment_intent": "pi_1",
}


DISPUTE: dict[str, Any] = {
    "id": "du_1",
    "object": "dispute",
    "created": 1_700_000_000,
    "currency": "eur",
    "amount": 900,
    "status": "needs_response",
    "reason": "fraudulent",
    "charge": "ch_1",
    "payment_intent": "pi_1",
    "evidence": {"customer_name": "Ana", "customer_email_address": "ana@example.com", "billing_address": "Metz"},
}


def _message(kind: str, subject: dict[str, Any], **fields: Any) -> messages.Message:
    event = {"id": "evt_1", "object": "event", "type": kind, "created": 1_700_000_001, "livemode": True, **fields}
    return messages.read({**event, "data": {"object": subject}})


def test_a_paid_session_says_what_was_paid_by_whom_and_through_whom() -> None:
    said = messages.session_of(_message("checkout.session.completed", SESSION))

    assert said == messages.SessionSaid(
        id="cs_1",
        status="paid",
        created=datetime.fromtimestamp(1_700_000_000, UTC),
        payment="pi_1",
        currency="eur",
        gross=1500,
        net=1000,
        email="ana@example.com",
        tags=Tags("mer_1", "chk_1", click="clk_1"),
    )


@pytest.mark.parametrize(
    ("kind", "payment_status", "status"),
    [
        ("checkout.session.completed", "paid", "paid"),
        ("checkout.session.completed", "no_payment_required", "paid"),
        ("checkout.session.completed", "unpaid", "paying"),
        ("checkout.session.completed", "something_new", "paying"),
        ("checkout.session.async_payment_succeeded", "paid", "paid"),
        ("checkout.session.async_payment_failed", "unpaid", "failed"),
        ("checkout.session.expired", "unpaid", "expired"),
    ],
)
def test_a_session_is_paid_only_when_the_money_is_there(kind: str, payment_status: str, status: str) -> None:
    said = messages.session_of(_message(kind, SESSION | {"payment_status": payment_status}))

    assert said is not None
    assert status == said.status


def test_other_messages_say_nothing_of_sessions_or_refunds() -> None:
    for kind, subject in [
        ("customer.created", {"id": "cus_1"}),
        ("checkout.session.completed", SESSION | {"mode": "subscription"}),
    ]:
        message = _message(kind, subject)
        assert messages.session_of(message) is None
        assert not messages.tells_of_takings(message)


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"])
def test_a_refund_says_what_was_paid_back(kind: str) -> None:
    message = _message(kind, REFUND)

    assert messages.tells_of_takings(message)
    (said,) = messages.takings_of(message.type, message.subject)
    assert said == messages.TakenSaid(
        id="re_1",
        reason="refund",
        heard=frozenset({"succeeded"}),
        created=datetime.fromtimestamp(1_700_000_000, UTC),
        currency="eur",
        paid_back=500,
    )


@pytest.mark.parametrize(
    ("kind", "status", "heard"),
    [
        ("charge.dispute.created", "needs_response", {"needs_response"}),
        ("charge.dispute.created", "warning_needs_response", {"warning_needs_response"}),
        ("charge.dispute.updated", "under_review", {"under_review"}),
        ("charge.dispute.funds_withdrawn", "needs_response", {"needs_response", "funds_withdrawn"}),
        ("charge.dispute.funds_reinstated", "won", {"won", "funds_reinstated"}),
        ("charge.dispute.closed", "lost", {"lost"}),
        ("charge.dispute.created", None, {"warning_needs_response"}),
    ],
)
def test_a_dispute_says_what_the_bank_wants_back_and_how_its_funds_moved(
    kind: str, status: str | None, heard: set[str]
) -> None:
    message = _message(kind, DISPUTE | {"status": status})

    assert messages.tells_of_takings(message)
    assert message.payment == "pi_1"
    (said,) = messages.takings_of(message.type, message.subject)
    assert (said.id, said.reason, set(said.heard), said.currency, said.paid_back) == (
        "du_1",
        "chargeback",
        heard,
        "eur",
        900,
    )
    assert said == messages.takings_of(kind, messages.read(message.kept()).subject)[0]


@pytest.mark.parametrize(
    ("discounts", "code", "off"),
    [
        ([{"promotion_code": "promo_1", "coupon": None}], "promo_1", 250),
        ([{"promotion_code": {"id": "promo_2", "code": "ANA10"}}], "promo_2", 250),
        ([{"promotion_code": None, "coupon": "c_1"}], None, 250),
        ([{"coupon": "c_1"}, {"promotion_code": "promo_3"}], "promo_3", 250),
        ([], None, 0),
        (None, None, 0),
        ("odd", None, 0),
        (["odd", {"promotion_code": "not an id"}], None, 0),
    ],
)
def test_a_session_says_which_promotion_code_was_used_and_what_it_took_off(
    discounts: object, code: str | None, off: int
) -> None:
    totals = {"amount_tax": 200, "amount_shipping": 300, "amount_discount": off}
    message = _message("checkout.session.completed", SESSION | {"discounts": discounts, "total_details": totals})

    for heard in (message, messages.read(message.kept())):
        said = messages.session_of(heard)
        assert said is not None
        assert (said.promotion_code, said.discount, said.net) == (code, off, 1000)


@pytest.mark.parametrize(
    ("shipping", "net"),
    [
        (None, 1000),
        ({"amount_subtotal": 300, "amount_tax": 0, "amount_total": 300}, 1000),
        # 1500 = 940 + 200 tax (of it 60 for the shipping) + 300 shipping, then + 60: its price is without tax
        ({"amount_subtotal": 300, "amount_tax": 60, "amount_total": 360}, 1000),
        # the prices have their tax in them: 50 of the 300 are the tax that is among the 200 already
        ({"amount_subtotal": 300, "amount_tax": 50, "amount_total": 300}, 1050),
        ({"amount_tax": 400, "amount_total": 300}, 1300),
        ("odd", 1000),
    ],
)
def test_tax_that_is_in_the_price_of_shipping_is_taken_off_once(shipping: object, net: int) -> None:
    said = messages.session_of(_message("checkout.session.completed", SESSION | {"shipping_cost": shipping}))
    assert said is not None
    assert net == said.net


def test_a_promotion_code_is_known_by_its_id_and_its_text() -> None:
    code = {"id": "promo_1", "object": "promotion_code", "code": "ANA10", "active": True, "customer": "cus_1"}
    for kind in ("promotion_code.created", "promotion_code.updated"):
        message = _message(kind, code | {"promotion": {"type": "coupon", "coupon": {"id": "c_1"}}})
        assert Promotion("promo_1", "ANA10", True, "c_1") == messages.promotion_of(message)
        assert "cus_1" not in repr(message.kept())
    assert messages.promotion_of(_message("promotion_code.created", code | {"id": "promo 1"})) is None
    assert messages.promotion_of(_message("promotion_code.created", {"id": "promo_1"})) is None
    assert messages.promotion_of(_message("refund.created", code)) is None


def test_each_message_that_does_something_is_asked_for_once_and_stripe_answers_for_so_many() -> None:
    assert len(messages.INTERESTING) == len(set(messages.INTERESTING)) <= 20
    assert {*messages.TAKING, "checkout.session.completed", "promotion_code.created"} < set(messages.INTERESTING)


def test_a_charge_tells_of_takings_only_where_it_lists_them() -> None:
    silent = _message("charge.refunded", {"id": "ch_1", "amount_refunded": 500, "payment_intent": "pi_1"})
    telling = _message("charge.refunded", {**silent.subject, "refunds": {"data": [REFUND]}})

    assert not messages.tells_of_takings(silent)
    assert [said.id for said in messages.takings_of(telling.type, telling.subject)] == ["re_1"]


def test_what_is_kept_can_be_applied_later_and_names_nobody() -> None:
    whole = SESSION | {
        "client_reference_id": "ana",
        "metadata": SESSION["metadata"] | {"note": "for Ana"},
        "discounts": [{"promotion_code": {"id": "promo_1", "customer": {"name": "Ana"}}}],
        "shipping_cost": {"amount_total": 300, "amount_tax": 0, "shipping_rate": {"metadata": {"to": "Ana"}}},
    }
    message = _message("checkout.session.completed", whole, account="acct_1")
    kept = message.kept()
    again = messages.read(kept | {"object": "event"})

    assert "ana" not in repr(kept).lower()
    assert "Metz" not in repr(kept)
    said, before = messages.session_of(again), messages.session_of(message)
    assert said is not None
    assert before is not None
    assert (said.gross, said.net, said.tags) == (before.gross, before.net, before.tags)
    assert (said.promotion_code, said.discount) == (before.promotion_code, before.discount)
    dispute = _message("charge.dispute.created", DISPUTE | {"charge": {"id": "ch_1", "billing_details": "Ana, Metz"}})
    assert "Ana" not in repr(dispute.kept())
    assert "ch_1" in repr(dispute.kept())
    refunds = _message("charge.refunded", {"refunds": {"data": [REFUND | {"receipt_number": "7"}]}}).kept()
    assert "receipt_number" not in repr(refunds)
    assert "re_1" in repr(refunds)


def test_an_object_that_is_there_whole_is_known_by_its_id() -> None:
    assert _message("refund.created", REFUND | {"payment_intent": {"id": "pi_2", "amount": 1}}).payment == "pi_2"


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_total": -1},
        {"amount_total": 1.5},
        {"amount_total": "1500"},
        {"currency": "zzz"},
        {"currency": None},
        {"id": "cs 1"},
        {"created": 2**60},
    ],
)
def test_a_session_of_ours_that_makes_no_sense_is_refused_and_another_ones_passed_over(wrong: dict[str, Any]) -> None:
    with pytest.raises(messages.NotAnEvent):
        messages.session_of(_message("checkout.session.completed", SESSION | wrong))
    assert messages.session_of(_message("checkout.session.completed", SESSION | wrong | {"metadata": {}})) is None


def test_tags_come_back_from_stripe_as_they_went() -> None:
    tags = Tags("mer_1", "chk_1", "clk_1", "ref_1", "wall_1", "vis_1", "ANA10")
    assert tags == Tags.of(tags.metadata())
    assert Tags.of({"gv_merchant": "mer_1"}) is None
    assert Tags("mer_1", "chk_1").metadata() == {"gv_merchant": "mer_1", "gv_checkout": "chk_1"}
    assert len(Tags("mer_1", "chk_1", click="x" * 900).metadata()["gv_click"]) == 500


def _new(**item: Any) -> dict[str, Any]:
    new = NewSession(
        key="k",
        account=None,
        currency="eur",
        items=[Item(**{"title": "Mug", "price": 1999, "quantity": 2, "image": None, **item})],
        tags=Tags("mer_1", "chk_1"),
        success_url="https://shop.example/",
        cancel_url="https://shop.example/",
        expires_at=datetime.fromtimestamp(1_700_000_000, UTC),
    )
    return dict(new.parameters())


@pytest.mark.parametrize(
    "image", ["https://shop.example/a b.jpg", "https://shop.example/ä.jpg", "https://shop.example/" + "a" * 2048]
)
def test_a_picture_that_stripe_would_refuse_is_left_out(image: str) -> None:
    assert "images" not in _new(image=image)["line_items"][0]["price_data"]["product_data"]


def test_a_title_is_cut_to_what_stripe_takes() -> None:
    assert len(_new(title="m" * 300)["line_items"][0]["price_data"]["product_data"]["name"]) == 250


def test_our_tags_go_on_the_payment_too() -> None:
    parameters = _new()
    assert parameters["metadata"] == parameters["payment_intent_data"]["metadata"] == Tags("mer_1", "chk_1").metadata()
