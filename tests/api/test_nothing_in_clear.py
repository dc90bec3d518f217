"""After a day on which everything happened, nothing of what people's machines and banks say of them stands anywhere:
no address, no agent, no mail, no card, and no token or key with which one could act as somebody."""

import json
import logging
import re
import time
from collections.abc import Callable

import pytest

from app.demo.stripe.methods import card_of
from app.kernel.ids import merchant_of
from tests.db.forgetting import everything
from tests.other_shops import OtherShop, shopify_order, shopify_refund
from tests.shop import BROWSER, Shopper, TestMerchant, ok
from tests.till import Till

ADDRESS, OTHER_ADDRESS = "93.184.216.77", "2606:2800:77:1:2:3:4:5"
AGENT = BROWSER.replace("X11", "OddMachine 77") + " Peculiar/7.7"
MAIL = "Somebody.Peculiar@example.org"
PHONE = "+33 6 77 77 77 77"
REFERRER = "https://mail.example.org/inbox/secret-thread-77"
ODD = {
    "User-Agent": AGENT,
    "X-Forwarded-For": f"{OTHER_ADDRESS}, {ADDRESS}, 127.0.0.1",
    "Forwarded": f'for="[{OTHER_ADDRESS}]"',
    "Referer": REFERRER,
}
TOKENS = re.compile(r"vt_vis_[0-9a-z]{30}\.|\b[sr]k_[0-9A-Za-z]{30,}|whsec_[0-9A-Za-z+/]{20,}")
"""What lets its holder act: a visitor's token, a key, an endpoint's secret."""


HAPPENED = {
    *("referrals", "visits", "visit_claims", "identities", "beacons", "checkouts", "orders", "shop_orders"),
    *("stripe_events", "credit_lines", "idempotency_answers", "webhook_endpoints", "webhook_deliveries"),
}
"""Tables in which that day must have left something."""


def odd(merchant: TestMerchant) -> Shopper:
    """A browser with an agent and an address of its own."""
    shopper = merchant.shopper()
    shopper.http.headers.update(ODD)
    return shopper


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that any part of the server said, as the test left it."""
    caplog.set_level(logging.DEBUG, logger="app")
    caplog.set_level(logging.DEBUG, logger="uvicorn")
    return lambda: "\n".join(record.getMessage() for record in caplog.records)


def test_after_a_day_of_everything_nobody_is_in_clear_in_the_database_or_the_logs(
    till: Till, seller: TestMerchant, logged: Callable[[], str]
) -> None:
    secrets = [seller.secret_key, seller.report_key]
    hook = ok(seller.http.post("/v1/webhook-endpoints", json={"url": "https://crm.example.com/", "types": ["*"]}), 201)
    secrets.append(hook["secret"])
    product = ok(
        seller.http.post(
            "/v1/products", json={"title": "Mug", "variants": [{"price": {"amount": 2000, "currency": "eur"}}]}
        ),
        201,
    )
    wall = seller.wall(product["id"])
    ana, bo = odd(seller), odd(seller)
    again = {"Idempotency-Key": "the-same-again-77"}
    ana.http.post("/v1/likes", json={"product": product["id"]}, headers=again)
    ana.like(product["id"], wall=wall["id"])
    code = ana.share(product["id"], caption="Look", name="Ana")["code"]
    bo.follow(code)
    bo.share(product["id"], network="mastodon")
    secrets += [who.token for who in (ana, bo) if who.token is not None]
    seen = [{"type": "wall_view", "wall": wall["id"], "visitor": bo.token}]
    assert 1 == ok(bo.http.post("/v1/beacons", content=json.dumps(seen)), 202)["kept"]
    body = {"items": [{"variant": product["variants"][0]["id"], "quantity": 1}], "click": bo.click}
    opened = ok(bo.http.post("/v1/checkouts", json=body, headers=bo.headers | again), 201)
    session = opened["url"].rpartition("/")[2]
    till.double.pay(session, MAIL)
    till.tell_all(session)
    till.refund(session, 500)
    till.tell_all(session)
    customer = {"email": MAIL, "phone": PHONE, "first_name": "Peculiar", "last_name": "Somebody"}
    machine = {"browser_ip": ADDRESS, "user_agent": AGENT}
    sold = shopify_order(
        email=MAIL, contact_email=MAIL, phone=PHONE, customer=customer, browser_ip=ADDRESS, client_details=machine
    )
    shopify = OtherShop(seller, "shopify")
    shopify.tell("orders/paid", sold)
    shopify.tell("refunds/create", shopify_refund())
    seller.order(3000, customer=MAIL, visitor=bo.token)
    seller.order(2000, mail=MAIL)
    sale = {"external_id": "b77", "placed_at": seller.clock.now().isoformat(), "currency": "eur", "net": 1}
    ok(seller.http.post("/v1/orders/bulk", json={"orders": [{**sale, "mail": MAIL}, {**sale, "mail": [MAIL]}]}))
    assert 422 == seller.http.post("/v1/orders", json={**sale, "mail": [MAIL]}).status_code
    early = ok(bo.http.post("/v1/checkouts", json=body, headers=bo.headers), 201)["url"].rpartition("/")[2]
    till.double.pay(early, MAIL)
    till.tell(till.told_once(early)["charge.succeeded"])  # it waits for its sale
    ok(seller.http.put(f"/v1/identities/{bo.id}", json={"person": "customer-77"}))
    bo.http.get("/v1/me/data", headers=bo.headers)
    bo.http.get("/r/nothing77x", headers=ODD)
    time.sleep(0.5)  # what goes on behind the answers

    odd_words = (
        ADDRESS,
        OTHER_ADDRESS,
        "OddMachine",
        "Peculiar",
        MAIL,
        MAIL.lower(),
        PHONE,
        "secret-thread-77",
        "4242424242",
        card_of(MAIL).fingerprint,
    )
    words = [*odd_words, *filter(None, secrets)]
    number = merchant_of(seller.id, "mer")
    day = list(everything(till.database, number))
    assert {table for table, *_ in day} >= HAPPENED
    hashed = {column for table, column, _ in day if table == "orders" and column.endswith("_hash")}
    assert {"customer_hash", "mail_hash", "card_hash"} == hashed
    assert {table for table, column, _ in day if column == "device"} == {"referrals", "visits", "checkouts", "orders"}
    kept = {(table, column) for table, column, said in day if _says(said, words)}
    assert set() == kept
    assert not _says(logged(), words), logged()


def _says(text: str, words: list[str]) -> bool:
    return any(word in text for word in words) or TOKENS.search(text) is not None
