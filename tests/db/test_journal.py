"""The journal of facts: everything that is written is told, once for each id, in order, also from the beginning."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, cast

import pytest
from sqlalchemy import delete

from app.delivery import facts
from app.delivery.facts import Event
from app.kernel import journal
from app.kernel.database import Database
from app.kernel.errors import Invalid
from app.kernel.journal import JournalEntry
from app.orders import service as orders
from app.orders.lifecycle import Taking
from app.orders.sales import Sale
from app.referrals import service, visits
from app.referrals.visits import NewVisit, Way
from tests.clock import START
from tests.db.journalling import a_life, now, place_all, read_on, told
from tests.db.referring import Shop, done, written
from tests.db.selling import Market


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


def test_likes_and_shares_are_told_in_the_order_in_which_they_were_made(database: Database, shop: Shop) -> None:
    start = now(database, shop.merchant)
    ana, bo = shop.visitor(), shop.visitor()
    made = done(written(database, [shop.like(ana), shop.share(bo), shop.like(ana)]))
    place_all(database)
    events, _ = read_on(database, shop.merchant, start)
    like, share = made[0].referral.referral_id, made[1].referral.referral_id
    assert [("referral.created", like), ("referral.created", share)] == told(events)
    assert {
        "id": like,
        "kind": "like",
        "visitor": ana,
        "network": "onsite",
        "product": shop.products[0],
        "wall": None,
        "page": None,
        "parent": None,
        "code": made[0].referral.code,
        "caption": None,
        "at": "2026-03-02T10:00:00Z",
        "withdrawn_at": None,
    } == events[0].data


def test_what_was_taken_back_is_told(database: Database, shop: Shop) -> None:
    ana = shop.visitor()
    like = done(written(database, [shop.like(ana)]))[0].referral.referral_id
    start = now(database, shop.merchant)
    with database.transaction() as session:
        service.take_back(session, shop.merchant, like, ana, START + timedelta(minutes=1))
    place_all(database)
    events, _ = read_on(database, shop.merchant, start)
    assert [("referral.withdrawn", like)] == told(events)
    assert "2026-03-02T10:01:00Z" == events[0].data["withdrawn_at"]


def test_a_sale_is_told_from_the_visit_to_the_refund(database: Database, market: Market) -> None:
    start = now(database, market.merchant)
    order = market.sell(touches=1)
    market.clock.move(hours=1)
    market.refund(order, 1)
    place_all(database)
    events, _ = read_on(database, market.merchant, start)
    of_order = [event for event in events if event.subject == order]
    assert ["order.recorded", "order.attributed", "order.refunded", "order.attributed"] == [
        event.type for event in of_order
    ]
    recorded, attributed, refunded, reversed_ = of_order
    assert refunded.data["net"] == recorded.data["net"] == sum(line["net"] for line in lines_of(attributed))
    assert 1 == refunded_by(refunded) == sum(line["refunded"] for line in lines_of(reversed_))
    assert not refunded.data["given_back"]


def lines_of(event: Event) -> list[dict[str, Any]]:
    """The credit lines that an event tells of."""
    return cast("list[dict[str, Any]]", event.data.get("credits", []))


def refunded_by(event: Event) -> int:
    return cast("dict[str, int]", event.data["refund"])["amount"]


def credits(events: Sequence[Event]) -> set[str]:
    return {line["credit"] for event in events for line in lines_of(event)}


def test_from_the_beginning_come_the_same_events_as_from_the_journal(database: Database, market: Market) -> None:
    a_life(market)
    place_all(database)
    with database.reading() as session:
        begun = facts.read(session, market.merchant, "0-", 1000)
    assert not begun.more
    snapshot, cursor = read_on(database, market.merchant, "")
    aside = ("visit.claimed", "order.attributed")  # the market claims by itself; and see below
    in_journal = {event.id: event[:5] for event in begun.events if event.type not in aside}
    assert in_journal == {event.id: event[:5] for event in snapshot if event.type not in aside}
    assert credits(begun.events) == credits(snapshot)  # what was appended twice in a moment is one event of these
    assert {event.id for event in snapshot if event.type == aside[1]} < {event.id for event in begun.events}
    assert {*facts.TYPES} - {"import.finished", "visitor.erased"} == {event.type for event in snapshot}
    assert len({event.id for event in snapshot}) == len(snapshot)
    assert read_on(database, market.merchant, cursor) == ([], cursor)
    a_life(market)
    place_all(database)
    assert read_on(database, market.merchant, cursor)[0]


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_however_little_is_read_at_a_time_everything_comes_once(database: Database, market: Market, limit: int) -> None:
    a_life(market)
    visitors = [market.shop.visitor() for _ in range(5)]
    written(database, [market.shop.like(visitor) for visitor in visitors])  # one entry of five
    place_all(database)
    for start in ("", "0-"):
        events, _ = read_on(database, market.merchant, start, limit)
        assert told(read_on(database, market.merchant, start, 100)[0]) == told(events)
        assert len({event.id for event in events}) == len(events)


def test_one_can_go_on_after_each_event(database: Database, market: Market) -> None:
    a_life(market)
    place_all(database)
    for start in ("", "0-"):
        events, _ = read_on(database, market.merchant, start)
        for number, event in enumerate(events):
            rest, _ = read_on(database, market.merchant, event.cursor, 100, [events[-1].type])
            wanted = [later.id for later in events[number + 1 :] if later.type == events[-1].type]
            assert wanted == [later.id for later in rest][: len(wanted)]


def test_only_the_types_that_are_asked_for_come(database: Database, market: Market) -> None:
    a_life(market)
    place_all(database)
    for start in ("", "0-"):
        everything, _ = read_on(database, market.merchant, start)
        for kind in facts.TYPES:
            events, _ = read_on(database, market.merchant, start, types=[kind])
            assert [event.id for event in everything if event.type == kind] == [event.id for event in events]


def test_nothing_refers_to_what_comes_later(database: Database, market: Market) -> None:
    a_life(market)
    place_all(database)
    events, _ = read_on(database, market.merchant, "")
    steps = [facts.TYPES.index(event.type) for event in events if event.type != "referral.withdrawn"]
    assert [(one, other) for one, other in pairwise(steps) if one > other] == []


def test_another_merchants_facts_are_told_to_nobody_else(database: Database, shop: Shop) -> None:
    other = Shop(database)
    mine = done(written(database, [shop.like(shop.visitor()), other.like(other.visitor())]))[0]
    place_all(database)
    for start in ("", "0-"):
        events, _ = read_on(database, shop.merchant, start)
        assert [("referral.created", mine.referral.referral_id)] == told(events)


def test_an_empty_journal_is_read_to_its_end(database: Database, shop: Shop) -> None:
    events, cursor = read_on(database, shop.merchant, "")
    assert ([], "0-") == (events, cursor)
    assert read_on(database, shop.merchant, cursor) == ([], cursor)


@pytest.mark.parametrize(
    "cursor",
    ["x", "-", "1", "1-", "0-.", "99999999999999999999-", "s", "sxx", "0-.x", "1-x7r2k9m4tq0w.99999", "\0", "s\ud800"],
)
def test_text_that_is_no_cursor_is_refused(database: Database, shop: Shop, cursor: str) -> None:
    with database.reading() as session, pytest.raises((Invalid, facts.CursorGone)):
        facts.read(session, shop.merchant, cursor, 10)


def test_a_cursor_of_a_database_that_was_put_back_is_gone(database: Database, shop: Shop) -> None:
    written(database, [shop.like(shop.visitor())])
    cursor = now(database, shop.merchant)
    with database.transaction() as session:
        session.execute(delete(JournalEntry).where(JournalEntry.merchant_id == shop.merchant))
        session.execute(delete(journal.JournalEnd).where(journal.JournalEnd.merchant_id == shop.merchant))
    written(database, [shop.like(shop.visitor())])
    place_all(database)
    with database.reading() as session, pytest.raises(facts.CursorGone):
        facts.read(session, shop.merchant, cursor, 10)


def test_however_many_visits_are_written_at_once_they_are_one_entry(database: Database, shop: Shop) -> None:
    start, other = now(database, shop.merchant), Shop(database)
    ways = [Way(each.merchant, "ref_1", "click", None, None, "x") for each in (shop, other)]
    with database.transaction() as session:
        clicks = visits.write(session, [NewVisit.by(way, None, START) for _ in range(60) for way in ways])
        assert [] == visits.write(session, [])
    assert place_all(database) == 2
    events, _ = read_on(database, shop.merchant, start)
    assert [("visit.recorded", click) for click in clicks[::2]] == told(events)


def test_what_is_undone_was_never_noted(database: Database, shop: Shop) -> None:
    start = now(database, shop.merchant)
    with database.reading() as session:
        journal.note(session, shop.merchant, "referral.created", ["ref_1"], START)
    assert place_all(database) == 0
    assert read_on(database, shop.merchant, start) == ([], start)


def test_a_fact_that_is_gone_is_passed_over(database: Database, shop: Shop) -> None:
    start = now(database, shop.merchant)
    with database.transaction() as session:
        journal.note(session, shop.merchant, "visit.recorded", ["clk_1", "clk_2"], START)
        journal.note(session, shop.merchant, "of.another.version", ["clk_1"], START)
    done(written(database, [shop.like(shop.visitor())]))
    place_all(database)
    events, cursor = read_on(database, shop.merchant, start, 1)
    assert ["referral.created"] == [event.type for event in events]
    assert cursor == now(database, shop.merchant)


def test_what_depends_on_another_fact_comes_after_it_though_clocks_differ(database: Database, market: Market) -> None:
    start, at = now(database, market.merchant), market.clock.now()
    fast, slow = at + timedelta(milliseconds=200), at + timedelta(milliseconds=100)
    sale = Sale("x1", "api", "", True, "eur", 10_000, 10_000, at, visitor_id=market.shop.visitor())
    with database.transaction() as session:
        order, _ = orders.record(session, market.here.events, market.merchant, sale, fast)
    taking = Taking("r1", "refund", slow, 100, 100)
    with database.transaction() as session:
        orders.take_back(session, market.here.events, market.merchant, order.order_id, taking, slow)
    place_all(database)
    events, _ = read_on(database, market.merchant, start)
    kinds = [event.type for event in events]
    assert ["order.recorded", "order.refunded"] == [kind for kind in kinds if kind != "order.attributed"]
