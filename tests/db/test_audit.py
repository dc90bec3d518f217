"""The audit of the books: silent over a whole world of sales, and never over a cent that went astray."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Insert, delete, insert, select, text, update
from sqlalchemy.orm import Session

from app import health
from app.attribution.models import CreditLine, StaleOrder
from app.kernel.database import Database
from app.kernel.periodic import PeriodicJob, Timetable
from app.merchants.cli import owner
from app.orders.models import Order, Refund
from app.reports import audit
from app.reports.audit import discrepancies
from app.reports.credit_keeping import Keeping
from app.reports.models import CreditSum
from app.simulation.making import Made, simulate
from tests.clock import START, TestClock
from tests.conftest import NewDatabase
from tests.db.conftest import Run
from tests.db.test_simulation import SIGNER
from tests.simulated import TINY

Books = tuple[Database, int]


@pytest.fixture(scope="module")
def world(new_database: NewDatabase) -> Iterator[tuple[Database, Made]]:
    database = Database(new_database("audit"))
    made = simulate(database, SIGNER, TINY)
    Keeping(database).add_up_all()
    yield database, made
    database.close()


@pytest.fixture
def books(world: tuple[Database, Made]) -> Books:
    database, made = world
    return database, made.merchants[0].merchant_id


class Undone(Exception):
    """Whoever changes the books for a test leaves them as they were."""


def found_after(books: Books, *changes: object) -> list[str]:
    database, merchant_id = books
    found: list[str] = []

    def look(session: Session) -> None:
        for change in changes:
            session.execute(change)  # type: ignore[call-overload]
        found.extend(discrepancies(session, merchant_id))
        raise Undone

    with pytest.raises(Undone), database.transaction() as session:
        look(session)
    return found


def some_line(books: Books) -> CreditLine:
    """One of an order that nothing was taken back of, and that earns something."""
    database, merchant_id = books
    refunded = select(Refund.order_id).where(Refund.merchant_id == merchant_id)
    mine = (CreditLine.merchant_id == merchant_id, CreditLine.gross > 1, CreditLine.order_id.not_in(refunded))
    with database.reading() as session:
        return session.scalars(select(CreditLine).where(*mine).order_by(CreditLine.credit_id).limit(1)).one()


def test_a_whole_world_adds_up(books: Books) -> None:
    database, merchant_id = books
    with database.reading() as session:
        assert session.scalar(select(Refund.refund_id).limit(1)), "something was taken back in it"
        assert [] == list(discrepancies(session, merchant_id))


def test_a_cent_too_many_is_found_in_the_order_and_in_the_total(books: Books) -> None:
    line = some_line(books)
    more = update(CreditLine).where(CreditLine.credit_id == line.credit_id).values(gross=CreditLine.gross + 1)
    order, total = found_after(books, more)
    assert order.startswith(f"order {line.order_id}: sold ")
    assert total.startswith(f"net of all {'real' if line.livemode else 'test'} orders in {line.currency} under policy")


def test_two_that_are_wrong_by_the_same_cent_are_found_though_the_total_is_right(books: Books) -> None:
    line = some_line(books)
    other = another_than(books, line)
    more = update(CreditLine).where(CreditLine.credit_id == line.credit_id).values(gross=CreditLine.gross + 1)
    less = update(CreditLine).where(CreditLine.credit_id == other.credit_id).values(gross=CreditLine.gross - 1)
    found = found_after(books, more, less)
    assert {line.order_id, other.order_id} == {each.split()[1].rstrip(":") for each in found if "order ord_" in each}


def test_a_refund_that_no_credit_follows_is_found(books: Books) -> None:
    line = some_line(books)
    _, merchant_id = books
    row = {"merchant_id": merchant_id, "refund_id": "rfd_x", "order_id": line.order_id, "external_id": "x"}
    taken = {"reason": "refund", "amount": 1, "paid_back": 1, "at": START, "received_at": START}
    assert 2 == len(found_after(books, insert(Refund).values(**row, **taken)))


def test_an_order_without_credit_is_found(books: Books) -> None:
    _, merchant_id = books
    found = found_after(books, insert(Order).values(**an_order(merchant_id, "ord_x")))
    assert "order ord_x: sold 5, left 5; credited 0 and 0 (xts, minor units, policy current)" == found[0]
    assert 2 == len(found)


def test_a_kept_sum_that_is_not_the_ledgers_is_found(books: Books) -> None:
    found = found_after(books, update(CreditSum).values(gross=CreditSum.gross + 1))
    assert found
    assert all(each.startswith("net of all ") for each in found)


def test_an_order_that_waits_to_be_looked_at_again_is_left_out_and_no_total_is_compared(books: Books) -> None:
    line = some_line(books)
    more = update(CreditLine).where(CreditLine.credit_id == line.credit_id).values(gross=CreditLine.gross + 1)
    assert [] == found_after(books, more, waits(books, line))


def test_another_order_is_found_though_one_waits(books: Books) -> None:
    line = some_line(books)
    other = update(CreditLine).where(CreditLine.order_id == another_than(books, line).order_id)
    (found,) = found_after(books, other.values(gross=CreditLine.gross + 1), waits(books, line))
    assert found.startswith(f"order {another_than(books, line).order_id}: sold ")


def waits(books: Books, line: CreditLine) -> Insert:
    return insert(StaleOrder).values(merchant_id=books[1], order_id=line.order_id)


def another_than(books: Books, line: CreditLine) -> CreditLine:
    """One of another order, of the same total."""
    mine = (CreditLine.merchant_id == books[1], CreditLine.order_id != line.order_id, CreditLine.gross > 1)
    same = (CreditLine.currency == line.currency, CreditLine.livemode == line.livemode)
    with books[0].reading() as session:
        return session.scalars(select(CreditLine).where(*mine, *same).order_by(CreditLine.credit_id).limit(1)).one()


def test_the_daily_audit_says_so_where_the_health_page_reads_it(books: Books) -> None:
    database, _ = books
    clock = TestClock()
    line = some_line(books)
    timetable = Timetable(database, clock, [audit.periodic(database)])
    timetable.run_due()  # notes when it is first due
    change = update(CreditLine).where(CreditLine.credit_id == line.credit_id)
    with database.transaction() as session:
        session.execute(change.values(gross=CreditLine.gross + 1))
    try:
        clock.move(minutes=1)
        assert 1 == timetable.run_due()
        assert "those of 1 of 1 merchants" in str(job(database).error)
    finally:
        with database.transaction() as session:
            session.execute(change.values(gross=CreditLine.gross - 1))
    clock.move(days=2)
    assert 1 == timetable.run_due()
    assert (None, clock.now()) == (job(database).error, job(database).finished_at)
    assert audit.NAME == "books"
    assert "books" in health.Readiness.model_fields


def test_the_daily_audit_says_how_many_orders_it_left_out(books: Books, caplog: pytest.LogCaptureFixture) -> None:
    database, _ = books
    line = some_line(books)
    with database.transaction() as session:
        session.execute(waits(books, line))
    try:
        audit.periodic(database).run(lambda: None)
    finally:
        with database.transaction() as session:
            session.execute(delete(StaleOrder))
    (said,) = [record.getMessage() for record in caplog.records if record.name == audit.__name__]
    assert said.startswith("no totals of mer_")
    assert said.endswith(": 1")


def job(database: Database) -> PeriodicJob:
    with database.reading() as session:
        return session.get_one(PeriodicJob, audit.NAME)


def test_the_doctor_finds_nothing_in_good_books_and_says_what_is_wrong_in_bad_ones(
    grapevine: Run, database: Database
) -> None:
    assert 0 == grapevine("simulate", "--facts", "600", "--days", "6", "--orders", "40").exit_code
    well = grapevine("doctor")
    assert (0, 9) == (well.exit_code, sum(line.startswith("ok ") for line in well.output.splitlines())), well.output
    with database.transaction() as session:
        session.execute(text("UPDATE credit_lines SET gross = gross + 1"))
        session.execute(text("DELETE FROM rollups"))
    assert "to be looked at again" not in well.output
    ill = grapevine("doctor")
    assert 1 == ill.exit_code
    assert 2 == sum(line.startswith("wrong") for line in ill.output.splitlines()), ill.output
    assert "and 1" in ill.output, "the rest is counted, not told"
    assert 0 == grapevine("doctor", "--quick").exit_code
    assert 2 == grapevine("doctor", "--merchant", "mer_nobody").exit_code


def test_the_doctor_says_how_many_orders_wait_to_be_looked_at_again(
    grapevine: Run, database: Database, merchant: str
) -> None:
    with database.transaction() as session:
        merchant_id = owner(session, merchant).merchant_id
        for order_id in ("ord_1", "ord_2"):
            session.execute(insert(Order).values(**an_order(merchant_id, order_id)))
            session.execute(insert(StaleOrder).values(merchant_id=merchant_id, order_id=order_id))
    told = grapevine("doctor", "--merchant", merchant)
    assert (0, 1) == (told.exit_code, told.output.count("2 orders wait to be looked at again")), told.output
    assert "looked at again" not in grapevine("doctor", "--merchant", merchant, "--quick").output
    with database.transaction() as session:
        session.execute(delete(StaleOrder).where(StaleOrder.order_id == "ord_1"))
    less = grapevine("doctor", "--merchant", merchant)
    assert 1 == less.exit_code, "one is without credit, and waits for nothing"
    assert f"{merchant}: order ord_1: sold 5, left 5" in less.output
    assert f"{merchant}: 1 order waits to be looked at again" in less.output


def an_order(merchant_id: int, order_id: str) -> dict[str, object]:
    """One of 5 xts without credit."""
    row = {"merchant_id": merchant_id, "order_id": order_id, "external_id": order_id, "source": "api"}
    amounts = {"livemode": True, "currency": "xts", "gross": 5, "net": 5, "at": START, "received_at": START}
    return {**row, **amounts, "fingerprint": ""}
