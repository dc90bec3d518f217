"""Payments without Checkout's page: products and prices, payment intents, test cards, and the command line's way."""

from typing import cast

import httpx
import pytest
import stripe

from app.demo.stripe.double import StripeDouble
from tests.unit.stripe_double.around import MakeSession, StandingClock, plain

CARD = {"amount": 2000, "currency": "usd", "payment_method_types": ["card"], "confirm": True}


def types(double: StripeDouble) -> list[str]:
    return [str(event["type"]) for event in double.events()]


def pay(client: stripe.StripeClient, card: str, **more: object) -> stripe.PaymentIntent:
    params = {**CARD, "payment_method": f"pm_card_{card}", **more}
    return client.v1.payment_intents.create(params)  # type: ignore[arg-type]


def test_a_test_card_pays_at_once(client: stripe.StripeClient, double: StripeDouble) -> None:
    shipping = {"name": "Ana", "address": {"line1": "1 Street", "country": "DE"}}
    made = pay(client, "visa", shipping=shipping, metadata={"order": "7"}, description="A hat")
    assert ("succeeded", 2000, "A hat") == (made.status, made.amount_received, made.description)
    charge = double.charge_of(made.id)
    assert {"order": "7"} == charge["metadata"]
    assert made.shipping is not None
    assert plain(made.shipping) == charge["shipping"]
    assert ("Ana", "1 Street") == (made.shipping.name, made.shipping.address and made.shipping.address.line1)
    method = client.v1.payment_methods.retrieve(str(made.payment_method))
    assert method.card is not None
    assert ("visa", "4242") == (method.card.brand, method.card.last4)
    assert ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"] == types(double)


def test_a_declined_card_leaves_the_intent_to_be_paid(client: stripe.StripeClient, double: StripeDouble) -> None:
    with pytest.raises(stripe.CardError) as refused:
        pay(client, "chargeDeclined")
    assert (402, "card_declined") == (refused.value.http_status, refused.value.code)
    intent = str(cast(dict[str, dict[str, dict[str, str]]], double.events()[0])["data"]["object"]["id"])
    found = client.v1.payment_intents.retrieve(intent)
    assert found.last_payment_error is not None
    assert ("requires_payment_method", "card_declined") == (found.status, found.last_payment_error.code)
    assert "succeeded" == client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_mastercard"}).status
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        client.v1.payment_intents.cancel(intent)


def test_an_intent_is_made_first_and_paid_or_cancelled_later(client: stripe.StripeClient, double: StripeDouble) -> None:
    first = client.v1.payment_intents.create({"amount": 100, "currency": "eur"})
    assert "requires_payment_method" == first.status
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        client.v1.payment_intents.confirm(first.id)
    cancelled = client.v1.payment_intents.cancel(first.id, {"cancellation_reason": "abandoned"})
    assert ("canceled", "abandoned") == (cancelled.status, cancelled.cancellation_reason)
    second = client.v1.payment_intents.create({"amount": 100, "currency": "eur", "payment_method": "pm_card_amex"})
    assert "requires_confirmation" == second.status
    assert "succeeded" == client.v1.payment_intents.confirm(second.id).status
    assert "payment_intent.canceled" in types(double)


