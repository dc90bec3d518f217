"""The card itself: a picture, and beside it what it is, what it costs and whose it is.

The picture takes more than half, up to the edges, so that previews which cut out the square in the middle still show
it; what is written keeps clear of the edges, since some previews are 2:1 and round their corners.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from app.storefront.pictures.drawing import photos, small
from app.storefront.pictures.drawing.directions import is_right_to_left
from app.storefront.pictures.drawing.faces import Faces, Weight
from app.storefront.pictures.drawing.facts import CardFacts
from app.storefront.pictures.drawing.ink import ink_on
from app.storefront.pictures.drawing.letters import Letters, Style
from app.storefront.pictures.drawing.photos import Color

Read = Callable[[bytes, tuple[int, int], Color], Image.Image | None]
"""Makes a picture out of bytes, as `photos.picture` does."""

SIZE = (1200, 630)
_PICTURE = 690
"""Width of the picture's side."""
_GAP = 6
"""Between the pictures of a wall."""
_MARGIN = 52
_TITLE_SIZES = (64, 58, 52, 47, 42, 38)
_LARGE_TITLE_SIZES = (104, 92, 80, 70, 60, 52)
_SMOOTH = 4
"""How much larger shapes are drawn, and then made smaller: Pillow's own edges are jagged."""


@dataclass(frozen=True)
class _Look:
    """The colours of one card."""

    ground: Color
    ink: str
    muted: str
    accent: str
    on_accent: str
    quiet: str
    """The ground of what is said without emphasis."""


class Card:
    """Draws cards with one set of fonts."""

    def __init__(self, faces: Faces) -> None:
        self._letters = Letters(faces)

    def draw(
        self, facts: CardFacts, contents: Sequence[bytes | None], read: Read = photos.picture
    ) -> tuple[bytes, bool]:
        """The PNG of `facts`, always below 300 KB, with those pictures of `contents`, which may be anything, that
        `read` can read; and whether these are all."""
        shop = self._letters.readable(facts.shop, Weight.TEXT)
        title = self._letters.readable(facts.title, Weight.BOLD) or shop
        mirrored = is_right_to_left(title)
        given = [content for content in contents if content]
        drawn, mosaic = _mosaic(given, _look(facts), read)
        look = _look(facts) if mosaic else _colored(facts.accent)
        side = Image.new("RGB", (SIZE[0] - (_PICTURE if mosaic else 0), SIZE[1]), look.ground)
        panel = _Panel(self._letters, look, side, facts, mirrored=mirrored)
        panel.write(title, shop, alone=mosaic is None)
        return small.png(SIZE, mosaic, side, mirrored=mirrored), drawn == len(contents)


