"""A shop that moves to another account of Stripe's, or closes, keeps what it sold through the one that it has left."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from app.catalog.models import Variant
from app.kernel.periodic import Timetable
from app.orders.models import Checkout
from app.orders.reconciliation import runs as reconciliation
from app.orders.stripe.client import Client
from app.orders.stripe.listing import Page
from app.orders.stripe.problems import AccountRefused
from app.orders.stripe_models import StripeObject
from tests.books import Books
from tests.conftest import ADMIN_TOKEN
from tests.shop import JSON, TestMerchant, ok
from tests.till import variant

OPERATOR = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
REFUSED = "nobody sells through this account any more, and it does not let us ask"


def move(books: Books, seller: TestMerchant, account: str) -> None:
    """The shop sells through another account from now on."""
    address = f"{books.till.url}/v1/merchants/{seller.id}"
    ok(httpx.patch(address, json={"stripe_account": account}, headers=OPERATOR))


def close(books: Books, seller: TestMerchant) -> None:
    assert 204 == httpx.delete(f"{books.till.url}/v1/merchants/{seller.id}", headers=OPERATOR).status_code


def stocked(seller: TestMerchant) -> str:
    """A variant of which there are five."""
    return variant(seller, variants=[{"price": {"amount": 2000, "currency": "eur"}, "stock": 5}])


def stock_of(books: Books, variant_id: str) -> tuple[int | None, int]:
    """What is left by the merchant's own number, and what of it is held."""
    with books.till.database.reading() as session:
        row = session.scalars(select(Variant).where(Variant.variant_id == variant_id)).one()
        return row.stock, row.held


def forget(books: Books, opened: JSON) -> None:
    """What a restored backup may not know: which session the checkout got."""
    with books.till.database.transaction() as session:
        mine = update(Checkout).where(Checkout.checkout_id == opened["id"])
        session.execute(mine.values(session_id=None, session_url=None, status="asking"))
        session.delete(session.get_one(StripeObject, opened["session"]))


@pytest.mark.parametrize("compared_before", [True, False])
def test_a_sale_at_the_account_that_was_left_is_found(books: Books, compared_before: bool) -> None:
    till, seller = books.till, books.seller(stripe_account="acct_old")
    if compared_before:
        books.reconcile()
    mug = stocked(seller)
    bought, left = till.checkout(mug, 2), till.checkout(mug)
    till.double.pay(bought["session"])
    move(books, seller, "acct_new")
    till.clock.move(days=2)

    made = books.reconcile()

    assert [("", None), ("acct_new", None), ("acct_old", None)] == [(each.account, each.error) for each in made]
    assert books.theirs(seller, "acct_old") == books.ours(seller) != {}
    assert ["paid", "expired"] == [till.status(bought), till.status(left)]
    assert (3, 0) == stock_of(books, mug)


def test_what_is_taken_back_at_the_account_that_was_left_is_found(books: Books) -> None:
    till, seller = books.till, books.seller(stripe_account="acct_old")
    bought, disputed = till.checkout(variant(seller)), till.checkout(variant(seller))
    for each in (bought, disputed):
        till.double.pay(each["session"])
        till.tell_all(each["session"])
    books.reconcile()
    move(books, seller, "acct_new")
    books.reconcile()
    till.clock.move(days=100)
    till.refund(bought["session"], 700)
    till.dispute(disputed["session"])
    till.clock.move(days=60)

    books.reconcile()

    assert books.theirs(seller, "acct_old") == books.ours(seller)
    assert [700, 2000] == sorted(sum(taken.values()) for _, _, taken in books.ours(seller).values())


def test_an_account_is_compared_on_after_a_long_time_away(books: Books) -> None:
    till, seller = books.till, books.seller(stripe_account="acct_old")
    bought = till.checkout(variant(seller))
    till.double.pay(bought["session"])
    till.tell_all(bought["session"])
    books.reconcile()
    move(books, seller, "acct_new")
    till.clock.move(days=1)
    refund = till.refund(bought["session"], 700)
    till.clock.move(days=200)

    books.reconcile()

    assert [("refund.updated", refund)] == books.repairs()


