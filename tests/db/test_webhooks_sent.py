"""What was made out arrives at least once, in order for each thing, for as long as three days; and nobody waits for
somebody else's receiver."""

import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from app.delivery import deliveries, endpoints
from app.delivery.deliveries import state_of
from app.delivery.models import WebhookDelivery
from app.delivery.pauses import ATTEMPTS, PAUSES
from app.delivery.sending import Sending
from app.delivery.vault import Vault
from app.kernel import journal
from app.kernel.database import Database
from app.kernel.outgoing import Guard
from app.kernel.signing import Signer
from app.merchants import service as merchants
from app.merchants.models import Merchant
from tests.clock import START
from tests.db.hooked import Hooked, until
from tests.net import free_port
from tests.receiver import Receiver, Reply, Request, receiver
from tests.soak import SOAK

ROOT = Path(__file__).parents[2]


def about(request: Request) -> str:
    return str(request.event["subject"])


def outcome(hooked: Hooked, delivery: str) -> tuple[int, bool, bool, bool]:
    row = hooked.delivery(delivery)
    return row.attempts, state_of(row) == "waiting", row.delivered_at is not None, row.given_up_at is not None


DELIVERED, GIVEN_UP = (1, False, True, False), (ATTEMPTS, False, False, True)


def test_what_arrives_is_what_was_made_out_and_the_standards_library_believes_it(
    hooked: Hooked, there: Receiver
) -> None:
    hooked.clock.set(datetime.now(UTC))  # the library asks the machine's clock
    endpoint = hooked.endpoint(there.url)
    hooked.like(2)
    hooked.make_out()
    with hooked.sending():
        hooked.until_none_waits(endpoint)
    rows = hooked.deliveries(endpoint)
    assert {each.body for each in rows} == {each.body.decode() for each in there.told}
    believing = Webhook(hooked.secret(endpoint))
    for request in there.told:
        assert request.event == believing.verify(request.body, request.headers)
        assert request.id == request.event["id"]
    assert [DELIVERED] * 2 == [outcome(hooked, each.delivery_id) for each in rows]
    logs = [hooked.attempts(each.delivery_id) for each in rows]
    assert [[(204, None, hooked.clock.now())]] * 2 == [[(a.status, a.problem, a.at) for a in log] for log in logs]


def test_what_fails_is_told_again_until_it_arrives_and_what_is_after_it_waits(hooked: Hooked, there: Receiver) -> None:
    endpoint = hooked.endpoint(there.url)
    first, second, other = hooked.wait(endpoint, "ref_a", "ref_a", "ref_b")
    there.reply = lambda request: Reply(500 if about(request) == "ref_a" else 200, body=b"no\0t now\xff")
    with hooked.sending() as sending:
        until(lambda: hooked.delivery(other).delivered_at and hooked.attempts(first))
        assert (1, True, False, False) == outcome(hooked, first)
        assert (0, True, False, False) == outcome(hooked, second)
        there.reply = lambda _: Reply()
        hooked.clock.move(seconds=4)
        sending.wake_for_new()
        time.sleep(0.2)
        assert 1 == len(hooked.attempts(first))
        hooked.clock.move(seconds=3)
        sending.wake_for_new()
        hooked.until_none_waits(endpoint)
    assert (2, False, True, False) == outcome(hooked, first)
    assert DELIVERED == outcome(hooked, second)
    assert [(500, "answered 500: no t now�"), (204, None)] == [(a.status, a.problem) for a in hooked.attempts(first)]
    of_a = [request.event["delivery"] for request in there.told if about(request) == "ref_a"]
    assert [first, first, second] == of_a
    assert 1 == len({request.id for request in there.told if request.event["delivery"] == first})


