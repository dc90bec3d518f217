"""The life of an order, over HTTP: whatever comes first, the end is the same (docs/orders.md)."""

from collections.abc import Iterator
from itertools import permutations

import pytest

from tests.shop import JSON, TestMerchant
from tests.soak import SOAK
from tests.till import Till, assert_credits_add_up, invented_session, taken, variant

COMPLETED, SUCCEEDED = ("checkout.session.completed",), ("checkout.session.async_payment_succeeded",)
REFUNDED, OPENED = ("refund.created",), ("charge.dispute.created", "charge.dispute.funds_withdrawn")
WON, LOST = ("charge.dispute.closed", "charge.dispute.funds_reinstated"), ("charge.dispute.closed",)


def arrivals(things: int, step: int) -> Iterator[tuple[int, ...]]:
    """Orders of arrival: all, or each `step`-th where there is no time (tests/db/test_stripe_ledger.py has all)."""
    orders = list(permutations(range(things)))
    return iter(orders if SOAK else orders[::step])


@pytest.mark.soak
@pytest.mark.parametrize("won", [True, False], ids=["won", "lost"])
def test_the_end_is_the_same_for_every_order_of_arrival(till: Till, seller: TestMerchant, won: bool) -> None:
    mug = variant(seller)
    for arrival in arrivals(5, step=13):
        checkout = till.checkout(mug)
        session = checkout["session"]
        till.double.pay_later(session)
        till.double.settle(session, succeeded=True)
        refund = till.refund(session, 700)
        till.clock.move(minutes=1)
        dispute = till.dispute(session, 1500)
        till.double.close_dispute(dispute, won=won)
        told = till.told_once(session)
        things = (COMPLETED, SUCCEEDED, REFUNDED, OPENED, WON if won else LOST)

        till.tell(*(told[kind] for place in arrival for kind in things[place]))

        order = till.order_of(seller, session)
        assert till.status(checkout) == "paid", arrival
        assert (order["gross"], order["net"]) == (2000, 2000)
        assert taken(order) == ({refund: 700} if won else {refund: 700, dispute: 1300}), arrival
        assert order["refunded"] == (700 if won else 2000), arrival
        assert order["status"] == ("partially_refunded" if won else "disputed"), arrival
        assert_credits_add_up(seller, order)


def test_a_dispute_takes_from_when_the_funds_are_gone_until_it_is_won(till: Till, seller: TestMerchant) -> None:
    session = paid(till, seller)
    dispute = till.dispute(session)

    till.tell_all(session)
    order = till.order_of(seller, session)
    assert (order["status"], order["refunded"], taken(order)) == ("disputed", 2000, {dispute: 2000})
    assert [("chargeback", 2000)] == [(each["reason"], each["amount"]) for each in order["refunds"]]
    assert_credits_add_up(seller, order)

    till.double.close_dispute(dispute, won=True)
    till.tell_all(session)
    order = till.order_of(seller, session)
    assert (order["status"], order["refunded"], taken(order)) == ("paid", 0, {})
    assert_credits_add_up(seller, order)


def test_an_inquiry_takes_nothing_until_it_becomes_a_dispute(till: Till, seller: TestMerchant) -> None:
    asked, closed = paid(till, seller), paid(till, seller)
    disputes = [till.dispute(session, inquiry=True) for session in (asked, closed)]
    for session in (asked, closed):
        till.tell_all(session)
        assert (till.order_of(seller, session)["refunded"], till.taken_at_stripe(**of(till, session))) == (0, {})

    till.double.escalate(disputes[0])
    till.double.close_dispute(disputes[1], won=False)
    for session in (asked, closed):
        till.tell(*reversed(till.told(session)))

    assert {disputes[0]: 2000} == taken(till.order_of(seller, asked)) == till.taken_at_stripe(**of(till, asked))
    assert {} == taken(till.order_of(seller, closed)) == till.taken_at_stripe(**of(till, closed))


def test_a_dispute_of_more_than_is_left_takes_what_is_left(till: Till, seller: TestMerchant) -> None:
    session = paid(till, seller)
    refund = till.refund(session, 1400)
    till.clock.move(minutes=1)
    dispute = till.dispute(session, 2000)

    till.tell(*reversed(till.told(session)))

    assert {refund: 1400, dispute: 600} == taken(till.order_of(seller, session))


def test_a_dispute_that_is_won_after_a_refund_leaves_the_refund(till: Till, seller: TestMerchant) -> None:
    session = paid(till, seller)
    dispute = till.dispute(session, 1500)
    till.tell_all(session)
    assert {dispute: 1500} == taken(till.order_of(seller, session))

    till.clock.move(minutes=1)
    till.double.close_dispute(dispute, won=True)
    refund = till.refund(session, 1200)
    told = till.told(session)
    till.tell(*(event for event in told if event["type"] == "refund.created"))
    # The dispute is not known to be won yet: it took 1500 before, and 500 are left.
    assert {dispute: 1500, refund: 500} == taken(till.order_of(seller, session))

    till.tell(*told)
    order = till.order_of(seller, session)
    assert {refund: 1200} == taken(order) == till.taken_at_stripe(**of(till, session))
    assert_credits_add_up(seller, order)


