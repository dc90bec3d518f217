"""A change of policy that reaches back: a job that brings every order up to date, beside live ones. At every moment on
the way the books are right."""

import threading
import time
from functools import partial

import pytest
from sqlalchemy import text

from app.attribution import recomputation
from app.attribution.engine import Model, Policy
from app.attribution.models import Recomputation
from app.referrals.turns import hold_facts
from tests.db.selling import FIRST, LINEAR, Market
from tests.threads import together


def test_a_change_from_the_beginning_divides_every_order_anew(market: Market) -> None:
    market.sold(10)
    before, as_of = market.books(), market.clock.now()
    market.clock.move(hours=1)
    job = market.begin(LINEAR)
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
    old = market.sold(5)
    market.clock.move(hours=1)
    since = market.clock.now()
    new = market.sold(5)
    before = market.books()

    job = market.begin(LINEAR, since)
    assert (5, since) == (job.total, job.since)
    market.work()

    after, linear = market.books(), market.computed(LINEAR)
    assert {order: before[order] for order in old} == {order: after[order] for order in old}
    assert {order: linear[order] for order in new} == {order: after[order] for order in new}
    assert 5 == market.jobs()[job.job_id].done


def test_a_change_from_now_on_has_nothing_to_do(market: Market) -> None:
    market.sold(2)
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

    assert 1 == market.begin(LINEAR, "now").total
    market.work()

    assert market.computed(LINEAR)[same_second] == market.books()[same_second]


def test_the_same_change_again_while_it_is_under_way_is_a_job_of_its_own(market: Market) -> None:
    market.sold(3)
    first, again = market.begin(LINEAR), market.begin(LINEAR)
    market.work()
    assert first.job_id != again.job_id
    assert {"finished"} == {job.status for job in market.jobs().values()}
    assert market.computed(LINEAR) == market.books()


def test_done_again_it_appends_nothing(market: Market) -> None:
    market.sold(6)
    market.put(LINEAR)
    market.work()
    books, lines = market.books(), market.lines()
    with market.here.database.transaction() as session:
        job = recomputation.start(session, market.here.outbox, market.merchant, None, market.clock.now())

    market.work()

    state = market.jobs()[job.job_id]
    assert ("finished", 6, 0) == (state.status, state.done, state.appended)
    assert (books, lines) == (market.books(), market.lines())


def test_at_every_moment_orders_add_up_under_every_policy(market: Market) -> None:
    made = market.sold(10)
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

    assert [2, 4, 6, 8, 10, 11, 2, 4, 6, 8, 10, 12] == looked
    market.assert_adds_up("first")
    assert (market.computed(LINEAR), market.computed(FIRST)) == (market.books(), market.books("first"))


def test_beside_live_orders_all_are_divided_by_the_new_policy(market: Market) -> None:
    market.sold(12)
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
    market.sold(5)
    policies = [Policy(half_life=days, model=Model.TIME_DECAY) for days in (1000, 90_000, 900_000)]

    together(*(partial(market.put, policy) for policy in policies), *[partial(market.work, batch=1)] * 2)
    market.work()

    assert [5] * 3 == [job.done for job in market.jobs().values()]
    newest = market.newest_policy()
    assert newest in policies
    assert market.computed(newest) == market.books()


def test_orders_that_come_meanwhile_are_passed_too(market: Market) -> None:
    market.sold(2)
    job = market.begin(LINEAR)

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
    market.sold(2)
    job = market.begin(LINEAR)
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
