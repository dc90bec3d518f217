"""Stripe's messages, over HTTP: late, twice, in any order, at the same moment."""

import threading
from itertools import permutations

import pytest
from sqlalchemy import delete

from app.orders.models import Checkout
from app.orders.stripe_models import StripeObject
from tests.shop import JSON, TestMerchant
from tests.till import Till, invented_session, variant


def test_a_paid_checkout_is_credited_to_the_friend_and_network_that_brought_it(
    till: Till, seller: TestMerchant
) -> None:
    product = seller.product(price=1999)
    ana, bo = seller.shopper(), seller.shopper()
    share = ana.share(product["id"], "whatsapp")
    till.clock.move(minutes=5)
    click = bo.follow(share["code"])
    till.clock.move(minutes=5)

    checkout = till.checkout(product["variants"][0]["id"], 2, click=click)
    till.double.pay(checkout["session"])
    till.tell_all(checkout["session"])

    (order,) = till.orders(seller)
    assert tuple(order[name] for name in ("gross", "net", "currency", "source", "test")) == (
        3998,
        3998,
        "eur",
        "stripe",
        True,
    )
    assert [(line["title"], line["quantity"], line["amount"]) for line in order["lines"]] == [("Mug", 2, 3998)]
    assert (click, bo.id) == (order["click_id"], order["visitor"])
    assert [(3998, "whatsapp", ana.id)] == [
        (line["net"], line["network"], line["sharer"]) for line in seller.explanation(order["id"])["lines"]
    ]
    assert till.status(checkout) == "paid"


def test_the_same_messages_five_times_make_one_order_and_one_refund(till: Till, seller: TestMerchant) -> None:
    checkout = till.checkout(variant(seller))
    session = till.double.pay(checkout["session"])
    till.double.refund(str(session["payment_intent"]), 500)

    for _ in range(5):
        till.tell_all(checkout["session"])

    (order,) = till.orders(seller)
    assert [(refund["amount"], refund["dropped_at"]) for refund in order["refunds"]] == [(500, None)]


def test_the_books_are_the_same_for_every_order_of_arrival(till: Till, seller: TestMerchant) -> None:
    mug = variant(seller)
    wanted = (
        ("checkout.session.completed", 0),
        ("checkout.session.async_payment_succeeded", 0),
        ("refund.created", 0),
        ("refund.created", 1),
    )
    for order in permutations(range(4)):
        checkout = till.checkout(mug)
        till.double.pay_later(checkout["session"])
        session = till.double.settle(checkout["session"], succeeded=True)
        till.double.refund(str(session["payment_intent"]), 700)
        till.double.refund(str(session["payment_intent"]))
        told = till.told(checkout["session"])
        events = [[event for event in told if event["type"] == kind][number] for kind, number in wanted]

        till.tell(*(events[place] for place in order))
        till.tell(*told)

        (booked,) = [each for each in till.orders(seller) if each["external_id"] == checkout["session"]]
        assert (
            booked["net"],
            booked["refunded"],
            sorted(refund["amount"] for refund in booked["refunds"]),
        ) == (2000, 2000, [700, 1300]), order
        assert till.status(checkout) == "paid", order


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_refund_that_fails_gives_back_whenever_that_is_heard(
    till: Till, seller: TestMerchant, order: tuple[int, ...]
) -> None:
    checkout = till.checkout(variant(seller))
    session = till.double.pay(checkout["session"])
    refund = till.double.refund(str(session["payment_intent"]), 500, pending=True)
    till.double.complete_refund(str(refund["id"]))
    till.double.fail_refund(str(refund["id"]))
    kinds = ("checkout.session.completed", "refund.created", "refund.updated", "refund.failed")
    told = till.told(checkout["session"])
    events = [next(event for event in told if event["type"] == kind) for kind in kinds]

    till.tell(*(events[place] for place in order))

    (booked,) = till.orders(seller)
    assert booked["refunded"] == 0
    assert all(refund["dropped_at"] for refund in booked["refunds"])


def test_a_pending_refund_takes_back_at_once(till: Till, seller: TestMerchant) -> None:
    checkout = till.checkout(variant(seller))
    session = till.double.pay(checkout["session"])
    till.double.refund(str(session["payment_intent"]), 500, pending=True)

    till.tell_all(checkout["session"])

    assert [order["refunded"] for order in till.orders(seller)] == [500]


def test_a_sale_and_its_refund_that_come_at_the_same_moment_both_count(till: Till, seller: TestMerchant) -> None:
    mug = variant(seller)
    for _ in range(15):
        checkout = till.checkout(mug)
        session = till.double.pay(checkout["session"])
        till.double.refund(str(session["payment_intent"]), 800)
        till.double.refund(str(session["payment_intent"]), 1200)
        wanted = ("checkout.session.completed", "refund.created", "charge.refunded")
        events = [event for event in till.told(checkout["session"]) if event["type"] in wanted]
        together = threading.Barrier(len(events))

        def deliver(event: JSON, together: threading.Barrier = together) -> None:
            together.wait()
            till.tell(event)

        threads = [threading.Thread(target=deliver, args=(event,)) for event in events]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [order["refunded"] for order in till.orders(seller) if order["external_id"] == checkout["session"]] == [
            2000
        ]


