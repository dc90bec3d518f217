"""Checkout sessions through the real library."""

import pytest
import stripe

from app.demo.stripe.double import StripeDouble
from tests.unit.stripe_double.around import MakeSession, StandingClock, line, plain

RATE = {"display_name": "Post", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "eur"}}


def test_a_new_session_is_open_and_has_a_page(make_session: MakeSession, double: StripeDouble) -> None:
    session = make_session(client_reference_id="ref_1-a", locale="fr", customer_email="bo@example.com")
    assert session.id.startswith("cs_test_")
    assert (
        session.status,
        session.payment_status,
        session.mode,
        session.livemode,
    ) == ("open", "unpaid", "payment", False)
    assert f"{double.base_url}/pay/{session.id}" == session.url
    assert (session.amount_subtotal, session.amount_total, session.currency) == (1999, 1999, "eur")
    assert session.payment_intent is None
    assert plain(session.metadata) == {"click": "clk_1"}
    assert session.client_reference_id == "ref_1-a"
    assert session.customer_details is not None
    assert session.customer_details.email == "bo@example.com"
    assert session.expires_at - session.created == 24 * 3600


def test_totals_tell_tax_and_shipping_apart(make_session: MakeSession) -> None:
    session = make_session(
        line_items=[line(1999, quantity=2), line(333)],
        automatic_tax={"enabled": True},
        shipping_options=[{"shipping_rate_data": RATE}],
    )
    assert session.total_details is not None
    assert session.amount_subtotal == 2 * 1999 + 333
    assert session.total_details.amount_tax == 800 + 67  # 20 % of each line, half a cent up
    assert session.total_details.amount_shipping == 500
    assert session.amount_total == 4331 + 867 + 500


@pytest.mark.parametrize(("currency", "amount"), [("jpy", 1500), ("kwd", 12340), ("eur", 1999), ("isk", 50000)])
def test_currencies_of_any_number_of_decimals_are_sold_in(
    make_session: MakeSession, double: StripeDouble, currency: str, amount: int
) -> None:
    session = make_session(line_items=[line(amount, currency)])
    assert (amount, currency) == (session.amount_total, session.currency)
    assert amount == double.charge_of(str(double.pay(session.id)["payment_intent"]))["amount"]


def test_lines_and_payment_are_given_when_expanded(
    make_session: MakeSession, client: stripe.StripeClient, double: StripeDouble
) -> None:
    session = make_session(line_items=[line(quantity=3, description="Green", images=["https://shop.example/a.png"])])
    double.pay(session.id)
    whole = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge", "line_items.data.price.product"]}
    )
    assert whole.line_items is not None
    item = whole.line_items.data[0]
    assert (item.description, item.quantity, item.amount_total) == ("T-shirt", 3, 5997)
    assert item.price is not None
    assert isinstance(item.price.product, stripe.Product)
    assert item.price.product.images == ["https://shop.example/a.png"]
    assert isinstance(whole.payment_intent, stripe.PaymentIntent)
    assert isinstance(whole.payment_intent.latest_charge, stripe.Charge)
    assert plain(whole.payment_intent.latest_charge.metadata) == {"click": "clk_1", "referral": "ref_1"}


