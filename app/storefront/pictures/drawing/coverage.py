"""Which characters a font has: its `cmap` table, read (OpenType 1.9, formats 4 and 12). Pure but for the file.

Pillow does not say it, and what a font lacks it draws as a box.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

_COLLECTION = b"ttcf"
_UNICODE = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0))
"""Platforms and encodings of Unicode, the fullest first."""


class Coverage:
    """The characters of one font, as ranges."""

    def __init__(self, codes: Iterable[int]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for code in codes:
            if self._ends and code == self._ends[-1] + 1:
                self._ends[-1] = code
            elif not self._ends or code > self._ends[-1]:
                self._starts.append(code)
                self._ends.append(code)

    def __contains__(self, code: int) -> bool:
        at = bisect_right(self._starts, code) - 1
        return at >= 0 and code <= self._ends[at]


def coverage(path: Path) -> Coverage:
    """That of the (first) font in `path`. Raises `OSError`; `ValueError` for what is no font, or has no such table."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as font:  # some have 20 MB
        try:
            start = struct.unpack_from(">I", font, 12)[0] if font[:4] == _COLLECTION else 0
            return Coverage(_codes(font, _table(font, start)))
        except struct.error:
            raise ValueError(f"{path} is cut off") from None


def _table(font: mmap, start: int) -> int:
    for number in range(struct.unpack_from(">H", font, start + 4)[0]):
        tag, _, offset, _ = struct.unpack_from(">4sIII", font, start + 12 + number * 16)
        if tag == b"cmap":
            return int(offset)
    raise ValueError("no cmap")


def _codes(font: mmap, cmap: int) -> Iterator[int]:
    count = struct.unpack_from(">H", font, cmap + 2)[0]
    records = [struct.unpack_from(">HHI", font, cmap + 4 + number * 8) for number in range(count)]
    found = {(platform, encoding): cmap + offset for platform, encoding, offset in records}
    for kind in _UNICODE:
        if kind in found:
            form = struct.unpack_from(">H", font, found[kind])[0]
            if form == 12:
                return _segmented(font, found[kind])
            if form == 4:
                return _in_the_basic_plane(font, found[kind])
    raise ValueError("no characters of Unicode")


def _segmented(font: mmap, at: int) -> Iterator[int]:
    for number in range(struct.unpack_from(">I", font, at + 12)[0]):
        first, last, glyph = struct.unpack_from(">III", font, at + 16 + number * 12)
        yield from range(first + (glyph == 0), min(last, 0x10FFFF) + 1)


def _in_the_basic_plane(font: mmap, at: int) -> Iterator[int]:
    count = struct.unpack_from(">H", font, at + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", font, at + 14)
    starts = struct.unpack_from(f">{count}H", font, at + 16 + count * 2)
    deltas = struct.unpack_from(f">{count}H", font, at + 16 + count * 4)
    offsets_at = at + 16 + count * 6
    offsets = struct.unpack_from(f">{count}H", font, offsets_at)
    for number, (first, last, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if offset:
                glyph = struct.unpack_from(">H", font, offsets_at + number * 2 + offset + 2 * (code - first))[0]
            if (glyph if offset and glyph == 0 else glyph + delta) & 0xFFFF:
                yield code
