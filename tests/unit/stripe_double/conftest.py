"""What tests of the double of Stripe share: the served double, the real library against it, an endpoint."""

from collections.abc import Iterator

import pytest
import stripe

from app.demo.stripe.double import StripeDouble
from app.demo.stripe.parameters.document import StripeDocument, find_document
from app.demo.stripe.server import running
from app.demo.stripe.webhooks import Webhooks
from tests.unit.stripe_double.around import MakeSession, Receiver, StandingClock, session_params


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(scope="session")
def document() -> StripeDocument | None:
    place = find_document()
    return StripeDocument(place) if place else None


@pytest.fixture
def double(clock: StandingClock, document: StripeDocument | None) -> Iterator[StripeDouble]:
    webhooks = Webhooks(backoff=(0.01, 0.02, 0.04), timeout=2)
    double = StripeDouble(clock=clock, spec=document, webhooks=webhooks, sweeps_every=3600)
    with running(double):
        yield double
    assert double.violations == []


@pytest.fixture(scope="session")
def still_double(document: StripeDocument | None) -> Iterator[StripeDouble]:
    """A double for all tests in which nothing may happen."""
    double = StripeDouble(spec=document)
    with running(double):
        yield double
    assert double.events() == []
    assert double.violations == []


@pytest.fixture(scope="session")
def still_client(still_double: StripeDouble) -> Iterator[stripe.StripeClient]:
    http = stripe.RequestsClient(timeout=5)
    yield stripe.StripeClient(still_double.api_key, base_addresses={"api": still_double.base_url}, http_client=http)
    http.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def client(double: StripeDouble) -> Iterator[stripe.StripeClient]:
    http = stripe.RequestsClient(timeout=5)
    yield stripe.StripeClient(double.api_key, base_addresses={"api": double.base_url}, http_client=http)
    http.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def make_session(client: stripe.StripeClient) -> MakeSession:

    def make(**params: object) -> stripe.checkout.Session:
        return client.v1.checkout.sessions.create(session_params(**params))

    return make


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()
