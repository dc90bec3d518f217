"""Rows that are appended by the thousand: all of them or none, and errors are those of any statement."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.attribution.models import StaleOrder
from app.kernel import bulk
from app.kernel.database import Database
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
