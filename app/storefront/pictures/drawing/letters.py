"""Sets text: which font draws which part, where lines break, how large a title may be. Knows no card."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from PIL import ImageDraw

from app.networks.wording import ELLIPSIS, graphemes, one_line
from app.storefront.pictures.drawing.directions import as_seen, is_right_to_left, levels
from app.storefront.pictures.drawing.faces import Face, Faces, Weight

_LONGEST = 160
"""Graphemes that are looked at: more never fit."""
_LINE_HEIGHT = 1.16
_FEWEST_LINES = 2
_MOST_LINES = 6
_BREAKS_ANYWHERE = r"\u2e80-\u312f\u31a0-\u9fff\uf900-\ufaff\uff00-\uffef"
_CLOSING = r"、。，．・：；！？」』）】〉》ー…"
_PIECES = re.compile(
    rf"[{_BREAKS_ANYWHERE}][{_CLOSING}]*\s*|[^\s{_BREAKS_ANYWHERE}]+\s*|\s+",
)


@dataclass(frozen=True)
class Style:
    """How a text looks."""

    weight: Weight
    size: int
    color: str

    @property
    def line_height(self) -> int:
        """Pixels from one line to the next."""
        return round(self.size * _LINE_HEIGHT)


@dataclass(frozen=True)
class _Run:
    text: str
    face: Face
    right_to_left: bool


class Letters:
    """Measures and draws with `faces`."""

    def __init__(self, faces: Faces) -> None:
        self._faces = faces

    def readable(self, text: str, weight: Weight) -> str:
        """`text` on one line without what no font has; empty where half of its letters would be missing."""
        normal = unicodedata.normalize("NFC", one_line(text))
        wanted, kept = 0, []
        for number, grapheme in enumerate(graphemes(normal)):
            if number == _LONGEST:
                break
            has_letter = any(char.isalnum() for char in grapheme)
            wanted += has_letter
            if self._faces.of(grapheme, weight) is not None:
                kept.append((grapheme, has_letter))
        letters = sum(has_letter for _, has_letter in kept)
        whole = " ".join("".join(grapheme for grapheme, _ in kept).split())
        return whole if letters and letters * 2 >= wanted else ""

    def price(self, text: str, weight: Weight) -> str:
        """`text` if every sign of it can be drawn: without its currency it would be another price. Else empty."""
        normal = unicodedata.normalize("NFKC", one_line(text))
        return normal if all(self._faces.of(char, weight) is not None for char in graphemes(normal)) else ""

    def width(self, text: str, style: Style) -> float:
        """Pixels of `text` on one line."""
        return sum(_length(run, style.size) for run in self._runs(text, style.weight))

    def draw(
        self,
        canvas: ImageDraw.ImageDraw,
        at: tuple[float, float],
        text: str,
        style: Style,
        side: Literal["left", "right"] = "left",
    ) -> None:
        """Write one line whose baseline, and left or right end, is `at`."""
        x, y = at
        if side == "right":
            x -= self.width(text, style)
        for run in self._runs(text, style.weight):
            font = run.face.font(style.size)
            canvas.text((x, y), run.text, fill=style.color, font=font, anchor="ls", direction=_direction(run))
            x += _length(run, style.size)

    def shortened(self, text: str, style: Style, width: float) -> str:
        """`text` on one line of `width`: whole, or its beginning with an ellipsis."""
        if self.width(text, style) <= width:
            return text
        parts = list(graphemes(text))
        low, high = 0, len(parts)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width("".join(parts[:middle]).rstrip() + ELLIPSIS, style) <= width:
                low = middle
            else:
                high = middle - 1
        return "".join(parts[:low]).rstrip(" .,;:!?-–—") + ELLIPSIS

    def lines(self, text: str, style: Style, width: float) -> list[str]:
        """`text` broken into lines of `width`, of about the same length each, and no more of them than needed."""
        broken = self._broken(text, style, width)
        low, high = width / 2, width
        while len(broken) > 1 and high - low > 8:
            middle = (low + high) / 2
            if len(self._broken(text, style, middle)) > len(broken) or self._breaks_words(text, style, middle):
                low = middle
            else:
                high = middle
        return self._broken(text, style, high) if len(broken) > 1 else broken

    def fitting(
        self, text: str, style: Style, sizes: tuple[int, ...], width: float, height: float
    ) -> tuple[list[str], Style]:
        """`text` at the largest of `sizes` at which it fits without a broken word; else at the smallest, cut. Large
        letters are for few lines."""
        for number, size in enumerate(sizes):
            sized = Style(style.weight, size, style.color)
            room = min(int(height // sized.line_height), _FEWEST_LINES + number, _MOST_LINES)
            if not self._breaks_words(text, sized, width) and len(self._broken(text, sized, width)) <= room:
                return self.lines(text, sized, width), sized
        lines = self._broken(text, sized, width)
        if len(lines) > room:
            rest = " ".join(lines[room - 1 :])
            lines = [*lines[: room - 1], self.shortened(rest + ELLIPSIS, sized, width)]
        return lines, sized

    def shrunk(self, text: str, style: Style, width: float) -> Style:
        """`style`, so small that all of `text` fits on one line of `width`."""
        taken = self.width(text, style)
        size = style.size if taken <= width else max(1, int(style.size * width / taken))
        return Style(style.weight, size, style.color)

    def _broken(self, text: str, style: Style, width: float) -> list[str]:
        lines = [""]
        for piece in self._breakable(text, style, width):
            if lines[-1] and self.width((lines[-1] + piece).rstrip(), style) > width:
                lines.append("")
            lines[-1] += piece
        return [line.strip() for line in lines]

    def _breakable(self, text: str, style: Style, width: float) -> Iterator[str]:
        for piece in _PIECES.findall(text):
            if self.width(piece.rstrip(), style) <= width:
                yield piece
            else:
                yield from graphemes(piece)

    def _breaks_words(self, text: str, style: Style, width: float) -> bool:
        return any(self.width(piece.rstrip(), style) > width for piece in _PIECES.findall(text))

    def _runs(self, text: str, weight: Weight) -> list[_Run]:
        """The parts of `text` of one font and direction, from left to right. What no font has is left out."""
        return list(_runs_of(self._faces, text, weight))


def _runs_of(faces: Faces, text: str, weight: Weight) -> Iterator[_Run]:
    level_at = levels(text, right_to_left=is_right_to_left(text))
    pieces: list[tuple[int, tuple[str, Face]]] = []
    at = 0
    for grapheme in graphemes(text):
        face = faces.of(grapheme, weight)
        if face is not None:
            pieces.append((level_at[at], (grapheme, face)))
        at += len(grapheme)
    joined = []
    for (level, face), group in groupby(pieces, key=lambda piece: (piece[0], piece[1][1])):
        joined.append((level, ("".join(grapheme for _, (grapheme, _) in group), face)))
    for level, (part, face) in as_seen(joined):
        yield _Run(part, face, level % 2 == 1)


def _length(run: _Run, size: int) -> float:
    return run.face.font(size).getlength(run.text, direction=_direction(run))


def _direction(run: _Run) -> Literal["ltr", "rtl"] | None:
    """Pillow wants none where it cannot set any."""
    if not run.face.shapes:
        return None
    return "rtl" if run.right_to_left else "ltr"
