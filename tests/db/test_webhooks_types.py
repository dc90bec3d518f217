"""Other types of an endpoint count from the change on, whichever process made out what was before."""

from typing import Any

import pytest
from sqlalchemy import update

from app.delivery import deliveries, endpoints, facts, making_out
from app.delivery.models import WebhookEndpoint
from app.kernel.database import Database
from tests.clock import TestClock
from tests.db.hooked import Hooked, all_delivered, subjects, withdrawn


@pytest.fixture
def hooked(database: Database, still_clock: TestClock) -> Hooked:
    return Hooked(database, still_clock)


def test_other_types_count_from_the_change_on(hooked: Hooked) -> None:
    endpoint = hooked.endpoint(types=["order.refunded"])
    maker = hooked.maker()
    hooked.like(3)
    assert 0 == maker.make_out_all()
    hooked.change(endpoint, types=["order.refunded", "referral.created"])
    assert 0 == maker.make_out_all()
    assert 0 == hooked.make_out()  # of another process
    likes = hooked.like(2)
    assert 2 == maker.make_out_all()
    assert likes == subjects(hooked, endpoint)


def test_what_was_not_made_out_yet_when_the_types_changed_is_made_out(hooked: Hooked) -> None:
    endpoint = hooked.endpoint(types=["referral.withdrawn"])
    passed_over = hooked.like(2)
    withdrawn(hooked, passed_over)
    likes = hooked.like(2)
    hooked.change(endpoint, types=["referral.withdrawn", "referral.created"])
    assert 4 == hooked.make_out()
    assert [*passed_over, *likes] == subjects(hooked, endpoint)


def test_in_the_middle_of_what_was_written_together_a_change_of_types_loses_nothing(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making_out, "AT_ONCE", 2)
    monkeypatch.setattr(making_out, "BACKLOG", 2)
    endpoint = hooked.endpoint(types=["referral.withdrawn"])
    likes = hooked.like(3)
    withdrawn(hooked, likes)
    assert 2 == hooked.make_out()
    all_delivered(hooked, endpoint)
    hooked.change(endpoint, types=[])
    assert 1 == hooked.make_out()
    assert likes == subjects(hooked, endpoint)


def test_who_read_for_the_former_types_moves_no_endpoint(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = hooked.endpoint(types=["referral.withdrawn"])
    withdrawn(hooked, hooked.like())
    hooked.make_out()
    like, reading, changes = hooked.like(), facts.read, [["referral.created", "referral.withdrawn"]]
    withdrawn(hooked, like)

    def changed_meanwhile(*asked: Any) -> facts.Read:
        if changes:
            hooked.change(endpoint, types=changes.pop())
            like.extend(hooked.like())
            withdrawn(hooked, like[1:])
        return reading(*asked)

    monkeypatch.setattr(facts, "read", changed_meanwhile)
    assert 3 == hooked.make_out()
    assert [like[0], like[1], like[1]] == subjects(hooked, endpoint)[1:]


@pytest.mark.parametrize("place", ["", "7-abcdefghjkmn"], ids=["the beginning", "put back"])
def test_a_place_that_is_not_in_the_journal_stays_when_types_change(hooked: Hooked, place: str) -> None:
    endpoint = hooked.endpoint(types=["referral.withdrawn"])
    with hooked.database.transaction() as session:
        moved = update(WebhookEndpoint).where(WebhookEndpoint.endpoint_id == endpoint)
        session.execute(moved.values(place=place))
    hooked.like(1)
    hooked.change(endpoint, types=["referral.created"])
    assert place == hooked.known(endpoint).place


def test_after_a_change_of_types_a_replay_tells_them_too(hooked: Hooked) -> None:
    endpoint = hooked.endpoint(types=["order.refunded"])
    begin, likes, maker = hooked.known(endpoint).place, hooked.like(3), hooked.maker()
    assert 0 == maker.make_out_all()
    hooked.change(endpoint, types=["order.refunded", "referral.created"])
    with hooked.database.transaction() as session:
        deliveries.send_back(session, endpoints.get(session, hooked.merchant, endpoint, lock=True), begin)
    assert 3 == maker.make_out_all()
    assert likes == subjects(hooked, endpoint)
