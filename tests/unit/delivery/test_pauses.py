"""What did not arrive is told again for three days, later each time."""

from datetime import UTC, datetime, timedelta

import pytest

from app.delivery.pauses import ATTEMPTS, PAUSES, asked_for, next_attempt

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def test_each_pause_is_longer_than_the_one_before_and_all_are_three_days() -> None:
    assert sorted(set(PAUSES)) == list(PAUSES)
    assert timedelta(days=3) <= sum(PAUSES, timedelta()) < timedelta(days=3.1)


@pytest.mark.parametrize("attempts", range(1, ATTEMPTS))
def test_a_pause_is_up_to_a_fifth_longer(attempts: int) -> None:
    pause = PAUSES[attempts - 1]
    drawn = [next_attempt(attempts, NOW) for _ in range(50)]
    assert all(each is not None and NOW + pause <= each <= NOW + pause * 1.2 for each in drawn)
    assert len(set(drawn)) > 1


def test_after_the_last_attempt_there_is_none() -> None:
    assert next_attempt(ATTEMPTS, NOW) is None
    assert next_attempt(ATTEMPTS + 1, NOW, timedelta(hours=1)) is None


def test_who_asks_to_wait_is_left_alone_for_as_long() -> None:
    assert NOW + timedelta(hours=1) == next_attempt(1, NOW, timedelta(hours=1))
    later = next_attempt(10, NOW, timedelta(hours=1))
    assert later is not None
    assert NOW + PAUSES[9] <= later


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta()),
        ("999999999999999999999999", timedelta(hours=6)),
        ("Mon, 02 Mar 2026 10:05:00 GMT", timedelta(minutes=5)),
        ("Mon, 02 Mar 2026 10:05:00 -0000", timedelta(minutes=5)),
        ("Mon, 02 Mar 2026 09:05:00 GMT", timedelta()),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(hours=6)),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("Mon, 02 Mar 99999999999999999999 10:05:00 GMT", None),
        ("x" * 100_000, None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_a_receiver_asks_for(said: str, expected: timedelta | None) -> None:
    assert expected == asked_for(said, NOW)
