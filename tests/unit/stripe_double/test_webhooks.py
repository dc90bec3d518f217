"""Webhooks: signed as Stripe signs them, retried, and at command held, shuffled, repeated, sent at once."""

import time

import pytest
import stripe

from app.demo.stripe.double import StripeDouble
from app.demo.stripe.webhooks import signature
from tests.unit.stripe_double.around import MakeSession, Receiver, StandingClock

SECRET = "whsec_first"
PAID = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


def test_a_sale_arrives_signed_and_in_order(
    make_session: MakeSession, double: StripeDouble, receiver: Receiver, client: stripe.StripeClient
) -> None:
    double.webhooks.register(receiver.url, SECRET)
    session = make_session(metadata={"title": "Crème brûlée 🍮"})
    double.pay(session.id)
    double.webhooks.drain()
    assert receiver.types(SECRET) == PAID
    completed = receiver.received[-1].event(SECRET)
    assert completed.data.object["metadata"]["title"] == "Crème brûlée 🍮"
    assert completed.api_version == "2026-08-26.dahlia"
    assert completed.pending_webhooks == 1
    assert client.v1.events.retrieve(completed.id).type == completed.type


def test_the_signature_is_the_librarys_own() -> None:
    header = stripe.WebhookSignature.generate_signature_header('{"a": 1}', SECRET, 1_700_000_000)
    assert signature(b'{"a": 1}', [SECRET], 1_700_000_000) == header


def test_each_of_several_secrets_verifies(make_session: MakeSession, double: StripeDouble, receiver: Receiver) -> None:
    double.webhooks.register(receiver.url, SECRET, "whsec_second")
    double.expire(make_session().id)
    double.webhooks.drain()
    assert receiver.types(SECRET) == receiver.types("whsec_second") == ["checkout.session.expired"]
    with pytest.raises(stripe.SignatureVerificationError):
        receiver.types("whsec_third")
    with pytest.raises(ValueError, match="secret"):
        double.webhooks.register(receiver.url)


def test_an_endpoint_hears_what_it_asked_for_until_it_leaves(
    make_session: MakeSession, double: StripeDouble, receiver: Receiver
) -> None:
    endpoint = double.webhooks.register(receiver.url, SECRET, events=["charge.succeeded"])
    double.pay(make_session().id)
    double.webhooks.drain()
    assert receiver.types(SECRET) == ["charge.succeeded"]
    double.webhooks.unregister(endpoint)
    double.pay(make_session().id)
    double.webhooks.drain()
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [500, 404, 302, 300])
def test_what_is_not_taken_is_sent_again_with_the_same_bytes(
    make_session: MakeSession, double: StripeDouble, receiver: Receiver, status: int
) -> None:
    receiver.answers = [status, status]
    double.webhooks.register(receiver.url, SECRET)
    double.expire(make_session().id)
    double.webhooks.drain()
    assert len(receiver.received) == 3
    assert len({webhook.body for webhook in receiver.received}) == 1
    assert [attempt.succeeded for attempt in double.webhooks.attempts] == [False, False, True]
    assert double.webhooks.given_up == []


def test_an_endpoint_that_never_takes_it_is_given_up(make_session: MakeSession, double: StripeDouble) -> None:
    double.webhooks.register("http://127.0.0.1:1/nobody", SECRET)
    double.webhooks.register("no address at all", SECRET)
    double.expire(make_session().id)
    double.webhooks.drain()
    assert len(double.webhooks.attempts) == 8
    assert [attempt.status for attempt in double.webhooks.given_up] == [None, None]


def test_events_are_held_until_released(make_session: MakeSession, double: StripeDouble, receiver: Receiver) -> None:
    double.webhooks.register(receiver.url, SECRET)
    double.webhooks.hold()
    double.pay(make_session().id)
    time.sleep(0.05)
    assert receiver.received == []
    assert double.webhooks.held == PAID
    with pytest.raises(TimeoutError, match=r"charge\.succeeded"):
        double.webhooks.drain(timeout=0.01)
    double.webhooks.release()
    double.webhooks.drain()
    assert receiver.types(SECRET) == PAID
    double.expire(make_session().id)
    double.webhooks.drain()
    assert len(receiver.received) == 5


