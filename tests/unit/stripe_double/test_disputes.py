"""Disputes: the bank takes the money, the merchant answers, it comes back or is lost; an inquiry only asks."""

from collections.abc import Callable
from typing import cast

import pytest
import stripe

from app.demo.stripe.double import StripeDouble
from app.demo.stripe.errors import StripeProblem
from tests.unit.stripe_double.around import MakeSession, Receiver, StandingClock, plain

SECRET = "whsec_test"
Paid = Callable[[], str]


@pytest.fixture
def paid(double: StripeDouble, make_session: MakeSession) -> Paid:
    def pay() -> str:
        """The payment intent of a paid session of 19.99 eur."""
        return str(double.pay(make_session().id)["payment_intent"])

    return pay


def told(double: StripeDouble) -> list[str]:
    return [str(event["type"]) for event in double.events() if str(event["type"]).startswith("charge.dispute.")]


def moved(dispute: stripe.Dispute) -> list[tuple[int, int, str]]:
    return [(move.amount, move.net, move.reporting_category) for move in dispute.balance_transactions]


def test_a_dispute_takes_the_money_with_a_fee(double: StripeDouble, client: stripe.StripeClient, paid: Paid) -> None:
    intent = paid()
    opened = double.dispute(intent, 1500, reason="product_not_received")
    found = client.v1.disputes.retrieve(str(opened["id"]))
    assert ("needs_response", 1500, "eur", intent, "product_not_received") == (
        found.status,
        found.amount,
        found.currency,
        found.payment_intent,
        found.reason,
    )
    assert found.is_charge_refundable is False
    assert [(-1500, -3000, "dispute")] == moved(found)
    assert ["charge.dispute.created", "charge.dispute.funds_withdrawn"] == told(double)
    charge = client.v1.charges.retrieve(str(found.charge))
    assert (True, False, 0) == (charge.disputed, charge.refunded, charge.amount_refunded)


def test_what_is_left_is_disputed_unless_told_otherwise(double: StripeDouble, paid: Paid) -> None:
    intent = paid()
    double.refund(intent, 500)
    assert 1499 == double.dispute(intent)["amount"]


def test_a_won_dispute_brings_the_money_back_but_not_the_fee(
    double: StripeDouble, client: stripe.StripeClient, paid: Paid
) -> None:
    intent = paid()
    dispute = str(double.dispute(intent)["id"])
    closed = double.close_dispute(dispute, won=True)
    assert "won" == closed["status"]
    assert [(-1999, -3499, "dispute"), (1999, 1999, "dispute_reversal")] == moved(client.v1.disputes.retrieve(dispute))
    assert [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ] == told(double)
    assert 100 == double.refund(intent, 100)["amount"]


def test_a_lost_dispute_stays_lost(double: StripeDouble, paid: Paid) -> None:
    intent = paid()
    dispute = str(double.dispute(intent)["id"])
    assert "lost" == double.close_dispute(dispute, won=False)["status"]
    assert ["charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"] == told(double)
    with pytest.raises(StripeProblem, match="already closed"):
        double.close_dispute(dispute, won=True)
    with pytest.raises(StripeProblem, match="no open inquiry"):
        double.escalate(dispute)
    with pytest.raises(StripeProblem, match="charged back"):
        double.refund(intent)
    with pytest.raises(StripeProblem, match="disputed already"):
        double.dispute(intent)


def test_a_disputed_charge_cannot_be_refunded(double: StripeDouble, client: stripe.StripeClient, paid: Paid) -> None:
    intent = paid()
    double.dispute(intent, 1)
    with pytest.raises(stripe.InvalidRequestError, match="charged back") as refused:
        client.v1.refunds.create({"payment_intent": intent})
    assert "charge_disputed" == refused.value.code


def test_an_inquiry_takes_nothing_until_it_is_escalated(
    double: StripeDouble, client: stripe.StripeClient, paid: Paid
) -> None:
    opened = double.dispute(paid(), inquiry=True)
    assert ("warning_needs_response", [], True) == (
        opened["status"],
        opened["balance_transactions"],
        opened["is_charge_refundable"],
    )
    escalated = double.escalate(str(opened["id"]))
    assert "needs_response" == escalated["status"]
    assert [(-1999, -3499, "dispute")] == moved(client.v1.disputes.retrieve(str(opened["id"])))
    assert ["charge.dispute.created", "charge.dispute.updated", "charge.dispute.funds_withdrawn"] == told(double)
    updated = double.events("charge.dispute.updated")[0]
    assert {"status": "warning_needs_response", "balance_transactions": []} == cast(dict[str, object], updated["data"])[
        "previous_attributes"
    ]


@pytest.mark.parametrize("won", [True, False])
def test_a_closed_inquiry_moves_nothing(double: StripeDouble, paid: Paid, won: bool) -> None:
    dispute = str(double.dispute(paid(), inquiry=True)["id"])
    closed = double.close_dispute(dispute, won=won)
    assert ("warning_closed", []) == (closed["status"], closed["balance_transactions"])
    assert ["charge.dispute.created", "charge.dispute.closed"] == told(double)


