"""What stands at Stripe, as the messages that would have told of it; and promotion codes as Stripe shows them."""

import pytest

from app.orders.stripe import messages
from app.orders.stripe.promotion import Promotion
from app.orders.stripe.standing import of_dispute, of_refund, of_session
from tests.shop import JSON
from tests.till import invented_session


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "open"}, None),
        ({"status": None}, None),
        ({"status": "expired", "payment_status": "unpaid"}, "expired"),
        ({"status": "complete", "payment_status": "paid"}, "paid"),
        ({"status": "complete", "payment_status": "no_payment_required", "payment_intent": None}, "paid"),
        ({"status": "complete", "payment_status": "unpaid"}, "paying"),
        ({"status": "complete", "payment_status": "unpaid", "payment_intent": {"status": "processing"}}, "paying"),
        ({"status": "complete", "payment_status": "unpaid", "payment_intent": {"status": "canceled"}}, "failed"),
        (
            {"status": "complete", "payment_status": "unpaid", "payment_intent": {"status": "requires_payment_method"}},
            "failed",
        ),
        ({"status": "complete", "payment_status": "paid", "payment_intent": {"status": "canceled"}}, "paid"),
    ],
)
def test_a_session_says_how_it_stands(fields: JSON, status: str | None) -> None:
    event = of_session(invented_session(**fields), "acct_1")

    if event is None:
        assert status is None
        return
    said = messages.session_of(messages.read(event))
    assert said is not None
    assert status == said.status


def test_the_same_standing_has_the_same_id_and_another_one_another() -> None:
    unpaid = invented_session(status="complete", payment_status="unpaid")
    paid = unpaid | {"payment_status": "paid"}

    ids = [messages.read(of_session(each, None)).id for each in (unpaid, paid, paid)]

    assert ids[0] != ids[1] == ids[2] == "standing_completed_paid_cs_test_invented"


def test_refunds_and_disputes_are_told_as_they_are_now() -> None:
    subject: JSON = {"id": "re_1", "created": 5, "amount": 7, "currency": "eur", "payment_intent": "pi_1"}

    refund = messages.read(of_refund(subject | {"status": "failed"}, "acct_1"))
    dispute = messages.read(of_dispute(subject | {"id": "du_1", "status": "won", "livemode": True}, None))

    assert ("standing_failed_re_1", "acct_1", "pi_1", False) == (
        refund.id,
        refund.account,
        refund.payment,
        refund.livemode,
    )
    assert [frozenset({"failed"})] == [said.heard for said in messages.takings_of(refund.type, refund.subject)]
    assert ("standing_won_du_1", None, True) == (dispute.id, dispute.account, dispute.livemode)
    assert [frozenset({"won"})] == [said.heard for said in messages.takings_of(dispute.type, dispute.subject)]


@pytest.mark.parametrize(
    ("said", "promotion"),
    [
        (
            {"id": "promo_1", "code": "ANA10", "active": True, "promotion": {"type": "coupon", "coupon": "c10"}},
            Promotion("promo_1", "ANA10", True, "c10"),
        ),
        (
            {"id": "promo_1", "code": "ANA10", "active": False, "promotion": {"coupon": {"id": "c10"}}},
            Promotion("promo_1", "ANA10", False, "c10"),
        ),
        (
            {"id": "promo_1", "code": "ANA10", "active": True, "coupon": {"id": "c10"}},  # of older versions of the API
            Promotion("promo_1", "ANA10", True, "c10"),
        ),
        ({"id": "promo_1", "code": "ANA10"}, Promotion("promo_1", "ANA10", False, None)),
        ({"id": "promo_1"}, None),
        ({"code": "ANA10"}, None),
    ],
)
def test_a_promotion_code_is_read_as_any_version_of_stripe_shows_it(said: JSON, promotion: Promotion | None) -> None:
    assert promotion == Promotion.of(said)
