"""Messages that somebody forged, caught, changed or sent twice: Stripe's, Shopify's, WooCommerce's. Whatever is tried,
nothing is sold, nothing given back, and nothing kept."""

import base64
import codecs
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import func, select

from app.orders.connectors.models import ShopOrder
from app.orders.stripe_models import StripeEvent
from tests.conftest import WEBHOOK_SECRET, AppServer
from tests.other_shops import OtherShop, shopify_order, signature, woocommerce_order
from tests.shop import JSON, TestMerchant, ok
from tests.till import Till, variant

NewMerchant = Callable[..., TestMerchant]
Headers = list[tuple[bytes, bytes]]
Forged = tuple[str, bytes, Headers]
"""What is tried, the body, the headers."""

PAID = {"shopify": ("orders/paid", shopify_order()), "woocommerce": ("order.updated", woocommerce_order())}
HEADERS = {
    "shopify": (b"X-Shopify-Hmac-Sha256", b"X-Shopify-Topic", b"X-Shopify-Webhook-Id"),
    "woocommerce": (b"X-WC-Webhook-Signature", b"X-WC-Webhook-Topic", b"X-WC-Webhook-Delivery-ID"),
}


def mark(payload: bytes, at: int | str, secret: str = WEBHOOK_SECRET) -> bytes:
    """Stripe's mark of a payload."""
    return hmac.digest(secret.encode(), f"{at}.".encode() + payload, hashlib.sha256)


def forged_for_stripe(payload: bytes) -> Iterator[Forged]:
    """A true payload of Stripe's, in every way but the right one."""
    now = int(time.time())
    good, other = mark(payload, now).hex(), mark(payload, now, "whsec_of_somebody_else").hex()

    def signed(text: str, *more: str) -> Headers:
        return [(b"Stripe-Signature", each.encode("latin-1")) for each in (text, *more)]

    changed = payload.replace(b'"amount_total"', b'"amount_total_"')
    assert changed != payload
    yield "without a signature", payload, []
    yield "another secret", payload, signed(f"t={now},v1={other}")
    yield "no secret", payload, signed(f"t={now},v1={mark(payload, now, '').hex()}")
    yield "an old stamp", payload, signed(f"t={now - 301},v1={mark(payload, now - 301).hex()}")
    yield "a new stamp on an old mark", payload, signed(f"t={now},v1={mark(payload, now - 301).hex()}")
    yield "no stamp", payload, signed(f"v1={good}")
    yield "no number as stamp", payload, signed(f"t=now,v1={mark(payload, 'now').hex()}")
    yield "a changed body", changed, signed(f"t={now},v1={good}")
    yield "a space more", payload + b" ", signed(f"t={now},v1={good}")
    yield "with a mark before it", codecs.BOM_UTF8 + payload, signed(f"t={now},v1={good}")
    yield "in another encoding", payload.decode().encode("utf-16"), signed(f"t={now},v1={good}")
    yield "no body", b"", signed(f"t={now},v1={good}")
    yield "base64 for hexadecimal", payload, signed(f"t={now},v1={base64.b64encode(mark(payload, now)).decode()}")
    yield "cut short", payload, signed(f"t={now},v1={good[:-1]}")
    yield "the test scheme", payload, signed(f"t={now},v0={good}")
    yield "the body's own hash", payload, signed(f"t={now},v1={hashlib.sha256(payload).hexdigest()}")
    yield "letters that are none", payload, signed(f"t={now},v1={good[:-1]}é")
    yield "a forged header before", payload, signed(f"t={now},v1={other}", f"t={now},v1={other}")
    yield "a shop's header", payload, [(b"X-Shopify-Hmac-Sha256", signature(payload, WEBHOOK_SECRET).encode())]


def test_what_is_forged_in_stripes_name_is_refused_and_kept_nowhere(till: Till, seller: TestMerchant) -> None:
    checkout = till.checkout(variant(seller))
    till.double.pay(checkout["session"])
    event = till.told_once(checkout["session"])["checkout.session.completed"]
    payload = till.double.message(event["id"]).payload
    address = f"{till.url}/v1/stripe/webhook"

    with httpx.Client(timeout=30) as http:
        for tried, body, headers in forged_for_stripe(payload):
            answer = http.post(address, content=body, headers=headers)
            assert (400, "bad_signature") == (answer.status_code, answer.json()["code"]), tried
        huge = http.post(address, content=payload + b" " * 8_000_000)
        assert (413, "too_large") == (huge.status_code, huge.json()["code"])

    assert (till.status(checkout), till.orders(seller)) == ("open", [])
    with till.database.reading() as session:
        assert session.get(StripeEvent, event["id"]) is None
    till.tell(event)  # and the true one is taken after all of these
    assert 1 == len(till.orders(seller))


