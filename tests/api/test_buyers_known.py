"""By which mail and card an order was paid: kept as hashes, whoever tells it and in whatever order, and only where the
buyer may be remembered."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select, update

from app.demo.stripe.methods import card_of
from app.kernel.ids import merchant_of
from app.kernel.signing import Signer
from app.merchants.models import Merchant
from app.orders.buyer_hashes import card_hash, mail_hash
from app.orders.models import Order
from app.orders.stripe_models import StripeEvent
from tests.api.test_erasure import eventually
from tests.books import Books
from tests.conftest import SECRET, AppServer
from tests.db.forgetting import everything
from tests.other_shops import OtherShop, shopify_order, updated, woocommerce_order
from tests.shop import JSON, TestMerchant, ok
from tests.till import Till, invented_session, variant

MAIL = "bo@example.org"
SALE, CHARGED = "checkout.session.completed", "charge.succeeded"
Known = tuple[str | None, str | None]
Waits = Callable[[], int]


def by_mail(merchant: TestMerchant, mail: str = MAIL) -> str | None:
    return mail_hash(Signer(SECRET.encode()), merchant_of(merchant.id, "mer"), mail)


def by_card(merchant: TestMerchant, owner: str = MAIL) -> str | None:
    return card_hash(Signer(SECRET.encode()), merchant_of(merchant.id, "mer"), card_of(owner).fingerprint)


def known(where: Till | AppServer, merchant: TestMerchant) -> list[Known]:
    """The hashes of mail and card of the merchant's orders, oldest first."""
    mine = Order.merchant_id == merchant_of(merchant.id, "mer")
    with where.database.reading() as session:
        found = session.execute(select(Order.mail_hash, Order.card_hash).where(mine).order_by(Order.order_id))
        return [(mail, card) for mail, card in found]


def held_back(till: Till) -> int:
    """How many messages hold back a card for a sale that is not there."""
    with till.database.reading() as session:
        return sum("hash" in str(body) for body in session.scalars(select(StripeEvent.body)))


@pytest.fixture
def waits(till: Till) -> Waits:
    """How many of this test's do: others leave theirs in the same till."""
    before = held_back(till)
    return lambda: held_back(till) - before


def use_mode(where: Till | AppServer, merchant: TestMerchant, mode: str) -> None:
    with where.database.transaction() as session:
        mine = Merchant.merchant_id == merchant_of(merchant.id, "mer")
        session.execute(update(Merchant).where(mine).values(privacy=mode))


# -- Stripe ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations((CHARGED, SALE, "refund.created"))), ids="-".join)
def test_mail_and_card_are_known_in_whatever_order_stripe_tells(
    till: Till, waits: Waits, seller: TestMerchant, order: tuple[str, ...]
) -> None:
    opened = till.checkout(variant(seller))
    till.double.pay(opened["session"], f" {MAIL.upper()}", card="Ana@example.org")
    till.refund(opened["session"], 500)
    told = till.told_once(opened["session"])
    for kind in order:
        till.tell(told[kind], told[kind])
    assert [(by_mail(seller), by_card(seller, "ana@example.org"))] == known(till, seller)
    assert 500 == till.order_of(seller, opened["session"])["refunded"]
    assert 0 == waits(), "it was taken out of its message"


def test_one_persons_orders_are_alike_at_one_merchant_and_at_two_have_nothing_in_common(
    till: Till, seller: TestMerchant, new_seller: Any
) -> None:
    other = new_seller()
    for merchant, mail in ((seller, MAIL), (seller, "Bo+again@Example.org"), (other, MAIL)):
        session = till.checkout(variant(merchant))["session"]
        till.double.pay(session, mail, card=MAIL)
        till.tell_all(session)
    first, second = known(till, seller)
    (elsewhere,) = known(till, other)
    assert first == second
    assert set() == {*first} & {*elsewhere}


def test_a_payment_that_settles_later_names_no_card(till: Till, seller: TestMerchant) -> None:
    session = till.checkout(variant(seller))["session"]
    till.double.pay_later(session, MAIL)
    till.double.settle(session, succeeded=True)
    till.tell_all(session)
    assert [(by_mail(seller), None)] == known(till, seller)


