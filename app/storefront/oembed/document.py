"""oEmbed (oembed.com, 1.0): which page of ours an address means, and how it is described to whoever embeds it. Pure.

Always `rich`: a blockquote with a link, and a frame. WordPress keeps just these of a stranger's HTML (wp-includes/
embed.php, `wp_filter_oembed_result`), shows the blockquote until the frame tells its height, and puts its own sandbox
around the frame.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from app.networks.wording import one_line
from app.storefront.addresses import What

PATH = "/oembed"
CACHE_AGE = 3600
"""Seconds for which a description may be kept: the frame is always fresh, its title rarely changes."""

_PAGES: Mapping[str, What] = {"w": "walls", "p": "products", "r": "r"}
_USUAL_PORTS = (":80", ":443")
_ID = re.compile(r"[0-9A-Za-z_]{1,64}")
_LONGEST_QUERY = 8192


@dataclass(frozen=True)
class Target:
    """A page of ours; `wall` is where a product was met, if its address says so."""

    what: What
    name: str
    wall: str | None = None

    @property
    def path(self) -> str:
        """The frame of the same thing."""
        return f"/embed/{self.what}/{self.name}" + (f"?wall={self.wall}" if self.wall else "")


@dataclass(frozen=True)
class Described:
    """What is told of a page. `url` is its own address, `frame` that of its frame, as large as `width` and `height`
    where there is room; `picture` is (address, width, height)."""

    title: str
    url: str
    frame: str
    shop: str
    width: int
    height: int
    author: str | None = None
    caption: str | None = None
    picture: tuple[str, int, int] | None = None

    @property
    def size(self) -> int:
        return 2048 + len(self.title) + len(self.caption or "")


def discovery(own: str, page_url: str) -> list[dict[str, str]]:
    """The `<link>`s by which a page of ours tells where its embed is described (oEmbed 1.0, section 4).

    `own` is the address of this server, `page_url` the absolute address of the page; attributes as they stand in
    HTML, not yet escaped. There is no XML.
    """
    href = f"{own}{PATH}?url={quote(page_url, safe='')}&format=json"
    return [{"rel": "alternate", "type": "application/json+oembed", "href": href}]


def target_of(url: str, own: str) -> Target | None:
    """The page of ours that `url` means; None for any other address.

    By http or https, in any case of the host, with a query or a slash behind, and encoded once more than need be.
    """
    if url.lower().startswith(("http%3a", "https%3a")):
        url = unquote(url)
    try:
        parts = urlsplit(url.strip())
        host = _host(parts.netloc)
    except ValueError:  # such as http://[broken
        return None
    if parts.scheme not in ("http", "https") or host != _host(urlsplit(own).netloc):
        return None
    match parts.path.removesuffix("/").split("/"):
        case ["", page, name] if page in _PAGES and _ID.fullmatch(name):
            return Target(_PAGES[page], name, _wall(parts.query) if page == "p" else None)
    return None


def document(told: Described, own: str, max_width: int | None, max_height: int | None) -> dict[str, object]:
    """The answer, as JSON has it; nothing in it is wider or higher than allowed. What is not there is left out."""
    title = one_line(told.title)
    width, height = min(told.width, max_width or told.width), min(told.height, max_height or told.height)
    said: dict[str, object | None] = {
        "version": "1.0",
        "type": "rich",
        "title": title,
        "author_name": told.author and one_line(told.author),
        "provider_name": told.shop,
        "provider_url": own,
        "cache_age": CACHE_AGE,
        "width": width,
        "height": height,
        "html": _html(told, title, width, height),
    }
    if told.picture is not None and told.picture[1] <= (max_width or told.picture[1]):
        address, wide, high = told.picture
        if high <= (max_height or high):
            said |= {"thumbnail_url": address, "thumbnail_width": wide, "thumbnail_height": high}
    return {name: value for name, value in said.items() if value}


def most(text: str | None) -> int | None:
    """`maxwidth` or `maxheight`; None where it is no number that limits anything."""
    possible = text is not None and text.isascii() and text.isdecimal() and len(text) <= 6
    return int(text) or None if possible and text is not None else None


def _html(told: Described, title: str, width: int, height: int) -> str:
    words = f"{escape(one_line(told.caption))} " if told.caption else ""
    return (
        f'<blockquote>{words}<a href="{escape(told.url)}">{escape(title)}</a></blockquote>'
        f'<iframe src="{escape(told.frame)}" width="{width}" height="{height}" title="{escape(title)}"'
        ' frameborder="0" marginwidth="0" marginheight="0"></iframe>'
    )


def _wall(query: str) -> str | None:
    wall = dict(parse_qsl(query[:_LONGEST_QUERY])).get("wall", "")
    return wall if _ID.fullmatch(wall) else None


def _host(netloc: str) -> str:
    host = netloc.lower()
    return next((host.removesuffix(port) for port in _USUAL_PORTS if host.endswith(port)), host)
