"""`/cards/{id}.png`: the pictures that previews of links show, drawn when first asked for (drawing/).

Their addresses carry a digest of what is drawn, so that a changed price is a new picture to every cache. A merchant's
own picture is fetched through the guard (app/kernel/outgoing) and read apart; without it the card is drawn all the
same. Places are given out merchant by merchant: one whose server is slow waits for it alone.
"""

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from app.kernel.errors import NotFound, Unavailable
from app.kernel.ids import Malformed, merchant_of
from app.kernel.outgoing import Guard, Refused
from app.kernel.prices import written
from app.kernel.runtime import Runtime
from app.storefront import headers
from app.storefront.answers import Answer, Ask, Header, plain
from app.storefront.cards import MoneyDict
from app.storefront.pictures.apart import Apart, OfOneCard
from app.storefront.pictures.drawing.facts import MOST_PICTURES, CardFacts
from app.storefront.pictures.store import LIVES, TOO_DEAR_LIVES, UNFINISHED_LIVES, Drawn, Folder, Memory
from app.storefront.pictures.turns import Turns
from app.storefront.shelf import Shelf
from app.storefront.views import ProductView, Viewer, WallView
from app.storefront.words import DEFAULT, Words
from app.walls import service as walls

if TYPE_CHECKING:  # Pillow is loaded when the first one is drawn
    from app.storefront.pictures.drawing.card import Card

log = logging.getLogger(__name__)

Given = TypeVarTuple("Given")
Made = TypeVar("Made")

MEMORY = 4 * 1024 * 1024
"""Bytes for what is on the cards that were asked for last."""
PATIENCE = 3.0
"""Seconds for a foreign picture."""
LARGEST_PICTURE = 8 * 1024 * 1024
"""Bytes of a foreign picture."""
_DRAWERS = 2
"""Threads: one draws, the other looks into the folder."""
_MOST_IN_HAND = 8
"""Cards whose pictures are being fetched, or are there and wait to be drawn."""
_MOST_IN_HAND_OF_ONE = 2
"""Of the same merchant."""
_FETCHERS = _MOST_IN_HAND * MOST_PICTURES
_MOST_WAITING = 100
"""Cards that are being drawn or wait for it; who comes then shall come again. No merchant has more of these places
than are still free: one alone half of them, the next a fourth."""
_NOT_FOR_LONG: Header = (b"cache-control", b"public, max-age=60")
_PUBLIC: list[Header] = [headers.ANYWHERE, headers.EMBEDDABLE, headers.NO_SNIFFING]
_WALL = "wall_"


@dataclass(frozen=True)
class _Wanted:
    """Which card: of a wall, or of a product as met on a wall; in which language."""

    public_id: str
    met_on: str | None
    language: str


@dataclass(frozen=True)
class _Standing:
    """A wall that is there."""

    wall_id: str
    size: int = 500


