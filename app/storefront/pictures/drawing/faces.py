"""The fonts: two that come with us, and those of the system for scripts that ours lack.

Knows which font has a character; never lets one be drawn that nobody has. Pillow shapes scripts and sets text from
the right only where the system has FriBiDi (`libfribidi0`); without it such scripts count as not there.
"""

import logging
import os
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path

from PIL import ImageFont, features

from app.storefront.pictures.drawing.coverage import Coverage, coverage

log = logging.getLogger(__name__)

_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
_SUFFIXES = frozenset({".ttf", ".otf", ".ttc"})
_MOST_FILES = 200
"""That are looked into, once in a process, for a character that no other font has."""
_LARGEST_FILE = 64 * 1024 * 1024
_UNFIT = ("italic", "oblique", "mono", "condensed", "narrow", "emoji", "light", "thin", "math", "symbol", "extra")
_NO_BASIC_LAYOUT = ((0x0590, 0x08FF), (0x0900, 0x109F), (0x1780, 0x18AF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFF))
"""Scripts from the right, and those whose letters change with their neighbours."""


class Weight(StrEnum):
    """The two weights of a card, by our fonts' names."""

    BOLD = "SemiBold"
    TEXT = "Medium"


class Face:
    """One font file, at any size."""

    def __init__(self, path: Path, *, shapes: bool) -> None:
        self._path = path
        self.shapes = shapes
        self._fonts: dict[int, ImageFont.FreeTypeFont] = {}

    @cached_property
    def _coverage(self) -> Coverage:
        try:
            covered = coverage(self._path)
            self.font(16)  # what FreeType cannot read covers nothing
        except (OSError, ValueError) as error:
            log.info("a font is left out: %s: %s", self._path, error)
            return Coverage(())
        return covered

    def has(self, text: str) -> bool:
        """Whether it has every character of `text`; joiners and selectors need no glyph."""
        return all(ord(char) in self._coverage or unicodedata.category(char) == "Cf" for char in text)

    def font(self, size: int) -> ImageFont.FreeTypeFont:
        """The font at `size` pixels."""
        if size not in self._fonts:
            engine = ImageFont.Layout.RAQM if self.shapes else ImageFont.Layout.BASIC
            self._fonts[size] = ImageFont.truetype(self._path, size, layout_engine=engine)
        return self._fonts[size]


class Faces:
    """All fonts, ours first. `folder` holds ours; `system` lists the folders of others, and `shapes` says whether
    scripts can be shaped (Pillow's own answer, unless given)."""

    def __init__(self, folder: Path, system: tuple[str, ...] = _FOLDERS, *, shapes: bool | None = None) -> None:
        self._shapes = features.check_feature("raqm") is True if shapes is None else shapes
        self._own = {weight: self._face(folder / f"Inter-{weight}.ttf") for weight in Weight}
        self._system = system
        self._found: dict[tuple[str, Weight], Face | None] = {}

    def of(self, grapheme: str, weight: Weight) -> Face | None:
        """The font for one character with its marks; None where there is none, or where it is an emoji: the colour
        fonts of systems cannot be scaled, and others draw its parts."""
        if self._own[weight].has(grapheme):
            return self._own[weight]
        if any(_is_emoji(char) or not (self._shapes or _is_simple(char)) for char in grapheme):
            return None
        known = (grapheme, weight)
        if known not in self._found:
            if len(self._found) > 20_000:
                self._found.clear()
            self._found[known] = next((face for face in self._others(weight) if face.has(grapheme)), None)
        return self._found[known]

    def _others(self, weight: Weight) -> Iterator[Face]:
        for path in self._files:
            if ("bold" in path.stem.lower()) == (weight is Weight.BOLD):
                yield self._face(path)
        for path in self._files:
            yield self._face(path)

    @lru_cache(maxsize=_MOST_FILES)  # noqa: B019  # one for as long as the process lives
    def _face(self, path: Path) -> Face:
        return Face(path, shapes=self._shapes)

    @cached_property
    def _files(self) -> list[Path]:
        """The upright, plain fonts of the system: sans before others, so that they go with ours."""
        found: list[Path] = []
        for folder in self._system:
            for where, _, names in os.walk(os.path.expanduser(folder)):
                found += [Path(where, name) for name in sorted(names) if Path(name).suffix.lower() in _SUFFIXES]
        fit = [path for path in found if not any(word in path.stem.lower() for word in _UNFIT) and _is_of_a_size(path)]
        return sorted(fit, key=lambda path: "sans" not in path.stem.lower())[:_MOST_FILES]


def _is_of_a_size(path: Path) -> bool:
    try:
        return path.stat().st_size <= _LARGEST_FILE
    except OSError:
        return False


def _is_simple(char: str) -> bool:
    return not any(first <= ord(char) <= last for first, last in _NO_BASIC_LAYOUT)


def _is_emoji(char: str) -> bool:
    return "\U0001f000" <= char <= "\U0001faff" or "\u2600" <= char <= "\u27bf" or char in "\ufe0f\u20e3"