def test_a_card_for_one_merchant_is_worth_nothing_at_anothers_sale(
    till: Till, waits: Waits, seller: TestMerchant, new_seller: Any
) -> None:
    """Whoever sells through Stripe may write any tags on a payment of theirs."""
    opened = till.checkout(variant(seller))
    tags = till.session(opened["session"])["metadata"]
    payment = "pi_tagged" + opened["id"]
    card = {"type": "card", "card": {"fingerprint": card_of(MAIL).fingerprint}}
    charge = {"id": "ch_1", "object": "charge", "payment_intent": payment, "payment_method_details": card}
    forged = {**tags, "gv_merchant": new_seller().id}
    assert 200 == till.invent(CHARGED, {**charge, "metadata": forged}, id="evt_c" + opened["id"])
    assert 1 == waits()
    sale = invented_session(id=opened["session"], payment_intent=payment, metadata=tags)
    assert 200 == till.invent(SALE, sale, id="evt_s" + opened["id"])
    assert [(None, None)] == known(till, seller)
    assert 0 == waits()


@pytest.mark.parametrize("metadata", [{}, {"gv_merchant": "mer_nobody", "gv_checkout": "chk_1"}], ids=["none", "odd"])
def test_nothing_is_kept_of_somebody_elses_charge(
    till: Till, waits: Waits, seller: TestMerchant, metadata: JSON
) -> None:
    card = {"type": "card", "card": {"fingerprint": "Xt5EWLLDS7FJjR1c"}}
    charge = {"id": "ch_2", "payment_intent": f"pi_{seller.id}", "payment_method_details": card, "metadata": metadata}
    for number, kind in enumerate((CHARGED, CHARGED, "charge.updated")):
        assert 200 == till.invent(kind, charge, id=f"evt_{number}{len(metadata)}{seller.id}")
    assert 0 == waits()


@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
@pytest.mark.parametrize("says", ["none", "consented", "gpc", "opted out"])
def test_of_whom_nothing_may_be_remembered_neither_mail_nor_card_is_known(
    till: Till, waits: Waits, seller: TestMerchant, says: str, late: bool
) -> None:
    if says in ("none", "consented"):
        use_mode(till, seller, says)
    shopper = seller.shopper()
    mug = seller.product()
    if says == "opted out":
        shopper.like(mug["id"])
        ok(shopper.http.post("/v1/me/opt-out", headers=shopper.headers))
    headers = {**shopper.headers, **({"Sec-GPC": "1"} if says == "gpc" else {})}
    body = {"items": [{"variant": mug["variants"][0]["id"], "quantity": 1}]}
    session = ok(till.ask(body, **headers), 201)["url"].rpartition("/")[2]
    till.double.pay(session, MAIL)
    told = till.told_once(session)
    kinds = (SALE, CHARGED) if late else (CHARGED, SALE)
    till.tell(*(told[kind] for kind in kinds))
    assert [(None, None)] == known(till, seller)
    assert 0 == waits()


def test_who_consented_is_known_by_mail_and_card(till: Till, seller: TestMerchant) -> None:
    use_mode(till, seller, "consented")
    shopper, mug = seller.shopper(), seller.product()
    shopper.like(mug["id"])
    ok(shopper.http.post("/v1/consents", json={"version": "1", "merchant": seller.id}, headers=shopper.headers), 201)
    body = {"items": [{"variant": mug["variants"][0]["id"], "quantity": 1}]}
    session = ok(till.ask(body, **shopper.headers), 201)["url"].rpartition("/")[2]
    till.double.pay(session, MAIL)
    till.tell_all(session)
    assert [(by_mail(seller), by_card(seller))] == known(till, seller)


def test_reconciliation_asks_for_the_mail_and_the_card(books: Books) -> None:
    """By events, which Stripe lists for 30 days; by sessions with their charges, as long as those are listed."""
    till, seller = books.till, books.seller()
    mug = variant(seller)
    for days in (40, 3):
        told, untold = (till.checkout(mug)["session"] for _ in range(2))
        for session in (told, untold):
            till.double.pay(session, MAIL)
        till.tell(till.told_once(told)[SALE])
        till.clock.move(days=days)
    books.reconcile(till.clock.now() - timedelta(days=60))
    both = (by_mail(seller), by_card(seller))
    assert [(by_mail(seller), None), *[both] * 3] == known(till, seller)
    assert CHARGED not in {kind for kind, _ in books.repairs()}, "no money was missing"
    assert 0 == held_back(till)


