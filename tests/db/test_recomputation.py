"""A change of policy that reaches back: a job that may be killed, repeated, outrun, and runs beside live orders. In the
end, and at every moment on the way, the books are right."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from app.attribution import recomputation
from app.attribution.engine import Model, Policy, Upline, UplineMode
from app.attribution.models import Recomputation
from app.attribution.recomputation import MOST_FAULTY, TRIES
from app.kernel.database import Database
from app.kernel.outbox import LEASE, OutboxRow
from app.merchants import service as merchants
from app.referrals.models import Visit
from app.referrals.turns import hold_facts
from tests.clock import TestClock
from tests.db.selling import Killed, Market, die
from tests.db.selling import market as new_market
from tests.threads import together

LINEAR = Policy(model=Model.LINEAR, upline=Upline(UplineMode.GEOMETRIC))
FIRST = Policy(model=Model.FIRST_TOUCH)


@pytest.fixture
def market(database: Database, still_clock: TestClock, tmp_path: Path) -> Iterator[Market]:
    with database.transaction() as session:
        session.execute(delete(OutboxRow))
    with new_market(database, tmp_path, still_clock) as opened:
        yield opened


def sold(market: Market, count: int) -> list[str]:
    """So many orders, an hour apart; a part of every third was taken back."""
    made = []
    for number in range(count):
        made.append(market.sell(test=number % 5 == 4))
        market.clock.move(hours=1)
        if number % 3 == 0:
            market.refund(made[-1], 1)
            market.clock.move(hours=1)
    return made


def begun(job: Recomputation | None) -> Recomputation:
    assert job is not None
    return job


def test_a_change_from_the_beginning_divides_every_order_anew(market: Market) -> None:
    sold(market, 10)
    before, as_of = market.books(), market.clock.now()
    market.clock.move(hours=1)
    job = begun(market.put(LINEAR))
    assert ("queued", 0, 10, 0, None) == (job.status, job.done, job.total, job.appended, job.since)
    lines = market.lines()

    assert 1 == market.work()

    state = market.jobs()[job.job_id]
    assert ("finished", 10, 10, None) == (state.status, state.done, state.total, state.error)
    assert state.appended == market.lines() - lines > 0
    assert market.computed(LINEAR) == market.books() != before
    assert before == market.books(as_of=as_of)
    market.assert_adds_up()


def test_a_change_from_a_moment_divides_only_the_orders_since_then(market: Market) -> None:
    old = sold(market, 5)
    market.clock.move(hours=1)
    since = market.clock.now()
    new = sold(market, 5)
    before = market.books()

    job = begun(market.put(LINEAR, since))
    assert (5, since) == (job.total, job.since)
    market.work()

    after, linear = market.books(), market.computed(LINEAR)
    assert {order: before[order] for order in old} == {order: after[order] for order in old}
    assert {order: linear[order] for order in new} == {order: after[order] for order in new}
    assert 5 == market.jobs()[job.job_id].done


def test_a_change_from_now_on_has_nothing_to_do(market: Market) -> None:
    sold(market, 2)
    before = market.books()

    assert market.put(LINEAR, "now") is None
    new = market.sell()

    after = market.books()
    assert market.computed(LINEAR)[new] == after.pop(new)
    assert before == after


def test_a_change_is_made_in_whole_seconds(market: Market) -> None:
    market.sell()
    market.clock.move(seconds=10.25)
    same_second = market.sell()
    market.clock.move(seconds=0.5)

    assert 1 == begun(market.put(LINEAR, "now")).total
    market.work()

    assert market.computed(LINEAR)[same_second] == market.books()[same_second]


def test_done_again_it_appends_nothing(market: Market) -> None:
    sold(market, 6)
    market.put(LINEAR)
    market.work()
    books, lines = market.books(), market.lines()
    with market.here.database.transaction() as session:
        job = recomputation.start(session, market.here.outbox, market.merchant, None, market.clock.now())

    market.work()

    state = market.jobs()[job.job_id]
    assert ("finished", 6, 0) == (state.status, state.done, state.appended)
    assert (books, lines) == (market.books(), market.lines())


def test_killed_after_any_batch_it_goes_on_where_it_was(market: Market) -> None:
    sold(market, 11)
    job = begun(market.put(LINEAR))
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
    sold(market, 12)
    job, lines = begun(market.put(LINEAR)), market.lines()
    here = market.here

    def go() -> Recomputation:
        return recomputation.carry_on(here.database, market.clock, market.merchant, job.job_id, lambda _: None, batch=1)

    together(*[go] * 4)

    assert 1 == market.work()
    state = market.jobs()[job.job_id]
    assert ("finished", 12, market.lines() - lines) == (state.status, state.done, state.appended)
    assert market.computed(LINEAR) == market.books()


def test_who_was_outrun_stops_and_leaves_the_rest(market: Market) -> None:
    sold(market, 6)
    job = begun(market.put(LINEAR))
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
    sold(market, 4)
    job = begun(market.put(LINEAR))
    go = partial(recomputation.carry_on, market.here.database, market.clock, market.merchant, job.job_id, batch=2)

    def another_finishes(_: Recomputation) -> None:
        assert "finished" == go(lambda _: None).status

    assert ("finished", 4) == ((state := go(another_finishes)).status, state.done)


def test_whose_lease_ran_out_stops_for_the_one_who_has_it(market: Market) -> None:
    sold(market, 8)
    job = begun(market.put(LINEAR))

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
    sold(market, 10)
    job = begun(market.put(LINEAR))

    def take_long(_: Recomputation) -> None:
        market.clock.move(seconds=16)
        assert 0 == market.work()  # nobody else takes it meanwhile

    assert 1 == market.work(take_long, batch=1)

    assert ("finished", 10) == ((state := market.jobs()[job.job_id]).status, state.done)


def test_at_every_moment_orders_add_up_under_every_policy(market: Market) -> None:
    made = sold(market, 10)
    market.put(LINEAR)
    market.keep("first", FIRST)
    looked = []

    def look(state: Recomputation) -> None:
        market.assert_adds_up("first")
        looked.append(state.done)
        if state.done == 4:
            market.refund(made[0], 1)
            market.refund(made[-1], 1)
            market.sell()

    assert 2 == market.work(look, batch=2)

    assert looked
    market.assert_adds_up("first")
    assert (market.computed(LINEAR), market.computed(FIRST)) == (market.books(), market.books("first"))


def test_beside_live_orders_all_are_divided_by_the_new_policy(market: Market) -> None:
    sold(market, 12)
    market.keep("first", FIRST)
    market.put(LINEAR)
    finished = threading.Event()

    def live() -> int:
        count = 0
        while not finished.is_set() or count < 3:
            market.refund(market.sell(), 1)
            count += 1
        return count

    def job() -> int:
        try:
            return market.work(batch=2)
        finally:
            finished.set()

    together(job, live, live)

    market.assert_adds_up("first")
    assert (market.computed(LINEAR), market.computed(FIRST)) == (market.books(), market.books("first"))
    assert all(job.status == "finished" and job.done == job.total >= 12 for job in market.jobs().values())


def test_changes_at_once_are_versions_of_their_own_and_the_newest_divides_in_the_end(market: Market) -> None:
    sold(market, 5)
    policies = [Policy(half_life=days, model=Model.TIME_DECAY) for days in (1000, 90_000, 900_000)]

    together(*(partial(market.put, policy) for policy in policies), *[partial(market.work, batch=1)] * 2)
    market.work()

    assert [5] * 3 == [job.done for job in market.jobs().values()]
    newest = market.newest_policy()
    assert newest in policies
    assert market.computed(newest) == market.books()


def spoil(market: Market, *orders: str, type_: str = "nonsense") -> None:
    """Make it impossible to settle these orders: what their buyers did cannot be read. Or (`click`) mend it."""
    touches = [key.touch for order in orders for key in market.books()[order]]
    with market.here.database.transaction() as session:
        mine = (Visit.merchant_id == market.merchant) & Visit.visit_id.in_(touches)
        session.execute(update(Visit).where(mine).values(type=type_))


def test_an_order_that_cannot_be_settled_does_not_stop_the_others(market: Market) -> None:
    made = sold(market, 14)
    before = market.books()
    faulty = [made[5], made[9]]
    spoil(market, *faulty)
    job = begun(market.put(LINEAR))

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
    made = sold(market, 4)
    spoil(market, made[2])
    market.put(LINEAR)
    market.work()
    spoil(market, made[2], type_="click")

    again = begun(market.put(LINEAR, "now"))
    assert (None, 4) == (again.since, again.total)
    market.work()

    assert "finished" == market.jobs()[again.job_id].status
    assert market.computed(LINEAR) == market.books()
    assert market.put(LINEAR, "now") is None


def test_a_job_that_fails_for_every_order_stops(market: Market) -> None:
    for _ in range(MOST_FAULTY + 5):
        market.sell(touches=1)
    spoil(market, *market.books())
    job = begun(market.put(LINEAR))

    assert 1 == market.work(batch=16)

    state = market.jobs()[job.job_id]
    assert ("failed", MOST_FAULTY) == (state.status, state.done)
    assert str(state.error).endswith("; with so many it stopped there")
    assert MOST_FAULTY == str(state.error).count("ord_")


def test_a_job_whose_worker_always_dies_has_failed_in_the_end(market: Market) -> None:
    sold(market, TRIES + 2)
    job = begun(market.put(LINEAR))
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
    sold(market, 2)
    job, here = begun(market.put(LINEAR)), market.here
    recomputation.carry_on(here.database, market.clock, market.merchant, job.job_id, lambda _: None)
    with here.database.transaction() as session:
        session.execute(update(OutboxRow).values(attempts=TRIES))

    assert 1 == market.work()
    state = market.jobs()[job.job_id]
    assert ("finished", 2, None, 0) == (state.status, state.done, state.error, market.promised())


def test_where_the_database_is_in_trouble_it_goes_on_later(market: Market) -> None:
    sold(market, 6)
    job = begun(market.put(LINEAR))

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
    sold(market, 4)
    job = begun(market.put(LINEAR))

    def leave(_: Recomputation) -> None:
        with market.here.database.transaction() as session:
            merchants.close(session, merchants.get(session, market.merchant), market.clock.now())

    assert 1 == market.work(leave, batch=2)
    state = market.jobs()[job.job_id]
    assert ("failed", 2, "the merchant has left") == (state.status, state.done, state.error)


def test_orders_that_come_meanwhile_are_passed_too(market: Market) -> None:
    sold(market, 2)
    job = begun(market.put(LINEAR))

    def sell_once(state: Recomputation) -> None:
        if state.done == 1:
            market.clock.move(seconds=1)
            market.sell()

    assert 1 == market.work(sell_once, batch=1)
    state = market.jobs()[job.job_id]
    assert ("finished", 3, 3) == (state.status, state.done, state.total)


def test_a_merchant_without_orders_has_nothing_to_divide_anew(market: Market) -> None:
    market.keep("first", FIRST)
    assert market.put(LINEAR) is None
    assert ["finished"] == [job.status for job in market.jobs().values()]
    assert 0 == market.promised()


def test_a_batch_waits_for_who_changes_what_facts_mean(market: Market) -> None:
    database = market.here.database
    if database.is_sqlite:
        pytest.skip("SQLite has one writer: a batch waits for everybody")
    sold(market, 2)
    job = begun(market.put(LINEAR))
    held = threading.Event()

    def change() -> str:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")
        with database.transaction() as session:
            hold_facts(session, market.merchant)
            held.set()
            while not session.scalar(waiting):
                time.sleep(0.01)
            return market.jobs()[job.job_id].status

    def work() -> str:
        held.wait(20)
        market.work()
        return market.jobs()[job.job_id].status

    assert ["queued", "finished"] == together(change, work)


def test_a_batch_that_the_database_gave_up_for_anothers_sake_is_done_again(market: Market) -> None:
    database = market.here.database
    if database.is_sqlite:
        pytest.skip("SQLite has one writer: nobody waits in a circle")
    first, second = sorted(sold(market, 2))
    job = begun(market.put(LINEAR))
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
