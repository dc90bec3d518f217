"""The kept sums of credit answer as the ledger itself would, whatever is added up and whatever is marked meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Executable, delete, select, update

from app.attribution.marks import mark, quarter_of
from app.attribution.models import CreditLine, CreditMark
from app.kernel.clock import from_micros, to_micros
from app.kernel.database import Database
from app.kernel.rollups.tables import QUARTER
from app.reports import attribution, credit_check, credit_reading, credit_sums, ledger
from app.reports.credit_keeping import Keeping, rest_after
from app.reports.credit_sums import Ledger, Marked, add_up, marked, marks
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


def test_whatever_is_added_up_and_whatever_is_marked_the_answer_is_the_ledgers(
    books: Books, database: Database
) -> None:
    answered = 0
    for step in range(200 if SOAK else 9):
        books.write(orders=books.chance.choice((1, 5, 40)))
        books.add_up_some(step)
        answered += sum(books.compare(books.question()) for _ in range(12))
    assert answered > step * 6


def test_the_first_rows_are_those_of_all_whatever_is_added_up_and_whatever_is_marked(
    books: Books, database: Database
) -> None:
    compared = 0
    for step in range(4):
        books.write(orders=20)
        if step % 2:
            Keeping(database).add_up_all()
            books.write(orders=2)
        for grouping in ("network", "product", "sharer"):
            question = replace(books.question(), until=START, group_by=(grouping,), only={}, livemode=True)
            with database.reading() as session:
                rows = attribution.answer(session, question).rows
                for limit in (1, 2, 4):
                    first = attribution.answer(session, replace(question, limit=limit)).rows
                    assert rows[:limit] == first, (question, limit)
                    compared += len(first) == limit
    assert compared > 12


def test_when_all_is_added_up_the_ledger_is_not_asked(books: Books, database: Database) -> None:
    books.write(orders=60)
    Keeping(database).add_up_all()
    until = START.replace(minute=0)
    asked = replace(books.question(), since=until - timedelta(days=60), until=until, group_by=("network",), only={})
    question = replace(asked, policy="current", livemode=True)
    with database.reading() as session:
        rows = ledger.grouped(session, question)
    assert len(rows) > 2
    with database.transaction() as session:
        session.execute(update(CreditLine).values(gross=CreditLine.gross + 1000))
        kept = credit_reading.answering(session, question)
        assert kept is not None
        assert rows == kept[1]
        session.rollback()


def test_what_little_was_written_since_is_taken_from_the_kept_sums(
    books: Books, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they have it already; where it is much, the ledger answers."""
    books.write(orders=10)
    Keeping(database).add_up_all()
    until = START + timedelta(hours=1)
    question = replace(books.question(), since=START - timedelta(days=60), until=until, group_by=("network",), only={})
    question = replace(question, policy="current", livemode=True)
    before = [replace(question, as_of=START - timedelta(microseconds=1))]
    before.append(replace(question, as_of=datetime(1970, 1, 1, tzinfo=UTC)))
    assert books.compare(question)
    assert books.compare(replace(question, as_of=START + timedelta(days=400)))
    assert [True, True] == [books.compare(each) for each in before]
    with database.reading() as session:
        assert [[], []] == [list(attribution.answer(session, each).rows) for each in before]
    monkeypatch.setattr(credit_reading, "_MOST_SINCE", 3)
    assert [False, False] == [books.compare(each) for each in before]
    monkeypatch.undo()
    monkeypatch.setattr(credit_reading, "_MOST_RANGES", 1)
    assert [False, False] == [books.compare(each) for each in before]


def test_what_is_asked_by_several_things_is_asked_of_the_ledger(books: Books) -> None:
    books.write()
    question = replace(books.question(), group_by=("network",), only={})
    others = (
        replace(question, group_by=("network", "product")),
        replace(question, group_by=("day", "week")),
        replace(question, only={"product": ["prod_1"]}),
        replace(question, only={"network": ["x", "email"]}),
        replace(question, without={"network": ["x"]}),
    )
    assert books.compare(question)
    assert [False] * len(others) == [books.compare(other) for other in others]


def test_a_ledger_with_marks_all_over_is_asked_at_once(books: Books, database: Database) -> None:
    books.write(orders=60)
    quarters = {quarter_of("current", True, to_micros(START) - number * 2 * QUARTER) for number in range(900)}
    with database.transaction() as session:
        mark(session, books.merchant_id, quarters, START)
    question = replace(books.question(), policy="current", livemode=True, until=START, since=START - timedelta(days=20))
    assert not books.compare(question)


