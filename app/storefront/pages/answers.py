"""Hosted pages by request: `/w/{wall}`, `/p/{product}`, `/thanks/{checkout}`, and friendly pages for every "no"."""

import asyncio
import secrets
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass

from app.kernel.errors import AppError, NotFound
from app.kernel.ids import merchant_of
from app.merchants import service as merchants
from app.orders.checkout import desk as checkout
from app.storefront import headers, look
from app.storefront.addresses import CLICK, is_click_of
from app.storefront.answers import Answer, Ask, Header, Prepared, plain, wire
from app.storefront.friendly import friendly
from app.storefront.pages.choices import NOTHING, Chosen
from app.storefront.pages.refusals import kind_of
from app.storefront.parts import Parts
from app.storefront.shelf import Shelf

MEMORY = 32 * 1024 * 1024
"""Bytes for hosted pages."""
HTML = "text/html; charset=utf-8"
STAND_IN = "clk_" + secrets.token_hex(15)
"""Stands in a kept page where each visitor's click id goes. Drawn anew by each process, so nobody can write it."""


class ClickPage:
    """A page that was rendered once, into which each visitor's click id is put."""

    __slots__ = ("_head", "_headers", "_parts", "size")

    def __init__(self, rendered: bytes, about: list[Header]) -> None:
        self._parts = rendered.split(STAND_IN.encode())
        # Click ids are all as long as the one that stands in for them, so the page's length is known before.
        self._headers = plain(200, rendered, HTML, headers.NO_STORE, *about).headers
        self._head = wire(self._headers)
        self.size = len(rendered)

    def for_click(self, click: str) -> Answer:
        """The whole page of the visitor with this click: nobody else may ever be shown it."""
        return Answer(200, self._headers, click.encode().join(self._parts), self._head)


Page = Prepared | ClickPage


@dataclass(frozen=True)
class PageKey:
    """Which page: of a wall, or of a product (as met on `wall_id`), in which language, for clicks or for all."""

    wall_id: str | None
    product_id: str | None
    language: str
    for_clicks: bool


class Hosted:
    """Answers with pages. A "no" is a friendly page too."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.here.database
        self._simulated = parts.here.settings.test_mode
        self._pool = parts.pool
        self._viewer = parts.viewer
        self._words = parts.words
        self._pages = parts.pages
        self._common = parts.common
        self._met = parts.met
        self._shelf: Shelf[PageKey, Page] = Shelf(self._build, parts.pool, MEMORY)

    @property
    def own(self) -> str:
        """The address of this server."""
        return self._viewer.own

    async def wall(self, ask: Ask, wall_id: str) -> Answer:
        """`/w/{wall}`."""
        return await self._page(ask, wall_id, None, wall_id)

    async def product(self, ask: Ask, product_id: str) -> Answer:
        """`/p/{product}`; `?wall=` says where it was met."""
        return await self._page(ask, ask.query.get("wall"), product_id, product_id)

    async def thanks(self, ask: Ask, checkout_id: str) -> Answer:
        """`/thanks/{checkout}`: what was bought, to pass on."""
        return await self.friendly(ask, self._thanked(ask, checkout_id))

    async def friendly(self, ask: Ask, answering: Awaitable[Answer]) -> Answer:
        """The answer, or a page that says why there is none."""
        return await friendly(answering, lambda refusal: self.no(ask, refusal))

    def no(self, ask: Ask, refusal: AppError, back: str | None = None) -> Answer:
        """The friendly page of a refusal, never kept by anybody. `back` leads to where the reader was."""
        body = self._pages.notice(kind_of(refusal), self.language(ask), back)
        again = [] if refusal.retry_after is None else [(b"retry-after", str(refusal.retry_after).encode())]
        return plain(refusal.status, body, HTML, headers.NO_STORE, *again, *self._common)

    def language(self, ask: Ask) -> str:
        """The visitor's language."""
        return self._words.asked(ask.headers.get("accept-language"))

    def prepare(self, rendered: bytes, style: str, for_clicks: bool, lives: Header, old: Page | None) -> Page:
        """A rendered page, ready to be given many times: to visitors with a click each, or the same to all. `style` is
        what stands in it beside its files (look.py)."""
        about = look.letting_in(style, self._common)
        if for_clicks:
            return ClickPage(rendered, about)
        known = old if isinstance(old, Prepared) else None
        return Prepared(rendered, HTML, [lives, headers.BY_LANGUAGE, *about], known)

    async def _thanked(self, ask: Ask, checkout_id: str) -> Answer:
        merchant_id = merchant_of(checkout_id, "chk")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._thank, ask, merchant_id, checkout_id)

    def _thank(self, ask: Ask, merchant_id: int, checkout_id: str) -> Answer:
        with self._database.reading() as session:
            merchant = merchants.get(session, merchant_id)
            bought = checkout.describe(session, merchant.merchant_id, checkout_id)
            shown = []
            for product_id in dict.fromkeys(line.product for line in bought.lines):
                with suppress(NotFound):  # it was there when it was bought
                    shown.append(self._viewer.product(session, product_id, bought.wall_id).card)
        via = bought.click_id if is_click_of(bought.click_id, merchant.merchant_id) else None
        page = self._pages.thanks(merchant, self.language(ask), shown, bought.wall_id, self._simulated, via)
        return plain(200, page, HTML, headers.NO_STORE, *self._common)

    async def _page(self, ask: Ask, wall_id: str | None, product_id: str | None, public_id: str) -> Answer:
        return await self.friendly(ask, self._find(ask, wall_id, product_id, public_id))

    async def _find(self, ask: Ask, wall_id: str | None, product_id: str | None, public_id: str) -> Answer:
        query, merchant_id = ask.query, merchant_of(public_id, "wall" if product_id is None else "prod")
        if product_id is not None:
            wall_id = await self._met.on(wall_id, product_id)
        click = query.get(CLICK)
        known = click if is_click_of(click, merchant_id) else None
        chosen = NOTHING if product_id is None else Chosen.of(query, merchant_id)
        if product_id is not None and chosen != NOTHING:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._again, ask, product_id, wall_id, known, chosen)
        page = await self._shelf.get(PageKey(wall_id, product_id, self.language(ask), known is not None))
        if isinstance(page, ClickPage):
            assert known is not None
            return page.for_click(known)
        return page.answer(ask)

    def _again(self, ask: Ask, product_id: str, wall_id: str | None, click: str | None, chosen: Chosen) -> Answer:
        """The page of a product as one person left it: made for them, and kept by nobody."""
        with self._database.reading() as session:
            product = self._viewer.product(session, product_id, wall_id)
        page = self._pages.product(product, self.language(ask), click, chosen=chosen)
        return plain(200, page, HTML, headers.NO_STORE, *self._common)

    def _build(self, key: PageKey, old: Page | None) -> Page:
        click = STAND_IN if key.for_clicks else None
        if key.product_id is not None:
            with self._database.reading() as session:
                product = self._viewer.product(session, key.product_id, key.wall_id)
            rendered, style = self._pages.product(product, key.language, click), ""
        else:
            with self._database.reading() as session:
                wall = self._viewer.wall(session, key.wall_id or "")
            rendered, style = self._pages.wall(wall, key.language, click), look.style_of(wall.wall.theme)
        return self.prepare(rendered, style, key.for_clicks, headers.SHORT_LIVED, old)
