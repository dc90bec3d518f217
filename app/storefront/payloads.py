"""Widget payloads: `GET /v1/walls/{id}/widget`, `/v1/products/{id}/widget` and `/v1/merchants/{id}/sharing`, kept
ready as bytes by language.

One second at most lies between a change and its sight, in every process; what is kept is also given while the
database is away. Which pages may read them is decided for each request, outside the bytes.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from app.kernel.ids import merchant_of
from app.merchants import service as merchants
from app.merchants.models import Merchant
from app.merchants.origins import allows_origin
from app.merchants.sharing import Sharing
from app.storefront import headers
from app.storefront.answers import Answer, Ask, Header, Prepared
from app.storefront.parts import Parts
from app.storefront.shelf import Shelf
from app.storefront.views import WallView

MEMORY = 48 * 1024 * 1024
"""Bytes for payloads. A wall of a thousand cards takes about one million."""

_TOGETHER = 0.2
"""Seconds between two times at which changes are put into effect."""

_HEADERS: list[Header] = [
    headers.SHORT_LIVED,
    (b"vary", b"Accept-Encoding, Accept-Language, Origin"),
    headers.NO_SNIFFING,
]

What = Literal["wall", "product", "merchant"]
Key = tuple[What, str, str]
"""What, its id, the visitor's language."""
_PREFIXES: Mapping[What, str] = {"wall": "wall", "product": "prod", "merchant": "mer"}


@dataclass(frozen=True, slots=True)
class _Payload:
    prepared: Prepared
    allowed_origins: tuple[str, ...]
    merchant_id: int

    @property
    def size(self) -> int:
        return self.prepared.size


class Payloads:
    """Answers the three calls. Lives in the event loop; payloads are built in the pool."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.here.database
        self._viewer = parts.viewer
        self._words = parts.words
        self._shelf: Shelf[Key, _Payload] = Shelf(self._build, parts.pool, MEMORY)
        self._changed: frozenset[int] | None = None  # of which merchants; empty: of any
        self._outdating: asyncio.TimerHandle | None = None
        self._documents: Mapping[What, Callable[[Session, str, str], tuple[Merchant, Mapping[str, object]]]]
        self._documents = {"wall": self._wall, "product": self._product, "merchant": self._merchant}

    async def wall(self, ask: Ask, wall_id: str) -> Answer:
        """The payload of a wall. Raises `NotFound`, `Malformed`, `Unavailable`."""
        return await self._answer(ask, "wall", wall_id)

    async def product(self, ask: Ask, product_id: str) -> Answer:
        """The payload of one product. Raises the same."""
        return await self._answer(ask, "product", product_id)

    async def merchant(self, ask: Ask, merchant_id: str) -> Answer:
        """What a share button needs of a merchant. Raises the same."""
        return await self._answer(ask, "merchant", merchant_id)

    def outdate(self, merchants: frozenset[int]) -> None:
        """What is shown of these merchants, or of any where none is named, has changed. Called in the loop. Of many
        changes some are put together: each may mean that a wall is built anew."""
        self._changed = merchants if self._changed is None else _both(self._changed, merchants)
        if self._outdating is None:
            self._outdate()

    def _outdate(self) -> None:
        self._outdating = None
        changed, self._changed = self._changed, None
        if changed is not None:
            self._shelf.outdate(lambda key, kept: not changed or _merchant_of(key, kept) in changed)
            self._outdating = asyncio.get_running_loop().call_later(_TOGETHER, self._outdate)

    def ready(self, ask: Ask, what: What, public_id: str) -> Answer | None:
        """The answer where it takes no wait."""
        payload = self._shelf.at_once(self._key(ask, what, public_id))
        return None if payload is None else self._given(ask, payload)

    async def _answer(self, ask: Ask, what: What, public_id: str) -> Answer:
        key = self._key(ask, what, public_id)
        return self._given(ask, self._shelf.ready(key) or await self._get(key))

    def _key(self, ask: Ask, what: What, public_id: str) -> Key:
        return what, public_id, self._words.asked(ask.headers.get("accept-language"))

    def _given(self, ask: Ask, payload: _Payload) -> Answer:
        origin = ask.headers.get("origin")
        if origin is not None and allows_origin(payload.allowed_origins, origin, self._viewer.own):
            return payload.prepared.answer(ask, (b"access-control-allow-origin", origin.encode("latin-1")))
        return payload.prepared.answer(ask)

    async def _get(self, key: Key) -> _Payload:
        merchant_of(key[1], _PREFIXES[key[0]])  # what can be no id is not even looked for
        return await self._shelf.get(key)

    def _build(self, key: Key, old: _Payload | None) -> _Payload:
        what, public_id, language = key
        with self._database.reading() as session:
            merchant, document = self._documents[what](session, public_id, language)
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        prepared = Prepared(body, "application/json", _HEADERS, old.prepared if old is not None else None)
        return _Payload(prepared, tuple(merchant.allowed_origins), merchant.merchant_id)

    def _wall(self, session: Session, wall_id: str, asked: str) -> tuple[Merchant, Mapping[str, object]]:
        view = self._viewer.wall(session, wall_id)
        language = self._words.of_locale(view.wall.locale, asked)
        return view.merchant, {
            "merchant": view.merchant.public_id,
            "wall": self._about(view, language),
            "cards": view.cards,
            **sharing(view.merchant.sharing_settings),
            "words": self._words.for_widgets(language),
        }

    def _about(self, view: WallView, language: str) -> Mapping[str, object]:
        wall = view.wall
        return {
            "id": wall.wall_id,
            "title": wall.title,
            "layout": wall.layout,
            "theme": {name: value for name, value in wall.theme.items() if value is not None},
            "locale": wall.locale or language,
            "url": self._viewer.wall_url(wall.wall_id),
        }

    def _product(self, session: Session, product_id: str, language: str) -> tuple[Merchant, Mapping[str, object]]:
        view = self._viewer.product(session, product_id)
        return view.merchant, {
            "merchant": view.merchant.public_id,
            "product": view.card,
            **sharing(view.merchant.sharing_settings),
            "words": self._words.for_widgets(language),
        }

    def _merchant(self, session: Session, public_id: str, language: str) -> tuple[Merchant, Mapping[str, object]]:
        merchant = merchants.by_public_id(session, public_id)
        return merchant, {
            "merchant": merchant.public_id,
            **sharing(merchant.sharing_settings),
            "words": self._words.for_widgets(language),
        }


def _both(some: frozenset[int], others: frozenset[int]) -> frozenset[int]:
    return some | others if some and others else frozenset()


def _merchant_of(key: Key, kept: _Payload | None) -> int:
    """Ids are taken apart only where nothing is kept yet: thousands are looked at in the event loop."""
    return merchant_of(key[1]) if kept is None else kept.merchant_id


def sharing(settings: Sharing) -> Mapping[str, object]:
    """What the share sheet is told: the networks in the merchant's order, and whether a share may be rewarded."""
    networks = [{"id": each.id, "name": each.name, "color": each.color} for each in settings.offered()]
    return {"networks": networks, "sharing": settings.told()}
