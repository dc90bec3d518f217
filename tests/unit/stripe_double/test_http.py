"""What the API does around its operations: keys, ids of requests, idempotency, faults, limits."""

import threading
from datetime import timedelta

import httpx
import pytest
import stripe

from app.demo.stripe.double import StripeDouble
from app.demo.stripe.server import running
from tests.unit.stripe_double.around import MakeSession, StandingClock, line, plain, session_params


@pytest.fixture
def paid(make_session: MakeSession, double: StripeDouble) -> str:
    """The payment intent of a session that was paid."""
    return str(double.pay(make_session().id)["payment_intent"])


def headers_of(it: stripe.StripeObject) -> dict[str, str]:
    assert it.last_response is not None
    assert it.last_response.headers is not None
    return {name.lower(): value for name, value in it.last_response.headers.items()}


def test_the_balance_answers_as_a_ping(client: stripe.StripeClient) -> None:
    balance = client.v1.balance.retrieve(options={"stripe_account": "acct_1"})
    headers = headers_of(balance)
    assert balance.livemode is False
    assert headers["request-id"].startswith("req_")
    assert (headers["stripe-account"], headers["stripe-version"]) == ("acct_1", "2026-08-26.dahlia")


def test_a_wrong_key_is_refused(still_double: StripeDouble) -> None:
    http = stripe.RequestsClient()
    client = stripe.StripeClient("sk_test_other", base_addresses={"api": still_double.base_url}, http_client=http)
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key"):
        client.v1.balance.retrieve()
    http.close()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer", 401),
        ("Bearer sk_test_simulatedx", 401),
        ("Basic c2tfdGVzdF9zaW11bGF0ZWQ6", 200),
        ("Basic not-base64!", 401),
        ("Digest sk_test_simulated", 401),
        ("bearer sk_test_simulated", 200),
    ],
)
def test_a_key_comes_as_bearer_or_basic(still_double: StripeDouble, authorization: str | None, status: int) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = httpx.get(f"{still_double.base_url}/v1/balance", headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/refunds"),
        ("GET", "/v1/charges/"),
        ("POST", "/v1/charges/a/b"),
        ("GET", "/"),
        ("GET", "/v1/charges/%2e%2e"),
        ("GET", "/v1/charges/%00"),
    ],
)
def test_what_is_not_there_is_not_found(still_double: StripeDouble, method: str, path: str) -> None:
    answer = httpx.request(
        method, still_double.base_url + path, headers={"Authorization": f"Bearer {still_double.api_key}"}
    )
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"\xff", 400), (b"a=%ff", 400), (b"a[b=1", 400), (b"x" * 1_100_000, 413), (b'{"mode": "payment"}', 400)],
)
def test_a_body_that_cannot_be_read_is_refused(still_double: StripeDouble, body: bytes, status: int) -> None:
    answer = httpx.post(
        f"{still_double.base_url}/v1/checkout/sessions",
        content=body,
        headers={"Authorization": f"Bearer {still_double.api_key}"},
    )
    assert answer.status_code == status


def test_the_same_key_and_parameters_give_the_same_answer(
    client: stripe.StripeClient, double: StripeDouble, paid: str
) -> None:
    first, again = (
        client.v1.refunds.create({"payment_intent": paid, "amount": 5}, options={"idempotency_key": "k"})
        for _ in range(2)
    )
    assert plain(again) == plain(first)
    assert "idempotent-replayed" not in headers_of(first)
    assert headers_of(again)["idempotent-replayed"] == "true"
    assert headers_of(again)["original-request"] == headers_of(first)["request-id"]
    assert headers_of(again)["request-id"] != headers_of(first)["request-id"]
    assert double.charge_of(paid)["amount_refunded"] == 5


