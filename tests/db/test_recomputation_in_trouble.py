"""A job that divides orders anew may be killed, repeated, outrun, or meet what it cannot settle: in the end the books
are right, and the merchant is told of what is not."""

import threading
import time
from functools import partial

import pytest
from sqlalchemy import text, update

from app.attribution import recomputation
from app.attribution.models import Recomputation
from app.attribution.recomputation import MOST_FAULTY, TRIES
from app.kernel.outbox import LEASE, OutboxRow
from app.merchants import service as merchants
from app.referrals.models import Visit
from tests.db.selling import LINEAR, Killed, Market, die
from tests.threads import together


def test_killed_after_any_batch_it_goes_on_where_it_was(market: Market) -> None:
    market.sold(11)
    job = market.begin(LINEAR)
    steps = []
    while market.promised():
        try:
            market.work(die, batch=3)
        except Killed:
            state = market.jobs()[job.job_id]
            steps.append((state.status, state.done))
            market.assert_adds_up()
            market.clock.move(seconds=61)

    assert [("running", 3), ("running", 6), ("running", 9), ("running", 11)] == steps
    state = market.jobs()[job.job_id]
    assert ("finished", 11) == (state.status, state.done)
    assert market.computed(LINEAR) == market.books()


def test_several_at_once_do_each_order_once(market: Market) -> None:
    market.sold(12)
    job, lines = market.begin(LINEAR), market.lines()
    here = market.here

    def go() -> Recomputation:
        return recomputation.carry_on(here.database, market.clock, market.merchant, job.job_id, lambda _: None, batch=1)

    together(*[go] * 4)

    assert 1 == market.work()
    state = market.jobs()[job.job_id]
    assert ("finished", 12, market.lines() - lines) == (state.status, state.done, state.appended)
    assert market.computed(LINEAR) == market.books()


def test_who_was_outrun_stops_and_leaves_the_rest(market: Market) -> None:
    market.sold(6)
    job = market.begin(LINEAR)
    go = partial(recomputation.carry_on, market.here.database, market.clock, market.merchant, job.job_id, batch=2)

    def let_another_go_ahead(state: Recomputation) -> None:
        assert 2 == state.done
        with pytest.raises(Killed):
            go(die)

    state = go(let_another_go_ahead)

    assert ("running", 4, None) == (state.status, state.done, state.finished_at)
    assert "finished" == go(lambda _: None).status
    assert market.computed(LINEAR) == market.books()


def test_who_goes_on_after_another_has_finished_changes_nothing(market: Market) -> None:
    market.sold(4)
    job = market.begin(LINEAR)
    go = partial(recomputation.carry_on, market.here.database, market.clock, market.merchant, job.job_id, batch=2)

    def another_finishes(_: Recomputation) -> None:
        assert "finished" == go(lambda _: None).status

    assert ("finished", 4) == ((state := go(another_finishes)).status, state.done)


def test_whose_lease_ran_out_stops_for_the_one_who_has_it(market: Market) -> None:
    market.sold(8)
    job = market.begin(LINEAR)

    def sleep_too_long(state: Recomputation) -> None:
        if state.done == 2:
            market.clock.move(seconds=61)
            with pytest.raises(Killed):
                market.work(die, batch=2)  # another worker, who has the lease now, and does one batch

    assert 1 == market.work(sleep_too_long, batch=2)
    assert ("running", 4, 1) == ((state := market.jobs()[job.job_id]).status, state.done, market.promised())

    market.clock.move(seconds=LEASE.total_seconds())
    assert 1 == market.work()
    assert ("finished", 8, 0) == ((state := market.jobs()[job.job_id]).status, state.done, market.promised())


def test_a_long_job_keeps_its_lease(market: Market) -> None:
    market.sold(10)
    job = market.begin(LINEAR)

    taken_by_others = []

    def take_long(_: Recomputation) -> None:
        market.clock.move(seconds=16)
        taken_by_others.append(market.work())

    assert 1 == market.work(take_long, batch=1)
    assert [0] * 10 == taken_by_others
    assert ("finished", 10) == ((state := market.jobs()[job.job_id]).status, state.done)


def spoil(market: Market, *orders: str, type_: str = "nonsense") -> None:
    """Make it impossible to settle these orders: what their buyers did cannot be read. Or (`click`) mend it."""
    touches = [key.touch for order in orders for key in market.books()[order]]
    with market.here.database.transaction() as session:
        mine = (Visit.merchant_id == market.merchant) & Visit.visit_id.in_(touches)
        session.execute(update(Visit).where(mine).values(type=type_))


def test_an_order_that_cannot_be_settled_does_not_stop_the_others(market: Market) -> None:
    made = market.sold(14)
    before = market.books()
    faulty = [made[5], made[9]]
    spoil(market, *faulty)
    job = market.begin(LINEAR)

    assert 1 == market.work(batch=8)

    state = market.jobs()[job.job_id]
    assert ("failed", 14, 14) == (state.status, state.done, state.total)
    assert state.error is not None
    assert all(order in state.error for order in faulty)
    assert not any(order in state.error for order in made if order not in faulty)
    assert {order: before[order] for order in faulty} == {order: market.books()[order] for order in faulty}
    spoil(market, *faulty, type_="click")
    linear, after = market.computed(LINEAR), market.books()
    assert all(linear[order] == after[order] for order in made if order not in faulty)


