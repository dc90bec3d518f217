"""How many heaps the process has. Knows nothing of what is in them."""

import sys
from typing import Final

_M_ARENA_MAX: Final = -8
"""Of glibc's `mallopt`."""
_HEAPS: Final = 2


def have_few() -> None:
    """Let threads share heaps, where the C library is glibc: it would give each of many threads a heap of its own, in
    which SQLite's caches come and go, and none gives back what another could use. Since the interpreter lets one thread
    go on at a time, two are enough."""
    if sys.platform != "linux":
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none
        mallopt(_M_ARENA_MAX, _HEAPS)
