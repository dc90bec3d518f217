"""Removal effects of chains of many states, found in a process of its own for each: the libraries for it take 35 MiB,
and the largest chains 300 MB, which a server would keep for good.

Knows no database. Numbers go there and back as the machine keeps them.
"""

import logging
import subprocess
import sys
from array import array
from contextlib import suppress
from typing import Final

from app.attribution.engine import TooManyStates
from app.attribution.engine.elimination import Steps
from app.kernel import apart
from app.kernel.errors import Unavailable

log = logging.getLogger(__name__)

SECONDS: Final = 60
"""Of a processor. The largest chains take half of it."""
_PATIENCE: Final = 60
"""Seconds by the clock, beyond those of a processor, on a machine that has much else to do."""


def removal_effects(steps: Steps, channels: int) -> list[float]:
    """As the engine's `removal.removal_effects`. TooManyStates for what takes too long, or more memory than there is;
    `Unavailable` where the system has no room for another process."""
    try:
        process = apart.start("app.reports.removal_apart")
    except OSError as error:
        log.warning("a chain of channels cannot be solved: %s", error)
        raise Unavailable("This server has no room for so large a comparison; ask again in a moment.") from error
    with process, suppress(subprocess.TimeoutExpired):
        try:
            answer, _ = process.communicate(_packed(steps, channels), timeout=SECONDS + _PATIENCE)
        finally:
            process.kill()
    if process.returncode < 0:
        raise TooManyStates(f"{len(steps.last)} sequences of channels take too long")
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return array("d", answer).tolist()


def main() -> None:
    """Answer the one question."""
    from app.attribution.engine import removal

    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):  # some systems know no such limit
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    steps, channels = _unpacked(sys.stdin.buffer.read())
    sys.stdout.buffer.write(array("d", removal.removal_effects(steps, channels)))


def _packed(steps: Steps, channels: int) -> bytes:
    numbers = array("q", [channels, len(steps.last), *steps.last, *steps.converted, *steps.ended])
    for move in steps.moves:
        numbers.extend(move)
    return numbers.tobytes()


def _unpacked(told: bytes) -> tuple[Steps, int]:
    channels, size, *numbers = array("q", told)
    last, converted, ended = (numbers[begin * size : (begin + 1) * size] for begin in range(3))
    moves = numbers[3 * size :]
    return Steps(last, list(zip(moves[::3], moves[1::3], moves[2::3], strict=True)), converted, ended), channels


if __name__ == "__main__":
    main()
