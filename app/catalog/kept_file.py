"""An uploaded file, kept in pieces in the database until its import has ended. Knows no format and no product."""

import io
from typing import BinaryIO

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.catalog.models import ImportChunk
from app.kernel.database import Database

PIECE = 1024 * 1024
"""Bytes; what is in memory at a time."""


def keep(session: Session, merchant_id: int, import_id: str, file: BinaryIO) -> None:
    """Keep `file`, from where it is read next to its end."""
    for position, content in enumerate(iter(lambda: file.read(PIECE), b"")):
        piece = {"merchant_id": merchant_id, "import_id": import_id, "position": position, "content": content}
        session.execute(insert(ImportChunk).values(piece))


def stream(database: Database, merchant_id: int, import_id: str) -> BinaryIO:
    """The kept file, from its beginning. It ends early where it is forgotten meanwhile."""
    return io.BufferedReader(_Pieces(database, merchant_id, import_id), PIECE)


def forget(session: Session, merchant_id: int, import_id: str) -> None:
    """Throw the file away."""
    session.execute(
        delete(ImportChunk).where(ImportChunk.merchant_id == merchant_id, ImportChunk.import_id == import_id)
    )


class _Pieces(io.RawIOBase):
    """The pieces in their order, as one stream."""

    def __init__(self, database: Database, merchant_id: int, import_id: str) -> None:
        self._database = database
        self._owner = (merchant_id, import_id)
        self._position = 0
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        if not self._left:
            self._left = self._next()
        taken = min(len(buffer), len(self._left))
        buffer[:taken], self._left = self._left[:taken], self._left[taken:]
        return taken

    def _next(self) -> bytes:
        with self._database.reading() as session:
            content = session.scalar(
                select(ImportChunk.content).where(
                    ImportChunk.merchant_id == self._owner[0],
                    ImportChunk.import_id == self._owner[1],
                    ImportChunk.position == self._position,
                )
            )
        self._position += 1
        return content or b""
