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
from app.reports.credit_sums import add_up, marked
from app.reports.drilldown import Credited
from app.reports.ledger import Question
from app.reports.models import CreditSum
from tests.clock import START
from tests.db.credit_books import Books
from tests.soak import SOAK


@pytest.fixture
def books(database: Database, request: pytest.FixtureRequest) -> Books:
    with database.transaction() as session:
        for table in (CreditMark, CreditSum, CreditLine):
            session.execute(delete(table))
    return Books(database, Random(request.node.name))


def paged(database: Database, question: Question, most: int = 7) -> list[Credited]:
    found: list[Credited] = []
    after = None
    with database.reading() as session:
        while page := drilldown.page(session, question, after, most):
            found += page
            after = page[-1].place
    return found


def compare(books: Books, database: Database, question: Question) -> int:
    found = paged(database, question)
    with database.reading() as session:
        total = ledger.totals(session, question)["eur"]
    told = len(found), sum(each.sums.gross for each in found), sum(each.sums.refunded for each in found)
    assert (total.orders, total.gross, total.refunded) == told, question
    assert [each.place for each in found] == sorted({each.place for each in found}, reverse=True)
    return len(found)


def test_whatever_is_added_up_and_whatever_is_marked_all_pages_are_the_ledgers_total(
    books: Books, database: Database
) -> None:
    shown = 0
    for step in range(100 if SOAK else 7):
        books.write(orders=books.chance.choice((1, 5, 40)))
        if step % 3 == 1:
            Keeping(database).add_up_all()
        elif step % 3 == 2:
            with database.transaction() as session:
                for each in books.chance.sample(found := marked(session, None, 500), len(found) // 2):
                    add_up(session, each.ledger, each.starts, each.starts + QUARTER)
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
        found = drilldown.page(session, question, None, 10)
    assert [QUARTER] == [until - since for since, until in within]
    assert [line.order_id] == [each.place.order_id for each in found]
