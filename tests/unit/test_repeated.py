"""What is done again and again: never twice at once, woken early, tried again after a failure, and stopped at once."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from sqlalchemy.exc import OperationalError

from app.kernel import repeated
from app.kernel.repeated import Repeated
from tests.threads import together

NEVER = 60.0
"""Seconds: longer than any of these tests lasts."""
PATIENCE = 10.0

Begin = Callable[[Repeated], Repeated]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts what is done again and again, and stops it in the end."""
    begun: list[Repeated] = []

    def begin(each: Repeated) -> Repeated:
        begun.append(each)
        each.start()
        return each

    yield begin
    for each in begun:
        each.stop(PATIENCE)


class Work:
    """Counts its turns; each lasts until it is `let` go on, and ends in what `then` does."""

    def __init__(self, *, waits: bool = False, then: Callable[[int], float] = lambda _: 0) -> None:
        self.begun: list[float] = []
        self.at_once = self.most_at_once = 0
        self.let = threading.Semaphore(0)
        self._waits = waits
        self._then = then

    def __call__(self) -> float:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.append(time.monotonic())
        if self._waits:
            assert self.let.acquire(timeout=PATIENCE)
        self.at_once -= 1
        return self._then(len(self.begun))

    def seen(self, turns: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while len(self.begun) < turns:
            assert time.monotonic() < deadline, f"{len(self.begun)} turns, not {turns}"
            time.sleep(0.005)


def repeat(work: Callable[[], float], every: float = NEVER, *, waits_first: bool = False) -> Repeated:
    return Repeated("test", work, every=every, trouble="nothing can be done", waits_first=waits_first)


def took(stopping: Repeated) -> float:
    begun = time.monotonic()
    stopping.stop(PATIENCE)
    assert not is_there()
    return time.monotonic() - begun


def is_there() -> bool:
    """Whether any of these tests' threads is left."""
    return any(thread.name == "grapevine-test" for thread in threading.enumerate())


def test_it_is_done_again_after_each_wait(begin: Begin) -> None:
    work = Work()
    begin(repeat(work, every=0.05))
    work.seen(3)
    assert all(later - sooner >= 0.05 for sooner, later in pairwise(work.begun[:3]))


def test_it_begins_at_once_or_after_the_first_wait(begin: Begin) -> None:
    now, later = Work(), Work()
    begin(repeat(later, waits_first=True))
    begin(repeat(now))
    now.seen(1)
    assert [] == later.begun


def test_who_wakes_it_need_not_wait(begin: Begin) -> None:
    work = Work()
    again = begin(repeat(work))
    for turn in (1, 2, 3):
        work.seen(turn)
        again.wake()
    work.seen(4)


def test_what_waits_first_can_be_woken_before(begin: Begin) -> None:
    work = Work()
    begin(repeat(work, waits_first=True)).wake()
    work.seen(1)


def test_who_wakes_it_while_it_works_is_heard_afterwards_once(begin: Begin) -> None:
    work = Work(waits=True)
    again = begin(repeat(work))
    work.seen(1)
    for _ in range(5):
        again.wake()
    assert 1 == len(work.begun)
    work.let.release(5)
    work.seen(2)
    time.sleep(0.05)
    assert 2 == len(work.begun)


def test_however_many_wake_it_it_is_never_done_twice_at_once(begin: Begin) -> None:
    def take_a_moment(_: int) -> float:
        time.sleep(0.001)
        return 0

    work = Work(then=take_a_moment)
    again = begin(repeat(work, every=0.001))

    def wake() -> None:
        for _ in range(2000):
            again.wake()

    together(*[wake] * 4)
    work.seen(20)
    assert 1 == work.most_at_once


def test_it_rests_as_long_as_the_work_asks_though_it_is_woken(begin: Begin) -> None:
    work = Work(then=lambda _: 0.1)
    again = begin(repeat(work))
    work.seen(1)
    again.wake()
    work.seen(2)
    assert 0.1 <= work.begun[1] - work.begun[0]


def test_a_rest_that_is_longer_than_the_wait_is_the_wait(begin: Begin) -> None:
    work = Work(then=lambda _: 0.1)
    begin(repeat(work, every=0.001))
    work.seen(2)
    assert 0.1 <= work.begun[1] - work.begun[0]


def test_it_stops_at_once_while_it_waits(begin: Begin) -> None:
    work = Work()
    again = begin(repeat(work))
    work.seen(1)
    assert took(again) < 1
    assert 1 == len(work.begun)


@pytest.mark.parametrize("waits_first", [True, False])
def test_it_stops_at_once_while_it_waits_first_or_rests(begin: Begin, waits_first: bool) -> None:
    work = Work(then=lambda _: NEVER)
    again = begin(repeat(work, waits_first=waits_first))
    if not waits_first:
        work.seen(1)
    assert took(again) < 1
    assert (0 if waits_first else 1) == len(work.begun)


def test_it_stops_when_the_turn_at_hand_is_done_and_tells_it_to_be_quick(begin: Begin) -> None:
    work = Work(waits=True)
    again = begin(repeat(work, every=0.001))
    work.seen(1)
    before = again.is_stopping
    again.stop(0.05)  # does not wait for ever
    assert (False, True, True) == (before, again.is_stopping, is_there())
    work.let.release(5)
    assert took(again) < 1
    assert 1 == len(work.begun)


def test_it_may_be_stopped_before_it_was_started_and_twice() -> None:
    again = repeat(Work())
    again.stop(PATIENCE)
    again.stop(PATIENCE)


def test_it_is_not_started_twice(begin: Begin) -> None:
    again = begin(repeat(Work()))
    with pytest.raises(RuntimeError):
        again.start()


def test_a_failure_is_logged_and_it_goes_on(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    def fail_twice(turn: int) -> float:
        if turn == 1:
            raise OperationalError("SELECT 1", None, Exception("the server closed the connection"))
        if turn == 2:
            raise ZeroDivisionError
        return 0

    work = Work(then=fail_twice)
    begin(repeat(work, every=0.01))
    work.seen(4)
    told = [record for record in caplog.records if record.name == repeated.__name__]
    assert [logging.WARNING, logging.ERROR] == [record.levelno for record in told]
    assert all("nothing can be done; trying again" in record.getMessage() for record in told)
    assert ["grapevine-test", None] == [told[0].threadName, told[0].exc_info]  # it is known what it was
    assert told[1].exc_info


def test_while_it_fails_it_is_tried_later_each_time_and_no_later_than_late(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeated, "LATE", 0.1)
    goes_well = threading.Event()

    def fail(_: int) -> float:
        if goes_well.is_set():
            return 0
        raise ZeroDivisionError

    work = Work(then=fail)
    begin(repeat(work, every=0.02))
    work.seen(7)
    waits = [later - sooner for sooner, later in pairwise(work.begun)]
    for wait, least in zip(waits, (0.02, 0.04, 0.08, 0.1, 0.1, 0.1), strict=True):
        assert 0.8 * least <= wait < 1  # a fifth of chance, and whatever the machine does
    goes_well.set()
    work.seen(30)
    assert min(later - sooner for sooner, later in pairwise(work.begun[7:])) < 0.08, "it still waits as if it failed"


def test_who_wakes_it_after_a_failure_has_reached_the_database(begin: Begin) -> None:
    def fail_once(turn: int) -> float:
        if turn == 1:
            raise ZeroDivisionError
        return 0

    work = Work(then=fail_once)
    again = begin(repeat(work))
    work.seen(1)
    again.wake()
    work.seen(2)
    assert 0.2 <= work.begun[1] - work.begun[0] < NEVER / 2, "a storm of wakings is not one of failures"


def test_several_may_be_woken_by_what_they_share(begin: Begin) -> None:
    woken, work = threading.Event(), Work()
    begin(Repeated("test", work, every=NEVER, trouble="nothing can be done", woken=woken))
    work.seen(1)
    woken.set()
    work.seen(2)
