"""What a wall's theme means for a page of ours, without scripts: its scheme, and a style for its accent. Pure.

The content policy lets no style into a page but its own files, so the few declarations of a theme are let in by
their hash (CSP 3, section 2.3.1).
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.storefront.answers import Header
from app.storefront.views import ProductView, WallView

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_SCHEMES = ("light", "dark")
_POLICY = b"content-security-policy"


def scheme_of(theme: Mapping[str, Any]) -> str | None:
    """`light` or `dark`, where the theme does not leave it to the reader's system."""
    scheme = theme.get("scheme")
    return scheme if scheme in _SCHEMES else None


def style_of(theme: Mapping[str, Any]) -> str:
    """The declarations that bring the merchant's own colour and corners; empty where there are none. The words on the
    colour follow from it (widgets/styles/cards.css)."""
    accent, radius = theme.get("accent"), theme.get("radius")
    said = []
    if isinstance(accent, str) and _COLOR.fullmatch(accent):
        said.append(f"--accent:{accent}")
    if isinstance(radius, int):
        said.append(f"--round:{radius}px")
    return f":root{{{';'.join(said)}}}" if said else ""


def style_of_page(seen: ProductView | WallView) -> str:
    """The style of the page on which it is seen: a wall's has its theme, as its element has."""
    return style_of(seen.wall.theme) if isinstance(seen, WallView) else ""


def source_of(style: str) -> str:
    """The word by which a content policy lets in just this style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def letting_in(style: str, headers: Sequence[Header]) -> list[Header]:
    """`headers` of a page with `style` in it."""
    if not style:
        return list(headers)
    allowed = f"; style-src 'self' {source_of(style)}".encode()
    return [(name, value + allowed if name == _POLICY else value) for name, value in headers]
