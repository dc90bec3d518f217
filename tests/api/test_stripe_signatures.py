"""Messages that are not Stripe's, or not ours, over HTTP: nothing changes."""

import json
import time

import httpx
import pytest

from app.demo.stripe.webhooks import signature
from app.orders.stripe_models import StripeEvent, StripeObject
from tests.conftest import WEBHOOK_SECRET, AppServer
from tests.shop import JSON, TestMerchant
from tests.till import OTHER_SECRET, Till, invented_session, variant


def test_a_message_that_is_not_stripes_is_refused_and_changes_nothing(till: Till, seller: TestMerchant) -> None:
    checkout = till.checkout(variant(seller))
    till.double.pay(checkout["session"])
    event = next(each for each in till.told(checkout["session"]) if each["type"] == "checkout.session.completed")
    payload = till.double.message(event["id"]).payload
    address = f"{till.url}/v1/stripe/webhook"

    answers = [
        till.post(payload, secret="whsec_forged"),
        till.post(payload, age=301),
        httpx.post(address, content=payload),
        httpx.post(address, content=payload, headers={"Stripe-Signature": ""}),
        httpx.post(address, content=payload, headers={"Stripe-Signature": "t=now,v1=00"}),
        httpx.post(address, content=payload, headers=[(b"Stripe-Signature", b"t=1,v1=\xe9")]),
        httpx.post(address, content=b"\xff\xfe", headers={"Stripe-Signature": "t=1,v1=00"}),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(400, "bad_signature")] * 7
    assert all(answer.headers["content-type"] == "application/problem+json" for answer in answers)
    assert (till.status(checkout), till.orders(seller)) == ("open", [])
    with till.database.reading() as session:
        assert session.get(StripeEvent, event["id"]) is None


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not json",
        b"[]",
        b"1",
        b"null",
        b"{}",
        b'{"object": "event"}',
        b'{"object": "event", "id": "evt_1", "type": "x", "created": 1}',
        b'{"object": "event", "id": "evt_1", "type": "x", "created": true, "data": {"object": {}}}',
        b'{"object": "event", "id": "evt_\\u0000", "type": "x", "created": 1, "data": {"object": {}}}',
        b'{"object": "v2.core.event", "id": "evt_1", "type": "x", "created": 1, "data": {"object": {}}}',
        b"[" * 100_000,
    ],
)
def test_what_is_signed_but_no_event_is_refused(till: Till, payload: bytes) -> None:
    answer = till.post(payload)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_body_above_its_limit_is_refused(till: Till) -> None:
    assert till.post(b" " * (1024 * 1024 + 1)).status_code == 413


def test_either_secret_is_good_while_one_is_rotated(till: Till) -> None:
    subject: JSON = {"id": "cus_1", "object": "customer", "email": "ana@example.com"}

    assert till.invent("customer.created", subject, id="evt_rotated", secrets=[OTHER_SECRET]) == 200
    with till.database.reading() as session:
        kept = session.get_one(StripeEvent, "evt_rotated")
    assert kept.applied_at is not None
    assert "ana@example.com" not in json.dumps(kept.body)


@pytest.mark.parametrize("caught", ["t={old},t={new}", "t=+{old},t={new}", "t={new},t={old}", "t= {old},t={new}"])
def test_a_caught_message_does_not_become_new_by_a_second_stamp(till: Till, caught: str) -> None:
    payload = b'{"object": "event", "id": "evt_caught", "type": "x", "created": 1, "data": {"object": {}}}'
    old, new = int(time.time()) - 4000, int(time.time())
    mark = signature(payload, [WEBHOOK_SECRET], old).partition(",")[2]

    header = caught.format(old=old, new=new) + "," + mark
    answer = httpx.post(f"{till.url}/v1/stripe/webhook", content=payload, headers={"Stripe-Signature": header})

    assert (400, "bad_signature") == (answer.status_code, answer.json()["code"])


def test_somebody_elses_session_is_kept_and_ignored(till: Till, seller: TestMerchant) -> None:
    own = {"gv_merchant": seller.id, "gv_checkout": f"chk_{seller.id[4:]}"}
    sessions: list[tuple[JSON, JSON]] = [
        (invented_session(), {}),
        (invented_session(metadata={"order": "17"}), {}),
        (invented_session(metadata=None, currency="zzz"), {}),
        (invented_session(mode="setup", currency=None, amount_total=None, metadata=own), {}),
        (invented_session(metadata={**own, "gv_merchant": "mer_" + "0" * 30}), {}),
        (invented_session(metadata={**own, "gv_checkout": "chk_" + "0" * 30}), {}),
        # written by whoever sells through another connected account
        (invented_session(metadata=own), {"account": "acct_other"}),
    ]
    for number, (subject, fields) in enumerate(sessions):
        name = f"evt_foreign_{number}_{seller.id}"
        assert till.invent("checkout.session.completed", subject, id=name, **fields) == 200
        with till.database.reading() as session:
            assert session.get_one(StripeEvent, name).applied_at is not None

    assert till.orders(seller) == []


def test_a_refund_of_somebody_elses_payment_waits_and_harms_nobody(till: Till) -> None:
    refund = {"id": "re_foreign", "object": "refund", "payment_intent": "pi_foreign", "amount": 5, "currency": "zzz"}

    assert till.invent("refund.created", refund, id="evt_refund_foreign") == 200
    assert till.invent("charge.refunded", {"payment_intent": "pi_foreign"}, id="evt_charge_foreign") == 200

    with till.database.reading() as session:
        assert session.get_one(StripeEvent, "evt_refund_foreign").applied_at is None
        assert session.get_one(StripeObject, "pi_foreign").merchant_id is None


def test_a_refund_that_makes_no_sense_does_not_hold_back_its_sale_and_is_refused_after_it(
    till: Till, seller: TestMerchant
) -> None:
    checkout = till.checkout(variant(seller))
    till.double.pay(checkout["session"])
    payment = str(till.session(checkout["session"])["payment_intent"])
    refund = {"id": "re_odd", "object": "refund", "payment_intent": payment, "amount": -5, "currency": "eur"}

    assert till.invent("refund.created", refund, id="evt_before" + checkout["id"]) == 200
    till.tell_all(checkout["session"])

    assert [0] == [order["refunded"] for order in till.orders(seller)]
    assert till.invent("refund.created", refund, id="evt_after" + checkout["id"]) == 400


def test_a_message_of_ours_that_makes_no_sense_is_refused_so_that_stripe_tells_of_it(
    till: Till, seller: TestMerchant
) -> None:
    checkout = till.checkout(variant(seller))
    metadata = till.session(checkout["session"])["metadata"]

    subject = invented_session(id=checkout["session"], amount_total=-1, metadata=metadata)
    assert till.invent("checkout.session.completed", subject, id="evt_odd" + checkout["id"]) == 400

    with till.database.reading() as session:
        assert session.get(StripeEvent, "evt_odd" + checkout["id"]) is None
    assert till.orders(seller) == []


def test_where_no_secret_is_set_messages_are_refused_for_now(app_server: AppServer) -> None:
    answer = httpx.post(f"{app_server.url}/v1/stripe/webhook", content=b"{}")

    assert (answer.status_code, answer.json()["code"]) == (503, "checkout_unavailable")
    assert answer.headers["retry-after"].isdecimal()
