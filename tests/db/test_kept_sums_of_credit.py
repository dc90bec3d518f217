"""The kept sums of credit answer as the ledger itself would, whatever is added up and whatever is marked meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, update

from app.attribution.marks import mark, quarter_of
from app.attribution.models import CreditLine, CreditMark
from app.kernel.clock import from_micros, to_micros
from app.kernel.database import Database
from app.kernel.ids import new_id
from app.kernel.rollups.tables import QUARTER
from app.merchants import service as merchants
from app.orders.models import Order
from app.reports import credit_check, credit_reading, credit_sums, ledger
from app.reports.credit_keeping import Keeping
from app.reports.credit_sums import Ledger, Marked, add_up, marked, marks
from app.reports.ledger import Question
from app.reports.models import CreditSum
from tests.clock import START
from tests.soak import SOAK

DAYS = 45
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
GROUPINGS = (
    *(("network",), ("day",), ("product", "month"), ("week", "sharer"), ("depth",), ("kind", "day")),
    *(("seen_from",), ("wall",), ("shared_to", "week")),
)


class Books:
    """A merchant whose ledger is written at random, straight into the table."""

    def __init__(self, database: Database, chance: Random) -> None:
        self.database = database
        self.chance = chance
        with database.transaction() as session:
            new = merchants.NewMerchant("Vine & Thread", "eur", "Europe/Paris", [], [])
            self.merchant_id = merchants.create(session, new, START).merchant_id
        self.orders: list[tuple[str, datetime]] = []

    def order(self) -> tuple[str, datetime]:
        """An old one, or a new one on some day of the year."""
        if self.orders and self.chance.random() < 0.3:
            return self.chance.choice(self.orders)
        day = self.chance.choice((self.chance.randrange(DAYS), 3, 4))
        at = START - timedelta(days=day, microseconds=self.chance.randrange(QUARTER * 24))
        order_id = new_id("ord", self.merchant_id, at)
        row = {"merchant_id": self.merchant_id, "order_id": order_id, "external_id": order_id, "source": "api"}
        amounts = {"fingerprint": "", "livemode": True, "currency": "eur", "gross": 1, "net": 1}
        with self.database.transaction() as session:
            session.execute(insert(Order), [{**row, **amounts, "at": at, "received_at": at}])
        self.orders.append((order_id, at))
        return order_id, at

    def write(self, orders: int = 1, *, says_so: bool = True) -> None:
        """Lines for some orders, in one transaction, with marks or without."""
        lines = [line for _ in range(orders) for line in self._lines(*self.order())]
        quarters = {quarter_of(line["policy"], line["livemode"], to_micros(line["order_at"])) for line in lines}
        with self.database.transaction() as session:
            session.execute(insert(CreditLine), lines)
            if says_so:
                mark(session, self.merchant_id, quarters, START)

    def write_for(self, order: tuple[str, datetime]) -> None:
        """Lines for this order under whatever policies, each with its mark."""
        lines = [line for _ in range(8) for line in self._lines(*order)]
        quarters = {quarter_of(line["policy"], line["livemode"], to_micros(line["order_at"])) for line in lines}
        with self.database.transaction() as session:
            session.execute(insert(CreditLine), lines)
            mark(session, self.merchant_id, quarters, START)

    def _lines(self, order_id: str, at: datetime) -> Iterator[dict[str, Any]]:
        """What moves credit about, and now and then takes away all that was given."""
        chance = self.chance
        policy = chance.choice(("current", "current", "linear"))
        gross = chance.choice((0, 100, 500, -100))
        for sign in (1, -1) if chance.random() < 0.2 else (1,):
            yield {
                "merchant_id": self.merchant_id,
                "credit_id": new_id("crd", self.merchant_id, START),
                "order_id": order_id,
                "policy": policy,
                "policy_version": 1,
                "source": "touch",
                "network": chance.choice(("whatsapp", "x", "email")),
                "sharer": chance.choice(("vis_1", "vis_2", "(house)")),
                "level": chance.choice((0, 1, None)),
                "currency": chance.choice(("eur", "eur", "usd")),
                "gross": sign * gross,
                "reversed": sign * chance.choice((0, 50)),
                "livemode": chance.random() < 0.9,
                "order_at": at,
                "shared_to": chance.choice(("x", None)),
                "seen_from": chance.choice(("x", None)),
                "product": chance.choice(("prod_1", "prod_2", None)),
                "wall": chance.choice(("wall_1", None)),
                "kind": chance.choice(("like", "share", None)),
                "written_at": START,
            }

    def question(self) -> Question:
        chance = self.chance
        grouping = chance.choice(GROUPINGS)
        until = START - timedelta(hours=chance.randrange(24 * 20), seconds=chance.choice((0, 0, 1234)))
        since = until - timedelta(hours=chance.choice((1, 5, 30, 24 * 30)), seconds=chance.choice((0, 1800, 77)))
        columns = [name for name in grouping if name in ledger.COLUMNS]
        filtered = columns[0] if columns else "network"
        values = {"network": "x", "product": "prod_1", "sharer": "vis_1", "wall": "(none)"}
        return Question(
            merchant_id=self.merchant_id,
            since=since,
            until=until,
            zone=ZoneInfo(chance.choice(ZONES)),
            livemode=chance.random() < 0.8,
            as_of=START,
            as_known_now=True,
            currency=chance.choice((None, None, "eur")),
            only={filtered: [values[filtered]]} if filtered in values and chance.random() < 0.3 else {},
            group_by=grouping,
            policy=chance.choice(("current", "current", "linear")),
        )

    def compare(self, question: Question) -> bool:
        """Whether the kept sums answered; if they did, it was the ledger's answer."""
        with self.database.reading() as session:
            kept = credit_reading.answering(session, question)
            if kept is None:
                return False
            totals, rows = ledger.totals(session, question), ledger.grouped(session, question)
        assert (totals, rows) == kept, question
        return True


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
        if step % 3 == 1:
            Keeping(database).add_up_all()
        elif step % 3 == 2:
            with database.transaction() as session:
                for each in books.chance.sample(found := marked(session, None, 500), len(found) // 2):
                    add_up(session, each.ledger, each.starts, each.starts + QUARTER)
        answered += sum(books.compare(books.question()) for _ in range(12))
    assert answered > step * 6


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


def test_what_was_known_once_and_what_is_asked_by_several_things_is_asked_of_the_ledger(books: Books) -> None:
    question = replace(books.question(), group_by=("network",), only={})
    others = (
        replace(question, as_known_now=False),
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
    insert_of = credit_sums._quarters
    came: list[int] = []

    def slowly(*asked: Any) -> Any:
        if not came and asked[1] == "network":  # the first dimension is added up already
            came.append(1)
            books.write_for(order)
        return insert_of(*asked)

    monkeypatch.setattr(credit_sums, "_quarters", slowly)
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
