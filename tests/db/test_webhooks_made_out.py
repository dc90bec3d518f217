"""What is written is made out for every endpoint that wants to know, once and in order, whoever does it."""

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, update

from app.delivery import deliveries, endpoints, facts, making_out, unnoted
from app.delivery.models import WebhookEndpoint
from app.kernel import journal
from app.kernel.ids import merchant_of
from app.kernel.journal import JournalEnd, JournalEntry
from tests.clock import START
from tests.db.hooked import Hooked, all_delivered, subjects, withdrawn
from tests.threads import together


def test_what_is_made_out_is_what_the_feed_of_facts_says(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    with hooked.database.reading() as session:
        now = facts.end(session, hooked.merchant)
    likes = hooked.like(3)
    assert 3 == hooked.make_out()
    with hooked.database.reading() as session:
        events = facts.read(session, hooked.merchant, now, 10).events
    told = hooked.deliveries(endpoint)
    assert likes == [each.subject for each in events] == [each.subject for each in told]
    assert [each.id for each in events] == [each.event_id for each in told]
    assert [
        {"id": each.id, "type": "referral.created", "timestamp": "2026-03-02T10:00:00Z", "data": each.data}
        for each in events
    ] == [json.loads(each.body) for each in told]
    assert [(START, 0, None)] * 3 == [(each.due_at, each.attempts, each.delivered_at) for each in told]
    assert {hooked.merchant} == {merchant_of(each.delivery_id, "whd") for each in told}


def test_an_endpoint_is_told_what_is_written_after_it_was_made(hooked: Hooked) -> None:
    hooked.like(2)
    endpoint = hooked.endpoint()
    later = hooked.like(1)
    hooked.make_out()
    assert later == subjects(hooked, endpoint)


def test_what_has_no_place_yet_is_made_out_when_it_has(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    with hooked.database.transaction() as session:
        journal.note(session, hooked.merchant, "referral.created", ["ref_nobody"], START)
    assert 0 == hooked.make_out()
    likes = hooked.like(1)
    assert 1 == hooked.make_out()
    assert likes == subjects(hooked, endpoint)


def test_each_endpoint_is_told_what_it_asked_for_and_nothing_of_anothers(hooked: Hooked) -> None:
    every, some, none = (hooked.endpoint(types=types) for types in ((), ("referral.withdrawn",), ("order.refunded",)))
    others = Hooked(hooked.database, hooked.clock)
    for endpoint in (every, some, none):
        _enabled(hooked, endpoint)
    other = others.endpoint()
    likes = hooked.like(2)
    withdrawn(hooked, likes[:1])
    other_likes = others.like(1)
    assert 5 == hooked.make_out()
    assert [*likes, likes[0]] == subjects(hooked, every)
    assert likes[:1] == subjects(hooked, some)
    assert [] == subjects(hooked, none)
    assert other_likes == subjects(others, other)


def _enabled(hooked: Hooked, endpoint: str) -> None:
    """The endpoints of a shop that was made before another one."""
    with hooked.database.transaction() as session:
        found = update(WebhookEndpoint).where(WebhookEndpoint.endpoint_id == endpoint)
        session.execute(found.values(withdrawn_at=None))


def test_where_nothing_is_for_an_endpoint_nothing_is_written_and_nothing_is_read_twice(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = hooked.endpoint(types=["referral.withdrawn"])
    before = hooked.known(endpoint).place
    likes = hooked.like(5)
    maker = hooked.maker()
    assert 0 == maker.make_out_all()
    assert before == hooked.known(endpoint).place

    def fail(*_: object) -> None:
        pytest.fail("it was read again")

    with monkeypatch.context() as patched:
        patched.setattr(facts, "read", fail)
        assert 0 == maker.make_out_all()
    withdrawn(hooked, likes[:2])
    assert 2 == maker.make_out_all()
    assert likes[:2] == subjects(hooked, endpoint)


def test_however_seldom_there_is_something_a_restart_does_not_read_everything_again(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making_out, "_IDLE", 3)
    endpoint = hooked.endpoint(types=["referral.withdrawn"])
    begin = hooked.known(endpoint).place
    likes = [hooked.like()[0] for _ in range(3)]
    assert 0 == hooked.make_out()
    with hooked.database.reading() as session:
        assert facts.end(session, hooked.merchant) == hooked.known(endpoint).place != begin
    withdrawn(hooked, likes[:1])
    assert 1 == hooked.make_out()


def test_a_replay_since_before_the_journal_began_tells_what_is_in_the_journal(hooked: Hooked) -> None:
    hooked.like(2)
    with hooked.database.transaction() as session:  # they were written before there was one
        session.execute(delete(JournalEntry).where(JournalEntry.merchant_id == hooked.merchant))
        session.execute(delete(JournalEnd).where(JournalEnd.merchant_id == hooked.merchant))
    unnoted.note_forgotten(hooked.database, hooked.merchant, hooked.clock.now())
    likes = hooked.like(2)
    endpoint = hooked.endpoint(types=["referral.created"])
    with hooked.database.transaction() as session:
        cursor = deliveries.cursor_at(session, hooked.merchant, START - timedelta(minutes=20))
        deliveries.send_back(session, endpoints.get(session, hooked.merchant, endpoint, lock=True), cursor)
    assert 2 == hooked.make_out()
    assert likes == subjects(hooked, endpoint)


def test_many_makers_at_once_make_out_each_once_and_in_order(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    likes = [like for _ in range(4) for like in hooked.like(150)]
    counts = together(*(hooked.maker().make_out_all for _ in range(4)))
    assert 600 == sum(counts)
    assert likes == subjects(hooked, endpoint)


def test_a_dead_endpoint_fills_no_table(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making_out, "BACKLOG", 4)
    monkeypatch.setattr(making_out, "AT_ONCE", 3)
    endpoint, other = hooked.endpoint(), hooked.endpoint(types=["referral.withdrawn"])
    likes = hooked.like(20)
    hooked.make_out()
    assert likes[:6] == subjects(hooked, endpoint)
    withdrawn(hooked, likes[:1])
    hooked.make_out()
    assert likes[:1] == subjects(hooked, other)
    for _ in range(5):
        hooked.take(endpoint)
        all_delivered(hooked, endpoint)
        hooked.make_out()
    assert [*likes, likes[0]] == subjects(hooked, endpoint)


def test_what_happens_while_it_is_disabled_is_told_when_it_is_enabled(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    hooked.change(endpoint, disabled=True)
    likes = hooked.like(2)
    assert 0 == hooked.make_out()
    hooked.change(endpoint, disabled=False)
    assert 2 == hooked.make_out()
    assert likes == subjects(hooked, endpoint)


def test_after_the_database_was_put_back_it_goes_on_from_now(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    hooked.like(2)
    with hooked.database.transaction() as session:
        moved = update(WebhookEndpoint).where(WebhookEndpoint.endpoint_id == endpoint)
        session.execute(moved.values(place="7-abcdefghjkmn"))
    assert 0 == hooked.make_out()
    likes = hooked.like(2)
    assert 2 == hooked.make_out()
    assert likes == subjects(hooked, endpoint)


def test_one_that_cannot_be_read_holds_up_no_other(hooked: Hooked, caplog: pytest.LogCaptureFixture) -> None:
    broken, sound = hooked.endpoint(), hooked.endpoint()
    with hooked.database.transaction() as session:
        moved = update(WebhookEndpoint).where(WebhookEndpoint.endpoint_id == broken)
        session.execute(moved.values(place="what is this"))
    likes = hooked.like(2)
    assert 2 == hooked.make_out()
    assert likes == subjects(hooked, sound)
    assert broken in caplog.text


@pytest.mark.parametrize("back", [timedelta(), timedelta(hours=1), timedelta(days=400)], ids=str)
def test_the_order_stays_when_the_clock_goes_back(hooked: Hooked, back: timedelta) -> None:
    endpoint = hooked.endpoint()
    likes = hooked.like(2)
    hooked.make_out()
    hooked.clock.set(START - back)
    likes += hooked.like(2)
    hooked.make_out()
    assert likes == subjects(hooked, endpoint)


def test_the_present_is_not_put_off_by_a_clock_that_was_ahead(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    hooked.clock.set(datetime(2040, 1, 1, tzinfo=START.tzinfo))
    hooked.like(1)
    hooked.make_out()
    hooked.clock.set(START)
    hooked.like(1)
    hooked.make_out()
    assert START == hooked.deliveries(endpoint)[-1].due_at
