"""Buying over HTTP: what Stripe is asked for, once, whatever goes wrong on the way."""

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.kernel.ids import merchant_of
from app.orders.checkout import desk as checkouts
from tests.shop import TestMerchant, ok
from tests.till import Till, items, variant

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_stripe_is_asked_for_what_was_wanted_and_for_whom(till: Till, seller: TestMerchant) -> None:
    images = ["https://shop.example/mug.jpg"]
    product = seller.product("Stoneware mug", 1999, images=images)
    wall = seller.wall(product["id"])
    ana, bo = seller.shopper(), seller.shopper()
    share = ana.share(product["id"], "telegram", wall=wall["id"])
    bo.like(product["id"])
    click = bo.follow(share["code"])

    body = {"items": [{"variant": product["variants"][0]["id"], "quantity": 3}], "wall": wall["id"], "click": click}
    opened = ok(till.ask({**body, "coupon": "ANA10"}, **bo.headers), 201)

    session = till.session(opened["url"].rpartition("/")[2])
    assert (opened["id"], 5997, "eur") == tuple(
        session[name] for name in ("client_reference_id", "amount_total", "currency")
    )
    assert session["metadata"] == {
        "gv_merchant": seller.id,
        "gv_checkout": opened["id"],
        "gv_click": click,
        "gv_referral": share["id"],
        "gv_wall": wall["id"],
        "gv_visitor": bo.id,
        "gv_coupon": "ANA10",
    }
    assert session["success_url"] == f"{till.url}/thanks/{opened['id']}"
    assert session["cancel_url"] == f"{till.url}/w/{wall['id']}"
    paid = till.double.pay(session["id"])
    assert till.double.charge_of(str(paid["payment_intent"]))["metadata"] == session["metadata"]


def test_without_a_wall_the_buyer_comes_back_to_the_product(till: Till, seller: TestMerchant) -> None:
    product = seller.product()
    checkout = till.checkout(product["variants"][0]["id"])

    assert till.session(checkout["session"])["cancel_url"] == f"{till.url}/p/{product['id']}"
    assert checkout["expires_at"] == "2026-03-02T12:00:00Z"


def test_an_unknown_click_never_refuses_a_sale(till: Till, seller: TestMerchant) -> None:
    for click in ("clk_nobody", "x" * 200, "clk_" + "0" * 30, "", "<script>"):
        checkout = till.checkout(variant(seller), click=click)
        assert till.session(checkout["session"])["metadata"].get("gv_click", "") == click


def test_a_form_is_led_to_the_page_where_it_is_paid(till: Till, seller: TestMerchant) -> None:
    wall = seller.wall(seller.product()["id"])
    form = {"variant": variant(seller), "quantity": "2", "wall": wall["id"], "click": "", "coupon": ""}

    answer = httpx.post(f"{till.url}/v1/checkouts", data=form)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith(till.stripe_url)
    assert [session["amount_total"] for session in till.sessions_of(seller)] == [4000]


def test_a_form_may_name_several_variants(till: Till, seller: TestMerchant) -> None:
    one, other = variant(seller, 100), variant(seller, 1000)

    answer = httpx.post(f"{till.url}/v1/checkouts", content=f"variant={one}&variant={other}", headers=FORM)

    assert answer.status_code == 303
    assert [session["amount_total"] for session in till.sessions_of(seller)] == [1100]


def test_return_addresses_of_the_merchant_are_taken_as_they_are(
    till: Till, new_seller: Callable[..., TestMerchant]
) -> None:
    seller = new_seller(return_urls=["https://shop.example/done", "https://shop.example/cart"])
    back: dict[str, Any] = {
        "success_url": "https://shop.example/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/cart/7",
    }
    session = till.session(till.checkout(variant(seller), **back)["session"])

    assert back == {name: session[name] for name in back}


@pytest.mark.parametrize(
    ("currency", "price", "charged"),
    [
        ("jpy", 1500, 1500),
        ("kwd", 12_340, 12_340),
        ("isk", 1500, 150_000),
        ("ugx", 5000, 500_000),
        ("mga", 150_000, 1500),
    ],
)
def test_stripe_charges_what_the_price_says(
    till: Till, new_seller: Callable[..., TestMerchant], currency: str, price: int, charged: int
) -> None:
    seller = new_seller(currency=currency)
    checkout = till.checkout(variant(seller, price))
    assert charged == till.session(checkout["session"])["amount_total"]

    till.double.pay(checkout["session"])
    till.tell_all(checkout["session"])

    assert [(price, price)] == [(order["gross"], order["net"]) for order in till.orders(seller)]


def test_under_global_privacy_control_the_click_travels_and_the_visitor_does_not(
    till: Till, seller: TestMerchant
) -> None:
    product = seller.product()
    ana = seller.shopper()
    ana.like(product["id"])
    body = items({"variant": product["variants"][0]["id"]}) | {"click": "clk_x"}

    opened = ok(till.ask(body, **ana.headers, **{"Sec-GPC": "1"}), 201)

    metadata = till.session(opened["url"].rpartition("/")[2])["metadata"]
    assert (metadata["gv_click"], metadata.get("gv_visitor")) == ("clk_x", None)


def test_a_connected_account_sells_for_itself(till: Till, new_seller: Callable[..., TestMerchant]) -> None:
    seller = new_seller(stripe_account="acct_vine")
    checkout = till.checkout(variant(seller))
    assert till.sessions_of(seller) == []  # not on the platform's own account

    till.double.pay(checkout["session"])
    till.tell_all(checkout["session"])

    assert [checkout["session"]] == [order["external_id"] for order in till.orders(seller)]


