"""The packed files of this and of earlier versions of the widget, kept beside the database.

A page that pins a file by its hash (`integrity`), or that was loaded before an upgrade, goes on getting the bytes it
began with. Each version is one archive, so that it is there whole or not at all. A disk that cannot be written to
costs the old versions and nothing else.
"""

import logging
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from app.kernel.whole_files import write_whole

log = logging.getLogger(__name__)

MOST = 20
"""Versions that are kept, by when a server last started with them."""

_BROTLI = ".br"
_LARGEST = 16 * 1024 * 1024
_TROUBLE = (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError)
"""What reading an archive may meet: no file, a torn one, one that is not ours."""


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file as it is and in brotli."""

    body: bytes
    brotli: bytes


class Versions:
    """The archives in `folder`, one a version. Any number of processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __contains__(self, version: str) -> bool:
        """Whether there is an archive of `version`, whole or not."""
        return self._path(version).is_file()

    def load(self, version: str) -> dict[str, PackedFile] | None:
        """The files of `version`, if they are here and whole (each has a checksum)."""
        path = self._path(version)
        try:
            if not 0 < path.stat().st_size <= _LARGEST:
                return None
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if not name.endswith(_BROTLI)]
                return {name: PackedFile(archive.read(name), archive.read(name + _BROTLI)) for name in names}
        except FileNotFoundError:
            return None
        except _TROUBLE as error:
            log.warning("%s cannot be read: %s", path, error)
            return None

    def keep(self, version: str, archive: bytes | None) -> None:
        """Note that `version` is in use, and write its `archive` where one is given; forget the oldest."""
        path = self._path(version)
        try:
            if archive is not None:
                write_whole(path, archive)
            os.utime(path)
            for old in sorted(self._folder.glob("*.zip"), key=_age)[MOST:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be kept for later; pages that pin it need it after an upgrade: %s", path, error)

    def _path(self, version: str) -> Path:
        return self._folder / f"{version}.zip"


def archive_of(files: Mapping[str, PackedFile]) -> bytes:
    """The bytes of an archive of `files`."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, file in sorted(files.items()):
            for entry, body in ((name, file.body), (name + _BROTLI, file.brotli)):
                archive.writestr(zipfile.ZipInfo(entry), body)
    return made.getvalue()


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except FileNotFoundError:  # another process was quicker
        return 0.0
