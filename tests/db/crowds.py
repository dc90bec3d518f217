"""Many who write at the same time, in threads, some of whom take long to commit."""

import random
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from app.kernel.database import Database

WRITERS = 6


class Crowd(ABC):
    """They write while the block lasts, each `times` times; and what they have written, by merchant."""

    def __init__(self, database: Database, merchants: list[int], times: int) -> None:
        self.made: dict[int, set[str]] = {merchant: set() for merchant in merchants}
        self.database = database
        self._times = times
        self._guard = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(random.Random(seed),)) for seed in range(WRITERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for thread in self._threads:
            thread.join()

    @property
    def is_writing(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    @abstractmethod
    def write(self, chance: random.Random) -> list[tuple[int, str]]:
        """Write something in one transaction; what it was, each with its merchant."""

    def _run(self, chance: random.Random) -> None:
        for _ in range(self._times):
            written = self.write(chance)
            with self._guard:
                for merchant, each in written:
                    self.made[merchant].add(each)
