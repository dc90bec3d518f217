"""Where drawn pictures are kept: the last ones in memory, more of them in a folder that other processes share.

Whatever happens to the folder (read-only, full, half a file after a crash) only costs a drawing.
"""

import logging
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from app.kernel.clock import Clock
from app.kernel.whole_files import BEGUN, write_whole

log = logging.getLogger(__name__)

MEMORY = 16 * 1024 * 1024
"""Bytes in each process."""
DISK = 256 * 1024 * 1024
"""Bytes in the folder, give or take a sixteenth for each process."""
LIVES = 7 * 24 * 3600.0
"""Seconds. A merchant may put another picture under the same address."""
UNFINISHED_LIVES = 60.0
"""Seconds that one is kept whose foreign picture could not be fetched."""
TOO_DEAR_LIVES = 3600.0
"""Seconds that one is kept whose foreign picture costs more than may be: trying again costs it again."""

_BEGINS = b"\x89PNG\r\n\x1a\n"
_ENDS = b"IEND\xaeB`\x82"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture; `whole` unless something of it could not be fetched. `until` is by the process's steady clock."""

    png: bytes
    whole: bool
    until: float


class Memory:
    """The least used go first. Belongs to the event loop."""

    def __init__(self, room: int = MEMORY) -> None:
        self._room = room
        self._size = 0
        self._kept: OrderedDict[str, Drawn] = OrderedDict()

    def get(self, digest: str) -> Drawn | None:
        """The picture, unless its time is over."""
        drawn = self._kept.get(digest)
        if drawn is None or drawn.until < time.monotonic():
            return None
        self._kept.move_to_end(digest)
        return drawn

    def put(self, digest: str, drawn: Drawn) -> None:
        """Keep it, and let go of what no longer fits."""
        old = self._kept.pop(digest, None)
        self._kept[digest] = drawn
        self._size += len(drawn.png) - (len(old.png) if old else 0)
        while self._size > self._room and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._size -= len(gone.png)


class Folder:
    """Files by digest. Threads and processes may share it."""

    def __init__(self, folder: Path, clock: Clock, room: int = DISK) -> None:
        self._folder = folder
        self._clock = clock
        self._room = room
        self._written: int | None = None
        """Bytes since the folder was measured; None before the first time."""
        self._guard = Lock()
        self._complained = False

    def get(self, digest: str) -> Drawn | None:
        """The picture of an earlier drawing, if it is whole and not too old."""
        path = self._path(digest)
        try:
            png, left = path.read_bytes(), path.stat().st_mtime + LIVES - self._now()
        except OSError:
            return None
        if left <= 0 or not (png.startswith(_BEGINS) and png.endswith(_ENDS)):
            return None
        return Drawn(png, True, time.monotonic() + min(left, LIVES))

    def put(self, digest: str, png: bytes) -> None:
        """Keep it, whole or not at all; where nothing can be written, say so once."""
        path = self._path(digest)
        try:
            write_whole(path, png, self._now())
            self._count(len(png))
        except OSError as error:
            if not self._complained:
                self._complained = True
                log.warning("drawn pictures are not kept on disk: %s", error)

    def _count(self, size: int) -> None:
        with self._guard:
            if self._written is not None and self._written + size < self._room // 16:
                self._written += size
                return
            self._written = 0
            self._tidy()

    def _tidy(self) -> None:
        """Take away the oldest until there is room, and what a crash left behind."""
        found = []
        for path in self._folder.glob("*/*"):
            with suppress(OSError):  # another process was quicker
                about = path.stat()
                found.append((about.st_mtime, about.st_size, path))
        taken, now = 0, self._now()
        for written_at, size, path in sorted(found, reverse=True):
            taken += size
            is_left_behind = path.name.startswith(BEGUN) and written_at < now - UNFINISHED_LIVES
            if taken > self._room or written_at < now - LIVES or is_left_behind:
                with suppress(OSError):
                    path.unlink()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.png"
