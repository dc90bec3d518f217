"""What another system told before the thing that it speaks of: it counts as soon as that is there."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.kernel.database import Database
from app.orders.models import Order, Refund, WaitingRefund
from app.referrals import identities
from app.referrals.models import Identity
from tests.clock import START
from tests.db.street import Street

EARLIER = START - timedelta(days=1)


@pytest.fixture
def street(database: Database) -> Street:
    return Street(database)


def refund_waits(street: Street, order: str, amount: int) -> None:
    with street.world.database.transaction() as session:
        own = {"merchant_id": street.world.merchant, "external_id": f"of {order}", "order_external_id": order}
        session.add(WaitingRefund(**own, reason="refund", amount=amount, at=EARLIER, received_at=EARLIER))


def waiting(street: Street) -> int:
    with street.world.database.reading() as session:
        mine = select(func.count()).where(WaitingRefund.merchant_id == street.world.merchant)
        return session.scalar(mine) or 0


@pytest.mark.parametrize(("amount", "refunded"), [(300, 300), (1000, 1000), (10**9, 1000)])
def test_a_refund_that_came_before_its_order_is_taken_from_it(street: Street, amount: int, refunded: int) -> None:
    refund_waits(street, "1", amount)
    refund_waits(street, "another", 5)
    street.claim(street.arrive(), street.phone)  # number 0
    order_id = street.buy(street.phone)

    with street.world.database.reading() as session:
        order = session.get_one(Order, (street.world.merchant, order_id))
        taken = session.scalars(select(Refund).where(Refund.order_id == order_id)).one()
    assert (refunded, 1) == (order.refunded, waiting(street))
    assert ("of 1", amount, EARLIER, EARLIER) == (taken.external_id, taken.amount, taken.at, taken.received_at)
    street.assert_the_books_are_right()


@pytest.mark.parametrize(("said", "key"), [(" ANA10 ", "ana10"), ("Straße", "strasse"), ("  ", None), (None, None)])
def test_an_order_keeps_its_code_as_codes_are_compared(street: Street, said: str | None, key: str | None) -> None:
    order_id = street.buy(street.phone, coupon=said)
    with street.world.database.reading() as session:
        order = session.get_one(Order, (street.world.merchant, order_id))
    assert (said, key) == (order.coupon, order.coupon_key)


def test_what_is_said_now_counts_also_where_the_same_was_brought_in_of_this_very_moment(street: Street) -> None:
    with street.world.database.transaction() as session:
        common = {"merchant_id": street.world.merchant, "visitor_id": street.phone}
        session.add(Identity(**common, person="mia", at=START, received_at=EARLIER))
        session.add(Identity(**common, person="zoe", at=EARLIER, received_at=EARLIER + timedelta(hours=1)))
    assert "mia" == street.join(street.phone, "mia")
    with street.world.database.reading() as session:
        assert "mia" == identities.person_of(session, street.world.merchant, street.phone)
