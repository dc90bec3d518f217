"""What tests of the shelf keep on it, and whoever builds that."""

import threading
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError

AWAY = OperationalError("SELECT 1", {}, Exception("the server closed the connection"))


@dataclass(frozen=True)
class Thing:
    key: str
    number: int
    size: int = 1


class Builder:
    """Builds things, counting; fails or waits when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.built = 0
        self.trouble: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, key: str, old: Thing | None) -> Thing:
        self.begun += 1
        self.gate.wait(10)
        if self.trouble is not None:
            raise self.trouble
        self.built += 1
        return Thing(key, self.built)
