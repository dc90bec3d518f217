"""Orders that are stale: marked where many are concerned, brought up to date some at a time, whatever comes between."""

import logging
import threading
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import OperationalError

from app.attribution import affected, shell, stale
from app.attribution.affected import Touched
from app.attribution.models import CreditLine, StaleOrder
from app.kernel.database import Database, insert_new
from app.kernel.outbox import LEASE, LeaseLost, Message, OutboxRow, Worker
from app.referrals import visits
from app.referrals.models import Claim, Visit
from tests.clock import START, TestClock
from tests.db.street import Street
from tests.threads import together


class Killed(BaseException):
    """Stands for the end of the process in the middle of the work."""


@pytest.fixture
def street(database: Database, monkeypatch: pytest.MonkeyPatch) -> Street:
    """Whoever is told something has one order done at once; more are left to others, two to a transaction."""
    monkeypatch.setattr(shell, "FEW", 1)
    monkeypatch.setattr(stale, "BATCH", 2)
    with database.transaction() as session:
        session.execute(delete(OutboxRow))
    return Street(database)


def bought(street: Street, count: int) -> list[str]:
    """Orders of so many people, each through the friend's link."""
    made = []
    for _ in range(count):
        buyer = street.world.shop.visitor()
        street.claim(street.arrive(), buyer)
        made.append(street.buy(buyer))
    return made


def marks(street: Street) -> list[str]:
    with street.world.database.reading() as session:
        mine = select(StaleOrder.order_id).where(StaleOrder.merchant_id == street.world.merchant)
        return list(session.scalars(mine.order_by(StaleOrder.order_id)))


def lines(street: Street) -> int:
    with street.world.database.reading() as session:
        mine = select(func.count()).where(CreditLine.merchant_id == street.world.merchant)
        return session.scalar(mine) or 0


def work(street: Street) -> int:
    """What a worker does that looks for work once."""
    world = street.world
    run = partial(stale.run, world.database, world.clock)
    return Worker(world.database, world.clock, world.outbox, {stale.TOPIC: run}).run_due()


def test_what_concerns_few_is_done_at_once(street: Street) -> None:
    bought(street, 1)
    street.join(street.friend, "ana")
    assert (0, 0, {"ana"}) == (len(marks(street)), work(street), street.earned())


def test_what_concerns_many_is_promised_and_done(street: Street) -> None:
    orders = bought(street, 5)
    street.join(street.friend, "ana")
    assert (sorted(orders), {street.friend}) == (marks(street), street.earned())
    assert (1, {"ana"}, []) == (work(street), street.earned(), marks(street))
    street.assert_the_books_are_right()


def test_an_order_is_divided_at_once_even_where_what_came_later_must_wait(street: Street) -> None:
    street.world.keep_policies(0, {"journey_reset": True})
    street.claim(street.arrive(), street.phone)
    later = [street.buy(street.phone, at=START + timedelta(hours=hour)) for hour in (1, 2)]
    first = street.buy(street.phone)
    assert sorted([first, *later]) == marks(street)
    with street.world.database.reading() as session:
        assert session.scalar(select(func.count()).where(CreditLine.order_id == first)) == 1
    assert 1 == work(street)
    street.assert_the_books_are_right()


def test_to_catch_up_twice_appends_nothing(street: Street) -> None:
    bought(street, 3)
    street.join(street.friend, "ana")
    assert 3 == street.world.catch_up()
    before = lines(street)
    street.join(street.friend, "ana")
    with street.world.database.transaction() as session:
        affected.by_visitors(session, street.world.merchant, [street.friend]).mark()
        affected.by_visitors(session, street.world.merchant, [street.friend]).mark()
    assert (3, before, 0) == (street.world.catch_up(), lines(street), street.world.catch_up())


def test_another_merchants_orders_stay_as_they_are(street: Street, database: Database) -> None:
    other = Street(database)
    bought(street, 2), bought(other, 2)
    street.join(street.friend, "ana")
    other.join(other.friend, "ana")
    assert (2, [], 2) == (street.world.catch_up(), marks(street), len(marks(other)))


def test_nothing_to_mark_marks_nothing(street: Street) -> None:
    with street.world.database.transaction() as session:
        for reach in (affected.by_visitors, affected.by_referrals, affected.by_orders):
            reach(session, street.world.merchant, []).mark()
            assert [] == reach(session, street.world.merchant, []).few(1)
    assert [] == marks(street)


