"""The feeds of a wall: JSON Feed (jsonfeed.org, 1.1) and Atom (RFC 4287) of the same items. Pure.

The newest first, whatever the order on the wall, under ids that stay: a reader of feeds shows what is new once. Texts
are texts: in the content of an item they are escaped. WebSub (W3C): a hub, where there is one, is named in both.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from xml.etree import ElementTree

from app.kernel.clock import rfc3339
from app.networks.wording import one_line

MOST_ITEMS = 100
"""A feed carries the newest of a wall; readers keep what they have seen."""

JSON_TYPE = "application/feed+json"
ATOM_TYPE = "application/atom+xml"

_JSON_FEED = "https://jsonfeed.org/version/1.1"
_ATOM = "http://www.w3.org/2005/Atom"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# XML 1.0, section 2.2: what may not stand in a document, however it is written.
_NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


@dataclass(frozen=True)
class Item:
    """A product of the wall. `id` stays whatever changes, `url` is where it is met on this wall."""

    id: str
    url: str
    title: str
    description: str
    price: str | None
    images: Sequence[str]
    tags: Sequence[str]
    published: datetime
    updated: datetime


@dataclass(frozen=True)
class Feed:
    """What both forms tell. `url` is the wall's own page, below which its feeds stand; `hub` is WebSub's."""

    title: str
    url: str
    shop: str
    language: str
    updated: datetime
    items: Sequence[Item] = field(default=())
    hub: str | None = None

    @property
    def json_url(self) -> str:
        return f"{self.url}/feed.json"

    @property
    def atom_url(self) -> str:
        return f"{self.url}/feed.xml"


def discovery(own: str, wall_id: str, title: str) -> list[dict[str, str]]:
    """The `<link>`s by which the page of a wall tells where its feeds are; attributes not yet escaped."""
    url = f"{own}/w/{wall_id}"
    return [
        {"rel": "alternate", "type": JSON_TYPE, "title": title, "href": f"{url}/feed.json"},
        {"rel": "alternate", "type": ATOM_TYPE, "title": title, "href": f"{url}/feed.xml"},
    ]


def as_json(feed: Feed) -> dict[str, object]:
    """JSON Feed 1.1."""
    document: dict[str, object] = {
        "version": _JSON_FEED,
        "title": _line(feed.title) or feed.url,
        "home_page_url": feed.url,
        "feed_url": feed.json_url,
        "language": feed.language,
        "authors": [{"name": _line(feed.shop)}],
        "items": [_json_item(item, feed.language) for item in feed.items],
    }
    return document | ({"hubs": [{"type": "WebSub", "url": feed.hub}]} if feed.hub else {})


def as_atom(feed: Feed) -> bytes:
    """Atom, in UTF-8."""
    root = ElementTree.Element("feed", {"xmlns": _ATOM, _XML_LANG: feed.language})
    _text(root, "id", feed.url)
    _text(root, "title", _line(feed.title) or feed.url)
    _text(root, "updated", rfc3339(feed.updated))
    _text(ElementTree.SubElement(root, "author"), "name", _line(feed.shop))
    _link(root, "self", feed.atom_url, ATOM_TYPE)
    _link(root, "alternate", feed.url, "text/html")
    if feed.hub:
        _link(root, "hub", feed.hub)
    for item in feed.items:
        _atom_entry(root, item)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def content_of(item: Item) -> str:
    """The item as HTML: its first picture, its price, its description by paragraphs."""
    parts = []
    if item.images:
        parts.append(f'<p><img src="{escape(item.images[0])}" alt="{escape(_line(item.title))}"></p>')
    if item.price:
        parts.append(f"<p><strong>{escape(_line(item.price))}</strong></p>")
    for paragraph in re.split(r"\n\s*\n", _clean(item.description)):
        if paragraph.strip():
            parts.append("<p>" + "<br>".join(escape(line.strip()) for line in paragraph.strip().splitlines()) + "</p>")
    return "\n".join(parts) or f"<p>{escape(_line(item.title))}</p>"


def _json_item(item: Item, language: str) -> dict[str, object]:
    said: dict[str, object | None] = {
        "id": item.id,
        "url": item.url,
        "title": _line(item.title),
        "content_html": content_of(item),
        "image": item.images[0] if item.images else None,
        "date_published": rfc3339(item.published),
        "date_modified": rfc3339(item.updated),
        "tags": [_line(tag) for tag in item.tags],
        "language": language,
    }
    return {name: value for name, value in said.items() if value}


def _atom_entry(root: ElementTree.Element, item: Item) -> None:
    entry = ElementTree.SubElement(root, "entry")
    _text(entry, "id", item.id)
    _text(entry, "title", _line(item.title))
    _text(entry, "published", rfc3339(item.published))
    _text(entry, "updated", rfc3339(item.updated))
    _link(entry, "alternate", item.url, "text/html")
    for tag in item.tags:
        ElementTree.SubElement(entry, "category", {"term": _line(tag)})
    _text(entry, "content", content_of(item), type="html")


def _text(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes).text = text


def _link(parent: ElementTree.Element, rel: str, href: str, media_type: str | None = None) -> None:
    kind = {} if media_type is None else {"type": media_type}
    ElementTree.SubElement(parent, "link", {"rel": rel, "href": href, **kind})


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _line(text: str) -> str:
    return _NOT_IN_XML.sub("", one_line(text))
