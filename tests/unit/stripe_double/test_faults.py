"""Faults on command, as the real library and a shop's HTTP client meet them."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
import stripe

from app.demo.stripe.double import StripeDouble
from tests.unit.stripe_double.around import MakeSession, Receiver, StandingClock, session_params

SESSIONS = "/v1/checkout/sessions"
FORM = {
    "mode": "payment",
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "1999",
    "line_items[0][price_data][product_data][name]": "T-shirt",
    "line_items[0][quantity]": "1",
    "success_url": "https://shop.example/thanks",
}


def ask(double: StripeDouble, key: str | None = None, **more: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {double.api_key}", **({"Idempotency-Key": key} if key else {})}
    return httpx.post(f"{double.base_url}{SESSIONS}", data={**FORM, **more}, headers=headers, timeout=5)


def sessions(double: StripeDouble) -> int:
    answer = httpx.get(f"{double.base_url}{SESSIONS}", headers={"Authorization": f"Bearer {double.api_key}"})
    return len(answer.json()["data"])


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (429, "invalid_request_error", "rate_limit"),
        (409, "invalid_request_error", "lock_timeout"),
        (500, "api_error", None),
        (503, "api_error", None),
    ],
)
def test_an_error_is_answered_before_anything_is_done(
    double: StripeDouble, status: int, kind: str, code: str | None
) -> None:
    double.faults.answer(status, retry_after=7, times=2, method="POST")
    for _ in range(2):
        answer = ask(double, "key-1")
        assert (status, "7", kind, code) == (
            answer.status_code,
            answer.headers["Retry-After"],
            answer.json()["error"]["type"],
            answer.json()["error"].get("code"),
        )
    assert 0 == sessions(double)
    assert 200 == ask(double, "key-1").status_code
    assert 1 == sessions(double)


def test_a_lost_answer_has_had_its_effect(double: StripeDouble) -> None:
    double.faults.lose_answers()
    with pytest.raises(httpx.RemoteProtocolError):
        ask(double, "key-1")
    assert 1 == sessions(double)
    again = ask(double, "key-1")
    assert (200, "true") == (again.status_code, again.headers["Idempotent-Replayed"])
    assert 1 == sessions(double)


def test_a_kept_failure_is_replayed_under_its_key_after_the_effect(double: StripeDouble, clock: StandingClock) -> None:
    double.faults.answer(500, replayed=True)
    first = ask(double, "key-1")
    assert (500, None) == (first.status_code, first.headers.get("Idempotent-Replayed"))
    assert 1 == sessions(double)
    again = ask(double, "key-1")
    assert (500, "true") == (again.status_code, again.headers["Idempotent-Replayed"])
    assert 200 == ask(double, "key-2").status_code
    clock.advance(hours=24)
    assert 200 == ask(double, "key-1").status_code


def test_a_kept_failure_may_have_had_no_effect(double: StripeDouble) -> None:
    double.faults.answer(500, replayed=True, effect=False)
    assert [500, 500] == [ask(double, "key-1").status_code for _ in range(2)]
    assert 0 == sessions(double)


def test_a_wrong_request_is_refused_as_ever(double: StripeDouble) -> None:
    double.faults.answer(500, replayed=True)
    assert 400 == ask(double, "key-1", mode="gift").status_code
    assert 200 == ask(double, "key-1").status_code


def test_the_library_tells_of_a_lost_answer_and_the_same_key_brings_it(
    double: StripeDouble, client: stripe.StripeClient
) -> None:
    double.faults.lose_answers()
    with pytest.raises(stripe.APIConnectionError):
        client.v1.checkout.sessions.create(session_params(), options={"idempotency_key": "key-1"})
    again = client.v1.checkout.sessions.create(session_params(), options={"idempotency_key": "key-1"})
    assert [again.id] == [session.id for session in client.v1.checkout.sessions.list().data]


def test_while_it_is_down_nothing_is_done(double: StripeDouble, client: stripe.StripeClient) -> None:
    double.faults.down()
    for _ in range(2):
        with pytest.raises(stripe.APIConnectionError):
            client.v1.checkout.sessions.create(session_params())
    double.faults.down(False)
    assert [] == client.v1.checkout.sessions.list().data


def test_a_fault_waits_for_its_path_and_its_method(double: StripeDouble, make_session: MakeSession) -> None:
    double.faults.answer(500, path="/v1/refunds")
    double.faults.answer(500, path=SESSIONS, method="GET")
    session = make_session()
    intent = str(double.pay(session.id)["payment_intent"])
    headers = {"Authorization": f"Bearer {double.api_key}"}
    assert 500 == httpx.get(f"{double.base_url}{SESSIONS}", headers=headers).status_code
    form = {"payment_intent": intent}
    assert [500, 200] == [
        httpx.post(f"{double.base_url}/v1/refunds", data=form, headers=headers).status_code for _ in range(2)
    ]


def test_mending_ends_what_is_and_what_was_to_come(double: StripeDouble) -> None:
    double.faults.answer(500, times=9)
    double.faults.lose_answers(9)
    double.faults.down()
    double.faults.clock_ahead = timedelta(minutes=10)
    double.faults.mend()
    assert timedelta() == double.faults.clock_ahead
    assert 200 == ask(double).status_code


def test_only_an_error_is_a_fault(double: StripeDouble) -> None:
    with pytest.raises(ValueError, match="400 to 599"):
        double.faults.answer(200)


def test_what_was_asked_is_remembered_whatever_happened_to_it(double: StripeDouble) -> None:
    double.faults.answer(500)
    ask(double, "key-1")
    ask(double)
    assert [("POST", SESSIONS, "key-1"), ("POST", SESSIONS, None)] == [
        (seen.method, seen.path, seen.idempotency_key) for seen in double.faults.seen
    ]


def test_dates_and_stamps_are_the_machines_unless_they_are_set_wrong(
    double: StripeDouble, make_session: MakeSession, receiver: Receiver, clock: StandingClock
) -> None:
    def ahead() -> float:
        answers = ask(double).headers.get_list("date")
        assert 1 == len(answers)
        return (parsedate_to_datetime(answers[0]) - datetime.now(UTC)).total_seconds()

    clock.advance(days=3)  # the world's clock is another matter
    assert abs(ahead()) < 5
    double.faults.clock_ahead = timedelta(minutes=10)
    assert 595 < ahead() < 605
    double.webhooks.register(receiver.url, "whsec_test")
    double.expire(make_session().id)
    double.webhooks.drain()
    stamp = int(receiver.received[0].signature.partition(",")[0].removeprefix("t="))
    assert 595 < stamp - datetime.now(UTC).timestamp() < 605