def test_after_three_days_it_is_given_up_the_next_has_its_turn_and_the_endpoint_is_disabled(
    hooked: Hooked, there: Receiver
) -> None:
    endpoint = hooked.endpoint(there.url)
    first, second = hooked.wait(endpoint, "ref_a", "ref_a")
    there.reply = lambda _: Reply(500)
    with hooked.sending() as sending:
        for number, pause in enumerate(PAUSES, 1):
            until(lambda number=number: number == len(hooked.attempts(first)))
            assert hooked.known(endpoint).disabled_at is None
            hooked.clock.move(seconds=1.2 * pause.total_seconds() + 1)
            sending.wake_for_new()
        until(lambda: hooked.known(endpoint).disabled_at)
    assert GIVEN_UP == outcome(hooked, first)
    assert (0, True, False, False) == outcome(hooked, second)
    known = hooked.known(endpoint)
    assert ("failing", START) == (known.disabled_reason, known.failing_since)
    assert timedelta(days=3) < hooked.clock.now() - START < timedelta(days=4)
    there.reply = lambda _: Reply()
    hooked.change(endpoint, disabled=False)
    with hooked.sending():
        hooked.until_none_waits(endpoint)
    assert DELIVERED == outcome(hooked, second)
    assert hooked.known(endpoint).failing_since is None


def test_one_event_that_is_refused_for_ever_disables_nobody_who_takes_others(hooked: Hooked, there: Receiver) -> None:
    endpoint = hooked.endpoint(there.url)
    bad, *_ = hooked.wait(endpoint, "ref_bad")
    there.reply = lambda request: Reply(400 if about(request) == "ref_bad" else 200)
    with hooked.sending() as sending:
        for number, pause in enumerate((*PAUSES, timedelta()), 1):
            until(lambda number=number: number == len(hooked.attempts(bad)))
            good, *_ = hooked.wait(endpoint, "ref_good")
            sending.wake_for_new()
            until(lambda good=good: hooked.delivery(good).delivered_at)
            hooked.clock.move(seconds=1.2 * pause.total_seconds() + 1)
            sending.wake_for_new()
    assert GIVEN_UP == outcome(hooked, bad)
    assert hooked.known(endpoint).disabled_at is None


def test_who_answers_that_they_are_gone_is_told_nothing_more(hooked: Hooked, there: Receiver) -> None:
    endpoint = hooked.endpoint(there.url)
    first, second = hooked.wait(endpoint, "ref_a", "ref_b")
    there.reply = lambda _: Reply(410)
    with hooked.sending():
        until(lambda: hooked.known(endpoint).disabled_at)
        time.sleep(0.1)
    assert "gone" == hooked.known(endpoint).disabled_reason
    assert 1 == len(there.told)
    assert [True, True] == [hooked.delivery(each).due_at is not None for each in (first, second)]


def test_who_asks_to_wait_is_asked_when_they_said(hooked: Hooked, there: Receiver) -> None:
    endpoint = hooked.endpoint(there.url)
    first, *_ = hooked.wait(endpoint, "ref_a")
    there.reply = lambda _: Reply(429, {"retry-after": "3600"})
    with hooked.sending():
        until(lambda: hooked.attempts(first))
    assert START + timedelta(hours=1) == hooked.delivery(first).due_at


def test_a_secret_that_cannot_be_read_is_said_and_nothing_is_sent_unsigned(hooked: Hooked, there: Receiver) -> None:
    hooked.vault = Vault.of(Signer(b"another secret of the server's"))
    endpoint = hooked.endpoint(there.url)
    first, *_ = hooked.wait(endpoint, "ref_a")
    with hooked.sending():
        until(lambda: hooked.attempts(first))
    assert "rotate it" in str(hooked.attempts(first)[0].problem)
    assert [] == there.told


def test_who_died_while_sending_is_followed_by_another(hooked: Hooked, there: Receiver, database_url: str) -> None:
    endpoint = hooked.endpoint(there.url)
    first, second = hooked.wait(endpoint, "ref_a", "ref_a")
    there.reply = lambda _: Reply(after=30)
    doomed = subprocess.Popen([sys.executable, "-m", "tests.db.hooked", database_url], cwd=ROOT)
    try:
        there.wait_for(1)
    finally:
        doomed.kill()
        doomed.wait(10)
    there.reply = lambda _: Reply()
    with hooked.sending() as sending:
        hooked.clock.move(seconds=59)
        sending.wake_for_new()
        time.sleep(0.2)
        assert 1 == len(there.told)
        hooked.clock.move(seconds=1)
        sending.wake_for_new()
        hooked.until_none_waits(endpoint)
    assert [first, first, second] == [each.event["delivery"] for each in there.told]
    assert (2, False, True, False) == outcome(hooked, first)


