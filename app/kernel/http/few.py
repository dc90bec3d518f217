"""Lets a few do at once what takes much of the server for long; whoever is one too many is told at once to come back.

Knows not what they do. Threads may share it.
"""

from threading import BoundedSemaphore
from types import TracebackType

from app.kernel.errors import Unavailable


class Few:
    """A place for each of `most`, from `with` to its end."""

    def __init__(self, most: int, refusal: str) -> None:
        self.most = most
        self._refusal = refusal
        self._free = BoundedSemaphore(most)

    def __enter__(self) -> None:
        """Take a place. Raises `Unavailable` where there is none."""
        if not self._free.acquire(blocking=False):
            raise Unavailable(self._refusal)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._free.release()
