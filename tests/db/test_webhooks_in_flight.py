"""What is on its way when its sender is killed, or when its endpoint is deleted, disabled or moved."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from app.delivery import endpoints
from app.delivery.deliveries import state_of
from tests.db.hooked import Hooked, until
from tests.receiver import Receiver, Reply, Request
from tests.soak import SOAK

ROOT = Path(__file__).parents[2]
COUNT, KILLS = (500, 3) if SOAK else (120, 1)
SUBJECTS = 20


@pytest.fixture
def answer(there: Receiver) -> Iterator[Event]:
    """Until it is set, the receiver does not answer."""
    given = Event()

    def reply(_: Request) -> Reply:
        given.wait(20)
        return Reply()

    there.reply = reply
    yield given
    given.set()


@pytest.mark.soak
def test_though_senders_are_killed_in_the_middle_all_arrives_and_in_order(
    hooked: Hooked, there: Receiver, database_url: str
) -> None:
    """Five hundred and three kills in the long form."""
    endpoint = hooked.endpoint(there.url)
    made = hooked.wait(endpoint, *(f"ref_{number % SUBJECTS}" for number in range(COUNT)))
    for kill in range(1, KILLS + 1):
        doomed = subprocess.Popen([sys.executable, "-m", "tests.db.hooked", database_url], cwd=ROOT)
        try:
            there.wait_for(COUNT * kill // (KILLS + 2))
        finally:
            doomed.kill()
            doomed.wait(10)
    before = len(there.told)
    assert before < COUNT
    with hooked.sending() as sending:
        until(lambda: len(there.told) > before)
        hooked.clock.move(seconds=60)  # what the killed had taken is free
        sending.wake_for_new()
        hooked.until_none_waits(endpoint, 60)
    assert set(made) == {each.event["delivery"] for each in there.told}
    assert len(there.told) <= COUNT + KILLS * 4  # four at once are on their way to one receiver
    for subject in {each.event["subject"] for each in there.told}:
        came = [each.event["delivery"] for each in there.told if each.event["subject"] == subject]
        assert sorted(came) == came


def test_what_is_on_its_way_when_its_endpoint_is_deleted_is_the_last(
    hooked: Hooked, there: Receiver, answer: Event
) -> None:
    endpoint = hooked.endpoint(there.url)
    first, second = hooked.wait(endpoint, "ref_a", "ref_a")
    with hooked.sending() as sending:
        there.wait_for(1)
        with hooked.database.transaction() as session:
            found = endpoints.get(session, hooked.merchant, endpoint, lock=True)
            endpoints.withdraw(session, found, hooked.clock.now())
        answer.set()
        until(lambda: hooked.attempts(first))
        sending.wake_for_new()
    assert [204] == [each.status for each in hooked.attempts(first)]
    assert ["given_up"] * 2 == [state_of(hooked.delivery(each)) for each in (first, second)]
    assert 1 == len(there.told)
    assert ("", None) == (hooked.known(endpoint).secret, hooked.known(endpoint).former_secret)


def test_what_is_on_its_way_when_its_endpoint_is_disabled_arrives_and_the_rest_waits(
    hooked: Hooked, there: Receiver, answer: Event
) -> None:
    endpoint = hooked.endpoint(there.url)
    first, second = hooked.wait(endpoint, "ref_a", "ref_a")
    with hooked.sending() as sending:
        there.wait_for(1)
        hooked.change(endpoint, disabled=True)
        answer.set()
        until(lambda: hooked.attempts(first))
        sending.wake_for_new()
        assert ["delivered", "waiting"] == [state_of(hooked.delivery(each)) for each in (first, second)]
        assert 1 == len(there.told)
        hooked.change(endpoint, disabled=False)
        sending.wake_for_new()
        hooked.until_none_waits(endpoint)
    assert [first, second] == [each.event["delivery"] for each in there.told]


@pytest.mark.parametrize("status", [410, 500])
def test_what_fails_at_the_address_of_before_is_no_fault_of_the_new_one(
    hooked: Hooked, there: Receiver, answer: Event, status: int
) -> None:
    endpoint = hooked.endpoint(f"{there.url}?old")
    (first,) = hooked.wait(endpoint, "ref_a")
    waits = there.reply
    there.reply = lambda request: replace(waits(request), status=status)
    with hooked.sending():
        there.wait_for(1)
        hooked.change(endpoint, url=there.url)
        answer.set()
        until(lambda: hooked.attempts(first))
    known = hooked.known(endpoint)
    assert (None, None) == (known.disabled_at, known.failing_since)
    assert "waiting" == state_of(hooked.delivery(first))
