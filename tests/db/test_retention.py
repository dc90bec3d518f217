"""Visits are dropped when their time is over, and nothing that was credited by them changes."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.attribution.engine import Policy, Reason, Windows
from app.attribution.models import CreditLine
from app.kernel.clock import to_micros
from app.kernel.database import Database
from app.kernel.rollups import reading
from app.merchants.models import Merchant
from app.referrals import identities
from app.reports import audit
from app.reports.mending import ASIDE
from app.reports.mending import Books as Counts
from app.retention import jobs
from tests.clock import START, TestClock
from tests.db.retaining import KEEP, bring_in, buy, buy_by_click, drop, keep_only, kept_from, later, left, midnight
from tests.db.selling import FIRST, LINEAR, Books, Killed, Market
from tests.db.selling import market as new_market

LONGER = Policy(windows=Windows(click=90 * 86_400))


@pytest.fixture
def other(database: Database, tmp_path: Path) -> Iterator[Market]:
    """Another merchant, to whom the same happens."""
    folder = tmp_path / "other"
    folder.mkdir()
    with new_market(database, folder, TestClock()) as opened:
        yield opened


def told(books: Books, orders: Sequence[str]) -> list[list[tuple[int, int]]]:
    """What the lines of each order say, in the order of their touches and levels, whoever they are."""
    return [
        [
            (amounts.gross, amounts.reversed)
            for key, amounts in sorted(books[order].items(), key=lambda line: (line[0].touch or "", line[0].level or 0))
        ]
        for order in orders
    ]


def assert_all_is_well(market: Market) -> None:
    """The books add up to the cent, and so does what reports say of them."""
    market.assert_adds_up()
    with market.here.database.reading() as session:
        assert [] == list(audit.discrepancies(session, market.merchant))


def test_visits_go_and_what_was_credited_by_them_stays(market: Market) -> None:
    market.put(LINEAR)
    market.sold(6)
    before = market.books()
    assert (18, 18) == left(market)
    at = market.clock.move(days=KEEP + 30)
    drop(market, times=1)
    assert (18, 18) == left(market), "first it is announced"
    assert midnight(at, KEEP) == kept_from(market)
    drop(market, times=1)
    assert (0, 0) == left(market)
    assert before == market.books()
    assert_all_is_well(market)


def test_a_refund_takes_the_same_cents_whether_the_visits_are_there_or_not(market: Market, other: Market) -> None:
    sold = []
    for each in (other, market):
        each.put(LINEAR)
        sold.append(each.sold(5))
        each.clock.move(days=KEEP + 30)
        if each is market:
            drop(market)
        assert (15 if each is other else 0) == left(each)[0]
        for order in sold[-1]:
            for part in (3, 7, 2):
                rest = sum(gross - taken for gross, taken in each.books()[order].values())
                if rest // part:
                    each.refund(order, rest // part)
                    each.clock.move(minutes=1)
    assert told(other.books(), sold[0]) == told(market.books(), sold[1])
    assert_all_is_well(market)


def test_another_policy_divides_what_comes_and_leaves_what_is_closed(market: Market) -> None:
    old = market.sold(4)
    at = later(market)
    new = market.sell()
    before = market.books()
    market.begin(FIRST)
    market.work()
    books = market.books()
    assert {order: before[order] for order in old} == {order: books[order] for order in old}
    assert market.computed(FIRST)[new] == books[new]
    assert at < market.clock.now() + timedelta(days=1)
    assert_all_is_well(market)


def test_a_policy_that_comes_to_be_kept_says_that_it_cannot_tell_of_closed_orders(market: Market) -> None:
    old = market.sold(4)
    later(market)
    new = market.sell()
    market.keep("linear", LINEAR)
    market.work()
    books = market.books("linear")
    assert market.computed(LINEAR)[new] == books[new]
    with market.here.database.reading() as session:
        mine = (CreditLine.merchant_id == market.merchant, CreditLine.policy == "linear")
        why = dict(session.execute(select(CreditLine.order_id, CreditLine.reason).where(*mine)).all())
    assert {Reason.NOT_KEPT} == {why[order] for order in old}
    market.assert_adds_up("linear")
    assert_all_is_well(market)


def test_who_turns_out_to_be_whom_changes_nothing_that_is_closed(market: Market) -> None:
    buyer, friend = market.shop.visitor(), market.shop.visitor()
    order = market.sell()
    later(market)
    before = market.books()
    with market.here.database.reading() as session:
        sharers = set(session.scalars(select(CreditLine.sharer).where(CreditLine.order_id == order)))
    for visitor in (buyer, friend, *sharers):
        with market.here.database.transaction() as session:
            identities.join(session, market.here.events, market.merchant, visitor, "p1", market.clock.now())
    assert before == market.books()


def test_a_shorter_time_of_a_merchant_is_theirs_alone(market: Market, other: Market) -> None:
    for each in (market, other):
        each.sold(2)
        each.clock.move(days=100)
    keep_only(market, visits=61)
    for each in (market, other):
        drop(each)
    assert (0, 6) == (left(market)[0], left(other)[0])
    assert None is kept_from(other)
    sold = market.sell()
    drop(market)
    assert 3 == left(market)[0], "what is younger stays"
    assert market.computed(market.newest_policy())[sold] == market.books()[sold]


def test_visits_are_kept_as_long_as_any_policy_looks_back(market: Market) -> None:
    keep_only(market, visits=61)
    market.put(LONGER)
    market.keep("first", FIRST)
    market.sold(1)
    at = market.clock.move(days=119)
    drop(market)
    assert (3, None) == (left(market)[0], kept_from(market))
    at = market.clock.move(days=40)
    drop(market)
    assert (0, midnight(at, 120)) == (left(market)[0], kept_from(market))


def test_a_crash_half_way_loses_nothing_and_the_next_run_goes_on(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.kernel.forgetting.AT_ONCE", 4)
    market.sold(5)
    before = market.books()
    market.clock.move(days=KEEP + 30)

    def die_half_way() -> None:
        if left(market) != (15, 15):
            raise Killed

    with pytest.raises(Killed):
        drop(market, step=die_half_way)
    assert (15, 11) == left(market)
    assert before == market.books()
    assert_all_is_well(market)
    drop(market)
    assert (0, 0) == left(market)
    assert before == market.books()


def test_what_is_still_to_be_credited_is_credited_before_it_is_closed(market: Market) -> None:
    market.sold(2)
    market.clock.move(days=KEEP + 30)
    job = market.begin(FIRST)
    drop(market)
    assert (6, None) == (left(market)[0], kept_from(market)), "while orders are divided anew nothing is closed"
    market.work()
    assert {job.job_id: "finished"} == {name: each.status for name, each in market.jobs().items()}
    divided = market.books()
    assert market.computed(FIRST) == divided
    drop(market)
    assert 0 == left(market)[0]
    assert divided == market.books()


def test_a_buyer_who_is_known_by_a_click_alone_stays_the_buyer(market: Market) -> None:
    """The click is long expired and goes; the order is young, and still what it was."""
    buyer = market.shop.visitor()
    old = market.come(buyer, market.links[0], market.clock.now())
    market.clock.move(days=95)
    market.come(buyer, market.links[1], market.clock.now() - timedelta(days=3))
    order = buy_by_click(market, old)
    before = market.books()[order]
    assert [market.links[1]] == [key.referral for key in before]
    keep_only(market, visits=61)
    drop(market)
    assert 1 == left(market)[0]
    market.begin(FIRST)
    market.work()
    assert before == market.books()[order]
    market.refund(order, 1)
    assert_all_is_well(market)


def test_nothing_is_dropped_of_a_merchant_who_is_not_that_long_here(market: Market) -> None:
    """What another system told of times long ago counts from when it was brought in."""
    bring_in(market, "t1", START - timedelta(days=3_000))
    market.clock.move(days=KEEP - 1)
    drop(market)
    assert (1, None) == (left(market)[0], kept_from(market))
    market.clock.move(days=2)
    drop(market)
    assert 0 == left(market)[0]


def test_counts_stay_what_they_were_though_what_was_counted_is_gone(market: Market) -> None:
    market.sold(2)
    bring_in(market, "t1", START)
    until = START + timedelta(days=KEEP + 30) + ASIDE
    counts = Counts(market.here.database, market.merchant, until, START, mend=True)
    counts.compare()
    before = visits_counted(market)
    assert 7 == before
    later(market)
    assert 0 == left(market)[0]
    assert not counts.compare()
    assert before == visits_counted(market)


def visits_counted(market: Market) -> int:
    with market.here.database.reading() as session:
        for_ever = [(0, to_micros(START + timedelta(days=99)))]
        return sum(counts.visits for counts in reading.sums(session, market.merchant, "total", for_ever).values())


def test_what_another_system_told_is_closed_as_all_else(market: Market) -> None:
    """Its ids tell no time: sources stand as they were written, and a click that was known once is known to be gone."""
    market.put(LINEAR)
    now = market.clock.now()
    for name, link in (("t2", 0), ("t1", 1)):
        bring_in(market, name, now - timedelta(days=1), link=link)
    order, named = buy(market, "v1"), buy_by_click(market, "t1")
    unknown = buy_by_click(market, "t9")
    before = market.books()
    assert {"t1", "t2"} == {key.touch for each in (order, named) for key in before[each]}
    assert {None} == {key.touch for key in before[unknown]}
    keep_only(market, visits=61)
    market.clock.move(days=92)
    drop(market)
    assert 0 == left(market)[0]
    for each in (order, named, unknown):
        market.refund(each, 1)
    market.begin(FIRST)
    market.work()
    books = market.books()
    assert [before[each].keys() for each in (order, named)] == [books[each].keys() for each in (order, named)]
    assert 1 == sum(taken for _, taken in books[order].values())
    assert_all_is_well(market)


def test_a_young_order_that_names_a_click_of_another_system_that_is_gone_stays_its_buyers(market: Market) -> None:
    bring_in(market, "t1", market.clock.now())
    market.clock.move(days=95)
    now = market.clock.now()
    bring_in(market, "t2", now - timedelta(days=2))
    known, unknown = buy_by_click(market, "t1"), buy_by_click(market, "t9")
    before = market.books()
    assert ["t2"] == [key.touch for key in before[known]]
    keep_only(market, visits=61)
    drop(market)
    assert 1 == left(market)[0]
    market.begin(FIRST)
    market.work()
    assert before == market.books()
    bring_in(market, "t9", now - timedelta(days=1))
    market.refund(unknown, 1)
    learnt = "a click that was never known may still come, and tell who bought"
    assert ["t2"] == [key.touch for key, amounts in market.books()[unknown].items() if amounts.gross > 0], learnt


def test_an_order_that_comes_later_than_its_time_is_divided_by_what_there_is(market: Market) -> None:
    market.sold(1)
    at = later(market)
    bring_in(market, "t1", START)
    late = buy(market, "v1", at=START + timedelta(days=1))
    assert ["t1"] == [key.touch for key in market.books()[late]]
    assert at == market.clock.now()
    market.refund(late, 7)
    assert [7] == [taken for _, taken in market.books()[late].values()]
    assert_all_is_well(market)


def test_the_servers_jobs_do_all_of_this(market: Market) -> None:
    market.sold(1)
    at = market.clock.move(days=KEEP + 30)
    told: list[None] = []
    for _ in range(2):
        for job in jobs.periodic(market.here):
            job.run(lambda: told.append(None))
    assert (0, midnight(at, KEEP)) == (left(market)[0], kept_from(market))
    assert told
    with market.here.database.reading() as session:
        gone = session.get_one(Merchant, market.merchant).kept.gone_before("checkouts")
    assert midnight(at, 400) == gone
