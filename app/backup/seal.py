"""The file of a backup: a SQLite database, behind it what it is (a JSON object) and one line that seals both.

By the seal a file that was cut short or changed is known before anything of it is used; SQLite itself ignores what
stands behind its pages. Knows neither tables nor databases.
"""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

_SEAL = re.compile(rb"(\ngrapevine-backup (\d{4}) (\d{8}) )([0-9a-f]{64})\n")
_SEAL_BYTES = len("\ngrapevine-backup 0001 00000000 ") + 64 + 1
FORMAT = 1
"""Of the file, not of the tables: these say their own revision."""
_PIECE = 1024 * 1024


class Refused(ValueError):
    """Why there is no backup, or why it is not put back: one line for the operator. Nothing was changed."""


@dataclass(frozen=True)
class About:
    """What a backup says of itself."""

    revision: str  # of its tables: the newest migration that made them
    source: str  # sqlite or postgresql
    made_at: str  # RFC 3339
    secret: str  # fingerprint of the server's secret; keys and tokens are worth nothing under another
    rows: dict[str, int]  # by table


@contextmanager
def placed(file: Path, *, force: bool) -> Iterator[Path]:
    """A draft that takes the place of `file` when the block ends, whole and on disk, readable by its owner alone.

    Where the block raises nothing is left. Raises `Refused` where there is such a file, unless `force`d.
    """
    _refuse(file, force=force)
    draft = file.parent / f".grapevine-{secrets.token_hex(8)}.part"
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL, 0o600))
        yield draft
        _sync(draft)
        _refuse(file, force=force)
        draft.replace(file)
        _sync(file.parent)
    finally:
        draft.unlink(missing_ok=True)


def _refuse(file: Path, *, force: bool) -> None:
    if file.exists() and not file.is_file():
        raise Refused(f"{file} is no file")
    if file.exists() and not force:
        raise Refused(f"{file} exists; --force takes its place")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def seal(file: Path, about: About) -> None:
    """Write what it is, and the seal, behind the database in `file`."""
    told = json.dumps(asdict(about)).encode()
    with file.open("r+b") as whole:
        digest = hashlib.sha256()
        for piece in _pieces(whole, file.stat().st_size):
            digest.update(piece)
        end = told + f"\ngrapevine-backup {FORMAT:04} {len(told):08} ".encode()
        digest.update(end)
        whole.write(end + f"{digest.hexdigest()}\n".encode())


def unseal(file: Path, copy: Path) -> About:
    """Copy the database of a backup; what the backup is. The backup itself is only read.

    Raises `Refused` where it is none, of a later format, or not as it was written; then `copy` is worth nothing.
    """
    with file.open("rb") as whole, copy.open("wb") as out:
        begin, length, expected = _seal_of(whole, file)
        digest = hashlib.sha256()
        size = file.stat().st_size - _SEAL_BYTES - length
        for piece in _pieces(whole, size):
            digest.update(piece)
            _write(out, piece, copy)
        told = whole.read(length)
    digest.update(told + begin)
    if size < 0 or digest.hexdigest() != expected:
        raise Refused(f"{file} is damaged: its contents are not those that were written")
    return About(**json.loads(told))


def _seal_of(whole: BinaryIO, file: Path) -> tuple[bytes, int, str]:
    """The beginning of the seal, how many bytes tell what the backup is, and the digest of all up to there."""
    size = whole.seek(0, os.SEEK_END)
    whole.seek(max(0, size - _SEAL_BYTES))
    found = _SEAL.fullmatch(whole.read())
    whole.seek(0)
    if found is None:
        raise Refused(f"{file} is no backup of Grapevine's, or was cut short: there is no seal at its end")
    if int(found[2]) > FORMAT:
        raise Refused(f"{file} was made by a newer Grapevine: install that one to restore it")
    return found[1], int(found[3]), found[4].decode()


def _write(out: BinaryIO, piece: bytes, copy: Path) -> None:
    try:
        out.write(piece)
        out.flush()
    except OSError as error:
        raise Refused(f"no copy can be made in {copy.parent}: {error.strerror}; TMPDIR says where") from error


def _pieces(whole: BinaryIO, size: int) -> Iterator[bytes]:
    """The next `size` bytes."""
    while size > 0 and (piece := whole.read(min(size, _PIECE))):
        size -= len(piece)
        yield piece
