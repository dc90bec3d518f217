"""Somebody's blog: a page on a foreign origin that carries the one line of embed code, for the demonstration.

Knows the embed line and the elements, and nothing else of Grapevine; served by the demonstration on an origin of its
own.
"""

import re
from html import escape
from importlib.resources import files

_PLACE = re.compile(r"\{\{(\w+)\}\}")


def render(
    api: str, wall: str, merchant: str, product: str, title: str = "Slow mornings", shop: str = "Vine & Thread"
) -> str:
    """The page as HTML, with the wall whose id is `wall` from the server at `api` (without a slash at its end), a
    product of it by itself, and a button that passes the page on for the merchant."""
    given = {"api": api, "wall": wall, "merchant": merchant, "product": product, "title": title, "shop": shop}
    words = {name: escape(text) for name, text in given.items()}
    page = (files(__name__) / "page.html").read_text("utf-8")
    return _PLACE.sub(lambda place: words[place[1]], page)