def test_the_same_message_at_the_same_moment_counts_once(till: Till, seller: TestMerchant) -> None:
    checkout = till.checkout(variant(seller))
    till.double.pay(checkout["session"])
    (event,) = [each for each in till.told(checkout["session"]) if each["type"] == "checkout.session.completed"]

    threads = [threading.Thread(target=till.tell, args=(event,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [order["net"] for order in till.orders(seller)] == [2000]


def test_a_checkout_that_nobody_paid_expires_without_an_order(till: Till, seller: TestMerchant) -> None:
    checkout = till.checkout(variant(seller))
    till.double.expire(checkout["session"])

    till.tell_all(checkout["session"])

    assert (till.status(checkout), till.orders(seller)) == ("expired", [])


def test_a_payment_that_settles_later_is_an_order_only_then(till: Till, seller: TestMerchant) -> None:
    mug = variant(seller)
    arrives, fails = till.checkout(mug), till.checkout(mug)
    for checkout in (arrives, fails):
        till.double.pay_later(checkout["session"])
        till.tell_all(checkout["session"])
    assert (till.status(arrives), till.status(fails), till.orders(seller)) == ("paying", "paying", [])

    till.double.settle(arrives["session"], succeeded=True)
    till.double.settle(fails["session"], succeeded=False)
    for checkout in (arrives, fails):
        till.tell_all(checkout["session"])

    assert (till.status(arrives), till.status(fails)) == ("paid", "failed")
    assert [arrives["session"]] == [order["external_id"] for order in till.orders(seller)]


def test_a_sale_whose_checkout_was_lost_is_known_by_its_tags(till: Till, seller: TestMerchant) -> None:
    product = seller.product(price=2000)
    ana, bo = seller.shopper(), seller.shopper()
    click = bo.follow(ana.share(product["id"], "telegram")["code"])
    checkout = till.checkout(product["variants"][0]["id"], click=click, coupon="ANA10")
    with till.database.transaction() as session:
        session.execute(delete(Checkout).where(Checkout.checkout_id == checkout["id"]))
        session.execute(delete(StripeObject).where(StripeObject.checkout_id == checkout["id"]))

    till.double.pay(checkout["session"])
    till.tell_all(checkout["session"])

    (order,) = till.orders(seller)
    assert (2000, click, "ANA10", []) == (order["net"], order["click_id"], order["coupon"], order["lines"])
    assert [line["network"] for line in seller.explanation(order["id"])["lines"]] == ["telegram"]


def test_tax_and_shipping_are_paid_but_not_divided_and_refunds_take_their_part(
    till: Till, seller: TestMerchant
) -> None:
    checkout = till.checkout(variant(seller, 1000))
    totals = {"amount_discount": 0, "amount_tax": 210, "amount_shipping": 290}
    paid = invented_session(
        id=checkout["session"],
        payment_intent="pi_taxed" + checkout["id"],
        amount_total=1500,
        total_details=totals,
        metadata=till.session(checkout["session"])["metadata"],
        customer_details={"email": "ana@example.com", "name": "Ana"},
    )
    refund = {
        "object": "refund",
        "currency": "eur",
        "created": 5,
        "status": "succeeded",
        "payment_intent": paid["payment_intent"],
    }

    assert till.invent("checkout.session.completed", paid, id="evt_t1" + checkout["id"]) == 200
    parts = []
    for number, amount in enumerate((1, 500, 999)):
        subject = {**refund, "id": f"re_{number}_{checkout['id']}", "amount": amount}
        assert till.invent("refund.created", subject, id=f"evt_r{number}{checkout['id']}") == 200
        parts.append(till.orders(seller)[0]["refunded"])

    (order,) = till.orders(seller)
    assert (order["gross"], order["net"]) == (1500, 1000)
    assert parts == [1, 334, 1000]  # round(1 x 2/3), round(501 x 2/3), all
    kept = till.order_row(seller)
    assert kept.customer_hash is not None
    assert len(kept.customer_hash) == 64


def test_refunds_inside_an_older_charge_count_once(till: Till, seller: TestMerchant) -> None:
    checkout = till.checkout(variant(seller))
    session = till.double.pay(checkout["session"])
    refund = till.double.refund(str(session["payment_intent"]), 500)
    charge = {
        "id": "ch_old",
        "object": "charge",
        "currency": "eur",
        "payment_intent": session["payment_intent"],
        "refunds": {"object": "list", "data": [refund]},
    }

    assert till.invent("charge.refunded", charge, id="evt_old" + checkout["id"]) == 200
    till.tell_all(checkout["session"])

    assert [order["refunded"] for order in till.orders(seller)] == [500]


def test_a_refund_in_another_currency_is_left_out(till: Till, seller: TestMerchant) -> None:
    checkout = till.checkout(variant(seller))
    session = till.double.pay(checkout["session"])
    till.tell_all(checkout["session"])
    refund = {"id": "re_usd", "amount": 5, "currency": "usd", "created": 1, "payment_intent": session["payment_intent"]}

    assert till.invent("refund.created", refund, id="evt_usd" + checkout["id"]) == 200

    assert [0] == [order["refunded"] for order in till.orders(seller)]


def test_a_free_checkout_is_an_order_of_nothing(till: Till, seller: TestMerchant) -> None:
    checkout = till.checkout(variant(seller, 0))
    till.double.pay(checkout["session"])

    till.tell_all(checkout["session"])

    assert [(order["gross"], order["net"]) for order in till.orders(seller)] == [(0, 0)]


def test_live_and_test_orders_are_kept_apart(till: Till, seller: TestMerchant) -> None:
    checkout = till.checkout(variant(seller))
    paid = invented_session(id=checkout["session"], payment_intent="pi_live" + checkout["id"], amount_total=2000)

    assert till.invent("checkout.session.completed", paid, id="evt_live" + checkout["id"], livemode=True) == 200

    assert [order["test"] for order in till.orders(seller)] == [False]
