"""Where tests put their files: into memory, where there is room for them, as they throw them away in a moment.

Nothing is proved the less: what tests kill are processes, and what one has written outlives it there as on a disk.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")
_ROOM: Final = 4 * 1024**3
"""Bytes that have to be free: several clusters of PostgreSQL with what they log, databases, profiles of browsers."""


def move_temporary_files() -> None:
    """All temporary files of this process and of those that it starts are made in memory from now on, unless somebody
    has said where (TMPDIR) or there is no room."""
    if "TMPDIR" in os.environ or not _has_room():
        return
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None  # it is looked for again


def _has_room() -> bool:
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM:
        return False
    kilobytes = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return kilobytes is not None and 1024 * int(kilobytes[1]) >= _ROOM
