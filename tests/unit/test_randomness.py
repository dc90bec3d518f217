"""What makes identifiers and codes impossible to guess: fetched in pieces, and still never the same twice."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from app.kernel.ids import _Randomness
from tests.threads import together


@pytest.mark.parametrize("count", [1, 7, 8, 40, 53, 59, 64])
def test_as_many_bits_as_asked_and_each_of_them_in_use(count: int) -> None:
    drawn = [_Randomness().bits(count) for _ in range(300)]
    assert max(drawn) < 2**count
    for bit in range(count):
        assert 75 < sum(number >> bit & 1 for number in drawn) < 225


@pytest.mark.parametrize("limit", [1, 2, 3, 58, 1000])
def test_below_a_limit_each_number_is_as_likely(limit: int) -> None:
    chance = _Randomness()
    seen = Counter(chance.below(limit) for _ in range(200 * limit))
    assert limit == len(seen)
    assert (0, limit - 1) == (min(seen), max(seen))
    assert all(100 < times < 320 for times in seen.values())


def test_the_system_is_asked_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    fresh = os.urandom

    def note(size: int) -> bytes:
        asked.append(size)
        return fresh(size)

    monkeypatch.setattr(os, "urandom", note)
    chance = _Randomness()
    assert 5000 == len({chance.bits(64) for _ in range(5000)})
    assert len(asked) <= 12


def test_threads_never_get_the_same() -> None:
    chance = _Randomness()
    drawn = together(*[lambda: [chance.bits(64) for _ in range(3000)]] * 8)
    assert 24_000 == len(set().union(*drawn))


_FORK = """
import os
from datetime import UTC, datetime
from app.kernel.ids import new_code, new_id

def told():
    return new_code() + " " + new_id("vis", 1, datetime(2026, 11, 22, tzinfo=UTC))[-12:]

told()
if os.fork() == 0:
    print(told(), flush=True)
    os._exit(0)
os.wait()
print(told())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot fork here")
def test_a_forked_process_does_not_repeat_its_parent() -> None:
    told = subprocess.run([sys.executable, "-c", _FORK], check=True, capture_output=True, text=True).stdout.split()
    assert 4 == len(told) == len(set(told))