@pytest.mark.parametrize("account", ["acct_closing", None])
def test_the_books_of_a_shop_that_closed_are_kept_right(books: Books, account: str | None) -> None:
    till, seller = books.till, books.seller(stripe_account=account)
    mug = stocked(seller)
    bought, left, given_back = till.checkout(mug), till.checkout(mug), till.checkout(mug)
    till.double.pay(given_back["session"])
    till.tell_all(given_back["session"])
    till.double.pay(bought["session"])
    close(books, seller)
    refund = till.refund(given_back["session"], 700)
    till.clock.move(days=2)

    assert not any(each.error for each in books.reconcile())

    assert ["paid", "expired"] == [till.status(bought), till.status(left)]
    assert (3, 0) == stock_of(books, mug)
    assert {bought["session"], left["session"], refund} == {it for _, it in books.repairs()}


def test_a_closed_shop_of_which_nothing_is_under_way_is_compared_for_its_refunds(books: Books) -> None:
    till, seller = books.till, books.seller(stripe_account="acct_closing")
    bought = till.checkout(variant(seller))
    till.double.pay(bought["session"])
    till.tell_all(bought["session"])
    close(books, seller)
    refund = till.refund(bought["session"], 700)

    assert ["", "acct_closing"] == [each.account for each in books.reconcile()]
    assert [("refund.created", refund)] == books.repairs()

    till.clock.move(days=181)
    books.seller()
    assert ["", "acct_closing"] == [each.account for each in books.reconcile()]


def test_an_account_that_refuses_after_it_was_left_is_told_and_fails_nothing(books: Books) -> None:
    till, seller = books.till, books.seller(stripe_account="acct_old")
    books.reconcile()
    mug = stocked(seller)
    left = till.checkout(mug, 2)
    move(books, seller, "acct_new")
    till.clock.move(hours=1)
    books.line.refuses = "acct_old"
    books.waited.clear()
    books.reconcile()
    assert ("open", (5, 2)) == (till.status(left), stock_of(books, mug))  # somebody may still pay it
    till.clock.move(days=1)

    timetable = Timetable(books.here.database, till.clock, reconciliation.periodic(books.here, books.gateway))
    timetable.run_due()
    till.clock.move(hours=2)
    assert 1 == timetable.run_due()
    made = books.reconcile()

    assert [("", None), ("acct_new", None), ("acct_old", REFUSED)] == [(each.account, each.error) for each in made]
    assert [True, True, False] == [each.finished_at is not None for each in made]
    assert all(reconciliation.is_done(each) for each in made)
    assert ("expired", (5, 0)) == (till.status(left), stock_of(books, mug))
    assert [] == books.waited
    shown = ok(httpx.get(f"{till.url}/readyz"))
    assert (None, []) == (shown["reconciliation"]["error"], shown["warnings"])


def test_an_account_that_lets_us_ask_again_is_compared_from_where_it_was_left(books: Books) -> None:
    till, seller = books.till, books.seller(stripe_account="acct_old")
    books.reconcile()
    bought = till.checkout(stocked(seller), 2)
    move(books, seller, "acct_new")
    till.double.pay(bought["session"])
    books.line.refuses = "acct_old"
    till.clock.move(days=2)
    books.reconcile()
    assert "expired" == till.status(bought)

    books.line.refuses = ""
    till.clock.move(days=2)
    books.reconcile()

    assert "paid" == till.status(bought)
    assert books.theirs(seller, "acct_old") == books.ours(seller) != {}


