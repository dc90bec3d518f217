"""Whatever a merchant calls a picture, it is drawn as it was meant, or not at all."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from app.storefront.pictures.drawing import photos

SIZE = (200, 200)
WHITE = (255, 255, 255)
RED, BLUE = (200, 30, 30), (30, 30, 200)


def halves(mode: str = "RGB", size: tuple[int, int] = (400, 400)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image.convert(mode)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def colors(content: bytes, *at: tuple[int, int], size: tuple[int, int] = SIZE) -> list[tuple[int, ...]]:
    drawn = photos.picture(content, size, WHITE)
    assert drawn is not None
    assert (size, "RGB") == (drawn.size, drawn.mode)
    found = [drawn.getpixel(point) for point in at]
    return [each for each in found if isinstance(each, tuple)]


def close(one: tuple[int, ...], other: tuple[int, ...], most: int = 40) -> bool:
    return all(abs(a - b) <= most for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "content",
    [
        saved(halves(), "PNG"),
        saved(halves(), "JPEG"),
        saved(halves("CMYK"), "JPEG"),
        saved(halves(), "WEBP"),
        saved(halves(), "AVIF"),
        saved(halves("P"), "GIF"),
        saved(halves("P"), "PNG"),
        saved(halves(), "JPEG", progressive=True),
        saved(halves(), "JPEG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
        saved(halves(), "JPEG", icc_profile=b"no profile"),
        saved(halves("P"), "GIF", save_all=True, append_images=[Image.new("P", (400, 400))]),
        saved(halves(), "PNG", save_all=True, append_images=[Image.new("RGB", (400, 400))]),
        saved(halves(), "WEBP", save_all=True, append_images=[Image.new("RGB", (400, 400))]),
    ],
    ids=range(13),
)
def test_each_usual_form_is_drawn(content: bytes) -> None:
    left, right = colors(content, (20, 100), (180, 100))
    assert close(RED, left)
    assert close(BLUE, right)


def test_grey_of_eight_and_sixteen_bits_is_drawn() -> None:
    deep = Image.fromarray(np.full((400, 400), 128 * 256, dtype=np.uint16))
    for content in (saved(deep, "PNG"), saved(Image.new("L", (400, 400), 128), "PNG"), saved(halves("1"), "PNG")):
        (color,) = colors(content, (100, 100))
        assert len(set(color)) == 1
    assert close((128, 128, 128), colors(saved(deep, "PNG"), (100, 100))[0], 2)


def test_what_shines_through_is_the_ground() -> None:
    clear = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    clear.paste((*RED, 255), (100, 100, 300, 300))
    palette = clear.convert("P")
    palette.info["transparency"] = palette.getpixel((0, 0))
    grey = Image.new("LA", (400, 400), (0, 0))
    grey.paste((90, 255), (100, 100, 300, 300))
    for image in (clear, palette):
        corner, middle = colors(saved(image, "PNG"), (2, 2), (100, 100))
        assert close(WHITE, corner, 3)
        assert close(RED, middle)
    corner, middle = colors(saved(grey, "PNG"), (2, 2), (100, 100))
    assert close(WHITE, corner, 3)
    assert close((90, 90, 90), middle)


@pytest.mark.parametrize(
    ("orientation", "red_at"),
    [
        (1, "left"),
        (2, "right"),
        (3, "right"),
        (4, "left"),
        (5, "top"),
        (6, "top"),
        (7, "bottom"),
        (8, "bottom"),
        (9, "left"),
    ],
)
def test_a_picture_stands_as_the_camera_was_held(orientation: int, red_at: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    points = {"left": (20, 100), "right": (180, 100), "top": (100, 20), "bottom": (100, 180)}
    (color,) = colors(saved(halves(), "JPEG", exif=exif), points[red_at])
    assert close(RED, color)


def test_colours_of_another_profile_are_turned_into_srgb() -> None:
    """A profile in which red and blue have changed places."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    turned = srgb.replace(b"rXYZ", b"xXYZ").replace(b"bXYZ", b"rXYZ").replace(b"xXYZ", b"bXYZ")
    for form in ("PNG", "JPEG"):
        left, right = colors(saved(halves(), form, icc_profile=turned), (20, 100), (180, 100))
        assert close(BLUE, left)
        assert close(RED, right)


