"""A backup is taken in the middle of a storm, is put back into either kind of database, and compared with Stripe: then
nothing is missing, and nothing was seen half-way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import func, select

from app import main
from app.attribution.models import CreditLine
from app.kernel.database import Database
from app.orders.models import Order
from app.orders.stripe.gateway import Gateway
from tests.books import Books
from tests.conftest import BACKENDS
from tests.db.backups import back_up, new_place, restore
from tests.net import free_port, serving
from tests.shop import TestMerchant
from tests.soak import SOAK

SALES = 60 if SOAK else 8
LATER = 4
"""Sales after the last backup: only Stripe can tell of them."""


def in_the_storm(books: Books, folder: Path) -> list[Path]:
    """Backups, one after the other, while Stripe tells everything three times over."""
    webhooks = books.till.double.webhooks

    def tell() -> None:
        webhooks.release(shuffle=7, repeat=3, concurrency=4)
        webhooks.drain(60)

    storm = Thread(target=tell)
    made: list[Path] = []
    storm.start()
    while storm.is_alive():
        back_up(books.till.settings.database, folder / f"{len(made)}.db", secret=books.till.settings.secret)
        made.append(folder / f"{len(made)}.db")
    storm.join()
    return made


@contextmanager
def moved(books: Books, url: str, merchant: TestMerchant) -> Iterator[tuple[Books, TestMerchant]]:
    """The same shop on another database, with the same keys and the same Stripe."""
    port = free_port()
    settings = books.till.settings.model_copy(update={"database_url": url, "public_url": f"http://127.0.0.1:{port}"})
    here = main.assemble(settings, books.till.clock)
    gateway = Gateway(settings, here.watch)
    database = Database(url)
    with serving(main.application(settings, books.till.clock), port):
        till = replace(books.till, url=settings.public_url, settings=settings, database=database)
        there = TestMerchant(
            merchant.id, merchant.secret_key, merchant.report_key, till.url, till.clock, merchant.currency
        )
        yield replace(books, till=till, here=here, gateway=gateway), there
        there.close()
    gateway.close()
    here.database.close()
    database.close()


def uncredited(url: str) -> tuple[int, list[str]]:
    """How many orders there are, and those of which something else is divided than what is left of their net."""
    database = Database(url)
    with database.reading() as session:
        orders = session.scalars(select(Order)).all()
        total = func.sum(CreditLine.gross - CreditLine.reversed)
        credit = dict(session.execute(select(CreditLine.order_id, total).group_by(CreditLine.order_id)).all())
        wrong = [order.order_id for order in orders if credit.get(order.order_id) != order.net - order.refunded]
    database.close()
    return len(orders), wrong


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(900 if SOAK else 120)
def test_a_backup_of_any_moment_of_a_storm_and_what_stripe_says_make_the_books_whole(
    books: Books, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    seller, place = books.seller(), new_place(request, tmp_path)
    friend, buyer = seller.shopper(), seller.shopper()
    buyer.follow(friend.share(seller.product()["id"])["code"])
    books.sell_and_take_back(seller, SALES, click=buyer.click)

    made = in_the_storm(books, tmp_path)
    books.till.double.webhooks.hold()
    books.sell_and_take_back(seller, LATER, click=buyer.click)
    assert made

    for number, file in enumerate(made[:: len(made) // 3 + 1] if SOAK else made[len(made) // 2 :][:1]):
        for kind in BACKENDS:
            restore(file, url := place(kind))
            orders, wrong = uncredited(url)
            assert (True, []) == (orders <= SALES, wrong), (number, kind)

            with moved(books, url, seller) as (there, merchant):
                there.till.clock.move(hours=1)
                assert [None] == [each.error for each in there.reconcile()]
                assert books.theirs(seller) == there.ours(merchant)
            assert (SALES + LATER, []) == uncredited(url)
