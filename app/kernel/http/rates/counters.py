"""Counters in the memory of one process, as the library `limits` wants them: as many as there is room for.

The library's own look through all of them at each count, and have no end. Imported when something is counted first.
"""

from collections import OrderedDict
from typing import Final

from limits.aio.storage import Storage

from app.kernel.clock import unix_now

MOST: Final = 100_000
"""About 200 bytes each. Who comes with ever new names has the eldest forgotten."""
_SWEPT: Final = 2
"""So many are looked at for each that is new: those whose time is over go faster than others come."""


class Counters(Storage):
    """Lives in the event loop."""

    def __init__(self, most: int = MOST) -> None:
        super().__init__()
        self._most = most
        self._counted: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        return KeyError

    def __len__(self) -> int:
        return len(self._counted)

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, in a window that begins with the first and lasts `expiry` seconds."""
        now = unix_now()
        count, until = self._counted.get(key, (0, 0.0))
        if until <= now:
            self._counted.pop(key, None)
            self._make_room(now)
            count, until = 0, now + expiry
        self._counted[key] = count + amount, until
        return count + amount

    async def get(self, key: str) -> int:
        """What was counted in the window that is open."""
        count, until = self._counted.get(key, (0, 0.0))
        return count if until > unix_now() else 0

    async def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds since 1970; now where none is open."""
        return max(self._counted.get(key, (0, 0.0))[1], unix_now())

    async def check(self) -> bool:
        """Memory is always there."""
        return True

    async def reset(self) -> int:
        """Forget everything."""
        before = len(self._counted)
        self._counted.clear()
        return before

    async def clear(self, key: str) -> None:
        """Forget one."""
        self._counted.pop(key, None)

    def _make_room(self, now: float) -> None:
        for _ in range(_SWEPT):
            eldest = next(iter(self._counted), None)
            if eldest is None or (self._counted[eldest][1] > now and len(self._counted) < self._most):
                return
            del self._counted[eldest]