def test_what_kills_whoever_sends_it_is_given_up_at_last(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    first, second = hooked.wait(endpoint, "ref_a", "ref_a")
    for number in range(ATTEMPTS):
        assert [(first, number + 1)] == [(task.delivery_id, task.attempt) for task in hooked.take(endpoint)]
        hooked.clock.move(seconds=60)
    assert [] == hooked.take(endpoint)
    assert GIVEN_UP == outcome(hooked, first)
    assert [second] == [task.delivery_id for task in hooked.take(endpoint)]


def test_who_takes_waits_for_nobody_who_has_the_endpoint(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    (worn,) = hooked.wait(endpoint, "ref_a")
    if hooked.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with hooked.database.transaction() as session:
        session.get_one(WebhookDelivery, (hooked.merchant, worn)).attempts = ATTEMPTS
    with hooked.database.transaction() as session:
        endpoints.get(session, hooked.merchant, endpoint, lock=True)
        taking = threading.Thread(target=hooked.take, args=(endpoint,))
        taking.start()
        taking.join(5)
        assert not taking.is_alive()
    assert (ATTEMPTS, True, False, False) == outcome(hooked, worn)
    assert [] == hooked.take(endpoint)
    assert GIVEN_UP == outcome(hooked, worn)


def test_many_senders_send_each_once_and_never_two_of_the_same_thing_at_once(
    hooked: Hooked, there: Receiver, database_url: str
) -> None:
    endpoint = hooked.endpoint(there.url)
    subjects = [f"ref_{number % 20}" for number in range(400 if SOAK else 100)]
    made = hooked.wait(endpoint, *subjects)
    under_way: Counter[str] = Counter()
    together: list[str] = []
    guard = threading.Lock()

    def reply(request: Request) -> Reply:
        with guard:
            under_way[about(request)] += 1
            together.extend(each for each, count in under_way.items() if count > 1)
        time.sleep(0.005)
        with guard:
            under_way[about(request)] -= 1
        return Reply()

    there.reply = reply
    other = Database(database_url)
    with hooked.sending(), hooked.sending(database=other):
        hooked.until_none_waits(endpoint)
    other.close()
    assert sorted(made) == sorted(request.event["delivery"] for request in there.told)
    assert [] == together
    for subject in set(subjects):
        came = [request.event["delivery"] for request in there.told if about(request) == subject]
        assert sorted(came) == came
    assert there.most_at_once <= 8


@pytest.mark.soak
def test_thousands_that_wait_for_the_dead_hold_up_nobody(hooked: Hooked, there: Receiver) -> None:
    """Ten thousand in the long form."""
    other = Hooked(hooked.database, hooked.clock)
    dead = [hooked.endpoint(f"http://127.0.0.1:{free_port()}/") for _ in range(2)]
    with receiver() as silent:
        silent.reply = lambda _: Reply(after=10)
        dead += [hooked.endpoint(silent.url), hooked.endpoint(silent.url)]
        for endpoint in dead:
            hooked.wait(endpoint, *(f"ref_{number}" for number in range(2500 if SOAK else 250)))
        with hooked.sending(patience=0.6):
            until(lambda: len(silent.told) == 2)
            waits = []
            alive = other.endpoint(there.url)
            for number in range(3):
                began = time.monotonic()
                other.wait(alive, f"ref_{number}")
                there.wait_for(number + 1)
                waits.append(time.monotonic() - began)
    assert max(waits) < 2.5
    assert sorted(waits)[1] < 1.5  # they look for what is due twice a second


@pytest.mark.soak
def test_none_is_left_behind_one_that_is_done_in_the_same_moment(hooked: Hooked, there: Receiver) -> None:
    """Who makes out sees one that waits while it is just being done: what comes after it must still have its turn."""
    endpoint, rounds = hooked.endpoint(there.url), 150 if SOAK else 25
    (like,) = hooked.like()
    hooked.make_out()
    with hooked.sending() as sending:
        for _ in range(rounds):
            with hooked.database.transaction() as session:
                journal.note(session, hooked.merchant, "referral.created", [like], hooked.clock.now())
            hooked.place()
            hooked.make_out()
            sending.wake_for_new()
        hooked.until_none_waits(endpoint)
    assert rounds + 1 == len(there.told)


def test_one_receiver_gets_four_things_at_once_at_most(hooked: Hooked, there: Receiver) -> None:
    endpoint = hooked.endpoint(there.url)
    hooked.wait(endpoint, *(f"ref_{number}" for number in range(20)))
    there.reply = lambda _: Reply(after=0.02)
    with hooked.sending():
        hooked.until_none_waits(endpoint)
    assert 1 < there.most_at_once <= 4


def test_what_is_under_way_when_it_is_told_to_stop_ends_and_is_written_down(hooked: Hooked, there: Receiver) -> None:
    endpoint = hooked.endpoint(there.url)
    first, *_ = hooked.wait(endpoint, "ref_a")
    there.reply = lambda _: Reply(after=0.3)
    with hooked.sending():
        there.wait_for(1)
    assert DELIVERED == outcome(hooked, first)


def test_at_another_address_what_waits_is_tried_at_once(hooked: Hooked, there: Receiver) -> None:
    endpoint = hooked.endpoint(f"http://127.0.0.1:{free_port()}/")
    first, *_ = hooked.wait(endpoint, "ref_a")
    with hooked.sending() as sending:
        for number in range(1, 6):
            until(lambda number=number: number == len(hooked.attempts(first)))
            hooked.clock.move(seconds=1.2 * PAUSES[number - 1].total_seconds() + 1)
            sending.wake_for_new()
        until(lambda: len(hooked.attempts(first)) == 6)
        hooked.change(endpoint, url=there.url)
        sending.wake_for_new()
        hooked.until_none_waits(endpoint)
    assert hooked.known(endpoint).failing_since is None
    assert 1 == len(there.told)


def test_the_log_is_dropped_by_age_and_what_waits_stays(hooked: Hooked, there: Receiver) -> None:
    endpoint = hooked.endpoint(there.url)
    arrived, *_ = hooked.wait(endpoint, "ref_a")
    with hooked.sending():
        hooked.until_none_waits(endpoint)
    waiting, *_ = hooked.wait(endpoint, "ref_b")
    job = deliveries.periodic(hooked.database, hooked.clock)
    hooked.clock.move(days=29, hours=23)
    job.run(lambda: None)
    assert [arrived, waiting] == [each.delivery_id for each in hooked.deliveries(endpoint)]
    assert 1 == len(hooked.attempts(arrived))
    hooked.clock.move(hours=2)
    job.run(lambda: None)
    assert [waiting] == [each.delivery_id for each in hooked.deliveries(endpoint)]
    assert [] == hooked.attempts(arrived)


def test_a_shop_that_was_closed_tells_nobody_anything(hooked: Hooked, there: Receiver) -> None:
    endpoint = hooked.endpoint(there.url)
    (waiting,) = hooked.wait(endpoint, "ref_a")
    hooked.like()
    with hooked.database.transaction() as session:
        merchants.close(session, session.get_one(Merchant, hooked.merchant), hooked.clock.now())
    assert 0 == hooked.make_out()
    with hooked.sending():
        time.sleep(0.2)
    assert (0, True, False, False) == outcome(hooked, waiting)
    assert [] == there.told


def test_a_sender_that_has_not_heard_of_it_takes_nothing_of_a_shop_that_was_closed(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    hooked.wait(endpoint, "ref_a")
    with hooked.database.transaction() as session:
        merchants.close(session, session.get_one(Merchant, hooked.merchant), hooked.clock.now())
    assert [] == hooked.take(endpoint)


def test_a_wrong_clock_signs_with_the_right_time(hooked: Hooked, there: Receiver) -> None:
    endpoint = hooked.endpoint(there.url)
    hooked.wait(endpoint, "ref_a")
    dated = Sending(
        hooked.database,
        hooked.clock,
        Guard(["127.0.0.1"]),
        hooked.vault,
        dated=lambda at: at + (datetime.now(UTC) - hooked.clock.now()),
    )
    dated.start()
    hooked.until_none_waits(endpoint)
    dated.stop()
    assert Webhook(hooked.secret(endpoint)).verify(there.told[0].body, there.told[0].headers)


def test_what_others_are_taking_is_passed_over(hooked: Hooked) -> None:
    endpoint = hooked.endpoint()
    first, second, third = hooked.wait(endpoint, "ref_a", "ref_b", "ref_c")
    if hooked.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with hooked.database.transaction() as session:
        session.get_one(WebhookDelivery, (hooked.merchant, first), with_for_update=True)
        assert [second, third] == [task.delivery_id for task in hooked.take(endpoint)]
    assert [first] == [task.delivery_id for task in hooked.take(endpoint)]
