"""Lines in batches: as many as one transaction takes. Pure."""

from collections.abc import Iterator

from app.history.splitting import RawLine, Splitter

MOST_LINES = 1000
MOST_BYTES = 1024 * 1024
"""Of a batch. Everybody else who changes the merchant's facts (on SQLite: who writes) waits for it, so it is short."""


class Batches:
    """Takes a stream in pieces and gives its lines in batches."""

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._begin()

    def _begin(self) -> None:
        self._lines: list[RawLine] = []
        self._bytes = 0

    def feed(self, piece: bytes) -> Iterator[list[RawLine]]:
        """The batches that are full with `piece`."""
        for line in self._splitter.feed(piece):
            self._lines.append(line)
            self._bytes += len(line.content or b"")
            if len(self._lines) >= MOST_LINES or self._bytes >= MOST_BYTES:
                yield self._lines
                self._begin()

    def end(self) -> Iterator[list[RawLine]]:
        """What is left at the end, with a last line that had none."""
        self._lines += self._splitter.end()
        if self._lines:
            yield self._lines
        self._begin()