def test_the_same_key_with_other_parameters_is_refused(
    client: stripe.StripeClient, double: StripeDouble, paid: str
) -> None:
    client.v1.refunds.create({"payment_intent": paid, "amount": 5}, options={"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError) as refused:
        client.v1.refunds.create({"payment_intent": paid, "amount": 6}, options={"idempotency_key": "k"})
    assert refused.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(session_params(), options={"idempotency_key": "k"})
    assert double.charge_of(paid)["amount_refunded"] == 5


def test_a_key_is_forgotten_after_a_day_and_belongs_to_an_account(
    client: stripe.StripeClient, clock: StandingClock
) -> None:
    def make(account: str | None = None) -> str:
        options: stripe.RequestOptions = {"idempotency_key": "k"}
        if account:
            options["stripe_account"] = account
        return client.v1.checkout.sessions.create(session_params(), options=options).id

    first = make()
    assert make("acct_1") != first
    clock.at += timedelta(hours=24) - timedelta(microseconds=1)
    assert make() == first
    clock.at += timedelta(microseconds=1)
    assert make() != first


def test_a_refusal_by_the_operation_is_kept_but_one_of_the_parameters_is_not(
    client: stripe.StripeClient, paid: str
) -> None:
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError, match="greater than") as refused:
            client.v1.refunds.create({"payment_intent": paid, "amount": 9999}, options={"idempotency_key": "k"})
    assert refused.value.headers is not None
    assert refused.value.headers["Idempotent-Replayed"] == "true"
    unknown = {"colour": "red"}
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create(unknown, options={"idempotency_key": "l"})  # type: ignore[arg-type]
    assert "Idempotent-Replayed" not in (refused.value.headers or {})
    assert client.v1.refunds.create({"payment_intent": paid}, options={"idempotency_key": "l"}).amount == 1999


def test_a_key_has_at_most_255_characters(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(session_params(), options={"idempotency_key": "k" * 256})
    assert client.v1.checkout.sessions.create(session_params(), options={"idempotency_key": "k" * 255})


def test_a_fault_is_a_500_and_is_given_again_under_its_key(
    client: stripe.StripeClient, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.broken = 2  # the first look at the clock is for the key, the second by the operation
    for replayed in (False, True):
        with pytest.raises(stripe.APIError) as fault:
            client.v1.checkout.sessions.create(session_params(), options={"idempotency_key": "k"})
        assert fault.value.http_status == 500
        assert ("Idempotent-Replayed" in (fault.value.headers or {})) is replayed
    assert "the simulated Stripe failed" in caplog.text
    assert client.v1.checkout.sessions.create(session_params(), options={"idempotency_key": "l"})


def test_a_key_that_is_in_flight_is_refused(
    client: stripe.StripeClient, clock: StandingClock, double: StripeDouble
) -> None:
    session = client.v1.checkout.sessions.create(session_params())
    made: list[str] = []

    def create() -> None:
        http = stripe.RequestsClient(timeout=10)
        other = stripe.StripeClient(double.api_key, base_addresses={"api": double.base_url}, http_client=http)
        made.append(other.v1.checkout.sessions.expire(session.id, options={"idempotency_key": "k"}).id)
        http.close()  # type: ignore[no-untyped-call]

    clock.stops_after = 1  # it stands in the operation, after the key was taken
    thread = threading.Thread(target=create)
    thread.start()
    assert clock.waiting.wait(5)
    with pytest.raises(stripe.APIError) as refused:
        client.v1.checkout.sessions.expire(session.id, options={"idempotency_key": "k"})
    assert refused.value.http_status == 409
    assert '"idempotency_key_in_use"' in str(refused.value.http_body)
    clock.gate.set()
    thread.join()
    assert made == [session.id]
    again = client.v1.checkout.sessions.expire(session.id, options={"idempotency_key": "k"})
    assert headers_of(again)["idempotent-replayed"] == "true"


def test_one_key_used_at_once_acts_once(double: StripeDouble, paid: str) -> None:
    statuses: list[int] = []

    def refund() -> None:
        answer = httpx.post(
            f"{double.base_url}/v1/refunds",
            data={"payment_intent": paid, "amount": "5"},
            headers={"Authorization": f"Bearer {double.api_key}", "Idempotency-Key": "k"},
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=refund) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert double.charge_of(paid)["amount_refunded"] == 5


def test_two_doubles_know_nothing_of_each_other(double: StripeDouble, make_session: MakeSession) -> None:
    session = make_session()
    other = StripeDouble()
    with running(other) as url:
        headers = {"Authorization": f"Bearer {other.api_key}"}
        assert httpx.get(f"{url}/v1/checkout/sessions/{session.id}", headers=headers).status_code == 404
    assert other.events() == []


def test_without_stripes_document_a_smaller_list_is_the_measure() -> None:
    double = StripeDouble()
    http = stripe.RequestsClient()
    with running(double, public_url="http://pay.localhost:1/") as url:
        client = stripe.StripeClient(double.api_key, base_addresses={"api": url}, http_client=http)
        session = client.v1.checkout.sessions.create(session_params(line_items=[line(1500, "jpy")]))
        assert session.url == f"http://pay.localhost:1/pay/{session.id}"
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.checkout.sessions.create(session_params(consent_collection={"promotions": "auto"}))
        assert refused.value.code == "parameter_unknown"
    http.close()  # type: ignore[no-untyped-call]


def test_a_port_that_is_taken_is_an_error(double: StripeDouble) -> None:
    other = StripeDouble()
    with pytest.raises(OSError, match="in use"), running(other, port=int(double.base_url.rpartition(":")[2])):
        pass
    other.close()
