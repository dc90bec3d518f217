"""The pay page, as a browser without JavaScript meets it."""

import re

import httpx
import pytest

from app.demo.stripe.double import StripeDouble
from tests.unit.stripe_double.around import MakeSession, StandingClock, line

HOSTILE = '<script>alert("1")</script>'


def press(double: StripeDouble, session: str, action: str, email: str = "bo@example.com") -> httpx.Response:
    return httpx.post(f"{double.base_url}/pay/{session}", data={"action": action, "email": email})


def types(double: StripeDouble) -> list[object]:
    return [event["type"] for event in double.events()]


def test_the_page_says_what_it_is_and_what_it_costs(make_session: MakeSession, double: StripeDouble) -> None:
    session = make_session(
        locale="fr",
        line_items=[line(1999, quantity=2), line(123400, name="Bicycle", images=["https://shop.example/b.png"])],
    )
    page = httpx.get(str(session.url))
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "Simulated Stripe Checkout" in page.text
    assert "No money moves." in page.text
    words = re.sub(r"\s", " ", page.text)
    assert "39,98 €" in words
    assert "1 273,98 €" in words
    assert 'src="https://shop.example/b.png"' in page.text
    assert 'href="https://shop.example/cart"' in page.text
    assert '<label for="email">' in page.text
    assert "<script" not in page.text
    style = httpx.get(f"{double.base_url}/pay/pay.css")
    assert style.headers["content-type"].startswith("text/css")


def test_what_a_shop_sends_is_text_on_the_page(make_session: MakeSession) -> None:
    page = httpx.get(str(make_session(line_items=[line(name=HOSTILE, description=HOSTILE)]).url))
    assert "<script" not in page.text
    assert page.text.count("&lt;script&gt;") == 2


def test_the_buyer_pays_and_returns_to_the_shop(make_session: MakeSession, double: StripeDouble) -> None:
    session = make_session()
    answer = press(double, session.id, "pay", " bo@example.com ")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"https://shop.example/thanks?session={session.id}"
    details = double.session(session.id)["customer_details"]
    assert isinstance(details, dict)
    assert details["email"] == "bo@example.com"


def test_paying_twice_pays_once(make_session: MakeSession, double: StripeDouble) -> None:
    session = make_session()
    first, again = (press(double, session.id, "pay") for _ in range(2))
    assert first.headers["location"] == again.headers["location"]
    assert len(double.events("charge.succeeded")) == 1
    page = httpx.get(str(session.url))
    assert page.status_code == 200
    assert "already completed" in page.text


@pytest.mark.parametrize(
    ("action", "event", "word"),
    [
        ("pay_later", "checkout.session.async_payment_succeeded", "nothing left to pay"),
        ("pay_later_fails", "checkout.session.async_payment_failed", "did not arrive"),
    ],
)
def test_a_later_payment_settles_by_the_clock(
    make_session: MakeSession, double: StripeDouble, clock: StandingClock, action: str, event: str, word: str
) -> None:
    session = make_session()
    assert press(double, session.id, action).status_code == 303
    assert double.session(session.id)["payment_status"] == "unpaid"
    assert "on its way" in httpx.get(str(session.url)).text
    clock.advance(seconds=4)
    double.sweep()
    assert event not in types(double)
    clock.advance(seconds=1)
    double.sweep()
    double.sweep()
    assert types(double).count(event) == 1
    assert word in httpx.get(str(session.url)).text


def test_a_declined_card_may_be_tried_again(make_session: MakeSession, double: StripeDouble) -> None:
    session = make_session()
    declined = httpx.post(
        str(session.url), data={"action": "decline", "email": "bo@example.com"}, follow_redirects=True
    )
    assert "Your card was declined." in declined.text
    assert 'value="bo@example.com"' in declined.text
    assert press(double, session.id, "pay").status_code == 303
    assert double.session(session.id)["payment_status"] == "paid"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"action": "pay", "email": "nobody"}, 422),
        ({"action": "pay", "email": ""}, 422),
        ({"action": "pay", "email": '"><script>@x.yz'}, 422),
        ({"action": "pay"}, 422),
        ({"action": "steal", "email": "bo@example.com"}, 400),
        ({"email": "bo@example.com"}, 400),
        ({"action[a]": "pay", "email": "bo@example.com"}, 400),
        ({"action": "pay", "email[a]": "bo@example.com"}, 400),
        ({"action[": "pay"}, 400),
        ({}, 400),
    ],
)
def test_a_wrong_form_shows_the_page_again(
    make_session: MakeSession, double: StripeDouble, form: dict[str, str], status: int
) -> None:
    session = make_session()
    answer = httpx.post(str(session.url), data=form)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert "<script" not in answer.text
    assert double.events() == []


def test_an_address_that_the_shop_gave_is_kept(make_session: MakeSession, double: StripeDouble) -> None:
    session = make_session(customer_email="ana@example.com")
    assert "readonly" in httpx.get(str(session.url)).text
    httpx.post(str(session.url), data={"action": "pay", "email": "bo@example.com"})
    assert double.session(session.id)["customer_email"] == "ana@example.com"
    assert "ana@example.com" in str(double.session(session.id)["customer_details"])


def test_an_expired_session_cannot_be_paid(
    make_session: MakeSession, double: StripeDouble, clock: StandingClock
) -> None:
    session = make_session()
    clock.advance(hours=25)
    for answer in (press(double, session.id, "pay"), httpx.get(str(session.url))):
        assert answer.status_code == 410
        assert "expired" in answer.text
    assert types(double) == ["checkout.session.expired"]


def test_a_method_that_is_not_offered_is_not_shown_and_not_taken(
    make_session: MakeSession, double: StripeDouble
) -> None:
    session = make_session(payment_method_types=["card"], cancel_url=None)
    page = httpx.get(str(session.url))
    assert "pay_later" not in page.text
    assert "Cancel" not in page.text
    assert press(double, session.id, "pay_later").status_code == 400
    assert double.events() == []


def test_nothing_to_pay_is_completed_by_one_button(make_session: MakeSession, double: StripeDouble) -> None:
    session = make_session(line_items=[line(0)])
    assert "Complete order" in httpx.get(str(session.url)).text
    assert press(double, session.id, "decline").status_code == 400
    assert press(double, session.id, "pay").status_code == 303
    assert double.session(session.id)["payment_status"] == "no_payment_required"


def test_an_unknown_session_is_not_found(still_double: StripeDouble) -> None:
    assert httpx.get(f"{still_double.base_url}/pay/cs_test_unknown").status_code == 404
    assert press(still_double, "cs_test_unknown", "pay").status_code == 404
    too_large = httpx.post(f"{still_double.base_url}/pay/cs_test_unknown", content=b"x" * 1_100_000)
    assert too_large.status_code == 413
