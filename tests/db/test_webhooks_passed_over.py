"""What an endpoint does not want to know is passed over by the database, without being read."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, update

from app.delivery import facts, glancing, making_out
from app.delivery.glancing import Glance, Span, glance
from app.kernel import journal
from app.kernel.database import Database
from app.kernel.feed_places import BEGINNING, Place
from app.kernel.journal import JournalEntry
from tests.db.hooked import Hooked, subjects, withdrawn


def place(hooked: Hooked) -> Place:
    with hooked.database.reading() as session:
        return journal.end(session, hooked.merchant)


def glanced(hooked: Hooked, *spans: Span) -> dict[Span, Glance]:
    with hooked.database.reading() as session:
        return glance(session, spans)


def statements(database: Database, run: Callable[[], int]) -> tuple[int, int]:
    """What it says, and how many statements that took."""
    seen: list[Any] = []

    def see(*asked: Any) -> None:
        seen.append(asked)

    event.listen(database.engine, "before_cursor_execute", see)
    try:
        return run(), len(seen)
    finally:
        event.remove(database.engine, "before_cursor_execute", see)


def test_what_nobody_wants_costs_the_same_however_many_endpoints_there_are(hooked: Hooked) -> None:
    costs = []
    for count in (1, 4):
        shops = [hooked, *(Hooked(hooked.database, hooked.clock) for _ in range(count))]
        for shop in shops:
            endpoints = [shop.endpoint(types=["referral.withdrawn", "order.refunded"]) for _ in range(count)]
        maker = hooked.maker()
        assert 0 == maker.make_out_all()
        for _ in range(2):  # the first time, some statements are told what there is
            likes = [shop.like(2) for shop in shops][-1]
            made, cost = statements(hooked.database, maker.make_out_all)
            assert 0 == made
        costs.append(cost)
        withdrawn(shops[-1], likes)
        assert 2 * count == maker.make_out_all()
        assert [likes] * count == [subjects(shops[-1], each) for each in endpoints]
    assert costs[0] == costs[1] <= 4


def test_what_somebody_wants_is_not_passed_over(hooked: Hooked) -> None:
    both, one = (
        hooked.endpoint(types=["referral.created", "referral.withdrawn"]),
        hooked.endpoint(types=["order.refunded"]),
    )
    every = hooked.endpoint()
    maker = hooked.maker()
    for _ in range(3):
        likes = hooked.like()
        assert 2 == maker.make_out_all()
        withdrawn(hooked, likes)
        assert 2 == maker.make_out_all()
    assert 6 == len(subjects(hooked, both)) == len(subjects(hooked, every))
    assert [] == subjects(hooked, one)


def test_who_is_far_behind_is_led_past_what_they_do_not_want(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making_out, "_FAR", 3)
    endpoint, reading, read_from = hooked.endpoint(types=["referral.withdrawn"]), facts.read, []
    for _ in range(5):
        likes = hooked.like()
    last = place(hooked)
    withdrawn(hooked, likes)

    def read(*asked: Any) -> facts.Read:
        read_from.append(asked[2])
        return reading(*asked)

    monkeypatch.setattr(facts, "read", read)
    assert 1 == hooked.make_out()
    assert [str(last)] == read_from
    assert likes == subjects(hooked, endpoint)


def test_a_glance_tells_the_types_of_a_span_and_its_end(hooked: Hooked) -> None:
    hooked.like()
    begin = place(hooked)
    withdrawn(hooked, hooked.like(2))
    hooked.like()
    middle, end = place(hooked), place(hooked)
    whole = Span(hooked.merchant, begin, end.position)
    likes = Span(hooked.merchant, begin, begin.position + 1)
    found = glanced(hooked, whole, likes)
    assert Glance(frozenset({"referral.created", "referral.withdrawn"}), end) == found[whole]
    assert {"referral.created"} == found[likes].types
    assert begin.position + 1 == found[likes].end.position
    assert middle == end


def test_what_is_no_place_any_more_or_too_long_is_to_be_read(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    hooked.like()
    begin = place(hooked)
    for _ in range(3):
        hooked.like()
    until = place(hooked).position
    another = Place(begin.position, "x" * len(begin.mark))
    spans = [Span(hooked.merchant, each, until) for each in (begin, another, BEGINNING)]
    assert {spans[0]} == set(glanced(hooked, *spans))
    assert {} == glanced(hooked, Span(hooked.merchant, begin, until + 1), Span(hooked.merchant, begin, begin.position))
    monkeypatch.setattr(glancing, "MOST", 2)
    assert {} == glanced(hooked, spans[0])


def test_after_the_journal_was_put_back_under_a_running_process_nothing_is_passed_over(hooked: Hooked) -> None:
    endpoint = hooked.endpoint(types=["referral.withdrawn"])
    hooked.like()
    maker = hooked.maker()
    assert 0 == maker.make_out_all()
    read_to = place(hooked)
    with hooked.database.transaction() as session:  # what stands at its place is another entry
        mine = (JournalEntry.merchant_id == hooked.merchant, JournalEntry.position == read_to.position)
        entry = session.scalars(update(JournalEntry).where(*mine).values(position=None).returning(JournalEntry)).one()
        session.expunge(entry)
        session.execute(
            update(JournalEntry)
            .where(JournalEntry.merchant_id == hooked.merchant, JournalEntry.entry_id == entry.entry_id)
            .values(position=read_to.position, entry_id=entry.entry_id[:-12] + "abcdefghjkmn")
        )
    hooked.like()
    maker.make_out_all()
    withdrawn(hooked, hooked.like())
    assert 1 == maker.make_out_all()
    assert 1 == len(subjects(hooked, endpoint))
