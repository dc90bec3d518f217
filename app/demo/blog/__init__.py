"""Somebody's blog: a page on a foreign origin that carries the one line of embed code, for the demonstration.

Knows the embed line and nothing else of Grapevine; served by the demonstration on an origin of its own.
"""

import re
from html import escape
from importlib.resources import files

_PLACE = re.compile(r"\{\{(\w+)\}\}")


def render(api: str, wall: str, title: str = "Slow mornings", shop: str = "Vine & Thread") -> str:
    """The page as HTML, with the wall whose id is `wall` from the server at `api` (without a slash at its end)."""
    words = {"api": escape(api), "wall": escape(wall), "title": escape(title), "shop": escape(shop)}
    page = (files(__name__) / "page.html").read_text("utf-8")
    return _PLACE.sub(lambda place: words[place[1]], page)
