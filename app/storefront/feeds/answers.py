"""`GET /w/{wall}/feed.json` and `/feed.xml`: the newest products of a wall, for readers of feeds.

An item came when both it and its wall had been made. Likes and stock are not told, so a feed changes only when what
it tells does.
"""

import json
from dataclasses import dataclass
from typing import Literal

from app.catalog.models import Product
from app.kernel.ids import merchant_of
from app.merchants import service as merchants
from app.storefront import cards, headers
from app.storefront.addresses import check_name
from app.storefront.answers import Answer, Ask, Header, Prepared
from app.storefront.feeds import document as feeds
from app.storefront.feeds.document import ATOM_TYPE, JSON_TYPE, MOST_ITEMS, Feed, Item
from app.storefront.parts import Parts
from app.storefront.prices import speaker
from app.storefront.shelf import Shelf
from app.storefront.words import DEFAULT
from app.walls import service as walls
from app.walls.models import Wall

MEMORY = 16 * 1024 * 1024
"""Bytes for feeds."""

Form = Literal["json", "xml"]


@dataclass(frozen=True)
class Key:
    """Which wall's feed, in which form."""

    wall_id: str
    form: Form


class Feeds:
    """Answers with feeds. Lives in the event loop; they are built in the pool."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.here.database
        self._viewer = parts.viewer
        self._words = parts.words
        self._hub = parts.here.settings.websub_hub or None
        self._shelf: Shelf[Key, Prepared] = Shelf(self._build, parts.pool, MEMORY)

    async def answer(self, ask: Ask, wall_id: str, form: Form) -> Answer:
        """The feed of a wall. Raises `NotFound`, `Malformed`, `Unavailable`."""
        check_name("walls", wall_id)
        feed = await self._shelf.get(Key(wall_id, form))
        return feed.answer(ask)

    def _build(self, key: Key, old: Prepared | None) -> Prepared:
        feed = self._read(key.wall_id)
        if key.form == "xml":
            return Prepared(feeds.as_atom(feed), f"{ATOM_TYPE}; charset=utf-8", self._about(feed, feed.atom_url), old)
        body = json.dumps(feeds.as_json(feed), ensure_ascii=False, separators=(",", ":")).encode()
        return Prepared(body, JSON_TYPE, self._about(feed, feed.json_url), old)

    def _read(self, wall_id: str) -> Feed:
        with self._database.reading() as session:
            merchant = merchants.get(session, merchant_of(wall_id, "wall"))
            wall = walls.get(session, merchant.merchant_id, wall_id)
            shown = walls.products(session, wall)
        # One language for all: readers of feeds say none, and what they fetch is shown to many.
        language = self._words.of_locale(wall.locale, DEFAULT)
        newest = sorted(shown, key=lambda product: (product.created_at, product.product_id), reverse=True)
        items = [self._item(product, wall, language) for product in newest[:MOST_ITEMS]]
        return Feed(
            title=wall.title,
            url=self._viewer.wall_url(wall.wall_id),
            shop=merchant.name,
            language=wall.locale or language,
            updated=max([wall.updated_at, *(item.updated for item in items)]),
            items=items,
            hub=self._hub,
        )

    def _item(self, product: Product, wall: Wall, language: str) -> Item:
        card = cards.card(product, 0, self._viewer.product_url(product.product_id, wall), cards.WHOLE)
        published = max(product.created_at, wall.created_at)
        return Item(
            id=self._viewer.product_url(product.product_id),
            url=card["url"],
            title=card["title"],
            description=card["description"],
            price=speaker(language)(card["price"]) if card["price"] is not None else None,
            images=cards.pictures(product),
            tags=product.tags,
            published=published,
            updated=max(product.updated_at, published),
        )

    def _about(self, feed: Feed, url: str) -> list[Header]:
        links = [f'<{url}>; rel="self"', *([f'<{feed.hub}>; rel="hub"'] if feed.hub else [])]
        return [
            (b"cache-control", b"public, max-age=60"),
            (b"vary", b"Accept-Encoding"),
            (b"link", ", ".join(links).encode("ascii")),
            headers.ANYWHERE,
            headers.NO_SNIFFING,
        ]