def test_a_card_that_is_told_after_its_buyer_was_forgotten_is_not_kept(
    till: Till, waits: Waits, seller: TestMerchant
) -> None:
    shopper, mug = seller.shopper(), seller.product()
    shopper.like(mug["id"])
    old = shopper.id
    body = {"items": [{"variant": mug["variants"][0]["id"], "quantity": 1}]}
    session = ok(till.ask(body, **shopper.headers), 201)["url"].rpartition("/")[2]
    till.double.pay(session, MAIL)
    told = till.told_once(session)
    till.tell(told[SALE])
    assert [(by_mail(seller), None)] == known(till, seller)
    assert 204 == shopper.http.delete("/v1/me", headers=shopper.headers).status_code
    till.tell(told[CHARGED], told[SALE])
    assert [(None, None)] == known(till, seller)
    assert 0 == waits()
    bodies = [said for table, _, said in everything(till.database) if table == "stripe_events"]
    assert not [said for said in bodies if old in said], "messages name no buyer"


# -- other shops -------------------------------------------------------------------------------------------------


def test_shopify_tells_the_mail_and_a_correction_of_it(app_server: AppServer, merchant: TestMerchant) -> None:
    shop = OtherShop(merchant, "shopify")
    shop.tell("orders/create", shopify_order(financial_status="pending", email=MAIL))
    assert [] == known(app_server, merchant)
    shop.tell("orders/paid", updated(1, email="", contact_email="Bo+x@example.org"))
    assert [(by_mail(merchant), None)] == known(app_server, merchant)
    shop.tell("orders/updated", updated(3, email="cy@example.org"))
    shop.tell("orders/updated", updated(2, email="older@example.org"))
    assert [(by_mail(merchant, "cy@example.org"), None)] == known(app_server, merchant)
    assert not [at for at in everything(app_server.database) if MAIL in at[2] or "cy@example" in at[2]]


def test_woocommerce_tells_the_mail(app_server: AppServer, merchant: TestMerchant) -> None:
    shop = OtherShop(merchant, "woocommerce")
    shop.tell("order.created", woocommerce_order(billing={"email": MAIL, "first_name": "Bo"}))
    assert [(by_mail(merchant), None)] == known(app_server, merchant)


@pytest.mark.parametrize("mode", ["none", "consented"])
def test_where_no_buyer_is_kept_a_shops_order_tells_nothing_of_them(
    app_server: AppServer, merchant: TestMerchant, mode: str
) -> None:
    use_mode(app_server, merchant, mode)
    shop = OtherShop(merchant, "shopify")
    shop.tell("orders/paid", shopify_order(email=MAIL))
    shop.tell("orders/updated", updated(1, email=MAIL))
    assert [(None, None)] == known(app_server, merchant)


def test_what_a_shop_tells_of_somebody_who_was_forgotten_makes_them_known_no_more(
    app_server: AppServer, merchant: TestMerchant
) -> None:
    shop = OtherShop(merchant, "shopify")
    shop.tell("orders/paid", shopify_order(email=MAIL))
    assert 204 == merchant.http.delete(f"/v1/customers/{MAIL}").status_code
    assert eventually(lambda: [(None, None)] == known(app_server, merchant))
    shop.tell("orders/updated", updated(1, email=MAIL, note="sent"))
    assert [(None, None)] == known(app_server, merchant)
    hashed = Signer(SECRET.encode()).customer_hash(merchant_of(merchant.id, "mer"), MAIL)
    assert not [at for at in everything(app_server.database, merchant_of(merchant.id, "mer")) if hashed in at[2]]


# -- by API ------------------------------------------------------------------------------------------------------


def test_by_api_the_mail_is_taken_one_or_many_at_a_time_and_never_given_back(
    app_server: AppServer, merchant: TestMerchant
) -> None:
    sale = {"external_id": "1", "placed_at": merchant.clock.now().isoformat(), "currency": "eur", "net": 100}
    one = ok(merchant.http.post("/v1/orders", json={**sale, "mail": MAIL}), 201)
    assert one == ok(merchant.http.post("/v1/orders", json={**sale, "mail": MAIL}), 200)
    assert 409 == merchant.http.post("/v1/orders", json={**sale, "mail": "cy@example.org"}).status_code
    assert 409 == merchant.http.post("/v1/orders", json=sale).status_code
    told = [{"customer": MAIL}, {"customer": "cy", "mail": f" {MAIL}"}, {"customer": "c-7"}, {"mail": "none"}, {}]
    many = [{**sale, "external_id": f"b{number}", **more} for number, more in enumerate(told)]
    ok(merchant.http.post("/v1/orders/bulk", json={"orders": many}))
    mails = [by_mail(merchant)] * 3 + [None] * 3
    assert [(mail, None) for mail in mails] == known(app_server, merchant)
    listed = ok(merchant.http.get("/v1/orders"))
    assert MAIL not in str(one) + str(listed)
    assert "mail" not in one
    assert not [at for at in everything(app_server.database) if MAIL in at[2]]