def test_lines_are_paged(make_session: MakeSession, client: stripe.StripeClient) -> None:
    session = make_session(line_items=[line(100 + n, name=f"Shirt {n}") for n in range(25)], expand=["line_items"])
    assert session.line_items is not None
    assert (len(session.line_items.data), session.line_items.has_more) == (10, True)
    page = client.v1.checkout.sessions.line_items.list(session.id, {"limit": 10})
    assert [f"Shirt {n}" for n in range(25)] == [item.description for item in page.auto_paging_iter()]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"mode": None}, "mode"),
        ({"mode": "gift"}, "mode"),
        ({"mode": "subscription"}, "mode"),
        ({"line_items": None}, "line_items"),
        ({"success_url": None}, "success_url"),
        ({"success_url": "javascript:alert(1)"}, "success_url"),
        ({"success_url": "/thanks"}, "success_url"),
        ({"cancel_url": "https://shop.example/a b"}, "cancel_url"),
        ({"colour": "red"}, "colour"),
        ({"discounts": [{"coupon": "x"}]}, "discounts[0][coupon]"),
        ({"client_reference_id": "a b"}, "client_reference_id"),
        ({"client_reference_id": "a" * 201}, "client_reference_id"),
        ({"customer_email": "nobody"}, "customer_email"),
        ({"locale": "klingon"}, "locale"),
        ({"currency": "usd"}, "line_items"),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, "metadata"),
        ({"metadata": {"k" * 41: "v"}}, f"metadata[{'k' * 40}]"),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]"),
        ({"payment_intent_data": {"metadata": {"k": "v" * 501}}}, "payment_intent_data[metadata][k]"),
        ({"payment_intent_data": {"capture_method": "manual"}}, "payment_intent_data[capture_method]"),
        ({"line_items": [line(-1)]}, "line_items[0][price_data][unit_amount]"),
        ({"line_items": [line("ten")]}, "line_items[0][price_data][unit_amount]"),
        ({"line_items": [line(1999, "xxx")]}, "line_items[0][price_data][currency]"),
        ({"line_items": [line(1001, "kwd")]}, "line_items[0][price_data][unit_amount]"),
        ({"line_items": [line(quantity=0)]}, "line_items[0][quantity]"),
        ({"line_items": [line(quantity=None)]}, "line_items[0][quantity]"),
        ({"line_items": [line(images=["ftp://x"])]}, "line_items[0][price_data][product_data][images][0]"),
        ({"line_items": [{"price": "price_1", "quantity": 1}]}, "line_items[0][price]"),
        ({"line_items": [line(), line(1999, "usd")]}, "line_items"),
        ({"line_items": [line(49)]}, "line_items"),
        ({"line_items": [line(99_999_999, quantity=2)]}, "line_items"),
        ({"line_items": [line() for _ in range(101)]}, "line_items"),
        ({"expand": ["customer"]}, "expand"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    make_session: MakeSession, double: StripeDouble, changes: dict[str, object], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_session(**changes)
    assert (400, param) == (refused.value.http_status, refused.value.param)
    assert double.events() == []


@pytest.mark.parametrize(("seconds", "taken"), [(1799, False), (1800, True), (86400, True), (86401, False)])
def test_a_session_lives_from_half_an_hour_to_a_day(
    make_session: MakeSession, clock: StandingClock, seconds: int, taken: bool
) -> None:
    at = int(clock.at.timestamp()) + seconds
    if taken:
        assert at == make_session(expires_at=at).expires_at
    else:
        with pytest.raises(stripe.InvalidRequestError, match="expires_at"):
            make_session(expires_at=at)


def test_a_session_expires_by_the_clock(
    make_session: MakeSession, client: stripe.StripeClient, clock: StandingClock, double: StripeDouble
) -> None:
    session = make_session()
    clock.advance(hours=24)
    later = client.v1.checkout.sessions.retrieve(session.id)
    assert (later.status, later.url) == ("expired", None)
    assert [event["type"] for event in double.events()] == ["checkout.session.expired"]


def test_a_session_is_expired_once_by_request(make_session: MakeSession, client: stripe.StripeClient) -> None:
    session = make_session()
    assert client.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="status of expired"):
        client.v1.checkout.sessions.expire(session.id)


def test_sessions_are_listed_newest_first_and_by_payment(
    make_session: MakeSession, client: stripe.StripeClient, double: StripeDouble
) -> None:
    made = [make_session().id for _ in range(5)]
    listed = client.v1.checkout.sessions.list({"limit": 2})
    assert made[::-1] == [session.id for session in listed.auto_paging_iter()]
    before = client.v1.checkout.sessions.list({"limit": 2, "ending_before": made[0]})
    assert [made[2], made[1]] == [session.id for session in before.data]
    intent = str(double.pay(made[3])["payment_intent"])
    assert [made[3]] == [one.id for one in client.v1.checkout.sessions.list({"payment_intent": intent}).data]
    assert [made[3]] == [one.id for one in client.v1.checkout.sessions.list({"status": "complete"}).data]


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 101}, {"starting_after": "cs_test_no"}, {"customer": "cus_1"}]
)
def test_a_page_that_cannot_be_given_is_refused(still_client: stripe.StripeClient, params: dict[str, object]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        still_client.v1.checkout.sessions.list(params)  # type: ignore[arg-type]


def test_accounts_do_not_see_each_others_objects(client: stripe.StripeClient, make_session: MakeSession) -> None:
    session = make_session()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.retrieve(session.id, options={"stripe_account": "acct_1"})
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    assert client.v1.checkout.sessions.list(options={"stripe_account": "acct_1"}).data == []