def test_an_account_that_always_refuses_is_asked_no_more_in_the_end(books: Books) -> None:
    seller = books.seller(stripe_account="acct_old")
    books.reconcile()
    move(books, seller, "acct_new")
    books.line.refuses = "acct_old"
    asked = []
    for _ in range(5):
        books.till.clock.move(days=61)
        asked.append([each.account for each in books.reconcile()])

    assert [["", "acct_new", "acct_old"]] * 3 + [["", "acct_new"]] * 2 == asked


def test_while_our_own_key_is_refused_no_account_counts_as_gone(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    till, seller = books.till, books.seller(stripe_account="acct_old")
    mug = stocked(seller)
    bought = till.checkout(mug, 2)
    till.double.pay(bought["session"])
    move(books, seller, "acct_new")
    till.clock.move(days=2)

    def refuse(*_: Any, **__: Any) -> None:
        raise AccountRefused

    with monkeypatch.context() as wrong_key:
        wrong_key.setattr(Client, "events", refuse)
        made = books.reconcile()

    assert [False] * 3 == [reconciliation.is_done(each) for each in made]
    assert ("open", (5, 2)) == (till.status(bought), stock_of(books, mug))
    books.reconcile()
    assert ("paid", (3, 0)) == (till.status(bought), stock_of(books, mug))


def test_an_account_that_refuses_one_question_only_is_not_gone(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the key may look at events, and not at a session."""
    till, seller = books.till, books.seller(stripe_account="acct_old")
    mug = stocked(seller)
    left = till.checkout(mug, 2)
    move(books, seller, "acct_new")
    till.clock.move(hours=3)

    def refuse(*_: Any, **__: Any) -> None:
        raise AccountRefused

    with monkeypatch.context() as narrow_key:
        narrow_key.setattr(Client, "session", refuse)
        for nothing in ("events", "sessions"):
            narrow_key.setattr(Client, nothing, lambda *_: Page((), None))
        made = books.reconcile()

    assert [True, True, False] == [reconciliation.is_done(each) for each in made]
    assert ("open", (5, 2)) == (till.status(left), stock_of(books, mug))


def test_a_trouble_at_an_account_that_was_left_ends_no_checkout(books: Books) -> None:
    till, seller = books.till, books.seller(stripe_account="acct_old")
    mug = stocked(seller)
    bought = till.checkout(mug, 2)
    till.double.pay(bought["session"])
    move(books, seller, "acct_new")
    till.clock.move(days=2)
    books.trouble(*[500] * 50)

    assert [False] * 3 == [reconciliation.is_done(each) for each in books.reconcile()]

    assert ("open", (5, 2)) == (till.status(bought), stock_of(books, mug))


def test_a_session_that_was_forgotten_is_known_again_by_the_account_of_its_checkout(books: Books) -> None:
    till, seller = books.till, books.seller(stripe_account="acct_old")
    bought = till.checkout(stocked(seller), 2)
    till.double.pay(bought["session"])
    forget(books, bought)
    move(books, seller, "acct_new")

    books.reconcile()

    assert books.theirs(seller, "acct_old") == books.ours(seller) != {}
    assert "paid" == till.status(bought)


@pytest.mark.parametrize("account", ["acct_stranger", "acct_new", None])
def test_tags_are_believed_of_no_account_but_the_checkouts_own(books: Books, account: str | None) -> None:
    """Whoever sells through a connected account can write anybody's tags there."""
    till, seller, thief = books.till, books.seller(stripe_account="acct_old"), books.seller(stripe_account=account)
    mug = stocked(seller)
    bought = till.checkout(mug, 2)
    move(books, seller, "acct_third")
    session = {**till.session(bought["session"]), "id": "cs_test_forged", "payment_intent": "pi_forged"}
    session |= {"status": "complete", "payment_status": "paid"}
    more: JSON = {} if account is None else {"account": account}

    assert 200 == till.invent("checkout.session.completed", session, id=f"evt_{account}", **more)

    assert ([], [], "open") == (till.orders(seller), till.orders(thief), till.status(bought))
    assert (5, 2) == stock_of(books, mug)