@pytest.mark.parametrize("mail", ["x" * 321, "bo@\u0000", 7, ["bo@example.org"]], ids=["long", "nul", "number", "list"])
def test_a_mail_that_cannot_be_is_refused_and_not_said_back(merchant: TestMerchant, mail: object) -> None:
    sale = {"external_id": "1", "placed_at": merchant.clock.now().isoformat(), "currency": "eur", "net": 100}
    answer = merchant.http.post("/v1/orders", json={**sale, "mail": mail})
    assert (422, "/mail") == (answer.status_code, answer.json()["errors"][0]["pointer"])
    assert str(mail) not in answer.text


def test_an_order_that_was_told_before_there_were_mails_is_told_again_in_the_same_words(
    app_server: AppServer, merchant: TestMerchant
) -> None:
    """What tells a repetition was made of all fields that there were: one more must not change it."""
    placed = merchant.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    said = f'{{"external_id":"old","placed_at":"{placed}","currency":"eur","net":100,"gross":null,"lines":[],'
    said += '"click_id":null,"visitor":null,"coupon":null,"customer":"bo","test":false}'
    ok(merchant.http.post("/v1/orders", json=json.loads(said)), 201)
    mine = Order.merchant_id == merchant_of(merchant.id, "mer")
    with app_server.database.reading() as session:
        fingerprint = session.scalars(select(Order.fingerprint).where(mine)).one()
    assert hashlib.sha256(said.encode()).hexdigest() == fingerprint


def test_a_correction_leaves_what_is_known_of_the_buyer(app_server: AppServer, merchant: TestMerchant) -> None:
    order = merchant.order(1000, mail=MAIL)
    shopper = merchant.shopper()
    shopper.like(merchant.product()["id"])
    for change in ({"net": 900, "note": "cheaper"}, {"visitor": shopper.token}, {"cancelled": True}):
        ok(merchant.http.patch(f"/v1/orders/{order['id']}", json=change))
        assert [(by_mail(merchant), None)] == known(app_server, merchant)
    assert 422 == merchant.http.patch(f"/v1/orders/{order['id']}", json={"mail": MAIL}).status_code


def test_erasure_takes_what_is_known_of_a_buyer_also_by_their_mail_alone(
    app_server: AppServer, merchant: TestMerchant
) -> None:
    shopper = merchant.shopper()
    shopper.like(merchant.product()["id"])
    merchant.order(1000, mail=MAIL)
    merchant.order(1000, mail="cy@example.org", visitor=shopper.id)
    merchant.order(1000, mail="di@example.org")
    kept = [by_mail(merchant, mail) for mail in (MAIL, "cy@example.org", "di@example.org")]
    assert kept == [mail for mail, _ in known(app_server, merchant)]
    assert 204 == shopper.http.delete("/v1/me", headers=shopper.headers).status_code
    assert [kept[0], None, kept[2]] == [mail for mail, _ in known(app_server, merchant)]
    assert 204 == merchant.http.delete(f"/v1/customers/{MAIL.upper()}").status_code
    assert [None, None, kept[2]] == [mail for mail, _ in known(app_server, merchant)]


def test_where_buyers_must_consent_who_claimed_the_click_is_asked_for(
    app_server: AppServer, merchant: TestMerchant
) -> None:
    code = merchant.shopper().share(merchant.product()["id"])["code"]
    agreed, other = merchant.shopper(), merchant.shopper()
    for buyer in (agreed, other):
        buyer.follow(code)
    ok(agreed.http.post("/v1/consents", json={"version": "1", "merchant": merchant.id}, headers=agreed.headers), 201)
    use_mode(app_server, merchant, "consented")
    for click in (agreed.click, other.click, None):
        merchant.order(1000, mail=MAIL, **({"click_id": click} if click else {}))
    assert [by_mail(merchant), None, None] == [mail for mail, _ in known(app_server, merchant)]