def test_a_release_shuffles_by_its_seed_and_repeats(
    make_session: MakeSession, double: StripeDouble, receiver: Receiver
) -> None:
    double.webhooks.register(receiver.url, SECRET)

    def order(seed: int) -> list[str]:
        receiver.received.clear()
        double.webhooks.hold()
        double.pay(make_session().id)
        double.webhooks.release(shuffle=seed, repeat=5)
        double.webhooks.drain()
        return receiver.types(SECRET)

    first = order(7)
    assert sorted(first) == sorted(PAID * 5)
    assert first != PAID * 5
    assert order(7) == first
    assert order(8) != first


def test_a_release_sends_at_once_when_told(make_session: MakeSession, double: StripeDouble, receiver: Receiver) -> None:
    double.webhooks.register(receiver.url, SECRET)
    receiver.slowness = 0.1
    double.webhooks.hold()
    double.pay(make_session().id)
    started = time.monotonic()
    double.webhooks.release(concurrency=4, delay=0.05)
    double.webhooks.drain()
    assert receiver.most_at_once > 1
    assert time.monotonic() - started >= 0.15
    assert sorted(receiver.types(SECRET)) == sorted(PAID)


@pytest.mark.parametrize("order", [{"repeat": 0}, {"concurrency": 0}, {"delay": -1}])
def test_a_release_that_makes_no_sense_is_refused(double: StripeDouble, order: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        double.webhooks.release(**order)


def test_an_event_is_delivered_on_the_spot_also_old_or_forged(
    make_session: MakeSession, double: StripeDouble, receiver: Receiver
) -> None:
    double.webhooks.register(receiver.url, SECRET)
    double.webhooks.hold()
    double.expire(make_session().id)
    message = double.message(str(double.events()[0]["id"]))
    receiver.answers = [400]
    assert [attempt.status for attempt in double.webhooks.deliver(message)] == [400]
    assert receiver.types(SECRET) == ["checkout.session.expired"]
    double.webhooks.deliver(message, at=int(time.time()) - 301)
    with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
        receiver.received[-1].event(SECRET)
    double.webhooks.deliver(message, secrets=["whsec_forged"])
    with pytest.raises(stripe.SignatureVerificationError, match="No signatures found"):
        receiver.received[-1].event(SECRET)


def test_each_change_of_fifty_sales_arrives(
    make_session: MakeSession, double: StripeDouble, receiver: Receiver
) -> None:
    double.webhooks.register(receiver.url, SECRET)
    double.webhooks.hold()
    for number in range(50):
        intent = str(double.pay(make_session().id)["payment_intent"])
        if number % 2:
            double.refund(intent, 100 + number)
    double.webhooks.release(shuffle=1, concurrency=8)
    double.webhooks.drain()
    arrived = {webhook.event(SECRET).id for webhook in receiver.received}
    assert arrived == {event["id"] for event in double.events()}
    assert len(receiver.received) == 50 * 4 + 25 * 2


def test_a_closed_double_sends_nothing_more(
    make_session: MakeSession, double: StripeDouble, receiver: Receiver
) -> None:
    double.webhooks.register(receiver.url, SECRET)
    session = make_session()
    double.close()
    double.expire(session.id)
    double.webhooks.drain(timeout=1)
    assert receiver.received == []


def test_webhooks_can_come_three_days_late_and_the_events_are_listed_meanwhile(
    double: StripeDouble,
    client: stripe.StripeClient,
    receiver: Receiver,
    make_session: MakeSession,
    clock: StandingClock,
) -> None:
    double.webhooks.register(receiver.url, SECRET)
    double.webhooks.hold()
    happened = int(clock.at.timestamp())
    session = make_session()
    double.pay(session.id)
    clock.advance(days=3)
    listed = client.v1.events.list({"types": ["checkout.session.completed"], "created": {"gte": happened}})
    assert [session.id] == [event.data.object["id"] for event in listed.data]
    assert [] == receiver.received
    double.webhooks.release()
    double.webhooks.drain()
    events = [webhook.event(SECRET) for webhook in receiver.received]
    assert "checkout.session.completed" == events[-1].type
    assert {happened} == {event.created for event in events}
