"""The ways in which a wall can look, by the words of the API. Pure."""

from typing import Final, Literal, get_args

Layout = Literal["grid", "list", "carousel", "single"]
LAYOUTS: Final[tuple[Layout, ...]] = get_args(Layout)

Scheme = Literal["light", "dark", "auto"]
"""`auto` follows the visitor's system."""
SCHEMES: Final[tuple[Scheme, ...]] = get_args(Scheme)


def layout_of(text: str | None) -> Layout | None:
    """The layout that `text` names, if it names one."""
    return next((layout for layout in LAYOUTS if layout == text), None)


def scheme_of(text: str | None) -> Scheme | None:
    """The scheme that `text` names, if it names one."""
    return next((scheme for scheme in SCHEMES if scheme == text), None)
