"""Rows that are appended by the thousand: all of them or none, and errors are those of any statement."""

import itertools

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.attribution.models import StaleOrder
from app.kernel import bulk
from app.kernel.bulk import Bulk
from app.kernel.database import Database, table_of
from app.referrals.models import Claim
from tests.db.referring import Shop
from tests.db.telling import Teller, order_of

_COLUMNS = ("merchant_id", "order_id")


def test_rows_are_all_there_or_none(database: Database) -> None:
    shop = Shop(database)
    with database.transaction() as session:
        teller = Teller(session, shop.merchant)
        teller.tell([order_of(f"o{number}", "v0", 1) for number in range(3)])
        rows = [(shop.merchant, order_id) for order_id in teller.orders.values()]
        bulk.append(session, StaleOrder, _COLUMNS, [])
        bulk.append(session, StaleOrder, _COLUMNS, rows[:1])
        with pytest.raises(IntegrityError), session.begin_nested():
            bulk.append(session, StaleOrder, _COLUMNS, [rows[1], rows[2], rows[0]])
        assert 1 == session.query(StaleOrder).filter_by(merchant_id=shop.merchant).count()


_CLAIMS = Bulk(table_of(Claim), ("merchant_id", "visit_id", "claimed_id", "visitor_id", "at", "received_at"))
_merchants = itertools.count(70_000)


@pytest.mark.parametrize("count", [1, 2, 63, 64, 200])
def test_rows_arrive_as_they_were_however_many_they_are(database: Database, count: int) -> None:
    merchant = next(_merchants)
    odd = ["a\tb", "a\\nb\n", "\\.", "{,}\"'", "NULL", "", "ä€🍇", "%s ? :x"]
    rows = [(merchant, f"v{number:03}", f"c{number}", odd[number % len(odd)], number, 2**62) for number in range(count)]
    with database.transaction() as session:
        _CLAIMS.insert(session, rows)
    columns = table_of(Claim).c
    asked = select(columns.visit_id, columns.visitor_id).where(columns.merchant_id == merchant)
    with database.reading() as session:
        read = session.execute(asked.order_by(columns.visit_id)).all()
    assert [(row[1], row[3]) for row in rows] == [tuple(row) for row in read]


@pytest.mark.parametrize("count", [1, 70])
def test_a_row_that_cannot_stand_takes_all_with_it(database: Database, count: int) -> None:
    merchant = next(_merchants)
    good = [(merchant, f"v{number}", f"c{number}", "x", 0, 0) for number in range(count - 1)]
    with pytest.raises(IntegrityError), database.transaction() as session:
        _CLAIMS.insert(session, [*good, (merchant, "last", "c", None, 0, 0)])
    with database.reading() as session:
        assert not session.query(Claim).filter_by(merchant_id=merchant).count()