@pytest.mark.parametrize(
    ("card", "reason", "status"),
    [
        ("createDispute", "fraudulent", "needs_response"),
        ("createDisputeProductNotReceived", "product_not_received", "needs_response"),
        ("createDisputeInquiry", "fraudulent", "warning_needs_response"),
    ],
)
def test_some_test_cards_are_disputed(client: stripe.StripeClient, card: str, reason: str, status: str) -> None:
    made = pay(client, card)
    [dispute] = client.v1.disputes.list({"payment_intent": made.id})
    assert (reason, status, 2000) == (dispute.reason, dispute.status, dispute.amount)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 49}, "amount"),
        ({"amount": None}, "amount"),
        ({"currency": "xxx"}, "currency"),
        ({"payment_method": "pm_card_unheardOf"}, "payment_method"),
        ({"payment_method": "pm_none"}, "payment_method"),
        ({"payment_method_types": ["sepa_debit"]}, "payment_method_types"),
        ({"capture_method": "manual"}, "capture_method"),
    ],
)
def test_a_wrong_intent_is_refused_by_name(
    still_client: stripe.StripeClient, changes: dict[str, object], param: str
) -> None:
    whole = {**CARD, "payment_method": "pm_card_visa", **changes}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        still_client.v1.payment_intents.create({k: v for k, v in whole.items() if v is not None})  # type: ignore[arg-type]
    assert (400, param) == (refused.value.http_status, refused.value.param)


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, "type"),
        ({"type": "card", "card": {"token": "tok_unheardOf"}}, "card[token]"),
        ({"type": "card", "card": {"number": "4242424242424242", "exp_month": 1, "exp_year": 2040}}, "card[number]"),
        ({"type": "sepa_debit", "sepa_debit": {"iban": "DE02120300000000202051"}}, "sepa_debit[iban]"),
        ({"type": "paypal"}, "type"),
    ],
)
def test_only_test_means_of_payment_are_taken(
    still_client: stripe.StripeClient, params: dict[str, object], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        still_client.v1.payment_methods.create(params)  # type: ignore[arg-type]
    assert (400, param) == (refused.value.http_status, refused.value.param)


def test_an_intent_of_a_session_is_cancelled_with_its_session(
    client: stripe.StripeClient, double: StripeDouble, make_session: MakeSession
) -> None:
    session = make_session()
    intent = str(double.decline(session.id)["payment_intent"])
    with pytest.raises(stripe.InvalidRequestError, match="expire the session"):
        client.v1.payment_intents.cancel(intent)


def test_a_session_sells_what_is_in_the_catalogue(client: stripe.StripeClient, make_session: MakeSession) -> None:
    product = client.v1.products.create({"name": "Hat", "description": "Warm", "metadata": {"sku": "h"}})
    price = client.v1.prices.create({"product": product.id, "unit_amount": 1500, "currency": "EUR"})
    assert "eur" == client.v1.prices.retrieve(price.id).currency
    assert client.v1.products.retrieve(product.id).active
    session = make_session(
        line_items=[
            {"price": price.id, "quantity": 2},
            {"price_data": {"currency": "eur", "product": product.id, "unit_amount": 100}, "quantity": 1},
        ],
        expand=["line_items.data.price.product"],
    )
    assert 3100 == session.amount_total
    assert session.line_items is not None
    for item, active in zip(session.line_items.data, (True, False), strict=True):
        assert item.price is not None
        assert (active, product.id) == (item.price.active, cast(stripe.Product, item.price.product).id)


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"quantity": 1}, "line_items[0][price_data]"),
        ({"price": "price_none", "quantity": 1}, "line_items[0][price]"),
        ({"price": "p", "price_data": {"currency": "eur"}, "quantity": 1}, None),
        (
            {"price_data": {"currency": "eur", "product": "prod_none", "unit_amount": 1}, "quantity": 1},
            "line_items[0][price_data][product]",
        ),
    ],
)
def test_what_is_not_in_the_catalogue_is_refused(
    make_session: MakeSession, item: dict[str, object], param: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_session(line_items=[item])
    assert (400, param) == (refused.value.http_status, refused.value.param)


class Page:
    """The undocumented way in which Stripe's command line pays a session."""

    def __init__(self, double: StripeDouble, session: str) -> None:
        self._url = f"{double.base_url}/v1/payment_pages/{session}"
        self._headers = {"Authorization": f"Bearer {double.api_key}"}

    def seen(self) -> httpx.Response:
        return httpx.get(self._url, headers=self._headers)

    def confirm(self, method: str, amount: int) -> httpx.Response:
        form = {"payment_method": method, "expected_amount": str(amount)}
        return httpx.post(f"{self._url}/confirm", data=form, headers=self._headers)


def method(client: stripe.StripeClient, token: str | None = None, iban: str | None = None) -> str:
    kind: dict[str, object] = {"type": "sepa_debit", "sepa_debit": {"iban": iban}}
    if token is not None:
        kind = {"type": "card", "card": {"token": token}}
    owner = {"email": "jenny@example.com", "name": "Jenny", "address": {"line1": "354 Blvd", "country": "US"}}
    params: dict[str, object] = {**kind, "billing_details": owner}
    return client.v1.payment_methods.create(params).id  # type: ignore[arg-type]


def test_the_command_line_pays_a_session(
    client: stripe.StripeClient, double: StripeDouble, make_session: MakeSession
) -> None:
    session = make_session()
    page, card = Page(double, session.id), method(client, "tok_visa")
    assert session.id == page.seen().json()["id"]
    mismatch = page.confirm(card, 2000)
    assert (400, "checkout_amount_mismatch") == (mismatch.status_code, mismatch.json()["error"]["code"])
    assert 400 == page.confirm("pm_none", 1999).status_code
    declined = page.confirm(method(client, "tok_chargeDeclined"), 1999)
    assert (402, "open") == (declined.status_code, double.session(session.id)["status"])
    assert "paid" == page.confirm(card, 1999).json()["payment_status"]
    charge = double.charge_of(str(double.session(session.id)["payment_intent"]))
    assert "4242" in str(charge["payment_method_details"])
    assert 400 == page.confirm(card, 1999).status_code
    assert 404 == Page(double, "cs_test_none").seen().status_code


def test_the_command_line_pays_with_a_card_that_is_disputed(
    client: stripe.StripeClient, double: StripeDouble, make_session: MakeSession
) -> None:
    session = make_session()
    assert 200 == Page(double, session.id).confirm(method(client, "tok_createDispute"), 1999).status_code
    assert [1999] == [dispute.amount for dispute in client.v1.disputes.list()]


@pytest.mark.parametrize(
    ("iban", "event"),
    [
        ("AT611904300234573201", "checkout.session.async_payment_succeeded"),
        ("IT60X0542811101000000123456", "checkout.session.async_payment_failed"),
    ],
)
def test_a_debit_settles_after_a_while(
    client: stripe.StripeClient,
    double: StripeDouble,
    make_session: MakeSession,
    clock: StandingClock,
    iban: str,
    event: str,
) -> None:
    session = make_session(payment_method_types=["sepa_debit"])
    page = Page(double, session.id)
    wrong = page.confirm(method(client, "tok_visa"), 1999)
    assert (400, "payment_method") == (wrong.status_code, wrong.json()["error"]["param"])
    assert "unpaid" == page.confirm(method(client, iban=iban), 1999).json()["payment_status"]
    double.sweep()
    assert event not in types(double)
    clock.advance(seconds=5)
    double.sweep()
    assert event == types(double)[-1]
