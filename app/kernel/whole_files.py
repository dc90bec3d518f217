"""Files that others find whole or not at all, whoever writes them at once and whenever one of those is killed."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

BEGUN = "new-"
"""So begin the names of files that are being written; one that is old was left behind by a crash."""


def write_whole(path: Path, body: bytes, written_at: float | None = None) -> None:
    """Put `body` at `path`, in place of what was there; folders are made. Raises `OSError`: nothing is changed then.

    `written_at` (seconds since 1970) is the time that the file tells of itself, else it is the system's.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=BEGUN, delete=False) as file:
        try:
            file.write(body)
            file.close()
            if written_at is not None:
                os.utime(file.name, (written_at, written_at))
            os.replace(file.name, path)
        except OSError:
            with suppress(OSError):
                os.unlink(file.name)
            raise
