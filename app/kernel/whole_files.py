"""Files that others find whole or not at all, whoever writes them at once and whenever one of those is killed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

BEGUN = "new-"
"""So begin the names of files that are being written; one that is old was left behind by a crash."""


@contextmanager
def whole(path: Path, written_at: float | None = None) -> Iterator[IO[bytes]]:
    """A file to write into, which is at `path`, in place of what was there, when the block has ended; folders are made.
    Whatever the block raises, or `OSError`: nothing is changed then.

    `written_at` (seconds since 1970) is the time that the file tells of itself, else it is the system's.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=BEGUN, delete=False) as file:
        try:
            yield file
            file.close()
            if written_at is not None:
                os.utime(file.name, (written_at, written_at))
            os.replace(file.name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(file.name)
            raise


def write_whole(path: Path, body: bytes, written_at: float | None = None) -> None:
    """Put `body` at `path` as a `whole` file."""
    with whole(path, written_at) as file:
        file.write(body)
