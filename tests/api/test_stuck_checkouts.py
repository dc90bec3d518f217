"""Checkouts of which nobody told how they ended are settled, and their stock is given back."""

import pytest
from sqlalchemy import select, update

from app.catalog.models import Variant
from app.merchants.models import Merchant
from app.orders.models import Checkout
from tests.books import Books
from tests.till import variant


def stock_of(books: Books, variant_id: str) -> tuple[int | None, int]:
    """What is left by the merchant's own number, and what of it is held."""
    with books.till.database.reading() as session:
        row = session.scalars(select(Variant).where(Variant.variant_id == variant_id)).one()
        return row.stock, row.held


def statuses(books: Books) -> list[str]:
    with books.till.database.reading() as session:
        return list(session.scalars(select(Checkout.status)))


def test_stuck_checkouts_are_settled_and_give_their_stock_back(books: Books) -> None:
    till, seller = books.till, books.seller()
    mug = variant(seller, variants=[{"price": {"amount": 2000, "currency": "eur"}, "stock": 5}])
    books.till.line.status = 500
    lost = till.ask({"items": [{"variant": mug, "quantity": 1}]}, **{"Idempotency-Key": "lost"})
    books.till.line.mend()
    left, paid = till.checkout(mug, 2), till.checkout(mug)
    till.double.pay(paid["session"])
    books.till.line.status = 500
    till.clock.move(minutes=1)
    assert 503 == lost.status_code
    books.till.line.mend()
    assert ["open", "open"] == [till.status(left), till.status(paid)]
    assert (5, 3) == stock_of(books, mug)

    till.clock.move(hours=2, minutes=5)
    books.reconcile()
    assert "paid" == till.status(paid)  # its end is just over; the other's event may still come
    till.clock.move(minutes=10)
    books.reconcile()

    assert {"expired", "paid"} == set(statuses(books))
    assert (4, 0) == stock_of(books, mug)


def test_a_shop_that_left_its_account_gets_its_stock_back_too(books: Books) -> None:
    till, seller = books.till, books.seller(stripe_account="acct_before")
    mug = variant(seller, variants=[{"price": {"amount": 2000, "currency": "eur"}, "stock": 5}])
    left = till.checkout(mug, 2)
    with till.database.transaction() as session:
        session.execute(update(Merchant).values(stripe_account="acct_after"))
    till.clock.move(days=1)

    made = books.reconcile()

    assert ["", "acct_after", "acct_before"] == [each.account for each in made]
    assert ("expired", (5, 0)) == (till.status(left), stock_of(books, mug))


def test_many_unsettled_checkouts_are_gone_through_page_by_page(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.orders.reconciliation.comparing.PAGE", 2)
    till, sellers = books.till, (books.seller(), books.seller(stripe_account="acct_other"))
    books.reconcile()
    opened_ones = []
    for number in range(7):
        opened_ones.append(till.checkout(variant(sellers[number % 2])))
        till.clock.move(seconds=number % 3)
    till.clock.move(days=2)
    till.double.sweep()
    till.clock.move(days=38)

    made = books.reconcile()

    assert ["expired"] * 7 == [till.status(each) for each in opened_ones]
    assert [0, 4, 0, 3] == [count for each in made for count in (each.events, each.repaired)]


def test_a_session_that_stripe_does_not_know_is_over(books: Books) -> None:
    till, seller = books.till, books.seller()
    mug = variant(seller, variants=[{"price": {"amount": 2000, "currency": "eur"}, "stock": 5}])
    left = till.checkout(mug, 2)
    with till.database.transaction() as session:
        session.execute(update(Checkout).values(session_id="cs_test_of_another_stripe"))
    till.clock.move(days=1)

    assert [0] == [each.repaired for each in books.reconcile()]
    assert ("expired", (5, 0)) == (till.status(left), stock_of(books, mug))
