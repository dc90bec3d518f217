"""The control page, as who tries the demonstration meets it."""

import httpx
import pytest

from app.demo.stripe.double import StripeDouble
from tests.unit.stripe_double.around import MakeSession, Receiver


def control(double: StripeDouble, do: str | None = None, **headers: str) -> httpx.Response:
    url = f"{double.base_url}/simulation"
    return httpx.get(url) if do is None else httpx.post(url, data={"do": do}, headers=headers)


def asked(double: StripeDouble, key: str = "key-1") -> int:
    """The status of a request to the API."""
    headers = {"Authorization": f"Bearer {double.api_key}", "Idempotency-Key": key}
    answer = httpx.post(f"{double.base_url}/v1/coupons", data={"percent_off": "10"}, headers=headers)
    return answer.status_code


@pytest.mark.parametrize(
    ("do", "statuses"),
    [
        ("error", [500, 200]),
        ("busy", [429, 200]),
        ("locked", [409, 200]),
        ("kept", [500, 500]),
        ("mend", [200, 200]),
    ],
)
def test_a_button_makes_the_next_request_fail(double: StripeDouble, do: str, statuses: list[int]) -> None:
    pressed = control(double, do)
    assert (303, "/simulation") == (pressed.status_code, pressed.headers["location"])
    assert ("All is well." in control(double).text) == (do == "mend")
    assert statuses == [asked(double), asked(double)]


@pytest.mark.parametrize("do", ["lose", "down"])
def test_the_line_breaks_until_it_is_mended(double: StripeDouble, do: str) -> None:
    control(double, do)
    with pytest.raises(httpx.RemoteProtocolError):
        asked(double)
    assert ("Stripe is down." in control(double).text) == (do == "down")
    control(double, "mend")
    assert 200 == asked(double)
    assert 1 == len(double.events("coupon.created"))


def test_webhooks_are_held_and_delivered(double: StripeDouble, receiver: Receiver) -> None:
    double.webhooks.register(receiver.url, "whsec_test")
    control(double, "hold")
    asked(double)
    assert "(1 waiting)" in control(double).text
    assert [] == receiver.received
    control(double, "release")
    double.webhooks.drain()
    assert ["coupon.created"] == receiver.types("whsec_test")


def test_payments_are_refunded_disputed_and_decided(double: StripeDouble, make_session: MakeSession) -> None:
    assert "Nobody has paid yet." in control(double).text
    intents = [str(double.pay(make_session().id)["payment_intent"]) for _ in range(3)]
    refunded, disputed, inquired = (str(double.charge_of(intent)["id"]) for intent in intents)
    assert "€19.99" in control(double).text
    control(double, f"refund:{refunded}")
    assert double.charge_of(intents[0])["refunded"]
    control(double, f"dispute:{disputed}")
    control(double, f"inquire:{inquired}")
    first, second = (str(_object(event)["id"]) for event in double.events("charge.dispute.created"))
    assert "warning_needs_response" in control(double).text
    control(double, f"win:{first}")
    control(double, f"escalate:{second}")
    control(double, f"lose_dispute:{second}")
    assert ["won", "lost"] == [_object(event)["status"] for event in double.events("charge.dispute.closed")]
    again = control(double, f"win:{first}")
    assert (422, True) == (again.status_code, "already closed" in again.text)


@pytest.mark.parametrize("do", ["", "destroy", "refund:", "refund:ch_none", "win:du_none", "pay:"])
def test_what_is_no_button_does_nothing(still_double: StripeDouble, do: str) -> None:
    answer = control(still_double, do)
    assert (422, True) == (answer.status_code, 'role="alert"' in answer.text)


def test_a_broken_form_does_nothing(still_double: StripeDouble) -> None:
    assert 422 == httpx.post(f"{still_double.base_url}/simulation", content=b"\xff").status_code


def test_no_other_sites_page_can_press_a_button(double: StripeDouble) -> None:
    assert 403 == control(double, "down", Origin="https://evil.example").status_code
    assert 403 == control(double, "down", **{"Origin": "null", "Sec-Fetch-Site": "cross-site"}).status_code
    assert 303 == control(double, "hold", **{"Origin": "null", "Sec-Fetch-Site": "same-origin"}).status_code
    assert 303 == control(double, "hold", Origin=double.base_url).status_code
    assert 200 == asked(double)


def _object(event: dict[str, object]) -> dict[str, object]:
    data = event["data"]
    assert isinstance(data, dict)
    return dict(data["object"])
