"""Whoever is slow or fails waits for themselves alone."""

from datetime import UTC, datetime, timedelta

from app.delivery.receivers import AT_WORK, MOST, OF_ONE, REST, SLOW, Receiver, Receivers
from app.delivery.telling import Outcome

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
GOOD = Outcome(NOW, 5, 204, None)
LATE = Outcome(NOW, 3000, 204, None)
BAD = Outcome(NOW, 5, 500, "answered 500")


class Passing:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def known(number: int, merchant: int | None = None) -> Receiver:
    return Receiver(merchant or number, f"whe_{number}", "https://shop.example/")


def begun(receivers: Receivers, receiver: Receiver, times: int = 1) -> None:
    for _ in range(times):
        receivers.enter(receiver)


def told(receivers: Receivers, receiver: Receiver, *outcomes: Outcome, now: datetime = NOW) -> None:
    for outcome in outcomes:
        receivers.enter(receiver)
        receivers.leave(receiver)
        receivers.learn(receiver, outcome, now)


def test_a_stranger_is_asked_one_thing_and_who_answers_quickly_four_at_once() -> None:
    receivers, ana = Receivers(), known(1)
    assert 1 == receivers.room(ana)
    told(receivers, ana, GOOD)
    assert OF_ONE == receivers.room(ana)
    begun(receivers, ana, OF_ONE)
    assert 0 == receivers.room(ana)


def test_who_is_slow_or_fails_is_told_one_thing_at_a_time() -> None:
    receivers = Receivers()
    for number, outcome in enumerate((LATE, BAD), 1):
        told(receivers, known(number), GOOD, outcome)
        assert 1 == receivers.room(known(number))


def test_who_keeps_one_waiting_is_slow_from_then_on() -> None:
    passing = Passing()
    receivers = Receivers(passing)
    told(receivers, known(1), GOOD)
    receivers.enter(known(1))
    assert OF_ONE - 1 == receivers.room(known(1))
    passing.seconds += SLOW
    assert 0 == receivers.room(known(1))


def test_however_many_are_slow_there_is_room_for_the_quick() -> None:
    passing = Passing()
    receivers = Receivers(passing)
    quick = known(10_000)
    told(receivers, quick, GOOD)
    for number in range(1, 1000):
        begun(receivers, known(number), receivers.room(known(number)))
        passing.seconds += SLOW if number % AT_WORK == 0 else 0
    assert MOST // 2 == receivers.under_way
    passing.seconds += SLOW
    assert OF_ONE == receivers.room(quick)


def test_no_more_begin_at_once_than_leave_the_processor_to_shoppers() -> None:
    receivers = Receivers()
    for number in range(1, 100):
        told(receivers, known(number), GOOD)
        begun(receivers, known(number), receivers.room(known(number)))
    assert AT_WORK == receivers.under_way


def test_a_merchant_with_many_endpoints_takes_no_more_room_than_one_with_one() -> None:
    receivers = Receivers()
    for number in range(1, 50):
        told(receivers, known(number, merchant=7), GOOD)
        begun(receivers, known(number, merchant=7), receivers.room(known(number, merchant=7)))
    assert OF_ONE == receivers.under_way
    assert 1 == receivers.room(known(50))


def test_the_merchant_with_the_least_under_way_comes_first_then_who_waits_longest() -> None:
    receivers = Receivers()
    one, two, other = known(1, merchant=7), known(2, merchant=7), known(3, merchant=8)
    told(receivers, other, GOOD)
    told(receivers, two, GOOD)
    told(receivers, one, GOOD)
    assert [other, two, one] == receivers.in_turn([one, two, other], NOW)
    begun(receivers, other)
    assert [two, one, other] == receivers.in_turn([one, two, other], NOW)


def test_who_fails_again_and_again_is_left_alone_for_longer_each_time() -> None:
    receivers, ana = Receivers(), known(1)
    told(receivers, ana, BAD, BAD)
    assert [ana] == receivers.in_turn([ana], NOW)
    rests = []
    for _ in range(8):
        told(receivers, ana, BAD)
        rest = timedelta()
        while not receivers.in_turn([ana], NOW + rest):
            rest += timedelta(seconds=1)
        rests.append(rest.total_seconds())
    assert [1, 2, 4, 8, 16, REST.total_seconds(), REST.total_seconds(), REST.total_seconds()] == rests
    told(receivers, ana, GOOD)
    assert [ana] == receivers.in_turn([ana], NOW)


def test_who_asks_to_be_left_alone_is() -> None:
    receivers, ana = Receivers(), known(1)
    told(receivers, ana, Outcome(NOW, 5, 429, "answered 429", timedelta(minutes=10)))
    assert [] == receivers.in_turn([ana], NOW + timedelta(minutes=9))
    assert [ana] == receivers.in_turn([ana], NOW + timedelta(minutes=10))


def test_a_clock_that_was_wrong_leaves_nobody_alone_for_ever() -> None:
    receivers, ana = Receivers(), known(1)
    told(receivers, ana, BAD, BAD, BAD, now=NOW + timedelta(days=365))
    assert [ana] == receivers.in_turn([ana], NOW)


def test_at_another_address_one_is_a_stranger() -> None:
    receivers, ana = Receivers(), known(1)
    told(receivers, ana, GOOD)
    assert 1 == receivers.room(ana._replace(url="https://other.example/"))


def test_where_there_are_many_those_who_are_told_nothing_are_forgotten() -> None:
    receivers = Receivers(most=3)
    for number in range(1, 4):
        told(receivers, known(number), GOOD)
    receivers.keep([known(1)])
    assert OF_ONE == receivers.room(known(2))
    told(receivers, known(4), GOOD)
    begun(receivers, known(2))
    receivers.keep([known(1)])
    assert [OF_ONE, OF_ONE - 1, 1, 1] == [receivers.room(known(number)) for number in range(1, 5)]
