"""Stock over HTTP: reserved while a session is open, given back when it is over, sold when it is paid."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import func, select

from app.catalog.models import Reservation
from app.kernel.ids import merchant_of
from tests.shop import JSON, TestMerchant, ok
from tests.threads import together
from tests.till import Till, items

Key = {"Idempotency-Key": "k"}


def stocked(seller: TestMerchant, *pieces: int | None, price: int = 2000) -> JSON:
    """A product with a variant for each number of pieces."""
    money = {"amount": price, "currency": seller.currency}
    variants = [{"title": f"No. {place}", "price": money, "stock": each} for place, each in enumerate(pieces)]
    return seller.product(variants=variants)


def counted(seller: TestMerchant, product: JSON) -> list[tuple[int | None, int, bool]]:
    """Of each variant: the merchant's own number, what is reserved, whether it can be had."""
    shown = ok(seller.http.get(f"/v1/products/{product['id']}"))
    return [(each["stock"], each["reserved"], each["available"]) for each in shown["variants"]]


def bring_in(seller: TestMerchant, feed: bytes) -> JSON:
    """A file of Shopify's, brought in."""
    begun = ok(seller.http.post("/v1/imports", data={"format": "shopify_csv"}, files={"file": ("feed", feed)}), 202)
    return seller.finished(begun)


def test_what_is_being_paid_for_can_be_had_by_nobody_else(till: Till, seller: TestMerchant) -> None:
    mug = stocked(seller, 3)
    variant = mug["variants"][0]["id"]
    till.checkout(variant, 2)

    assert [(3, 2, True)] == counted(seller, mug)
    refused = till.ask(items({"variant": variant, "quantity": 2}))
    assert (422, "out_of_stock") == (refused.status_code, refused.json()["code"])
    assert [{"pointer": "/items/0/quantity", "detail": "is more than the 1 in stock"}] == refused.json()["errors"]

    till.checkout(variant)
    assert [(3, 3, False)] == counted(seller, mug)
    gone = till.ask(items({"variant": variant}))
    assert [{"pointer": "/items/0/variant", "detail": "is sold out"}] == gone.json()["errors"]


def test_widget_and_page_show_what_is_left(till: Till, seller: TestMerchant) -> None:
    mug = stocked(seller, 1, 5)
    till.checkout(mug["variants"][0]["id"])

    shown = ok(seller.public.get(f"/v1/products/{mug['id']}/widget"))["product"]
    assert [False, True] == [each["available"] for each in shown["variants"]]
    page = seller.public.get(f"/p/{mug['id']}").text
    assert page.count("schema.org/OutOfStock") == page.count("schema.org/InStock") == 1

    plate = stocked(seller, 1)
    till.checkout(plate["variants"][0]["id"])
    assert ok(seller.public.get(f"/v1/products/{plate['id']}/widget"))["product"]["sold_out"]
    assert 'name="variant"' not in seller.public.get(f"/p/{plate['id']}").text


def test_a_form_for_what_another_is_paying_for_gets_a_friendly_page(till: Till, seller: TestMerchant) -> None:
    variant = stocked(seller, 1)["variants"][0]["id"]
    till.checkout(variant)

    answer = httpx.post(f"{till.url}/v1/checkouts", data={"variant": variant})

    assert (422, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])


def test_what_is_paid_is_sold_once_however_often_it_is_told(till: Till, seller: TestMerchant) -> None:
    mug = stocked(seller, 3)
    checkout = till.checkout(mug["variants"][0]["id"], 2)
    till.double.pay(checkout["session"])
    till.tell_all(checkout["session"])
    till.tell_all(checkout["session"])

    assert [(1, 0, True)] == counted(seller, mug)


def test_a_session_that_expires_gives_back(till: Till, seller: TestMerchant) -> None:
    mug = stocked(seller, 3)
    checkout = till.checkout(mug["variants"][0]["id"], 3)
    assert [(3, 3, False)] == counted(seller, mug)

    till.double.expire(checkout["session"])
    till.tell_all(checkout["session"])
    till.tell_all(checkout["session"])

    assert [(3, 0, True)] == counted(seller, mug)


@pytest.mark.parametrize(("succeeded", "left"), [(True, (1, 0, True)), (False, (3, 0, True))])
def test_a_payment_that_settles_later_holds_until_it_has(
    till: Till, seller: TestMerchant, succeeded: bool, left: tuple[int, int, bool]
) -> None:
    mug = stocked(seller, 3)
    checkout = till.checkout(mug["variants"][0]["id"], 2)
    till.double.pay_later(checkout["session"])
    till.tell_all(checkout["session"])
    assert [(3, 2, True)] == counted(seller, mug)

    till.double.settle(checkout["session"], succeeded=succeeded)
    till.tell_all(checkout["session"])
    assert [left] == counted(seller, mug)