def test_a_quarter_that_was_written_without_a_mark_is_found_and_mended(books: Books, database: Database) -> None:
    books.write(orders=20)
    Keeping(database).add_up_all()
    books.write(orders=3, says_so=False)
    with database.reading() as session:
        wrong = credit_check.forgotten(session, books.merchant_id)
        lately = credit_check.forgotten(session, books.merchant_id, START - timedelta(minutes=1))
        long_after = credit_check.forgotten(session, books.merchant_id, START + timedelta(minutes=1))
    assert 1 <= len(wrong) <= 6
    assert (wrong, set()) == (lately, long_after)
    assert len(wrong) == credit_check.mark_forgotten(database, START, None, lambda: None)
    assert 0 == credit_check.mark_forgotten(database, START, None, lambda: None)
    Keeping(database).add_up_all()
    assert all(books.compare(books.question()) for _ in range(20))
    with database.reading() as session:
        assert set() == credit_check.forgotten(session, books.merchant_id)


def test_marks_are_read_page_by_page_each_quarter_once(books: Books, database: Database) -> None:
    for _ in range(3):
        books.write(orders=15)
    with database.reading() as session:
        whole = marked(session, None, 500)
        paged: list[Marked] = []
        while page := marked(session, paged[-1] if paged else None, 2):
            paged += page
        keeper = Ledger(books.merchant_id, "current", True)
        mine = marks(session, keeper, 0, to_micros(START) + QUARTER)
    assert sorted(set(whole)) == whole == paged
    assert [each.starts for each in whole if each.ledger == keeper] == mine


def test_what_is_written_while_a_quarter_is_added_up_is_marked_still(
    books: Books, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL somebody commits between two statements of whoever adds up; SQLite lets nobody in between."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer")
    books.write(orders=12)
    with database.reading() as session:
        theirs = Ledger(books.merchant_id, "current", True)
        each = next(found for found in marked(session, None, 500) if found.ledger == theirs)
    order = next(at for at in books.orders if to_micros(at[1]) // QUARTER == each.starts // QUARTER)
    statements_of = credit_sums._statements
    came: list[int] = []

    def slowly(on_sqlite: bool) -> Iterator[Executable]:
        filled = 0
        for statement in statements_of(on_sqlite):
            filled += "count(" in str(statement)
            if not came and filled == 2:  # the first dimension is added up already
                came.append(1)
                books.write_for(order)
            yield statement

    monkeypatch.setattr(credit_sums, "_statements", slowly)
    with database.transaction() as session:
        add_up(session, each.ledger, each.starts, each.starts + QUARTER)
    assert [1] == came
    with database.reading() as session:
        assert each in marked(session, None, 500)
    assert all(books.compare(books.question()) for _ in range(20))


@pytest.mark.slow
def test_while_credit_is_written_and_added_up_all_the_time_every_view_is_right(database: Database) -> None:
    """Two who write, two who add up, one who asks, all at once."""
    with database.transaction() as session:
        session.execute(delete(CreditMark))
    books = Books(database, Random(5))
    writers = [Books(database, Random(number)) for number in range(2)]
    for writer in writers:
        writer.merchant_id = books.merchant_id
    over = threading.Event()
    failed: list[BaseException] = []

    def again(work: object) -> None:
        try:
            while not over.is_set():
                assert callable(work)
                work()
        except BaseException as error:
            failed.append(error)
            over.set()

    work = [*(writer.write for writer in writers), Keeping(database).add_up_all, Keeping(database).add_up_all]
    threads = [threading.Thread(target=again, args=(each,)) for each in work]
    for thread in threads:
        thread.start()
    answered = 0
    with suppress(TimeoutError):
        for _ in range(2000 if SOAK else 30):
            answered += books.compare(books.question())
    over.set()
    for thread in threads:
        thread.join()
    assert [] == failed
    assert answered > 10
    Keeping(database).add_up_all()
    with database.reading() as session:
        assert set() == credit_check.forgotten(session, books.merchant_id)
        assert [] == session.scalars(select(CreditMark.starts)).all()


def test_an_order_is_of_the_quarter_in_which_it_was_made() -> None:
    at = datetime(2026, 11, 22, 9, 59, 59, tzinfo=UTC)
    assert datetime(2026, 11, 22, 9, 45, tzinfo=UTC) == from_micros(quarter_of("current", True, to_micros(at)).starts)


@pytest.mark.parametrize(("rest", "took"), [(0.0, 0.0), (0.4, 0.1), (4.0, 1.0), (5.0, 1.25), (5.0, 600.0)])
def test_who_adds_up_rests_longer_after_more_but_never_for_minutes(rest: float, took: float) -> None:
    assert rest == rest_after(took)
