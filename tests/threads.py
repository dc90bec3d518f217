"""Several things at once, in threads, with what each of them answered."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def together(*things: Callable[[], Result]) -> Sequence[Result]:
    """Do all `things` at the same moment; their answers in order. The first error is raised."""
    ready = threading.Barrier(len(things))

    def start(thing: Callable[[], Result]) -> Result:
        ready.wait(20)
        return thing()

    with ThreadPoolExecutor(len(things)) as pool:
        return [future.result(60) for future in [pool.submit(start, thing) for thing in things]]
