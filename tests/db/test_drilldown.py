"""The orders behind a figure, of a ledger that was written at random, whatever of it is added up or marked."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import delete, select

from app.attribution.models import CreditLine, CreditMark
from app.kernel.database import Database
from app.kernel.rollups.tables import QUARTER
from app.reports import drilldown, ledger
from app.reports.credit_keeping import Keeping
from app.reports.drilldown import PLACED_AT, Credited
from app.reports.ledger import Question
from app.reports.models import CreditSum
from app.reports.ranking import BY_NET, Order
from tests.clock import START
from tests.db.credit_books import Books
from tests.soak import SOAK


@pytest.fixture
def books(database: Database, request: pytest.FixtureRequest) -> Books:
    with database.transaction() as session:
        for table in (CreditMark, CreditSum, CreditLine):
            session.execute(delete(table))
    return Books(database, Random(request.node.name))


NEWEST = Order(PLACED_AT)
ORDERS = (NEWEST, Order(PLACED_AT, descends=False), BY_NET, Order(descends=False))


def paged(database: Database, question: Question, order: Order = NEWEST, most: int = 7) -> list[Credited]:
    found: list[Credited] = []
    after = None
    with database.reading() as session:
        while page := drilldown.page(session, question, order, after, most).orders:
            found += page
            after = page[-1].place
    return found


def turn(order: Order, each: Credited) -> tuple[str, int, str] | tuple[int, str]:
    """What is less comes first; by time, the orders that were made at once are turned, too."""
    if order.by == PLACED_AT:
        return each.at, each.order_id
    return each.currency, -each.sums.net if order.descends else each.sums.net, each.order_id


def in_turn(order: Order, found: list[Credited]) -> list[Credited]:
    return sorted(found, key=lambda each: turn(order, each), reverse=order == NEWEST)


def compare(books: Books, database: Database, question: Question) -> int:
    order = books.chance.choice(ORDERS)
    found = paged(database, question, order, books.chance.choice((7, 50)))
    with database.reading() as session:
        total = ledger.totals(session, question)["eur"]
    told = len(found), sum(each.sums.gross for each in found), sum(each.sums.refunded for each in found)
    assert (total.orders, total.gross, total.refunded) == told, question
    assert in_turn(order, found) == found
    assert len(found) == len({each.order_id for each in found})
    return len(found)


@pytest.mark.parametrize("order", ORDERS)
def test_in_whatever_order_they_are_the_same_orders(books: Books, database: Database, order: Order) -> None:
    for _ in range(3):
        books.write(orders=40)
    base = replace(books.question(), since=START - timedelta(days=90), until=START, policy="current", livemode=True)
    question = replace(base, currency="eur", only={}, without={}, group_by=())
    newest, found = paged(database, question), paged(database, question, order)
    assert len(found) > 30
    assert [each[1:] for each in in_turn(order, newest)] == [each[1:] for each in found]


def test_whatever_is_added_up_and_whatever_is_marked_all_pages_are_the_ledgers_total(
    books: Books, database: Database
) -> None:
    shown = 0
    for step in range(100 if SOAK else 7):
        books.write(orders=books.chance.choice((1, 5, 40)))
        books.add_up_some(step)
        for _ in range(20):
            question = replace(books.question(), currency="eur", group_by=())
            values = {
                "network": ["x", "email"],
                "product": ["prod_1"],
                "sharer": ["vis_1", "nobody"],
                "wall": ["(none)"],
                "depth": ["0", "(none)", "one"],
                "kind": ["like"],
                "shared_to": ["x"],
                "seen_from": ["(none)"],
            }
            name = books.chance.choice(list(values))
            shown += compare(books, database, replace(question, only={name: values[name]}))
            shown += compare(books, database, replace(question, only={}, without={name: values[name]}))
    assert shown > 40


def test_more_lines_of_one_order_than_are_read_at_once(
    books: Books, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drilldown, "_AT_ONCE", 3)
    order = books.order()
    for _ in range(4):
        books.write_for(order)
        books.write(orders=3)
    question = replace(books.question(), since=START - timedelta(days=90), until=START, only={}, currency="eur")
    assert compare(books, database, replace(question, policy="current", livemode=True)) > 2


def test_a_rare_row_of_a_long_time_costs_what_it_shows(books: Books, database: Database) -> None:
    for _ in range(5):
        books.write(orders=60)
    with database.transaction() as session:
        some = select(CreditLine).where(CreditLine.policy == "current", CreditLine.livemode, CreditLine.gross > 0)
        line = session.scalars(some.limit(1)).one()
        line.sharer, line.gross = "vis_rare", 700
    Keeping(database).add_up_all()
    base = replace(books.question(), since=START - timedelta(days=90), until=START, policy="current", livemode=True)
    question = replace(base, currency=None, only={"sharer": ["vis_rare"]}, group_by=())
    with database.reading() as session:
        within = drilldown.narrowed(session, question)
        found = drilldown.page(session, question, NEWEST, None, 10).orders
    assert [QUARTER] == [until - since for since, until in within]
    assert [line.order_id] == [each.order_id for each in found]
