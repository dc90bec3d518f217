"""Pictures of merchants as they can be drawn: whatever comes in, a picture of the wanted size comes out, or none.

Bounds what a picture may cost before anything of it is unpacked.
"""

import io
import logging
import re

from PIL import Image, ImageCms, ImageFilter, ImageOps, JpegImagePlugin

log = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
MOST_PIXELS = 12_500_000
"""That are unpacked: up to 12 bytes of memory each. A telephone's photograph has 4032 x 3024."""
MOST_PIXELS_OF_JPEG = 30_000_000
"""Before it is made smaller, which JPEG alone allows in passing."""
MOST_SCANS = 100
"""Of a JPEG. Encoders write up to ten, and each is another way through the whole picture."""
_SCAN = re.compile(rb"\xff\xda\x00(?:\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")
"""Where one begins, with as many components as it may have (ITU-T T.81, B.2.3)."""
_LONGEST_SIDE = 20_000
_ORIENTATION = 0x0112
_TILTED = frozenset({5, 6, 7, 8})
_FOCUS = (0.42, 0.42)
"""What matters stands a little above the middle, most of all with people; and a little towards the card's middle it
survives previews that cut out a square."""
_MOST_LOST = 0.5
"""More of a picture's longer side than this is not cut off."""
_MOST_ENLARGED = 2.2
_SAME = 10
"""How far apart, of 255, colours of a plain background may be."""

Color = tuple[int, int, int]


def picture(content: bytes, size: tuple[int, int], ground: Color) -> Image.Image | None:
    """As `read`; None for what cannot be read."""
    try:
        return read(content, size, ground)
    except Exception as error:  # Pillow's readers raise whatever they like
        log.info("a picture cannot be drawn: %s: %s", type(error).__name__, error)
        return None


def read(content: bytes, size: tuple[int, int], ground: Color) -> Image.Image:
    """The picture in `content`, filling `size`; what it leaves free, and what shines through it, is `ground`. Raises
    anything for what is no picture, is broken, or says that it costs too much."""
    return _filling(_read(content, size, ground), size, ground)


def _read(content: bytes, size: tuple[int, int], ground: Color) -> Image.Image:
    """Upright, in sRGB, opaque; not much larger than needed, so that the rest is quick."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        is_jpeg = isinstance(opened, JpegImagePlugin.JpegImageFile)
        _refuse_large(opened, MOST_PIXELS_OF_JPEG if is_jpeg else MOST_PIXELS)
        if is_jpeg and sum(1 for _ in _SCAN.finditer(content)) > MOST_SCANS:
            raise ValueError(f"more than {MOST_SCANS} scans")
        orientation = opened.getexif().get(_ORIENTATION)
        profile = opened.info.get("icc_profile")
        opened.draft(None, (max(size) * 2, max(size) * 2))  # JPEG can be read smaller than it is
        _refuse_large(opened, MOST_PIXELS)
        image = _plain_mode(opened)
    turned = size[::-1] if orientation in _TILTED else size
    image.thumbnail(_cover(image.size, turned), Image.Resampling.LANCZOS, reducing_gap=3.0)
    image = _upright(image, orientation)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, (*ground, 255)), image)
    return _in_srgb(image, profile)


def _refuse_large(opened: Image.Image, most: int) -> None:
    if opened.width * opened.height > most or max(opened.size) > _LONGEST_SIDE:
        raise ValueError(f"{opened.width} x {opened.height} pixels")


def _plain_mode(opened: Image.Image) -> Image.Image:
    """As RGB, RGBA or CMYK, 8 bits each."""
    if opened.mode.startswith("I"):  # 16 bits of grey, of which the upper 8 are drawn
        return opened.convert("I").point(lambda level: level * (1 / 256)).convert("RGB")
    if opened.mode == "CMYK":
        return opened.copy()
    return opened.convert("RGBA" if opened.has_transparency_data else "RGB")


def _upright(image: Image.Image, orientation: int | None) -> Image.Image:
    """As the camera was held (EXIF 2.32, Orientation)."""
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return image.transpose(turned[orientation]) if orientation in turned else image


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as they were meant; without a profile, or with a broken one, as they are."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            flat = image if image.mode == "CMYK" else image.convert("RGB")
            meant = ImageCms.profileToProfile(flat, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if meant is not None:
                return meant
        except (ImageCms.PyCMSError, OSError, ValueError) as error:
            log.info("a colour profile is left out: %s", error)
    return image.convert("RGB")


def _filling(image: Image.Image, size: tuple[int, int], ground: Color) -> Image.Image:
    plain = _plain_background(image)
    if plain is not None:
        return _contained(image, size, plain)
    if _is_small(image, size):
        return _contained(image, size, ground)
    if _lost(image.size, size) > _MOST_LOST:
        behind = ImageOps.fit(image, size, Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(40))
        return _on(behind, ImageOps.contain(image, size, Image.Resampling.LANCZOS))
    return ImageOps.fit(image, size, Image.Resampling.LANCZOS, centering=_FOCUS)


def _contained(image: Image.Image, size: tuple[int, int], ground: Color) -> Image.Image:
    """All of it, on `ground`, enlarged only so far as one may."""
    most = min(_MOST_ENLARGED, *(wide / narrow for wide, narrow in zip(size, image.size, strict=True)))
    fitted = image.resize(
        (max(1, round(image.width * most)), max(1, round(image.height * most))), Image.Resampling.LANCZOS
    )
    return _on(Image.new("RGB", size, ground), fitted)


def _on(below: Image.Image, above: Image.Image) -> Image.Image:
    below.paste(above, ((below.width - above.width) // 2, (below.height - above.height) // 2))
    return below


def _plain_background(image: Image.Image) -> Color | None:
    """The one colour of all four edges, as of a product photographed on white; None where there is none."""
    width, height = image.size
    edges = [
        image.crop(box)
        for box in ((0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height))
    ]
    lows_and_highs = [edge.getextrema() for edge in edges]
    color = []
    for band in range(3):
        values = [extremes[band] for extremes in lows_and_highs]
        low, high = min(low for low, _ in values), max(high for _, high in values)  # type: ignore[misc]
        if high - low > _SAME:
            return None
        color.append(round((low + high) / 2))
    return color[0], color[1], color[2]


def _is_small(image: Image.Image, size: tuple[int, int]) -> bool:
    return max(wide / narrow for wide, narrow in zip(size, image.size, strict=True)) > _MOST_ENLARGED


def _lost(image: tuple[int, int], size: tuple[int, int]) -> float:
    """The share of its longer side that `image` would lose if it covered `size`."""
    ratio, wanted = image[0] / image[1], size[0] / size[1]
    return 1 - min(ratio, wanted) / max(ratio, wanted)


def _cover(image: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The least size of the proportions of `image` that covers `size`, or the image's own where it is less."""
    scale = min(1.0, max(wide / narrow for wide, narrow in zip(size, image, strict=True)))
    return max(1, round(image[0] * scale)), max(1, round(image[1] * scale))