class _Panel:
    """What is written: the shop's name above, the title in the middle, the price below."""

    def __init__(self, letters: Letters, look: _Look, side: Image.Image, facts: CardFacts, *, mirrored: bool) -> None:
        self._letters = letters
        self._look = look
        self._image = side
        self._canvas = ImageDraw.Draw(side)
        self._facts = facts
        self._mirrored = mirrored
        self._width = side.width - 2 * _MARGIN

    def write(self, title: str, shop: str, *, alone: bool) -> None:
        """All of it; larger where there is no picture beside it."""
        if shop and title.casefold() != shop.casefold():
            self._shop(shop)
        self._title(title, self._price(), alone=alone)

    def _shop(self, name: str) -> None:
        style = Style(Weight.TEXT, 29, self._look.muted)
        self._disc(0, 74, 9, self._look.accent)
        name = self._letters.shortened(name, style, self._width - 32)
        self._text(32, 84, name, style)

    def _title(self, title: str, below: int, *, alone: bool) -> None:
        above = 122
        style = Style(Weight.BOLD, 0, self._look.ink)
        sizes = _LARGE_TITLE_SIZES if alone else _TITLE_SIZES
        lines, style = self._letters.fitting(title, style, sizes, self._width, below - above)
        height = len(lines) * style.line_height
        top = above + (below - above - height) // 2
        for number, line in enumerate(lines):
            self._text(0, top + round(style.size * 0.93) + number * style.line_height, line, style)

    def _price(self) -> int:
        """Write the price, or that it is sold out, or an accent. The height down to which is free above it."""
        facts, look = self._facts, self._look
        bottom = SIZE[1] - _MARGIN
        price = self._letters.price(facts.price or "", Weight.BOLD)
        strong = facts.sold_out is None
        label = price if strong else self._letters.readable(facts.sold_out or "", Weight.BOLD)
        if not label:
            self._pill(0, bottom - 8, 72, 8, look.accent)
            return bottom - 40
        fill, ink = (look.accent, look.on_accent) if strong else (look.quiet, look.ink)
        style = self._letters.shrunk(label, Style(Weight.BOLD, 38, ink), self._width - 56)
        width = round(self._letters.width(label, style)) + 56
        self._pill(0, bottom - 72, width, 72, fill)
        self._text(28, bottom - 36 + round(style.size * 0.36), label, style)
        beside = self._letters.price((facts.before if strong else facts.price) or "", Weight.TEXT)
        return self._beside(beside, width, bottom) if beside else bottom - 72 - 28

    def _beside(self, price: str, taken: int, bottom: int) -> int:
        """The former price, or what a thing sold out did cost: struck through in the first case."""
        style = self._letters.shrunk(price, Style(Weight.TEXT, 31, self._look.muted), self._width - 8)
        width = self._letters.width(price, style)
        fits = taken + 22 + width <= self._width
        x, y = (taken + 22, bottom - 36 + 11) if fits else (4, bottom - 72 - 22)
        self._text(x, y, price, style)
        if self._facts.sold_out is None:
            left = x if not self._mirrored else self._width - x - width
            line = (_MARGIN + left - 3, y - 13, _MARGIN + left + width + 3, y - 10)
            self._canvas.rectangle(line, fill=style.color)
        return bottom - 72 - (28 if fits else 72)

    def _text(self, x: float, y: float, text: str, style: Style) -> None:
        """From the side at which reading begins."""
        if self._mirrored:
            self._letters.draw(self._canvas, (_MARGIN + self._width - x, y), text, style, "right")
        else:
            self._letters.draw(self._canvas, (_MARGIN + x, y), text, style)

    def _pill(self, x: int, y: int, width: int, height: int, color: str) -> None:
        mask = Image.new("L", (width * _SMOOTH, height * _SMOOTH))
        box = (0, 0, width * _SMOOTH - 1, height * _SMOOTH - 1)
        ImageDraw.Draw(mask).rounded_rectangle(box, radius=height * _SMOOTH // 2, fill=255)
        left = _MARGIN + (self._width - x - width if self._mirrored else x)
        self._image.paste(color, (left, y), mask.resize((width, height), Image.Resampling.BOX))

    def _disc(self, x: int, y: int, radius: int, color: str) -> None:
        self._pill(x, y - radius, radius * 2, radius * 2, color)


def _mosaic(contents: list[bytes], look: _Look, read: Read) -> tuple[int, Image.Image | None]:
    """The pictures side by side: one, two columns, one and two, or two by two; and how many could be drawn."""
    while contents:
        boxes = _boxes(len(contents))
        drawn = [
            read(content, (right - left, bottom - top), look.ground)
            for content, (left, top, right, bottom) in zip(contents, boxes, strict=True)
        ]
        good = [image for image in drawn if image is not None]
        if len(good) == len(drawn):
            mosaic = Image.new("RGB", (_PICTURE, SIZE[1]), look.ground)
            for image, box in zip(good, boxes, strict=True):
                mosaic.paste(image, box)
            return len(good), mosaic
        contents = [content for content, image in zip(contents, drawn, strict=True) if image is not None]
    return 0, None


def _boxes(count: int) -> list[tuple[int, int, int, int]]:
    width, height = _PICTURE, SIZE[1]
    across = _halves(width) if count != 3 else [(0, 432), (432 + _GAP, width)]
    if count == 1:
        return [(0, 0, width, height)]
    if count == 2:
        return [(left, 0, right, height) for left, right in across]
    cells = [(left, top, right, bottom) for top, bottom in _halves(height) for left, right in across]
    return cells if count == 4 else [(0, 0, across[0][1], height), cells[1], cells[3]]


def _halves(length: int) -> list[tuple[int, int]]:
    return [(0, (length - _GAP) // 2), ((length + _GAP) // 2, length)]


def _look(facts: CardFacts) -> _Look:
    accent = _rgb(facts.accent)
    if facts.dark:
        ground, ink, muted = _mixed(accent, (22, 20, 27), 0.08), "#f6f4fa", "#b9b3c6"
    else:
        ground, ink, muted = _mixed(accent, (255, 255, 255), 0.05), "#17141d", "#625d6d"
    quiet = _mixed(_rgb(ink), ground, 0.12)
    return _Look(ground, ink, muted, facts.accent, ink_on(facts.accent), _hex(quiet))


def _colored(accent: str) -> _Look:
    """A card without a picture: all of it in the accent's colour."""
    ground, ink = _rgb(accent), ink_on(accent)
    return _Look(
        ground,
        _hex(_rgb(ink)),
        _hex(_mixed(_rgb(ink), ground, 0.78)),
        ink,
        accent,
        _hex(_mixed(_rgb(ink), ground, 0.14)),
    )


def _rgb(color: str) -> Color:
    """`#rgb` or `#rrggbb`."""
    color = color if len(color) == 7 else "#" + "".join(digit * 2 for digit in color[1:])
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _hex(color: Color) -> str:
    return f"#{color[0]:02x}{color[1]:02x}{color[2]:02x}"


def _mixed(color: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(one * share + two * (1 - share)) for one, two in zip(color, other, strict=True))
    return red, green, blue