def test_what_stripe_refuses_gives_back_at_once(till: Till, seller: TestMerchant) -> None:
    crumb = stocked(seller, 3, price=1)

    assert "checkout_refused" == till.ask(items({"variant": crumb["variants"][0]["id"]}), **Key).json()["code"]

    assert [(3, 0, True)] == counted(seller, crumb)


def test_while_stripe_is_down_nothing_is_held_and_asking_again_reserves_anew(till: Till, seller: TestMerchant) -> None:
    mug = stocked(seller, 1)
    body = items({"variant": mug["variants"][0]["id"]})
    till.line.status = 503
    for headers in (Key, {}):
        assert till.ask(body, **headers).status_code == 503
        assert [(1, 0, True)] == counted(seller, mug)

    till.line.mend()
    ok(till.ask(body, **Key), 201)
    assert [(1, 1, False)] == counted(seller, mug)
    assert "out_of_stock" == till.ask(body).json()["code"]


def test_what_stripe_is_still_at_work_on_holds_nothing_and_asking_again_reserves_anew(
    till: Till, seller: TestMerchant
) -> None:
    """Stripe's 409: nobody has its session yet, so nobody can be paying for it."""
    mug = stocked(seller, 1)
    body = items({"variant": mug["variants"][0]["id"]})
    till.double.faults.answer(409, times=20, path="/v1/checkout/sessions", method="POST")
    for headers in (Key, {}, Key):
        busy = till.ask(body, **headers)
        assert (409, "in_progress") == (busy.status_code, busy.json()["code"])
        assert [(1, 0, True)] == counted(seller, mug)

    till.double.faults.mend()
    ok(till.ask(body, **Key), 201)
    assert [(1, 1, False)] == counted(seller, mug)
    assert "out_of_stock" == till.ask(body).json()["code"]


def test_whoever_asks_again_may_find_it_sold_meanwhile(till: Till, seller: TestMerchant) -> None:
    mug = stocked(seller, 1)
    body = items({"variant": mug["variants"][0]["id"]})
    till.line.status = 503
    assert till.ask(body, **Key).status_code == 503
    till.line.mend()
    ok(till.ask(body), 201)

    late, again = till.ask(body, **Key), till.ask(body, **Key)

    assert [(422, "out_of_stock")] * 2 == [(each.status_code, each.json()["code"]) for each in (late, again)]
    assert len(till.sessions_of(seller)) == 1
    assert [(1, 1, False)] == counted(seller, mug)


def test_a_lost_answer_holds_once(till: Till, seller: TestMerchant) -> None:
    mug = stocked(seller, 5)
    body = items({"variant": mug["variants"][0]["id"], "quantity": 2})
    till.line.lost = 2
    assert till.ask(body, **Key).status_code == 503

    opened = [ok(till.ask(body, **Key), 201) for _ in range(3)]
    assert [(5, 2, True)] == counted(seller, mug)

    session = opened[0]["url"].rpartition("/")[2]
    till.double.pay(session)
    till.tell_all(session)
    assert [(3, 0, True)] == counted(seller, mug)


def test_the_same_variant_twice_adds_up_to_one_line(till: Till, seller: TestMerchant) -> None:
    mug = stocked(seller, 5, 5)
    one, other = (each["id"] for each in mug["variants"])
    wanted = [{"variant": one, "quantity": 2}, {"variant": other}, {"variant": one, "quantity": 1}]

    opened = ok(till.ask(items(*wanted)), 201)
    session = opened["url"].rpartition("/")[2]

    assert 4 * 2000 == till.session(session)["amount_total"]
    assert [(5, 3, True), (5, 1, True)] == counted(seller, mug)
    till.double.pay(session)
    till.tell_all(session)
    (order,) = till.orders(seller)
    assert [(one, 3, 6000), (other, 1, 2000)] == [
        (line["variant"], line["quantity"], line["amount"]) for line in order["lines"]
    ]
    assert [(2, 0, True), (4, 0, True)] == counted(seller, mug)


def test_where_one_of_several_is_short_nothing_is_held(till: Till, seller: TestMerchant) -> None:
    mug = stocked(seller, 5, 1)
    one, other = (each["id"] for each in mug["variants"])

    refused = till.ask(items({"variant": one}, {"variant": other, "quantity": 2}))

    assert ["/items/1/quantity"] == [error["pointer"] for error in refused.json()["errors"]]
    assert [(5, 0, True), (1, 0, True)] == counted(seller, mug)


@pytest.mark.parametrize("way", ["post", "patch", "import"])
def test_a_change_of_the_catalogue_leaves_alone_what_is_held(till: Till, seller: TestMerchant, way: str) -> None:
    _say(seller, way, 5)
    (mug,) = ok(seller.http.get("/v1/products"))["data"]
    checkout = till.checkout(mug["variants"][0]["id"], 2)

    _say(seller, way, 4)
    assert [(4, 2, True)] == counted(seller, mug)

    till.double.pay(checkout["session"])
    till.tell_all(checkout["session"])
    assert [(2, 0, True)] == counted(seller, mug)