def test_the_same_attempt_is_the_same_checkout(till: Till, seller: TestMerchant) -> None:
    body, other = items({"variant": variant(seller)}), variant(seller)

    first = till.ask(body, **{"Idempotency-Key": "attempt-1"})
    again = till.ask(body, **{"Idempotency-Key": "attempt-1"})
    other_body = till.ask(items({"variant": other}), **{"Idempotency-Key": "attempt-1"})
    other_key = till.ask(body, **{"Idempotency-Key": "attempt-2"})

    assert [each.status_code for each in (first, again, other_body, other_key)] == [201, 201, 409, 201]
    assert first.json() == again.json() != other_key.json()
    assert other_body.json()["code"] == "idempotency_conflict"
    assert len(till.sessions_of(seller)) == 2


def test_after_a_day_the_same_key_means_something_new(till: Till, seller: TestMerchant) -> None:
    body = items({"variant": variant(seller)})
    first = ok(till.ask(body, **{"Idempotency-Key": "daily"}), 201)

    till.clock.move(days=1, seconds=1)

    assert first["id"] != ok(till.ask(body, **{"Idempotency-Key": "daily"}), 201)["id"]
    assert len(till.sessions_of(seller)) == 2


@pytest.mark.parametrize("status", [500, 502, 429])
def test_while_stripe_is_down_a_checkout_can_be_asked_for_again(till: Till, seller: TestMerchant, status: int) -> None:
    body = items({"variant": variant(seller)})
    till.line.status = status

    down = till.ask(body, **{"Idempotency-Key": "k"})
    assert (down.status_code, down.json()["code"]) == (503, "checkout_unavailable")
    assert int(down.headers["retry-after"]) > 0

    keys = set(till.line.keys)
    till.line.status = None
    ok(till.ask(body, **{"Idempotency-Key": "k"}), 201)
    assert keys == set(till.line.keys)
    assert len(till.sessions_of(seller)) == 1


def test_a_lost_answer_leads_to_the_same_session(till: Till, seller: TestMerchant) -> None:
    body = items({"variant": variant(seller)})
    till.line.lost = 2  # the library tries twice

    lost = till.ask(body, **{"Idempotency-Key": "k"})
    assert lost.status_code == 503
    (made,) = till.sessions_of(seller)

    till.clock.move(minutes=20)
    opened = ok(till.ask(body, **{"Idempotency-Key": "k"}), 201)

    assert opened["url"] == made["url"]
    assert [made["id"]] == [session["id"] for session in till.sessions_of(seller)]


def test_a_changed_price_does_not_disturb_an_attempt_that_is_asked_again(till: Till, seller: TestMerchant) -> None:
    product = seller.product(price=2000, external_id="mug")
    body = items({"variant": product["variants"][0]["id"]})
    till.line.lost = 2
    assert till.ask(body, **{"Idempotency-Key": "k"}).status_code == 503

    seller.product(price=3000, external_id="mug")
    ok(till.ask(body, **{"Idempotency-Key": "k"}), 201)

    assert [session["amount_total"] for session in till.sessions_of(seller)] == [2000]


def test_a_failure_that_stripe_keeps_is_left_behind_with_its_key(till: Till, seller: TestMerchant) -> None:
    body = items({"variant": variant(seller)})
    till.line.status, till.line.replayed = 500, True
    assert till.ask(body, **{"Idempotency-Key": "k"}).status_code == 503

    till.line.mend()
    ok(till.ask(body, **{"Idempotency-Key": "k"}), 201)
    assert len(till.sessions_of(seller)) == 1


def test_an_attempt_that_was_left_for_hours_begins_anew(till: Till, seller: TestMerchant) -> None:
    body = items({"variant": variant(seller)})
    till.line.lost = 2
    assert till.ask(body, **{"Idempotency-Key": "k"}).status_code == 503
    (unseen,) = till.sessions_of(seller)

    till.clock.move(hours=3)
    opened = ok(till.ask(body, **{"Idempotency-Key": "k"}), 201)
    till.double.sweep()
    till.tell_all(unseen["id"])
    session = opened["url"].rpartition("/")[2]
    till.double.pay(session)
    till.tell_all(session)

    assert [session] == [order["external_id"] for order in till.orders(seller)]


def test_the_same_attempt_at_the_same_moment_makes_one_session(till: Till, seller: TestMerchant) -> None:
    body, statuses = items({"variant": variant(seller)}), []

    def ask() -> None:
        statuses.append(till.ask(body, **{"Idempotency-Key": "k"}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert len(till.sessions_of(seller)) == 1


def test_the_thank_you_page_can_say_what_was_bought_and_not_by_whom(till: Till, seller: TestMerchant) -> None:
    checkout = till.checkout(variant(seller), 2)
    till.double.pay(checkout["session"], email="ana@example.com")
    till.tell_all(checkout["session"])

    with till.database.reading() as session:
        purchase = checkouts.describe(session, merchant_of(seller.id, "mer"), checkout["id"])

    assert (purchase.status, purchase.currency, purchase.amount) == ("paid", "eur", 4000)
    assert [(line.title, line.quantity, line.amount) for line in purchase.lines] == [("Mug", 2, 4000)]
    assert "ana" not in repr(purchase)
    assert till.status(checkout) == "paid"
