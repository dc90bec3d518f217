"""A PNG that is never too large: its colours in two palettes, one for the picture and one for what is written.

Previews show PNG everywhere; WhatsApp takes no more than 300 KB.
"""

import io

from PIL import Image

LARGEST = 290 * 1000
"""Bytes; 300 KB is what the strictest preview takes."""
_WRITTEN = 64
"""Colours of the written side: its few, and the shades at their edges."""
_STEPS = ((192, 1), (128, 1), (96, 2), (64, 3), (16, 6))
"""Colours of the picture, and how many times finer than its detail it is: noise is what costs. Photographs take the
first step; the last are for what is nothing but noise."""


def png(size: tuple[int, int], picture: Image.Image | None, side: Image.Image, *, mirrored: bool) -> bytes:
    """`picture` and `side` next to each other, the picture on the left, or on the right if `mirrored`."""
    if picture is None:
        return _encoded(side.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE))
    written = side.quantize(_WRITTEN, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    at, beside = ((side.width, 0), (0, 0)) if mirrored else ((0, 0), (picture.width, 0))
    for colors, coarseness in _STEPS:
        drawn = _in_colors(picture, colors, coarseness)
        whole = Image.new("P", size)
        whole.putpalette(_palette(drawn, colors) + _palette(written, _WRITTEN))
        whole.paste(drawn, at)
        whole.paste(written.point([(index + colors) % 256 for index in range(256)]), beside)
        encoded = _encoded(whole)
        if len(encoded) <= LARGEST:
            break
    return encoded


def _in_colors(picture: Image.Image, colors: int, coarseness: int) -> Image.Image:
    """An octree is as good as slower ways, once the error is passed on to the neighbours; which costs, though."""
    if coarseness > 1:
        calm = picture.reduce(coarseness).resize(picture.size, Image.Resampling.BICUBIC)
        return calm.quantize(colors, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = picture.quantize(colors, Image.Quantize.FASTOCTREE)
    return picture.quantize(colors, palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _palette(image: Image.Image, colors: int) -> list[int]:
    palette = (image.getpalette() or [])[: colors * 3]
    return palette + [0] * (colors * 3 - len(palette))


def _encoded(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=9)
    return out.getvalue()
