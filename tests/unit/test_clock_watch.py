"""Whether the machine's clock is right, by what others' clocks say."""

import logging
from datetime import timedelta

import pytest

from app.kernel.clock_watch import DATABASE, STRIPE, ClockWatch
from tests.clock import START, TestClock

SECOND = timedelta(seconds=1)


@pytest.fixture
def machine() -> TestClock:
    return TestClock()


@pytest.fixture
def watch(machine: TestClock) -> ClockWatch:
    return ClockWatch(machine)


def test_where_nobody_was_heard_the_clock_is_believed(watch: ClockWatch) -> None:
    assert (timedelta(0), None, START) == (watch.offset, watch.warning, watch.corrected(START))
    assert watch.last_heard(STRIPE) is None


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (-600, "fast by 600 s"),
        (600, "slow by 600 s"),
        (61, "slow by 61 s"),
        (60, None),
        (-60, None),
        (-61.4, "fast by 61 s"),
    ],
)
def test_it_is_told_by_how_much_beyond_a_minute(watch: ClockWatch, theirs: float, said: str | None) -> None:
    watch.heard(STRIPE, START + theirs * SECOND)

    assert said == watch.warning
    assert START + (theirs * SECOND if said else timedelta(0)) == watch.corrected(START)
    assert START == watch.last_heard(STRIPE)


def test_stripe_is_believed_before_a_database_that_may_stand_on_the_same_machine(
    watch: ClockWatch, machine: TestClock
) -> None:
    watch.heard(DATABASE, START + 100 * SECOND)
    assert "slow by 100 s" == watch.warning

    watch.heard(STRIPE, START + 600 * SECOND)
    watch.heard(DATABASE, START)
    assert "slow by 600 s" == watch.warning

    now = machine.move(hours=4)  # Stripe was not heard for long
    watch.heard(DATABASE, now)
    assert watch.warning is None


def test_the_last_word_holds_where_nobody_was_heard_of_late(watch: ClockWatch, machine: TestClock) -> None:
    watch.heard(STRIPE, START + 600 * SECOND)
    machine.move(days=2)

    assert "slow by 600 s" == watch.warning


def test_the_log_tells_once_and_again_when_it_changes(
    watch: ClockWatch, machine: TestClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for offset in (0, 30, 600, 601, 599, 1200, -600, 10, 5):
        watch.heard(STRIPE, machine.now() + offset * SECOND)

    assert [
        ("WARNING", "this machine's clock is slow by 600 s, by Stripe; nothing stops, but set it right"),
        ("WARNING", "this machine's clock is slow by 1200 s, by Stripe; nothing stops, but set it right"),
        ("WARNING", "this machine's clock is fast by 600 s, by Stripe; nothing stops, but set it right"),
        ("INFO", "this machine's clock is right again, by Stripe"),
    ] == [(record.levelname, record.getMessage()) for record in caplog.records]