def _say(seller: TestMerchant, way: str, pieces: int) -> None:
    """The merchant says how many mugs there are."""
    variant = {"sku": "m", "price": {"amount": 2000, "currency": "eur"}, "stock": pieces}
    if way == "import":
        columns = "Handle,Title,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price"
        state = bring_in(seller, f"{columns}\nmug,Mug,m,shopify,{pieces},20".encode())
        assert ("finished", 1) == (state["status"], state["created"] + state["updated"])
        return
    known = ok(seller.http.get("/v1/products"))["data"]
    if way == "patch" and known:
        ok(seller.http.patch(f"/v1/products/{known[0]['id']}", json={"variants": [variant]}))
    else:
        ok(seller.http.post("/v1/products", json={"external_id": "mug", "title": "Mug", "variants": [variant]}))


@pytest.mark.parametrize("keyed", [True, False])
def test_of_twenty_who_want_the_last_three_three_get_one(till: Till, seller: TestMerchant, keyed: bool) -> None:
    mug = stocked(seller, 3)
    body = items({"variant": mug["variants"][0]["id"]})

    def buyer(number: int) -> Callable[[], httpx.Response]:
        return lambda: till.ask(body, **({"Idempotency-Key": f"buyer-{number}"} if keyed else {}))

    answers = together(*[buyer(number) for number in range(20)])

    assert [201] * 3 + [422] * 17 == sorted(answer.status_code for answer in answers)
    assert {"out_of_stock"} == {answer.json()["code"] for answer in answers if answer.status_code == 422}
    assert len(till.sessions_of(seller)) == 3
    assert [(3, 3, False)] == counted(seller, mug)

    sessions = [answer.json()["url"].rpartition("/")[2] for answer in answers if answer.status_code == 201]
    till.double.pay(sessions[0])
    till.double.pay(sessions[1])
    till.double.expire(sessions[2])
    for session in sessions:
        till.tell_all(session)
    assert [(1, 0, True)] == counted(seller, mug)


def test_two_attempts_of_one_buyer_hold_once(till: Till, seller: TestMerchant) -> None:
    mug = stocked(seller, 5)
    body = items({"variant": mug["variants"][0]["id"], "quantity": 2})

    answers = together(*[lambda: till.ask(body, **Key)] * 6)

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert [(5, 2, True)] == counted(seller, mug)
    with till.database.reading() as session:
        mine = select(func.count()).where(Reservation.merchant_id == merchant_of(seller.id, "mer"))
        assert 1 == session.scalar(mine)


def test_who_comes_back_without_paying_can_have_what_they_hold_themselves(till: Till, seller: TestMerchant) -> None:
    mug = stocked(seller, 1)
    body = items({"variant": mug["variants"][0]["id"]})
    ana, bo = seller.shopper(), seller.shopper()
    ana.like(mug["id"])
    bo.like(mug["id"])
    first = ok(till.ask(body, **ana.headers), 201)

    assert "out_of_stock" == till.ask(body, **bo.headers).json()["code"]
    assert "out_of_stock" == till.ask(body).json()["code"]
    second = ok(till.ask(body, **ana.headers), 201)

    one, other = (each["url"].rpartition("/")[2] for each in (first, second))
    assert ("expired", "open") == (till.session(one)["status"], till.session(other)["status"])
    assert [(1, 1, False)] == counted(seller, mug)
    till.tell_all(one)
    assert [(1, 1, False)] == counted(seller, mug)
    till.double.pay(other)
    till.tell_all(other)
    assert ([(0, 0, False)], "expired", "paid") == (counted(seller, mug), till.status(first), till.status(second))


@pytest.mark.parametrize("told", [True, False])
def test_what_a_buyer_has_paid_is_not_theirs_to_have_again(till: Till, seller: TestMerchant, told: bool) -> None:
    """Not even while its webhook is still on the way."""
    mug = stocked(seller, 1)
    body = items({"variant": mug["variants"][0]["id"]})
    ana = seller.shopper()
    ana.like(mug["id"])
    session = ok(till.ask(body, **ana.headers), 201)["url"].rpartition("/")[2]
    till.double.pay(session)
    if told:
        till.tell_all(session)

    assert "out_of_stock" == till.ask(body, **ana.headers).json()["code"]
    till.tell_all(session)
    assert [(0, 0, False)] == counted(seller, mug)


def test_what_a_buyer_holds_of_other_things_stays_theirs(till: Till, seller: TestMerchant) -> None:
    mug, plate = stocked(seller, 1), stocked(seller, 1)
    ana = seller.shopper()
    ana.like(mug["id"])
    held = ok(till.ask(items({"variant": mug["variants"][0]["id"]}), **ana.headers), 201)
    till.checkout(plate["variants"][0]["id"])

    assert "out_of_stock" == till.ask(items({"variant": plate["variants"][0]["id"]}), **ana.headers).json()["code"]
    assert "open" == till.session(held["url"].rpartition("/")[2])["status"]
