"""A delimited text file as rows with their line numbers, read as a stream: a gigabyte is never held in memory.

Knows encodings and CSV; knows no product. Whatever the bytes are, it gives rows or errors and never raises.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from app.catalog.feeds.items import RowError

# Far longer than any row of a real catalogue, and little to hold.
_LONGEST_RECORD = 1 << 20
_CHUNK = 1 << 16
_LINE_END = re.compile(rb"\r\n?|\n")
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# Windows-1252 leaves five bytes undefined; what stands for them is tidied away with other invisible characters.
_WINDOWS = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(128, 256)}


class Row(NamedTuple):
    """Fields of one record, and the physical line where it begins."""

    line: int
    fields: list[str]


def read_rows(stream: BinaryIO) -> Iterator[Row | RowError]:
    """Records of `stream` in order, without blank ones; the separator is the header's (comma, semicolon or tab).

    UTF-8, and UTF-16 by its mark; a line that is not UTF-8 is read as Windows-1252, which is noted once.
    """
    lines = _Lines(stream)
    reader = csv.reader(lines, delimiter=max(",;\t", key=lines.header().count))
    noted = False
    while True:
        begins = lines.begin_record()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except (csv.Error, _RecordTooLong):
            yield RowError(begins, "row", "this row is too long; perhaps a quotation mark is not closed")
            continue
        if lines.misread_at and not noted:
            noted = True
            yield RowError(lines.misread_at, "encoding", "not UTF-8: read as Windows-1252", fails=False)
        if any(field.strip() for field in fields):
            yield Row(begins, fields)


class _RecordTooLong(Exception):
    """A record beyond the limit; what follows it can be read."""


class _Lines:
    """Decoded lines with their ends, one at a time. Not a generator: it goes on after it has raised."""

    def __init__(self, stream: BinaryIO) -> None:
        self.number = 0  # physical lines given or skipped so far
        self.misread_at: int | None = None
        self._stream = stream
        self._header: str | None = None
        self._in_record = 0
        mark = stream.read(2)
        encoding = _UTF16.get(mark)
        self._utf16 = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        self._held = b"" if encoding else mark
        self._at = 0
        self._ended = False

    def header(self) -> str:
        """The first line, which is still to be read."""
        if self._header is None:
            self._fill()
            self._held = self._held.removeprefix(codecs.BOM_UTF8)
            self._header = self._held[:_CHUNK].decode("utf-8", "replace").lstrip("\r\n").partition("\n")[0]
        return self._header

    def begin_record(self) -> int:
        """The line number at which the next record begins."""
        self._in_record = 0
        return self.number + 1

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = self._next_line()
        if raw is None:
            raise StopIteration
        self.number += 1
        self._in_record += len(raw)
        if self._in_record > _LONGEST_RECORD:
            raise _RecordTooLong
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            self.misread_at = self.misread_at or self.number
            text = raw.decode("latin-1").translate(_WINDOWS)
        # No text has NUL bytes; PostgreSQL refuses them, and UTF-16 without its mark is full of them.
        return text.replace("\x00", "")

    def _next_line(self) -> bytes | None:
        """The next physical line; of one beyond the limit only its end, counted as if it were whole."""
        dropped = 0
        while True:
            end = _LINE_END.search(self._held, self._at)
            # A CR at the very end may be half of a CR LF.
            if end and (end.end() < len(self._held) or self._ended or end[0] != b"\r"):
                line, self._at = self._held[self._at : end.end()], end.end()
                break
            if self._ended:
                line, self._at = self._held[self._at :], len(self._held)
                break
            if len(self._held) - self._at > _LONGEST_RECORD:
                dropped += len(self._held) - self._at - 1
                self._held, self._at = self._held[-1:], 0
            self._fill()
        self._in_record += dropped
        return line or None

    def _fill(self) -> None:
        chunk = self._stream.read(_CHUNK)
        self._ended = not chunk
        if self._utf16:
            chunk = self._utf16.decode(chunk, final=self._ended).encode("utf-8", "replace")
        self._held = self._held[self._at :] + chunk
        self._at = 0
