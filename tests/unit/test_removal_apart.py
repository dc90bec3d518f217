"""Large chains of channels are solved in a process of their own, which is bounded and leaves nothing behind."""

import subprocess
import sys
from collections.abc import Callable
from random import Random

import pytest

from app.attribution.engine import Path, TooManyStates, Transitions
from app.attribution.engine.elimination import Steps
from app.attribution.engine.markov import FEW
from app.kernel import apart
from app.kernel.errors import Unavailable
from app.reports import removal_apart

SMALL = Steps([-1, 0, 1], [(0, 1, 2), (1, 2, 1)], [0, 1, 0], [0, 1, 1])


def a_large_chain() -> Transitions:
    random, chain = Random(5), Transitions(2)
    names = [f"c{number}" for number in range(15)]
    for _ in range(500):
        chain.add(Path(tuple(random.choices(names, k=random.randint(0, 8))), random.randint(0, 1), 1))
    return chain


def test_it_finds_what_is_found_here_and_loads_nothing_for_it_here() -> None:
    chain = a_large_chain()
    found = chain.solve(removal_apart.removal_effects).removal_effects
    assert pytest.approx(dict(chain.solve().removal_effects), abs=1e-13) == dict(found)
    code = (
        "import sys\n"
        "from tests.unit.test_removal_apart import a_large_chain, removal_apart\n"
        "a_large_chain().solve(removal_apart.removal_effects)\n"
        "sys.exit('numpy' in sys.modules or 'scipy' in sys.modules)"
    )
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_few_states_need_no_process() -> None:
    def nobody(steps: Steps, channels: int) -> list[float]:
        raise AssertionError

    names, chain = [f"c{number}" for number in range(FEW)], Transitions()
    for name in names[1:]:  # with the start as many states as are few
        chain.add(Path((name,), 1, 0))
    assert dict.fromkeys(names[1:], pytest.approx(1 / (FEW - 1))) == chain.solve(nobody).removal_effects
    chain.add(Path((names[0],), 1, 0))
    with pytest.raises(AssertionError):
        chain.solve(nobody)


def test_what_takes_too_long_is_ended_and_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal_apart, "SECONDS", 0)
    monkeypatch.setattr(removal_apart, "_PATIENCE", 0)
    begun = begun_with(monkeypatch, lambda process: None)
    with pytest.raises(TooManyStates, match="3 sequences of channels take too long"):
        removal_apart.removal_effects(SMALL, 2)
    assert begun[0].poll() is not None


def test_what_the_system_ends_was_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    begun_with(monkeypatch, subprocess.Popen.kill)
    with pytest.raises(TooManyStates):
        removal_apart.removal_effects(SMALL, 2)


def test_a_process_that_fails_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(subprocess.CalledProcessError):  # a chain without a step
        removal_apart.removal_effects(Steps([-1], [], [1], [1]), 0)


def test_where_no_process_can_begin_it_says_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere")
    with pytest.raises(Unavailable):
        removal_apart.removal_effects(SMALL, 2)


def begun_with(
    monkeypatch: pytest.MonkeyPatch, do: Callable[[subprocess.Popen[bytes]], None]
) -> list[subprocess.Popen[bytes]]:
    """What is done to each process as soon as it has begun; the processes."""
    begin, begun = apart.start, []

    def doing(module: str) -> subprocess.Popen[bytes]:
        begun.append(begin(module))
        do(begun[-1])
        return begun[-1]

    monkeypatch.setattr(apart, "start", doing)
    return begun
