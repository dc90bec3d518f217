"""Pieces of a stream into numbered lines, in memory that does not grow: pure, knows nothing of what a line says."""

from collections.abc import Iterator
from typing import NamedTuple

LONGEST_LINE = 64 * 1024
"""Bytes, without the line's end."""

_BLANK = b" \t\r"


class RawLine(NamedTuple):
    """A line that is not blank, without its end. `content` is None where it was longer than `LONGEST_LINE`."""

    number: int  # the first is 1; blank lines count
    content: bytes | None


class Splitter:
    """Takes pieces as they come and gives lines as they end. Lines end with a line feed (a CR before it is blank)."""

    def __init__(self) -> None:
        self._number = 0
        self._begun = bytearray()
        self._too_long = False

    def feed(self, piece: bytes) -> Iterator[RawLine]:
        """The lines that end in `piece`."""
        *ended, rest = piece.split(b"\n")
        for part in ended:
            self._add(part)
            yield from self.end()
        self._add(rest)

    def end(self) -> Iterator[RawLine]:
        """The line that was begun, if it is not blank: nothing more belongs to it."""
        self._number += 1
        if self._too_long:
            yield RawLine(self._number, None)
        elif content := self._begun.strip(_BLANK):
            yield RawLine(self._number, bytes(content))
        self._begun.clear()
        self._too_long = False

    def _add(self, part: bytes) -> None:
        self._too_long = self._too_long or len(self._begun) + len(part) > LONGEST_LINE
        if self._too_long:
            self._begun.clear()
        else:
            self._begun += part
