"""Answers of Stripe's that are lost, kept or late: one attempt is one session, and holds its stock once."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update
from starlette.types import ASGIApp, Receive, Scope, Send

from app.catalog import stock
from app.demo.stripe.faults import Faults
from app.kernel.ids import merchant_of
from app.orders.models import Checkout
from tests.shop import JSON, TestMerchant, ok
from tests.till import Till, items, variant

SESSIONS = "/v1/checkout/sessions"
KEY = {"Idempotency-Key": "k"}


@pytest.fixture
def faults(till: Till) -> Faults:
    """What goes wrong at Stripe."""
    return till.double.faults


@pytest.fixture
def mug(seller: TestMerchant) -> JSON:
    return seller.product(variants=[{"price": {"amount": 2000, "currency": "eur"}, "stock": 3}])


def wanted(mug: JSON) -> JSON:
    return items({"variant": mug["variants"][0]["id"]})


def held(seller: TestMerchant, mug: JSON) -> int:
    (shown,) = ok(seller.http.get(f"/v1/products/{mug['id']}"))["variants"]
    return int(shown["reserved"])


def kept(till: Till, seller: TestMerchant) -> list[Checkout]:
    with till.database.reading() as session:
        mine = select(Checkout).where(Checkout.merchant_id == merchant_of(seller.id, "mer"))
        return list(session.scalars(mine.order_by(Checkout.checkout_id)))


def keys_used(till: Till) -> list[str | None]:
    return [seen.idempotency_key for seen in till.double.faults.seen if (seen.method, seen.path) == ("POST", SESSIONS)]


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("keyed", [True, False])
def test_a_failure_that_stripe_replays_is_one_session_at_once(
    till: Till, seller: TestMerchant, mug: JSON, faults: Faults, effect: bool, keyed: bool
) -> None:
    """Where the session was made all the same, it is found; where it was not, a fresh key makes it."""
    faults.answer(500, replayed=True, effect=effect, path=SESSIONS, method="POST")

    opened = ok(till.ask(wanted(mug), **(KEY if keyed else {})), 201)

    assert [opened["url"]] == [session["url"] for session in till.sessions_of(seller)]
    assert 1 == held(seller, mug)
    session = opened["url"].rpartition("/")[2]
    till.double.pay(session)
    till.tell_all(session)
    assert [session] == [order["external_id"] for order in till.orders(seller)]
    assert (0, 2) == (held(seller, mug), ok(seller.http.get(f"/v1/products/{mug['id']}"))["variants"][0]["stock"])


def test_an_answer_that_is_lost_is_asked_for_again_under_its_key(
    till: Till, seller: TestMerchant, mug: JSON, faults: Faults
) -> None:
    faults.lose_answers(2, path=SESSIONS, method="POST")  # the library tries twice
    before = len(keys_used(till))
    assert 503 == till.ask(wanted(mug), **KEY).status_code

    opened = ok(till.ask(wanted(mug), **KEY), 201)

    assert 1 == len(set(keys_used(till)[before:]))
    assert [opened["url"]] == [session["url"] for session in till.sessions_of(seller)]


def test_an_answer_that_was_lost_long_ago_is_looked_for(
    till: Till, seller: TestMerchant, mug: JSON, faults: Faults
) -> None:
    """Its time is nearly over, so Stripe would refuse another like it; but it is there, and can be paid."""
    faults.lose_answers(2, path=SESSIONS, method="POST")
    assert 503 == till.ask(wanted(mug), **KEY).status_code
    (made,) = till.sessions_of(seller)

    till.clock.move(minutes=100)
    opened = ok(till.ask(wanted(mug), **KEY), 201)

    assert (made["url"], "2026-03-02T12:00:00Z") == (opened["url"], opened["expires_at"])
    assert 1 == len(till.sessions_of(seller)) == held(seller, mug)


def test_a_connected_account_is_named_in_every_question(
    till: Till, new_seller: Callable[..., TestMerchant], faults: Faults
) -> None:
    seller = new_seller(stripe_account="acct_lost")
    mug = seller.product(variants=[{"price": {"amount": 2000, "currency": "eur"}, "stock": 3}])
    faults.answer(500, replayed=True, path=SESSIONS, method="POST")
    seen = len(faults.seen)

    ok(till.ask(wanted(mug) | {"coupon": "ANA10"}, **KEY), 201)

    asked = list(faults.seen)[seen:]
    assert {"acct_lost"} == {each.account for each in asked}
    assert {"/v1/promotion_codes", SESSIONS} == {each.path for each in asked}
    assert 1 == held(seller, mug)


def test_where_stripe_cannot_say_whether_a_session_was_made_none_is_made(
    till: Till, seller: TestMerchant, mug: JSON, faults: Faults
) -> None:
    faults.answer(500, replayed=True, path=SESSIONS, method="POST")
    faults.answer(500, times=20, path=SESSIONS, method="GET", retry_after=0)

    down = till.ask(wanted(mug), **KEY)
    assert (503, "checkout_unavailable", 0) == (down.status_code, down.json()["code"], held(seller, mug))

    faults.mend()
    ok(till.ask(wanted(mug), **KEY), 201)
    assert 1 == len(till.sessions_of(seller)) == held(seller, mug)


def test_while_stripe_works_at_the_same_request_the_buyer_is_told_to_wait(
    till: Till, seller: TestMerchant, mug: JSON, faults: Faults
) -> None:
    faults.answer(409, times=5, path=SESSIONS, method="POST")

    busy = till.ask(wanted(mug), **KEY)
    assert (409, "in_progress") == (busy.status_code, busy.json()["code"])
    assert int(busy.headers["retry-after"]) > 0

    faults.mend()
    ok(till.ask(wanted(mug), **KEY), 201)
    assert 1 == len(till.sessions_of(seller)) == held(seller, mug)


def test_a_coupon_that_stripe_cannot_be_asked_about_keeps_and_holds_nothing(
    till: Till, seller: TestMerchant, mug: JSON, faults: Faults
) -> None:
    faults.down()

    down = till.ask(wanted(mug) | {"coupon": "ANA10"}, **KEY)

    assert (503, "checkout_unavailable") == (down.status_code, down.json()["code"])
    assert int(down.headers["retry-after"]) > 0
    assert ([], 0) == (kept(till, seller), held(seller, mug))


def test_an_attempt_without_a_key_that_cannot_be_asked_for_has_failed(
    till: Till, seller: TestMerchant, mug: JSON, faults: Faults
) -> None:
    faults.down()
    assert 503 == till.ask(wanted(mug)).status_code
    assert 503 == till.ask(wanted(mug), **KEY).status_code

    assert ["failed", "asking"] == [checkout.status for checkout in kept(till, seller)]
    assert 0 == held(seller, mug)


def test_an_attempt_that_ended_without_a_session_begins_anew(
    till: Till, seller: TestMerchant, mug: JSON, faults: Faults
) -> None:
    faults.down()
    assert 503 == till.ask(wanted(mug), **KEY).status_code
    (left,) = kept(till, seller)
    with till.database.transaction() as session:  # as a reconciliation ends what nobody asks for any more
        session.execute(update(Checkout).where(Checkout.checkout_id == left.checkout_id).values(status="expired"))

    faults.mend()
    till.clock.move(hours=3)
    opened = ok(till.ask(wanted(mug), **KEY), 201)

    assert left.checkout_id != opened["id"]
    assert [("expired", left.checkout_id), ("open", kept(till, seller)[1].attempt_key)] == [
        (each.status, each.attempt_key) for each in kept(till, seller)
    ]
    assert 1 == len(till.sessions_of(seller)) == held(seller, mug)


def test_a_checkout_of_before_terms_were_kept_is_asked_for_in_the_same_words(
    till: Till, seller: TestMerchant, faults: Faults
) -> None:
    """An upgrade may come between a lost answer and its repetition."""
    body = items({"variant": variant(seller)})
    faults.down()
    assert 503 == till.ask(body, **KEY).status_code
    (left,) = kept(till, seller)
    with till.database.transaction() as session:
        session.execute(update(Checkout).where(Checkout.checkout_id == left.checkout_id).values(terms=None))

    faults.mend()
    ok(till.ask(body, **KEY), 201)

    (made,) = till.sessions_of(seller)
    assert (None, left.expires_at.timestamp()) == (made["locale"], made["expires_at"])


def test_a_refusal_is_final_and_is_said_again(till: Till, seller: TestMerchant, faults: Faults) -> None:
    body = items({"variant": variant(seller, 1)})

    first, again = till.ask(body, **KEY), till.ask(body, **KEY)

    assert ("checkout_refused", first.text) == (first.json()["code"], again.text)
    assert ["failed"] == [checkout.status for checkout in kept(till, seller)]


def test_a_session_whose_stock_went_to_another_meanwhile_is_ended_unseen(
    till: Till, seller: TestMerchant, mug: JSON, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two requests of one attempt, in two processes: the one cannot reach Stripe and gives back, and another buyer is
    quicker than the answer of the other."""
    variant_id, merchant_id = mug["variants"][0]["id"], merchant_of(seller.id, "mer")
    stripe: ASGIApp = vars(till.line)["_app"]

    async def meanwhile(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST" and scope["path"] == SESSIONS:
            (attempt,) = kept(till, seller)
            with till.database.transaction() as session:
                stock.release(session, merchant_id, attempt.checkout_id, till.clock.now())
                stock.reserve(session, merchant_id, "chk_quicker", {variant_id: 3}, till.clock.now())
        await stripe(scope, receive, send)

    monkeypatch.setattr(till.line, "_app", meanwhile)
    refused = till.ask(wanted(mug), **KEY)

    assert (422, "out_of_stock") == (refused.status_code, refused.json()["code"])
    assert ["expired"] == [session["status"] for session in till.sessions_of(seller)]
    assert (["failed"], 3) == ([checkout.status for checkout in kept(till, seller)], held(seller, mug))