def test_giving_back_everything_ends_an_inquiry(double: StripeDouble, client: stripe.StripeClient, paid: Paid) -> None:
    intent = paid()
    dispute = str(double.dispute(intent, inquiry=True)["id"])
    double.refund(intent, 999)
    assert "warning_needs_response" == client.v1.disputes.retrieve(dispute).status
    double.refund(intent)
    assert "warning_closed" == client.v1.disputes.retrieve(dispute).status


@pytest.mark.parametrize(("text", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_evidence_can_end_a_dispute_as_in_stripes_test_mode(
    double: StripeDouble, client: stripe.StripeClient, paid: Paid, text: str, status: str
) -> None:
    dispute = str(double.dispute(paid())["id"])
    answered = client.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": text}})
    assert (status, 1) == (answered.status, answered.evidence_details.submission_count)
    assert "charge.dispute.updated" in told(double)


def test_evidence_waits_for_the_bank_once_it_is_submitted(
    double: StripeDouble, client: stripe.StripeClient, paid: Paid
) -> None:
    dispute = str(double.dispute(paid())["id"])
    kept = client.v1.disputes.update(dispute, {"evidence": {"customer_name": "Ana"}, "submit": False})
    assert ("needs_response", "Ana", True) == (
        kept.status,
        kept.evidence.customer_name,
        kept.evidence_details.has_evidence,
    )
    sent = client.v1.disputes.update(dispute, {"evidence": {"service_date": "2026"}, "metadata": {"case": "7"}})
    assert ("under_review", {"case": "7"}) == (sent.status, plain(cast(stripe.StripeObject, sent.metadata)))
    described = client.v1.disputes.update(dispute, {"metadata": "", "submit": False})
    assert ("Ana", {}) == (described.evidence.customer_name, plain(cast(stripe.StripeObject, described.metadata)))


def test_a_merchant_can_give_up(double: StripeDouble, client: stripe.StripeClient, paid: Paid) -> None:
    dispute = str(double.dispute(paid())["id"])
    assert "lost" == client.v1.disputes.close(dispute).status
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        client.v1.disputes.close(dispute)


def test_disputes_are_listed_by_their_payment(double: StripeDouble, client: stripe.StripeClient, paid: Paid) -> None:
    first, second = (str(double.dispute(paid())["id"]) for _ in range(2))
    assert [second, first] == [dispute.id for dispute in client.v1.disputes.list().data]
    found = client.v1.disputes.retrieve(first, {"expand": ["charge", "payment_intent"]})
    charge, intent = cast(stripe.Charge, found.charge), cast(stripe.PaymentIntent, found.payment_intent)
    assert (charge.id, "succeeded") == (intent.latest_charge, intent.status)
    assert [first] == [one.id for one in client.v1.disputes.list({"charge": charge.id})]
    assert [first] == [one.id for one in client.v1.disputes.list({"payment_intent": intent.id})]


def test_the_balance_says_where_its_changes_come_from(
    double: StripeDouble, client: stripe.StripeClient, paid: Paid
) -> None:
    dispute = str(double.dispute(paid())["id"])
    double.close_dispute(dispute, won=True)
    back, out = client.v1.balance_transactions.list({"source": dispute}).data
    assert (1999, -1999) == (back.amount, out.amount)
    assert [] == client.v1.balance_transactions.list({"source": dispute, "currency": "usd"}).data
    found = client.v1.balance_transactions.retrieve(out.id, {"expand": ["source"]})
    assert dispute == cast(stripe.Dispute, found.source).id


def test_another_account_sees_no_dispute(double: StripeDouble, client: stripe.StripeClient, paid: Paid) -> None:
    dispute = str(double.dispute(paid())["id"])
    with pytest.raises(stripe.InvalidRequestError, match="No such dispute"):
        client.v1.disputes.retrieve(dispute, options={"stripe_account": "acct_other"})
    assert [] == client.v1.disputes.list(options={"stripe_account": "acct_other"}).data


def test_only_a_payment_that_is_there_can_be_disputed(double: StripeDouble, make_session: MakeSession) -> None:
    later = double.pay_later(make_session().id)
    intent = str(later["payment_intent"])
    with pytest.raises(StripeProblem):
        double.dispute(intent)
    double.settle(str(later["id"]), succeeded=True)
    for amount in (0, -1):
        with pytest.raises(StripeProblem):
            double.dispute(intent, amount)
    with pytest.raises(StripeProblem):
        double.dispute(intent, reason="whim")
    double.refund(intent)
    with pytest.raises(StripeProblem):
        double.dispute(intent)
    for unknown in (double.escalate, lambda it: double.close_dispute(it, won=True), double.dispute):
        with pytest.raises(StripeProblem, match="No such"):
            cast(Callable[[str], object], unknown)("du_unknown")


def test_a_webhook_tells_of_a_dispute(
    double: StripeDouble, paid: Paid, receiver: Receiver, clock: StandingClock
) -> None:
    intent = paid()
    double.webhooks.register(receiver.url, SECRET, events=["charge.dispute.created"])
    clock.advance(days=3)
    dispute = double.dispute(intent)
    double.webhooks.drain()
    event = receiver.received[0].event(SECRET)
    assert (dispute["id"], intent) == (event.data.object["id"], event.data.object["payment_intent"])
    assert dispute["created"] == int(clock.at.timestamp())
