"""Pictures for the documentation, taken anew by `make pictures`: small files, so that a clone stays small."""

import io
import os
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import FloatRect, Page

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
WANTED: Final = bool(os.environ.get("PICTURES"))
_COLOURS: Final = 256


def picture(page: Page, name: str, clip: FloatRect | None = None) -> None:
    """Keep what is seen of `page`, or of `clip` in it, where pictures are wanted."""
    if WANTED:
        page.wait_for_function("[...document.images].every((image) => image.complete || image.loading === 'lazy')")
        page.wait_for_timeout(400)  # fades, and pictures in shadow trees
        page.mouse.move(0, 0)
        keep(page.screenshot(caret="hide", animations="disabled", clip=clip), name)


def keep(png: bytes, name: str) -> None:
    """Write a picture with a palette of its own."""
    IMAGES.mkdir(exist_ok=True)
    with Image.open(io.BytesIO(png)) as taken:
        small = taken.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        small.save(IMAGES / f"{name}.png", optimize=True)