def test_who_is_killed_in_the_middle_leaves_the_rest_stale(street: Street) -> None:
    orders = bought(street, 5)
    street.join(street.friend, "ana")

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        stale.drain(street.world.database, street.world.clock, street.world.merchant, after_batch=die)
    assert sorted(orders)[2:] == marks(street)
    assert 1 == work(street)
    street.assert_the_books_are_right()


def test_two_who_catch_up_share_the_work_and_end_together(street: Street) -> None:
    bought(street, 12)
    before = lines(street)
    street.join(street.friend, "ana")

    def catch_up() -> tuple[int, list[str]]:
        return street.world.catch_up(), marks(street)

    found = together(*[catch_up] * 3)
    assert (12, [[]] * 3) == (sum(done for done, _ in found), [left for _, left in found])
    assert before + 24 == lines(street)  # taken from one name, given to another, once each
    street.assert_the_books_are_right()


def test_a_mark_is_not_taken_away_before_its_fact_can_be_seen(street: Street) -> None:
    """A claim marks an order that is stale already; meanwhile somebody catches up."""
    world = street.world
    order = street.buy(street.phone)
    click = street.arrive()
    with world.database.transaction() as session:
        affected.by_orders(session, world.merchant, [order]).mark()
    catching_up = threading.Thread(target=world.catch_up)
    with world.database.transaction() as session:
        visits.hold_claims(session, world.merchant, click, street.phone)
        own = {"merchant_id": world.merchant, "visit_id": click, "claimed_id": click, "visitor_id": street.phone}
        insert_new(session, Claim, **own, at=START, received_at=START)
        affected.by_touches(session, world.merchant, [Touched(click, street.phone, START)]).mark()
        catching_up.start()
        catching_up.join(0.3)
        assert catching_up.is_alive()
    catching_up.join(20)
    assert ([], {street.friend}) == (marks(street), street.earned())


def test_a_mark_that_is_being_taken_away_is_made_anew(street: Street) -> None:
    world = street.world
    order = street.buy(street.phone)
    mine = StaleOrder.merchant_id == world.merchant

    def mark() -> None:
        with world.database.transaction() as session:
            affected.by_orders(session, world.merchant, [order]).mark()

    mark()
    marking = threading.Thread(target=mark)
    with world.database.transaction() as session:
        session.scalars(select(StaleOrder.order_id).where(mine).with_for_update()).all()
        marking.start()
        marking.join(0.3)
        assert marking.is_alive()
        session.execute(delete(StaleOrder).where(mine))
    marking.join(20)
    assert [order] == marks(street)


def test_an_order_that_cannot_be_settled_holds_up_no_other(street: Street, caplog: pytest.LogCaptureFixture) -> None:
    orders = bought(street, 5)
    with street.world.database.transaction() as session:
        click = select(Visit.visit_id).where(Visit.merchant_id == street.world.merchant).order_by(Visit.visit_id)
        broken = session.scalars(click.offset(2).limit(1)).one()
        session.execute(update(Visit).where(Visit.visit_id == broken).values(type="nothing"))
    street.join(street.friend, "ana")
    with caplog.at_level(logging.CRITICAL):
        assert 4 == street.world.catch_up()
    assert [orders[2]] == marks(street)
    with street.world.database.transaction() as session:
        session.execute(update(Visit).where(Visit.visit_id == broken).values(type="click"))
    assert 1 == street.world.catch_up()
    street.assert_the_books_are_right()


def test_trouble_that_is_no_orders_fault_is_told(street: Street) -> None:
    with pytest.raises(Exception, match=r"too large|out of range"):
        stale.drain(street.world.database, street.world.clock, 2**70)


def test_a_database_that_is_not_there_is_no_orders_fault(street: Street) -> None:
    gone = Database("sqlite:////nowhere/at/all.db")
    with pytest.raises(OperationalError):
        stale.drain(gone, street.world.clock, street.world.merchant)
    gone.close()


class Hurried(TestClock):
    """A clock on which each look takes a good part of a lease."""

    def now(self) -> datetime:
        return self.move(seconds=LEASE.total_seconds() / 5)


def test_who_works_long_prolongs_the_lease_and_stops_when_it_is_lost(street: Street) -> None:
    bought(street, 7)
    street.join(street.friend, "ana")
    asked = []

    def extend() -> None:
        asked.append(len(marks(street)))
        if len(asked) == 2:
            raise LeaseLost

    message = Message(street.world.merchant, "job_", stale.TOPIC, {}, 1, extend)
    with pytest.raises(LeaseLost):
        stale.run(street.world.database, Hurried(), message)
    assert [5, 3] == asked
