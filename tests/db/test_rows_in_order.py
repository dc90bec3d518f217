"""Rows in the order that is asked for, page by page or streamed, from the kept sums: the ledger's own."""

from dataclasses import replace
from random import Random

import pytest
from sqlalchemy import delete

from app.attribution.models import CreditLine, CreditMark
from app.kernel.database import Database
from app.reports import attribution, credit_ranking, ledger, sharers
from app.reports.attribution import Row
from app.reports.credit_keeping import Keeping
from app.reports.ledger import Question
from app.reports.models import CreditSum
from app.reports.ranking import NUMBERS, Order
from tests.clock import START
from tests.db.credit_books import Books

EVERY = tuple(Order(by, descends) for by in NUMBERS for descends in (True, False))


@pytest.fixture
def books(database: Database, request: pytest.FixtureRequest) -> Books:
    with database.transaction() as session:
        for table in (CreditMark, CreditSum, CreditLine):
            session.execute(delete(table))
    return Books(database, Random(request.node.name))


def orders_of(*grouping: str) -> list[tuple[tuple[str, ...], Order]]:
    by_name = [Order(name, descends) for name in grouping for descends in (True, False)]
    return [(grouping, order) for order in (*EVERY, *by_name)]


def all_pages(database: Database, question: Question, limit: int) -> list[Row]:
    found: list[Row] = []
    asked = replace(question, limit=limit)
    with database.reading() as session:
        while page := attribution.answer(session, asked).rows:
            found += page
            asked = replace(asked, after=attribution.place_of(question, page[-1]))
    return found


@pytest.mark.parametrize("is_added_up", [False, True])
def test_pages_and_the_stream_are_the_rows_of_the_ledger(books: Books, database: Database, is_added_up: bool) -> None:
    books.write(orders=40)
    if is_added_up:
        Keeping(database).add_up_all()
        books.write(orders=2)
    several = 0
    groupings = (("network",), ("depth",), ("sharer", "product"), ("day",), ("day", "sharer"), ("wall", "week"))
    for grouping, order in (each for names in groupings for each in orders_of(*names)):
        without = {"kind": ["like"]} if books.chance.random() < 0.2 else {}
        question = replace(
            books.question(), until=START, group_by=grouping, only={}, without=without, livemode=True, order=order
        )
        with database.reading() as session:
            streamed = list(attribution.streamed(session, question))
            sums = ledger.grouped(session, question)
        turns = sorted((question.turn(currency, names, each), each) for (currency, names), each in sums.items())
        assert [each for _, each in turns] == [row.sums for row in streamed], question
        assert streamed == all_pages(database, question, limit=5), question
        several += len(streamed) > 2
    assert several > 30


def test_people_come_in_the_same_order_from_the_kept_sums_and_from_the_ledger(books: Books, database: Database) -> None:
    books.write(orders=60)
    Keeping(database).add_up_all()
    books.write(orders=1)
    question = replace(books.question(), until=START, group_by=("sharer",), only={}, livemode=True, policy="current")
    by_ledger = replace(question, only={"network": ["x", "email", "whatsapp"]})
    with database.reading() as session:
        assert credit_ranking.ranked(session, question) is not None
        assert credit_ranking.ranked(session, by_ledger) is None
        expected = sharers.page(session, by_ledger, None, 100)
        assert len(expected) > 2
        for limit in (1, 2, 100):
            found: list[sharers.Row] = []
            after = None
            while page := sharers.page(session, question, after, limit):
                found += page
                after = page[-1].place
            assert expected == found