def _png(width: int, height: int, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html></html>",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"\xff\xd8\xff",
        saved(halves(), "PNG")[:-300],
        saved(halves(), "JPEG")[:1000],
        saved(halves(), "WEBP")[:60],
        saved(halves(), "TIFF"),
        saved(halves(), "BMP"),
        saved(halves(), "PPM"),
        _png(0, 100, b""),
        _png(60_000, 60_000, zlib.compress(b"\0" * 1_000_000)),
        _png(6_000, 6_000, zlib.compress(b"\0" * 1_000_000)),
        _png(1_000_000, 1, zlib.compress(b"\0" * 3_000_001)),
        _png(100, 100, b"broken"),
    ],
    ids=range(18),
)
def test_what_is_no_picture_broken_or_too_large_is_not_drawn(content: bytes) -> None:
    assert photos.picture(content, SIZE, WHITE) is None


def _with_scans(count: int) -> bytes:
    """A progressive JPEG that says its last scan so often that there are `count`."""
    content = saved(halves(), "JPEG", progressive=True)
    begins = content.rindex(b"\xff\xda")
    return content[:-2] + content[begins:-2] * (count - content.count(b"\xff\xda")) + b"\xff\xd9"


def test_a_jpeg_has_so_many_scans_and_no_more() -> None:
    """Each is another way through all of it, for a few bytes: thousands would be minutes."""
    assert photos.picture(_with_scans(photos.MOST_SCANS), SIZE, WHITE) is not None
    assert photos.picture(_with_scans(photos.MOST_SCANS + 1), SIZE, WHITE) is None


@pytest.mark.parametrize(
    ("form", "size", "drawn"),
    [
        ("PNG", (4_032, 3_024), True),
        ("PNG", (4_032, 3_200), False),
        ("GIF", (4_032, 3_200), False),
        ("WEBP", (4_032, 3_200), False),
        ("JPEG", (5_400, 5_400), True),
        ("JPEG", (5_500, 5_500), False),
        ("JPEG", (19_000, 700), False),
    ],
)
def test_only_what_is_made_smaller_in_passing_may_be_large(form: str, size: tuple[int, int], drawn: bool) -> None:
    """A JPEG is, unless one of its sides is short."""
    options = {"method": 0, "quality": 0} if form == "WEBP" else {}
    content = saved(Image.new("L", size, 90), form, **options)
    assert drawn == (photos.picture(content, SIZE, WHITE) is not None)


def test_a_picture_on_plain_ground_is_shown_whole_on_that_ground() -> None:
    product = Image.new("RGB", (400, 800), (240, 235, 230))
    product.paste(RED, (100, 20, 300, 780))
    left, top = colors(saved(product, "PNG"), (2, 100), (100, 20))
    assert close((240, 235, 230), left, 3)
    assert close(RED, top)


def test_a_photograph_fills_everything() -> None:
    assert [True, True] == [
        close(color, expected)
        for color, expected in zip(colors(saved(halves(), "PNG"), (0, 0), (199, 199)), (RED, BLUE), strict=True)
    ]


def test_of_a_very_long_picture_no_more_than_half_is_cut_off() -> None:
    left, right = colors(saved(halves(size=(1200, 300)), "PNG"), (3, 100), (196, 100))
    assert close(RED, left)
    assert close(BLUE, right)


def test_a_tiny_picture_is_not_blown_up() -> None:
    corner, middle = colors(saved(halves(size=(40, 40)), "PNG"), (5, 5), (70, 100))
    assert WHITE == corner
    assert close(RED, middle)


@pytest.mark.parametrize("size", [(1, 1), (1, 5_000), (5_000, 1), (2, 3)])
def test_odd_sizes_are_drawn(size: tuple[int, int]) -> None:
    image: Callable[[], Image.Image] = lambda: halves(size=size)  # noqa: E731
    assert photos.picture(saved(image(), "PNG"), SIZE, WHITE) is not None