def test_a_dispute_in_the_banks_own_currency_takes_the_whole(till: Till, seller: TestMerchant) -> None:
    session = paid(till, seller)
    refund = till.refund(session, 300)
    till.tell_all(session)
    dispute = disputed(till, session, currency="usd", amount=100)

    assert 200 == till.invent("charge.dispute.created", dispute, id="evt_foreign" + session)

    assert {refund: 300, dispute["id"]: 1700} == taken(till.order_of(seller, session))


def test_the_last_amount_of_a_dispute_holds_whenever_it_is_heard(till: Till, seller: TestMerchant) -> None:
    for number, order in enumerate(permutations(range(3))):
        session = paid(till, seller)
        subject = disputed(till, session, amount=100)
        told = [
            (f"evt_{place}_{number}_{session}", "charge.dispute.updated", {**subject, "amount": amount}, 100 + place)
            for place, amount in enumerate((2000, 500, 900))
        ]
        for place in order:
            id, kind, said, created = told[place]
            assert 200 == till.invent(kind, said, id=id, created=created)
        till.tell_all(session)
        assert {subject["id"]: 900} == taken(till.order_of(seller, session)), order


def test_a_dispute_that_makes_no_sense_does_not_hold_back_its_sale_and_is_refused_after_it(
    till: Till, seller: TestMerchant
) -> None:
    session = paid(till, seller)
    odd = disputed(till, session, amount=-1)
    assert 200 == till.invent("charge.dispute.created", odd, id="evt_before" + session)
    till.tell_all(session)
    assert 400 == till.invent("charge.dispute.updated", odd, id="evt_after" + session)
    assert 200 == till.invent("charge.dispute.updated", {**odd, "payment_intent": None}, id="evt_lone" + session)
    assert {} == taken(till.order_of(seller, session))


@pytest.mark.parametrize("arrival", list(permutations(range(4))))
def test_partial_refunds_take_their_part_of_the_net_in_any_order_of_arrival(
    till: Till, seller: TestMerchant, arrival: tuple[int, ...]
) -> None:
    session, payment = taxed(till, seller)
    subjects = [
        {
            "id": f"re_{number}_{session}",
            "object": "refund",
            "currency": "eur",
            "created": 5 + number,
            "status": "succeeded",
            "payment_intent": payment["payment_intent"],
            "amount": amount,
        }
        for number, amount in enumerate((1, 500, 999))
    ]
    told = [("checkout.session.completed", payment), *(("refund.created", subject) for subject in subjects)]

    for place in arrival:
        assert 200 == till.invent(*told[place], id=f"evt_{place}_{session}")

    order = till.order_of(seller, session)
    # round(1 x 2/3), then round(501 x 2/3) in all, then everything: tax and shipping go back in the same proportion
    assert [1, 333, 666] == [taken(order)[str(subject["id"])] for subject in subjects]
    assert (order["gross"], order["net"], order["refunded"]) == (1500, 1000, 1000)
    assert_credits_add_up(seller, order)

    failed = {**subjects[0], "status": "failed"}
    assert 200 == till.invent("refund.failed", failed, id=f"evt_failed_{session}")
    order = till.order_of(seller, session)
    assert {subjects[1]["id"]: 333, subjects[2]["id"]: 666} == taken(order)
    assert_credits_add_up(seller, order)


def test_what_the_api_took_stands_beside_what_stripe_tells(till: Till, seller: TestMerchant) -> None:
    session = paid(till, seller)
    till.tell_all(session)
    till.clock.move(minutes=1)
    seller.refund(till.order_of(seller, session)["id"], 400, external_id="by hand")
    refund = till.refund(session, 500)
    till.tell_all(session)
    assert {"by hand": 400, refund: 500} == taken(till.order_of(seller, session))

    till.double.fail_refund(refund)
    till.tell_all(session)
    assert {"by hand": 400} == taken(till.order_of(seller, session))


def paid(till: Till, seller: TestMerchant) -> str:
    """A session of 2000 that was paid; nobody was told yet."""
    return str(till.double.pay(till.checkout(variant(seller))["session"])["id"])


def of(till: Till, session: str) -> dict[str, str]:
    return {"payment_intent": till.payment(session)}


def disputed(till: Till, session: str, **fields: object) -> JSON:
    """A dispute that the double never made."""
    return {
        "id": "du_" + session,
        "object": "dispute",
        "currency": "eur",
        "created": 4_000_000_000,
        "status": "needs_response",
        "payment_intent": till.payment(session),
        **fields,
    }


def taxed(till: Till, seller: TestMerchant) -> tuple[str, JSON]:
    """A session of which 1500 were paid, with 210 of tax and 290 of shipping; and what Stripe would show of it."""
    checkout = till.checkout(variant(seller, 1000))
    session = str(checkout["session"])
    totals = {"amount_discount": 0, "amount_tax": 210, "amount_shipping": 290}
    return session, invented_session(
        id=session,
        payment_intent="pi_taxed" + session,
        amount_total=1500,
        total_details=totals,
        metadata=till.session(session)["metadata"],
    )
