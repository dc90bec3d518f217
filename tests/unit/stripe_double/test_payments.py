"""Paying, at once and later, being declined, and giving back."""

import threading

import pytest
import stripe

from app.demo.stripe.double import StripeDouble
from app.demo.stripe.errors import StripeProblem
from tests.unit.stripe_double.around import MakeSession, StandingClock, line, plain


def types(double: StripeDouble) -> list[object]:
    return [event["type"] for event in double.events()]


def paid(double: StripeDouble, make_session: MakeSession, **params: object) -> str:
    """The payment intent of a session that was paid."""
    return str(double.pay(make_session(**params).id)["payment_intent"])


def test_a_card_pays_at_once(make_session: MakeSession, client: stripe.StripeClient, double: StripeDouble) -> None:
    session = make_session(shipping_address_collection={"allowed_countries": ["FR"]})
    double.pay(session.id, "bo@example.com")
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert done.customer_details is not None
    assert done.customer_details.email == "bo@example.com"
    intent = client.v1.payment_intents.retrieve(str(done.payment_intent))
    assert (intent.status, intent.amount_received) == ("succeeded", 1999)
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert (charge.paid, charge.amount, charge.amount_refunded, charge.refunded) == (True, 1999, 0, False)
    assert plain(charge.metadata) == {"click": "clk_1", "referral": "ref_1"}
    assert charge.shipping is not None
    assert types(double) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_each_person_has_one_card(make_session: MakeSession, double: StripeDouble) -> None:
    def fingerprint(email: str) -> object:
        charge = double.charge_of(str(double.pay(make_session().id, email)["payment_intent"]))
        return charge["payment_method_details"]

    assert fingerprint("ana@example.com") == fingerprint("ANA@example.com")
    assert fingerprint("ana@example.com") != fingerprint("bo@example.com")


def test_nothing_to_pay_completes_without_a_payment(make_session: MakeSession, double: StripeDouble) -> None:
    done = double.pay(make_session(line_items=[line(0)]).id)
    assert (done["payment_status"], done["payment_intent"]) == ("no_payment_required", None)
    assert types(double) == ["checkout.session.completed"]


@pytest.mark.parametrize(
    ("succeeded", "payment_status", "event", "intent_status"),
    [
        (True, "paid", "checkout.session.async_payment_succeeded", "succeeded"),
        (False, "unpaid", "checkout.session.async_payment_failed", "requires_payment_method"),
    ],
)
def test_a_later_payment_completes_first_and_settles_then(
    make_session: MakeSession,
    client: stripe.StripeClient,
    double: StripeDouble,
    succeeded: bool,
    payment_status: str,
    event: str,
    intent_status: str,
) -> None:
    session = make_session()
    first = double.pay_later(session.id)
    assert (first["status"], first["payment_status"]) == ("complete", "unpaid")
    assert types(double)[-1] == "checkout.session.completed"
    assert "charge.succeeded" not in types(double)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": str(first["payment_intent"])})
    then = double.settle(session.id, succeeded=succeeded)
    assert (then["status"], then["payment_status"]) == ("complete", payment_status)
    assert types(double)[-1] == event
    assert client.v1.payment_intents.retrieve(str(then["payment_intent"])).status == intent_status
    with pytest.raises(StripeProblem):
        double.settle(session.id, succeeded=True)


def test_a_session_for_cards_alone_cannot_be_paid_later(make_session: MakeSession, double: StripeDouble) -> None:
    with pytest.raises(StripeProblem):
        double.pay_later(make_session(payment_method_types=["card"]).id)


def test_a_declined_card_leaves_the_session_open(
    make_session: MakeSession, client: stripe.StripeClient, double: StripeDouble
) -> None:
    session = make_session()
    double.decline(session.id)
    first = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert first.status == "open"
    assert isinstance(first.payment_intent, stripe.PaymentIntent)
    assert first.payment_intent.last_payment_error is not None
    assert first.payment_intent.last_payment_error.code == "card_declined"
    assert double.pay(session.id)["payment_intent"] == first.payment_intent.id
    other = make_session()
    double.decline(other.id)
    double.expire(other.id)
    assert types(double)[-2:] == ["payment_intent.canceled", "checkout.session.expired"]


def test_only_an_open_session_is_paid(make_session: MakeSession, double: StripeDouble) -> None:
    done, gone = make_session().id, make_session().id
    double.pay(done)
    double.expire(gone)
    before = types(double)
    for session in (done, gone, "cs_test_unknown"):
        for act in (double.pay, double.pay_later, double.decline):
            with pytest.raises(StripeProblem):
                act(session)
    assert types(double) == before


