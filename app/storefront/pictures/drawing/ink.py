"""The colour of words upon a colour that a merchant has chosen. Pure."""

_BOTH_READ_EQUALLY = 0.179
"""The relative luminance (WCAG 2.2) up to which white is read better, and above which black is."""


def ink_on(color: str) -> str:
    """White or black, whichever is read better on `#rrggbb`; as style sheets say it for pages (cards.css)."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (((part + 0.055) / 1.055) ** 2.4 if part > 0.04045 else part / 12.92 for part in parts)
    return "#000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _BOTH_READ_EQUALLY else "#fff"
