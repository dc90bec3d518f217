"""Promotion codes of Stripe's that buyers used: whose sale it then is."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from app.kernel.ids import merchant_of
from app.orders.promotions import known as known_promotions
from app.orders.promotions.models import PromotionCode
from app.orders.stripe.promotion import Promotion
from app.referrals import turns
from tests.shop import JSON, TestMerchant, ok
from tests.till import Till, invented_session


def test_a_promotion_code_at_stripe_credits_the_person_for_whom_it_speaks(till: Till, seller: TestMerchant) -> None:
    code, promotion = promoted(till, seller)
    product = seller.product(price=2000)
    ana = seller.shopper()
    ok(seller.http.put(f"/v1/coupons/{code}", json={"referral": ana.share(product["id"])["id"]}))
    till.clock.move(minutes=1)

    session = paid_with(till, product, code)
    till.tell(*(event for event in till.told(session) if event["type"] == "checkout.session.completed"))

    order = till.order_of(seller, session)
    assert (order["gross"], order["net"], order["coupon"]) == (1800, 1800, code)
    assert [(1800, ana.id)] == [(line["net"], line["sharer"]) for line in seller.explanation(order["id"])["lines"]]
    assert {promotion: (code, True)} == known(till, seller)


def test_while_stripe_cannot_say_which_code_it_was_the_message_is_sent_back_for_an_hour(
    till: Till, seller: TestMerchant
) -> None:
    code, promotion = promoted(till, seller)
    sessions = [paid_with(till, seller.product(price=2000), code) for _ in range(2)]
    completed = [till.told_once(session)["checkout.session.completed"] for session in sessions]

    till.double.faults.down(True)
    till.tell(*completed, expect=503)
    assert [] == till.orders(seller)
    till.clock.move(minutes=61)
    till.tell(completed[0])
    assert [(sessions[0], None)] == [(each["external_id"], each["coupon"]) for each in till.orders(seller)]
    assert {} == known(till, seller)

    till.double.faults.down(False)
    till.tell(completed[1])
    assert code == till.order_of(seller, sessions[1])["coupon"]
    assert [promotion] == list(known(till, seller))


def test_a_code_that_is_known_is_not_asked_for(till: Till, seller: TestMerchant) -> None:
    code, _ = promoted(till, seller)
    first, second = (paid_with(till, seller.product(price=2000), code) for _ in range(2))
    till.tell_all(first)
    till.double.faults.down(True)
    till.tell_all(second)
    till.tell_all(first)
    till.double.faults.down(False)

    assert [code, code] == [order["coupon"] for order in till.orders(seller)]


def test_a_code_that_stripe_does_not_know_is_no_coupon(till: Till, seller: TestMerchant) -> None:
    product = seller.product(price=2000)
    checkout = till.checkout(product["variants"][0]["id"])
    session = invented_session(
        id=checkout["session"],
        payment_intent="pi_" + checkout["id"],
        metadata=till.session(checkout["session"])["metadata"],
        discounts=[{"promotion_code": "promo_nobody", "coupon": None}],
    )

    assert 200 == till.invent("checkout.session.completed", session, id="evt_nobody" + checkout["id"])

    assert [None] == [order["coupon"] for order in till.orders(seller)]


def test_what_stripe_tells_of_a_code_is_kept_for_the_merchant_that_it_names(till: Till, seller: TestMerchant) -> None:
    code = {"id": "promo_" + seller.id, "object": "promotion_code", "code": "ANA10", "active": True}
    ours = {**code, "metadata": {"gv_merchant": seller.id}}
    told = [
        ("promotion_code.updated", {**ours, "active": False}, 2_000_000_100),
        ("promotion_code.created", ours, 2_000_000_100),
        ("promotion_code.updated", ours, 2_000_000_050),
        ("promotion_code.created", {**code, "id": "promo_x" + seller.id}, 2_000_000_100),
        ("promotion_code.created", {**ours, "id": "promo_y" + seller.id, "metadata": {"gv_merchant": "odd"}}, 1),
        ("promotion_code.created", {"id": "promo_z" + seller.id, "metadata": ours["metadata"]}, 1),
    ]
    for number, (kind, subject, created) in enumerate(told):
        assert 200 == till.invent(kind, subject, id=f"evt_{number}_{seller.id}", created=created)

    assert {code["id"]: ("ANA10", False)} == known(till, seller)
    other = {**ours, "id": "promo_o" + seller.id}
    assert 200 == till.invent("promotion_code.created", other, id="evt_o" + seller.id, account="acct_other")
    assert [code["id"]] == list(known(till, seller))


def test_a_code_of_an_account_through_which_one_merchant_sells_is_theirs(
    till: Till, new_seller: Callable[..., TestMerchant]
) -> None:
    account = f"acct_{uuid4().hex}"
    seller = new_seller(stripe_account=account)
    code = {"id": "promo_" + seller.id, "object": "promotion_code", "code": "ANA10", "active": True}

    assert 200 == till.invent("promotion_code.created", code, id="evt_1" + seller.id, account=account)
    assert {code["id"]: ("ANA10", True)} == known(till, seller)

    elsewhere = {**code, "id": "promo_x" + seller.id, "metadata": {"gv_merchant": "mer_of_another_install"}}
    assert 200 == till.invent("promotion_code.created", elsewhere, id="evt_3" + seller.id, account=account)
    new_seller(stripe_account=account)
    other = {**code, "id": "promo_other" + seller.id}
    assert 200 == till.invent("promotion_code.created", other, id="evt_2" + seller.id, account=account)
    assert [code["id"]] == list(known(till, seller))


def test_a_question_that_stripe_refuses_does_not_hold_back_the_sale(till: Till, seller: TestMerchant) -> None:
    code, _ = promoted(till, seller)
    session = paid_with(till, seller.product(price=2000), code)
    till.double.faults.answer(400, path="/v1/promotion_codes")

    till.tell_all(session)

    assert (None, 1800) == tuple(till.order_of(seller, session)[name] for name in ("coupon", "net"))


def test_a_code_may_be_put_while_a_sale_with_it_is_written(till: Till, seller: TestMerchant) -> None:
    """Both keep the code and then change what facts mean: in one order, or each would wait for the other."""
    if till.database.is_sqlite:
        pytest.skip("SQLite has one writer: nobody waits in a circle")
    tenth = str(till.double.coupon(percent_off=10)["id"])
    share = seller.shopper().share(seller.product()["id"])
    body = {"referral": share["id"], "coupon": tenth}
    made = till.double.promotion_code(f"ANA-{seller.id[4:]}", tenth, metadata={"gv_merchant": seller.id})
    promotion, merchant_id = Promotion.of(made), merchant_of(seller.id, "mer")
    assert promotion is not None
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    with ThreadPoolExecutor(1) as pool:
        with till.database.transaction() as sale:
            known_promotions.keep(sale, merchant_id, promotion, till.clock.now())
            answer = pool.submit(lambda: seller.http.put(f"/v1/promotion-codes/{promotion.code}", json=body))
            while not sale.scalar(waiting):
                assert not answer.done()
                time.sleep(0.01)
            turns.share_facts(sale, merchant_id)
        assert promotion.id == ok(answer.result(30))["id"]


def promoted(till: Till, seller: TestMerchant) -> tuple[str, str]:
    """A code that takes ten per cent off at this merchant's, and its id; nobody was told of it."""
    ok(seller.http.patch("/v1/merchant", json={"checkout": {"promotion_codes": True}}))
    code = f"ANA-{seller.id[4:]}"
    made = till.double.promotion_code(code, str(till.double.coupon(percent_off=10)["id"]))
    return code, str(made["id"])


def paid_with(till: Till, product: JSON, code: str) -> str:
    checkout = till.checkout(product["variants"][0]["id"])
    return str(till.double.pay(checkout["session"], promotion_code=code)["id"])


def known(till: Till, seller: TestMerchant) -> dict[str, tuple[str, bool]]:
    """The merchant's promotion codes by id: what buyers type in, and whether it works."""
    with till.database.reading() as session:
        mine = select(PromotionCode).where(PromotionCode.merchant_id == merchant_of(seller.id, "mer"))
        return {row.promotion_code_id: (row.code, row.active) for row in session.scalars(mine)}
