"""Those who run the server are told when somebody is not told in time, whoever's fault it is."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.delivery import backlog
from app.delivery.backlog import Backlog
from app.delivery.models import WebhookEndpoint
from app.kernel.database import Database
from app.merchants import service as merchants
from app.merchants.models import Merchant
from tests.clock import START, TestClock
from tests.db.conftest import Run
from tests.db.hooked import Hooked, all_delivered

WELL = Backlog(0, 0, None, 0)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def hooked(database: Database, still_clock: TestClock) -> Hooked:
    return Hooked(database, still_clock)


def found(hooked: Hooked) -> Backlog:
    with hooked.database.reading() as session:
        return backlog.look(session, hooked.clock.now())


def noted(hooked: Hooked, endpoint: str, **changes: object) -> None:
    with hooked.database.transaction() as session:
        changed = update(WebhookEndpoint).where(WebhookEndpoint.endpoint_id == endpoint)
        session.execute(changed.values(**changes))


def test_where_nothing_waits_or_not_for_long_all_is_well(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    assert WELL == found(hooked)
    assert [] == found(hooked).warnings
    hooked.wait(endpoint, "ref_a", "ref_a", "ref_b")
    hooked.clock.move(minutes=4, seconds=59)
    assert Backlog(0, 0, None, 3) == found(hooked)
    all_delivered(hooked, endpoint)
    hooked.clock.move(days=1)
    assert WELL == found(hooked)


def test_what_could_have_been_sent_five_minutes_ago_is_late(hooked: Hooked) -> None:
    endpoint, other = hooked.endpoint(), hooked.endpoint()
    hooked.wait(endpoint, "ref_a")
    hooked.clock.move(minutes=1)
    hooked.wait(other, "ref_a", "ref_a")
    hooked.clock.move(minutes=4)
    assert Backlog(0, 1, START, 3) == found(hooked)
    assert ["webhooks: 1 endpoint told late, since 2026-03-02 10:00 UTC at the longest: does a worker run?"] == found(
        hooked
    ).warnings
    hooked.clock.move(minutes=1)
    assert Backlog(0, 2, START, 3) == found(hooked)


def test_what_is_tried_again_later_is_not_late_but_nothing_arrives_there(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    hooked.wait(endpoint, "ref_a")
    hooked.take(endpoint)
    noted(hooked, endpoint, failing_since=START)
    assert Backlog(0, 0, None, 1) == found(hooked)
    hooked.clock.move(minutes=5)
    assert Backlog(1, 0, START, 1) == found(hooked)
    assert ["webhooks: nothing arrives at 1 endpoint, since 2026-03-02 10:00 UTC at the longest"] == found(
        hooked
    ).warnings


def test_who_is_told_nothing_is_not_behind(hooked: Hooked) -> None:
    disabled, deleted = hooked.endpoint(), hooked.endpoint()
    closed = Hooked(hooked.database, hooked.clock)
    theirs = closed.endpoint()
    for shop, endpoint in ((hooked, disabled), (hooked, deleted), (closed, theirs)):
        noted(shop, endpoint, withdrawn_at=None, failing_since=START)
        shop.wait(endpoint, "ref_a")
    hooked.clock.move(minutes=10)
    assert Backlog(3, 0, START, 3) == found(hooked)
    hooked.change(disabled, disabled=True)
    noted(hooked, deleted, withdrawn_at=hooked.clock.now())
    with hooked.database.transaction() as session:
        merchants.close(session, session.get_one(Merchant, closed.merchant), hooked.clock.now())
    assert WELL == found(hooked)


def test_an_endpoint_for_which_nothing_is_made_out_any_more_is_late(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "FAR", 3)
    endpoint = hooked.endpoint()
    for _ in range(3):
        hooked.like()
    assert WELL == found(hooked)
    hooked.like()
    assert Backlog(0, 1, None, 0) == found(hooked)
    assert ["webhooks: 1 endpoint told late: does a worker run?"] == found(hooked).warnings
    noted(hooked, endpoint, place="")  # in the snapshot, on its way from the beginning
    assert WELL == found(hooked)


def test_what_waits_is_not_counted_to_the_end(hooked: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST", 4)
    hooked.wait(hooked.endpoint(), *("ref_a",) * 5)
    assert 4 == found(hooked).waiting


def test_the_doctor_finds_fault_with_what_is_late_and_only_notes_where_nothing_arrives(
    hooked: Hooked, grapevine: Run
) -> None:
    assert "ok     webhooks" in grapevine("doctor", "--quick").output
    endpoint = hooked.endpoint()
    hooked.wait(endpoint, "ref_a")
    late = grapevine("doctor", "--quick")
    assert (1, True) == (late.exit_code, "should have been told more by now: 1; does a worker run?" in late.output)
    noted(hooked, endpoint, failing_since=START)
    failing = grapevine("doctor")
    assert (0, True) == (failing.exit_code, "note   webhook endpoints where nothing arrives: 1" in failing.output)
