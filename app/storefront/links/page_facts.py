"""What a page of the merchant's own says of itself: title, description and picture, out of its head. Pure.

The page is foreign text: whatever it says stays words, only web addresses are believed to be pictures, and its length
and the time that it takes are bounded.
"""

import codecs
import re
from contextlib import suppress
from html.parser import HTMLParser
from time import thread_time
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from app.networks.wording import fit, one_line
from app.storefront.addresses import web_address

MOST_BYTES = 256 * 1024
"""Of a page that are read; networks look no further for a head either (facts.md)."""
MOST_SECONDS = 0.25
"""Of the processor's time for one page. The parser takes the square of the length of what never ends."""
LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 300
LONGEST_ADDRESS = 2048

_PIECE = 4096
_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_CHARSETS = ("iso-8859-", "windows-125", "cp125", "koi8-", "gb", "big5", "euc-", "shift_jis", "iso-2022-jp")
_TITLES = ("og:title", "twitter:title", "<title>")
_DESCRIPTIONS = ("og:description", "twitter:description", "description")
_IMAGES = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
_KNOWN = frozenset((*_TITLES, *_DESCRIPTIONS, *_IMAGES))


class PageFacts(NamedTuple):
    """What a page says of itself. `title` is never empty; `image` is an absolute web address."""

    title: str
    description: str
    image: str | None


def facts_of(body: bytes, content_type: str, address: str) -> PageFacts | None:
    """What the page that came from `address` says of itself; None where it is no page, or has no title."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in ("text/html", "application/xhtml+xml"):
        return None
    said = _said(_text(body[:MOST_BYTES], content_type))
    title = fit(one_line(_first(said, _TITLES)), LONGEST_TITLE)
    if not title:
        return None
    return PageFacts(title, fit(one_line(_first(said, _DESCRIPTIONS)), LONGEST_DESCRIPTION), _image(said, address))


def in_words(shop: str, address: str) -> PageFacts:
    """What can be said of a page that cannot be read: whose it is, and its address as one would say it."""
    url = urlsplit(address)
    last = unquote(url.path).rstrip("/").rpartition("/")[2]
    name = re.sub(r"\.[A-Za-z]{2,5}$|[-_+.]", " ", last)
    words = " · ".join(filter(None, (one_line(name), url.netloc)))
    return PageFacts(shop, fit(words, LONGEST_DESCRIPTION), None)


def _text(body: bytes, content_type: str) -> str:
    """The page as text: in the charset that the header names, else the page itself, else UTF-8."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")
    named = _CHARSET.search(content_type.encode("latin-1", "replace")) or _CHARSET.search(body[:1024])
    charset = named[1].decode().lower() if named else "utf-8"
    # As browsers do (WHATWG, Encoding): Latin-1 is Windows' own. Other codecs of Python's are none of the web's.
    charset = "cp1252" if charset in ("iso-8859-1", "us-ascii", "ascii", "latin1") else charset
    try:
        return body.decode(charset if charset.startswith(_CHARSETS) else "utf-8-sig", "replace")
    except LookupError:
        return body.decode("utf-8-sig", "replace")


def _said(text: str) -> dict[str, str]:
    head, since = _Head(), thread_time()
    with suppress(AssertionError):  # of Python 3.11's parser, which gives up at a section of no known kind (`<![x[`)
        for start in range(0, len(text), _PIECE):
            head.feed(text[start : start + _PIECE])
            if head.over or thread_time() - since > MOST_SECONDS:
                break
    return head.said


def _first(said: dict[str, str], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := said.get(name, "").strip())), "")


def _image(said: dict[str, str], address: str) -> str | None:
    try:
        image = web_address(urljoin(address, _first(said, _IMAGES))) if _first(said, _IMAGES) else None
    except ValueError:  # such as http://[broken
        return None
    return image if image is not None and len(image) <= LONGEST_ADDRESS else None


class _Head(HTMLParser):
    """Listens to the head of a page; of what is said twice, the first counts. `over` when the body begins."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: dict[str, str] = {}
        self.over = False
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title" and "<title>" not in self.said
        self.over = self.over or tag == "body"
        if tag == "meta" and not self.over:
            given = {name: value or "" for name, value in reversed(attrs)}
            name = (given.get("property") or given.get("name") or "").strip().lower()
            if name in _KNOWN and given.get("content"):
                self.said.setdefault(name, given["content"])

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        self.over = self.over or tag == "head"

    def handle_data(self, data: str) -> None:
        if self._in_title and not self.over:
            self.said["<title>"] = self.said.get("<title>", "") + data