class Pictures:
    """Draws and keeps the pictures of cards. `fonts` is the folder of ours; views are read in `pool`.

    Drawing and fetching have threads of their own: somebody's slow picture must not keep pages waiting.
    """

    def __init__(self, here: Runtime, viewer: Viewer, words: Words, guard: Guard, fonts: Path, pool: Executor) -> None:
        self._database = here.database
        self._viewer = viewer
        self._words = words
        self._guard = guard
        self._fonts = fonts
        self._facts: Shelf[_Wanted, CardFacts] = Shelf(self._read, pool, MEMORY)
        self._walls: Shelf[str, _Standing] = Shelf(self._stands, pool, MEMORY)
        self._memory = Memory()
        self._folder = Folder(here.settings.data_dir / "cache" / "cards", here.clock)
        self._drawers = ThreadPoolExecutor(_DRAWERS, thread_name_prefix="grapevine-cards")
        self._fetchers = ThreadPoolExecutor(_FETCHERS, thread_name_prefix="grapevine-pictures")
        self._apart = Apart()
        self._in_hand = Turns(_MOST_IN_HAND, _MOST_IN_HAND_OF_ONE)
        self._drawing = Turns(1, 1)
        self._under_way: dict[str, asyncio.Task[Drawn]] = {}
        self._of_each: Counter[int] = Counter()
        """Cards under way, by merchant."""
        self._closed = False

    def address(self, view: ProductView | WallView, language: str) -> str:
        """Where the picture of `view` stands: absolute, another one as soon as it looks different. Pure."""
        facts = self.facts(view, language)
        query = f"v={facts.digest}&lang={language}"
        if isinstance(view, WallView):
            return f"{self._viewer.own}/cards/{view.wall.wall_id}.png?{query}"
        if view.wall is not None and (facts.accent, facts.dark) != _theme(None):  # its colours are the wall's
            query += f"&wall={view.wall.wall_id}"
        return f"{self._viewer.own}/cards/{view.card['id']}.png?{query}"

    def facts(self, view: ProductView | WallView, language: str) -> CardFacts:
        """What is drawn of `view`. Pure."""
        accent, dark = _theme(view.wall.theme if view.wall is not None else None)
        shop = view.merchant.name
        if isinstance(view, WallView):
            pictures = [card["image"] for card in view.cards if card["image"]]
            return CardFacts(view.wall.title, shop, tuple(pictures[:MOST_PICTURES]), accent=accent, dark=dark)
        card = view.card
        price, before = card["price"], card["compare_at"]
        lower = price is not None and before is not None and price["amount"] < before["amount"]
        return CardFacts(
            title=card["title"],
            shop=shop,
            pictures=(card["image"],) if card["image"] else (),
            price=_said(price, language),
            before=_said(before, language) if lower else None,
            sold_out=self._words[language]["sold_out"] if card["sold_out"] else None,
            accent=accent,
            dark=dark,
        )

    async def answer(self, ask: Ask, public_id: str) -> Answer:
        """The picture of a product or wall. Raises `NotFound`, `Malformed`; `Unavailable` while too many are drawn.

        For ever good under the digest of what is on it; under any other, it is the present one, not to be kept long.
        """
        query = ask.query
        language = self._words.of_locale(query.get("lang"), DEFAULT)
        merchant = merchant_of(public_id, "wall", "prod")
        met_on = None if public_id.startswith(_WALL) else await self._standing(query.get("wall", ""), merchant)
        facts = await self._facts.get(_Wanted(public_id, met_on, language))
        drawn = self._memory.get(facts.digest) or await self._drawn(facts, merchant)
        lives = headers.IMMUTABLE if drawn.whole and query.get("v") == facts.digest else _NOT_FOR_LONG
        tag = b'"%s"' % hashlib.blake2b(drawn.png, digest_size=16).hexdigest().encode()
        about = [lives, (b"etag", tag), *_PUBLIC]
        known = ask.headers.get("if-none-match", "")
        if known.strip() == "*" or tag in known.encode("latin-1", "replace"):
            return Answer(304, about)
        return plain(200, drawn.png, "image/png", *about)

    def close(self) -> None:
        """Let the threads go; what they have begun ends."""
        self._closed = True
        self._drawers.shutdown(wait=False, cancel_futures=True)
        self._fetchers.shutdown(wait=False, cancel_futures=True)
        self._apart.close()

    async def _standing(self, wall_id: str, merchant: int) -> str | None:
        """`wall_id` where that is a wall of `merchant`'s that is there: what anybody writes there must not fill the
        memory."""
        try:
            return (await self._walls.get(wall_id)).wall_id if merchant_of(wall_id, "wall") == merchant else None
        except (Malformed, NotFound):
            return None

    async def _drawn(self, facts: CardFacts, merchant: int) -> Drawn:
        """Drawn once, however many ask for it; waiting cancels nothing."""
        task = self._under_way.get(facts.digest)
        if task is None:
            if self._of_each[merchant] >= _MOST_WAITING - len(self._under_way):
                raise Unavailable("Too many pictures are being drawn; ask again in a moment.")
            self._of_each[merchant] += 1
            task = self._under_way[facts.digest] = asyncio.create_task(self._renew(facts, merchant))
        return await asyncio.shield(task)

    async def _renew(self, facts: CardFacts, merchant: int) -> Drawn:
        try:
            drawn = await self._in(self._drawers, self._folder.get, facts.digest)
            if drawn is None:
                async with self._in_hand.turn(merchant):
                    fetching = [self._in(self._fetchers, self._fetched, merchant, each) for each in facts.pictures]
                    contents = await asyncio.gather(*fetching)
                    async with self._drawing.turn(merchant):
                        drawn = await self._in(self._drawers, self._make, facts, contents)
            self._memory.put(facts.digest, drawn)
            return drawn
        finally:
            self._under_way.pop(facts.digest, None)
            self._of_each[merchant] -= 1
            self._of_each += Counter()  # forgets those who have none

    def _in(self, pool: Executor, make: Callable[[*Given], Made], *given: *Given) -> asyncio.Future[Made]:
        """What `make` makes in a thread of `pool`; from the end on, who asks is cancelled like those who wait there."""
        if self._closed:
            raise asyncio.CancelledError
        return asyncio.get_running_loop().run_in_executor(pool, make, *given)

    def _read(self, wanted: _Wanted, _: CardFacts | None) -> CardFacts:
        with self._database.reading() as session:
            if wanted.public_id.startswith(_WALL):
                return self.facts(self._viewer.wall(session, wanted.public_id), wanted.language)
            return self.facts(self._viewer.product(session, wanted.public_id, wanted.met_on), wanted.language)

    def _stands(self, wall_id: str, _: _Standing | None) -> _Standing:
        with self._database.reading() as session:
            return _Standing(walls.get(session, merchant_of(wall_id, "wall"), wall_id).wall_id)

    def _make(self, facts: CardFacts, contents: list[bytes | None]) -> Drawn:
        read = OfOneCard(self._apart)
        png, whole = self._card.draw(facts, contents, read)
        if whole:
            self._folder.put(facts.digest, png)
        lives = LIVES if whole else TOO_DEAR_LIVES if read.is_too_dear else UNFINISHED_LIVES
        return Drawn(png, whole, time.monotonic() + lives)

    def _fetched(self, merchant: int, address: str) -> bytes | None:
        try:
            found = self._guard.get(
                address, most_bytes=LARGEST_PICTURE, seconds=PATIENCE, accept=["image/*"], of=merchant
            )
        except Refused as refusal:
            log.info("a picture was not fetched: %s: %s", address, refusal)
            return None
        return found.body or None

    @cached_property
    def _card(self) -> "Card":
        from app.storefront.pictures.drawing.card import Card
        from app.storefront.pictures.drawing.faces import Faces

        return Card(Faces(self._fonts))


def _theme(theme: dict[str, object] | None) -> tuple[str, bool]:
    """The accent and whether the ground is dark."""
    accent = (theme or {}).get("accent")
    return str(accent or CardFacts.accent).lower(), (theme or {}).get("scheme") == "dark"


def _said(money: MoneyDict | None, language: str) -> str | None:
    return None if money is None else written(money["amount"], money["currency"], language)