def test_a_message_of_stripes_that_was_caught_and_is_sent_again_sells_nothing_more(
    till: Till, seller: TestMerchant
) -> None:
    checkout = till.checkout(variant(seller))
    till.double.pay(checkout["session"])
    event = till.told_once(checkout["session"])["checkout.session.completed"]
    payload = till.double.message(event["id"]).payload
    now = int(time.time())
    header = {"Stripe-Signature": f"t={now},v1={mark(payload, now).hex()}"}

    answers = [httpx.post(f"{till.url}/v1/stripe/webhook", content=payload, headers=header) for _ in range(3)]

    assert [200] * 3 == [answer.status_code for answer in answers]
    assert 1 == len(till.orders(seller))


@pytest.fixture(params=sorted(PAID))
def shop(request: pytest.FixtureRequest, merchant: TestMerchant) -> OtherShop:
    return OtherShop(merchant, request.param)


def forged_for(shop: OtherShop, others: str) -> Iterator[Forged]:
    """A true message of the shop's, in every way but the right one; `others` is another merchant's secret."""
    topic, order = PAID[shop.system]
    body = json.dumps(order).encode()
    good, digest = signature(body, shop.secret), hmac.digest(shop.secret.encode(), body, hashlib.sha256)

    def signed(*marks: str) -> Headers:
        name, topic_name, id_name = HEADERS[shop.system]
        known = [(topic_name, topic.encode()), (id_name, b"d-forged")]
        return [*((name, each.encode("latin-1")) for each in marks), *known]

    yield "without a signature", body, signed()
    yield "another merchant's secret", body, signed(signature(body, others))
    yield "no secret", body, signed(signature(body, ""))
    yield "a changed body", body.replace(b"113.05", b"913.05"), signed(good)
    yield "a line more", body + b"\n", signed(good)
    yield "with a mark before it", codecs.BOM_UTF8 + body, signed(good)
    yield "in another encoding", body.decode().encode("utf-16"), signed(good)
    yield "no body", b"", signed(good)
    yield "hexadecimal for base64", body, signed(digest.hex())
    yield "for addresses", body, signed(base64.urlsafe_b64encode(digest).decode().rstrip("="))
    yield "with padding more", body, signed(good + "=")
    yield "in small letters", body, signed(good.lower())
    yield "a forged header before", body, signed(signature(body, others), good)
    yield "both in one header", body, signed(f"{signature(body, others)}, {good}")
    other = next(system for system in HEADERS if system != shop.system)
    yield "the other system's header", body, [(HEADERS[other][0], good.encode()), *signed()]
    yield "Stripe's header", body, [(b"Stripe-Signature", f"t=1,v1={digest.hex()}".encode()), *signed()]


def kept(server: AppServer) -> int | None:
    with server.database.reading() as session:
        return session.scalar(select(func.count()).select_from(ShopOrder))


def test_what_is_forged_in_a_shops_name_is_refused_and_kept_nowhere(
    shop: OtherShop, new_merchant: NewMerchant, app_server: AppServer
) -> None:
    others = OtherShop(new_merchant(), shop.system, "shpss_of_the_others_77c9d94d").secret
    before, http = kept(app_server), shop.merchant.public

    for tried, body, headers in forged_for(shop, others):
        content = [(b"Content-Type", b"application/json"), *headers]
        answer = http.post(shop.url, content=body, headers=content)
        assert (400, "bad_signature") == (answer.status_code, answer.json()["code"]), tried

    assert ([], before) == (shop.orders(), kept(app_server))


def test_a_shops_message_that_was_caught_sells_nothing_more_and_nothing_for_another(
    shop: OtherShop, new_merchant: NewMerchant
) -> None:
    topic, order = PAID[shop.system]
    other = OtherShop(new_merchant(), shop.system, "shpss_of_the_others_77c9d94d")
    first: JSON = ok(shop.send(topic, order, delivery="d-caught"), 200)
    assert first["kept"]

    for delivery in ("d-caught", "d-under-another-name"):  # the name is not signed
        assert shop.send(topic, order, delivery=delivery).status_code == 200
    other.secret = shop.secret
    assert other.send(topic, order, delivery="d-caught").status_code == 400

    assert (1, []) == (len(shop.orders()), other.orders())