def test_many_who_pay_one_session_at_once_pay_it_once(make_session: MakeSession, double: StripeDouble) -> None:
    session = make_session()
    refused: list[StripeProblem] = []

    def pay() -> None:
        try:
            double.pay(session.id)
        except StripeProblem as problem:
            refused.append(problem)

    threads = [threading.Thread(target=pay) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    assert len(double.events("charge.succeeded")) == 1


def test_refunds_add_up_to_the_charge_and_no_further(
    make_session: MakeSession, client: stripe.StripeClient, double: StripeDouble
) -> None:
    intent = paid(double, make_session)
    first = client.v1.refunds.create(
        {"payment_intent": intent, "amount": 999, "reason": "requested_by_customer", "metadata": {"k": "v"}}
    )
    assert (first.amount, first.status, first.reason, plain(first.metadata)) == (
        999,
        "succeeded",
        "requested_by_customer",
        {"k": "v"},
    )
    charge = double.charge_of(intent)
    assert (charge["amount_refunded"], charge["refunded"]) == (999, False)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        client.v1.refunds.create({"payment_intent": intent, "amount": 1001})
    rest = client.v1.refunds.create({"charge": str(charge["id"])})
    assert rest.amount == 1000
    assert double.charge_of(intent)["refunded"] is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_already_refunded"
    assert types(double)[4:] == ["refund.created", "charge.refunded"] * 2
    assert [one.id for one in client.v1.refunds.list({"payment_intent": intent})] == [rest.id, first.id]
    assert client.v1.refunds.list({"charge": "ch_other"}).data == []
    whole = client.v1.charges.retrieve(str(charge["id"]), {"expand": ["refunds"]})
    assert whole.refunds is not None
    assert len(whole.refunds.data) == 2


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, "payment_intent"),
        ({"payment_intent": "pi_unknown"}, "payment_intent"),
        ({"charge": "ch_unknown"}, "charge"),
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": "all"}, "amount"),
        ({"reason": "bored"}, "reason"),
        ({"colour": "red"}, "colour"),
        ({"reverse_transfer": True}, "reverse_transfer"),
    ],
)
def test_a_wrong_refund_changes_nothing(
    make_session: MakeSession,
    client: stripe.StripeClient,
    double: StripeDouble,
    params: dict[str, object],
    param: str,
) -> None:
    intent = paid(double, make_session)
    given = {"payment_intent": intent, **params} if params and "charge" not in params else params
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create(given)  # type: ignore[arg-type]
    assert refused.value.param == param
    assert double.charge_of(intent)["amount_refunded"] == 0


def test_a_refund_may_fail_after_it_succeeded(
    make_session: MakeSession, client: stripe.StripeClient, double: StripeDouble
) -> None:
    intent = paid(double, make_session)
    made = str(double.refund(intent, 500)["id"])
    double.fail_refund(made)
    failed = client.v1.refunds.retrieve(made)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert double.charge_of(intent)["amount_refunded"] == 0
    assert types(double)[-4:] == ["charge.refund.updated", "refund.updated", "refund.failed", "charge.updated"]
    with pytest.raises(StripeProblem):
        double.fail_refund(made)


def test_a_pending_refund_is_completed(make_session: MakeSession, double: StripeDouble) -> None:
    intent = paid(double, make_session)
    made = double.refund(intent, 500, pending=True)
    assert made["status"] == "pending"
    assert double.complete_refund(str(made["id"]))["status"] == "succeeded"
    assert types(double)[-2:] == ["charge.refund.updated", "refund.updated"]
    with pytest.raises(StripeProblem):
        double.complete_refund(str(made["id"]))
    with pytest.raises(StripeProblem):
        double.refund("pi_unknown")


def test_a_refund_can_be_described_anew(
    make_session: MakeSession, client: stripe.StripeClient, double: StripeDouble
) -> None:
    made = str(double.refund(paid(double, make_session))["id"])
    assert plain(client.v1.refunds.update(made, {"metadata": {"a": "1", "b": "2"}}).metadata) == {"a": "1", "b": "2"}
    assert plain(client.v1.refunds.update(made, {"metadata": {"a": ""}}).metadata) == {"b": "2"}
    assert plain(client.v1.refunds.update(made, {"metadata": ""}).metadata) == {}
    assert types(double)[-6:] == ["charge.refund.updated", "refund.updated"] * 3


def test_an_event_shows_its_object_as_it_was(
    make_session: MakeSession, client: stripe.StripeClient, double: StripeDouble
) -> None:
    intent = paid(double, make_session)
    double.refund(intent, 1)
    double.refund(intent, 2)
    events = client.v1.events.list({"type": "charge.refunded"}).data
    assert [event.data.object["amount_refunded"] for event in events] == [3, 1]
    assert plain(client.v1.events.retrieve(events[0].id).data)["previous_attributes"] == {
        "amount_refunded": 1,
        "refunded": False,
    }


def test_events_are_kept_for_thirty_days_and_found_by_type(
    make_session: MakeSession, client: stripe.StripeClient, double: StripeDouble, clock: StandingClock
) -> None:
    paid(double, make_session)
    assert len(client.v1.events.list({"type": "charge.*"}).data) == 1
    assert len(client.v1.events.list({"types": ["charge.succeeded", "payment_intent.created"]}).data) == 2
    now = int(clock.at.timestamp())
    assert len(client.v1.events.list({"created": {"gte": now}}).data) == 4
    assert client.v1.events.list({"created": {"lt": now}}).data == []
    clock.advance(days=30)
    assert client.v1.events.list().data == []


def test_a_request_that_made_an_event_is_named_in_it(
    make_session: MakeSession, client: stripe.StripeClient, double: StripeDouble
) -> None:
    intent = paid(double, make_session)
    made = client.v1.refunds.create({"payment_intent": intent}, options={"idempotency_key": "key-1"})
    assert made.last_response is not None
    event = plain(client.v1.events.list({"type": "refund.created"}).data[0])
    assert event["request"] == {"id": made.last_response.request_id, "idempotency_key": "key-1"}