def test_the_same_change_again_starts_a_failed_job_again(market: Market) -> None:
    made = market.sold(4)
    spoil(market, made[2])
    market.put(LINEAR)
    market.work()
    spoil(market, made[2], type_="click")

    again = market.begin(LINEAR, "now")
    assert (None, 4) == (again.since, again.total)
    market.work()

    assert "finished" == market.jobs()[again.job_id].status
    assert market.computed(LINEAR) == market.books()
    assert market.put(LINEAR, "now") is None


def test_a_job_that_fails_for_every_order_stops(market: Market) -> None:
    for _ in range(MOST_FAULTY + 5):
        market.sell(touches=1)
    spoil(market, *market.books())
    job = market.begin(LINEAR)

    assert 1 == market.work(batch=16)

    state = market.jobs()[job.job_id]
    assert ("failed", MOST_FAULTY) == (state.status, state.done)
    assert str(state.error).endswith("; with so many it stopped there")
    assert MOST_FAULTY == str(state.error).count("ord_")


def test_a_job_whose_worker_always_dies_has_failed_in_the_end(market: Market) -> None:
    market.sold(TRIES + 2)
    job = market.begin(LINEAR)
    for _ in range(TRIES):
        with pytest.raises(Killed):
            market.work(die, batch=1)
        market.clock.move(seconds=61)

    assert 1 == market.work()
    state = market.jobs()[job.job_id]
    assert ("failed", TRIES) == (state.status, state.done)
    assert f"given up after {TRIES} attempts; what was done until then stands" == state.error
    assert 0 == market.promised()


def test_a_job_that_is_done_stays_so_however_often_its_worker_died_after_it(market: Market) -> None:
    market.sold(2)
    job, here = market.begin(LINEAR), market.here
    recomputation.carry_on(here.database, market.clock, market.merchant, job.job_id, lambda _: None)
    with here.database.transaction() as session:
        session.execute(update(OutboxRow).values(attempts=TRIES))

    assert 1 == market.work()
    state = market.jobs()[job.job_id]
    assert ("finished", 2, None, 0) == (state.status, state.done, state.error, market.promised())


def test_where_the_database_is_in_trouble_it_goes_on_later(market: Market) -> None:
    market.sold(6)
    job = market.begin(LINEAR)

    def rename(was: str, is_: str) -> None:
        with market.here.database.transaction() as session:
            session.execute(text(f"ALTER TABLE {was} RENAME TO {is_}"))

    def take_the_table_away(state: Recomputation) -> None:
        if state.done == 2:
            rename("credit_lines", "credit_lines_away")

    assert 1 == market.work(take_the_table_away, batch=2)
    rename("credit_lines_away", "credit_lines")
    assert ("running", 2, None) == ((state := market.jobs()[job.job_id]).status, state.done, state.error)

    market.clock.move(hours=2)
    assert 1 == market.work()
    assert ("finished", 6) == ((state := market.jobs()[job.job_id]).status, state.done)
    assert market.computed(LINEAR) == market.books()


def test_a_job_ends_where_its_merchant_leaves(market: Market) -> None:
    market.sold(4)
    job = market.begin(LINEAR)

    def leave(_: Recomputation) -> None:
        with market.here.database.transaction() as session:
            merchants.close(session, merchants.get(session, market.merchant), market.clock.now())

    assert 1 == market.work(leave, batch=2)
    state = market.jobs()[job.job_id]
    assert ("failed", 2, "the merchant has left") == (state.status, state.done, state.error)


def test_a_batch_that_the_database_gave_up_for_anothers_sake_is_done_again(market: Market) -> None:
    database = market.here.database
    if database.is_sqlite:
        pytest.skip("SQLite has one writer: nobody waits in a circle")
    first, second = sorted(market.sold(2))
    job = market.begin(LINEAR)
    held = threading.Event()

    def in_the_wrong_order() -> None:
        lock = text("SELECT 1 FROM orders WHERE merchant_id = :merchant AND order_id = :order FOR UPDATE")
        with database.transaction() as session:
            session.execute(text("SET LOCAL deadlock_timeout = '60s'"))  # so that it is the job that is given up
            session.execute(lock, {"merchant": market.merchant, "order": second})
            held.set()
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')")
            with database.transaction() as other:
                while not other.scalar(waiting):
                    time.sleep(0.01)
            session.execute(lock, {"merchant": market.merchant, "order": first})

    def go() -> None:
        held.wait(20)
        market.work()

    together(in_the_wrong_order, go)

    state = market.jobs()[job.job_id]
    assert ("finished", 2) == (state.status, state.done)
    assert market.computed(LINEAR) == market.books()
