"""Whether a signature is recent, though the machine's clock may be wrong."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from app.kernel.clock_watch import STRIPE, ClockWatch
from app.orders.stripe.freshness import Freshness
from tests.clock import START, TestClock
from tests.threads import together

MINUTE = timedelta(minutes=1)


@dataclass
class World:
    """The machine's clock, so much ahead of Stripe's; and whether Stripe can be asked."""

    ahead: timedelta = timedelta(0)
    answers: bool = True
    asked: int = 0

    def __post_init__(self) -> None:
        self.machine = TestClock(START + self.ahead)
        self.watch = ClockWatch(self.machine)
        self.freshness = Freshness(self.watch, self.ask)

    def ask(self) -> None:
        self.asked += 1
        if self.answers:
            self.watch.heard(STRIPE, self.stripe_now())

    def stripe_now(self) -> datetime:
        return self.machine.now() - self.ahead

    def accepts(self, age: timedelta) -> bool:
        """Whether what Stripe signed so long ago is taken."""
        return self.freshness.accepts(self.stripe_now() - age)


@pytest.mark.parametrize("ahead", [0, 10, -10, 100, -100])
def test_by_stripes_time_five_minutes_hold_whatever_the_machine_thinks(ahead: int) -> None:
    world = World(ahead * MINUTE)

    taken = [world.accepts(age) for age in (timedelta(0), 5 * MINUTE, 5.1 * MINUTE, 10 * MINUTE, 1000 * MINUTE)]

    assert [True, True, False, False, False] == taken


def test_stripe_is_asked_when_it_was_not_heard_for_an_hour_and_else_only_when_in_doubt() -> None:
    world = World()
    for _ in range(120):
        assert world.accepts(timedelta(0))
        world.machine.move(minutes=1)
    assert 2 == world.asked

    assert not world.accepts(6 * MINUTE)
    assert not world.accepts(6 * MINUTE)
    assert 3 == world.asked
    world.machine.move(minutes=1)
    assert not world.accepts(6 * MINUTE)
    assert 4 == world.asked


def test_many_at_once_ask_once_and_all_wait_for_the_answer() -> None:
    world = World(10 * MINUTE)

    assert [True] * 8 == list(together(*[lambda: world.accepts(timedelta(0))] * 8))
    assert 1 == world.asked


def test_where_stripe_does_not_answer_the_machine_is_believed() -> None:
    assert [False, True] == [World(ahead * MINUTE, answers=False).accepts(timedelta(0)) for ahead in (10, -10)]
    assert World(answers=False).accepts(timedelta(0))


def test_a_clock_that_is_set_right_is_noticed_at_once() -> None:
    world = World(10 * MINUTE)
    assert world.accepts(timedelta(0))
    world.machine.move(minutes=-8)
    world.ahead = 2 * MINUTE

    assert world.accepts(timedelta(0))
    assert not world.accepts(6 * MINUTE)
