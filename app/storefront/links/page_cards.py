"""Link cards of pages of the merchant's own, for machines that follow a link to one: what the page says of itself,
read through the guard (app/kernel/outgoing/) and kept for a while.

Lives in the event loop; pages are read in threads of its own, so that a slow site holds nobody else up.
"""

import asyncio
import logging
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import NamedTuple

from app.kernel.outgoing import Guard
from app.merchants.origins import allows_page
from app.storefront import headers
from app.storefront.answers import Answer, Ask, Prepared
from app.storefront.links.page_facts import MOST_BYTES, PageFacts, facts_of, in_words
from app.storefront.pages.answers import Hosted
from app.storefront.pages.templates import Pages
from app.storefront.views import PageView

log = logging.getLogger(__name__)

KEPT_FOR = 600.0
"""Seconds that what a page says of itself is believed."""
FAILED_FOR = 60.0
"""Seconds until a page that could not be read is asked again."""
PATIENCE = 4.0
"""Seconds that a machine waits; networks give up after five or so."""

_READERS = 2
_MOST_WAITING = 32
_MOST_KEPT = 2000
_SECONDS = 3.0
_ACCEPT = ("text/html", "application/xhtml+xml")


class _Known(NamedTuple):
    facts: PageFacts | None
    until: float


class PageCards:
    """Answers machines with link cards of merchants' pages."""

    def __init__(self, guard: Guard, pages: Pages, hosted: Hosted) -> None:
        self._guard = guard
        self._pages = pages
        self._hosted = hosted
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="grapevine-reader")
        self._known: OrderedDict[tuple[int, str], _Known] = OrderedDict()
        self._under_way: dict[tuple[int, str], asyncio.Task[PageFacts | None]] = {}

    async def answer(self, ask: Ask, view: PageView) -> Answer:
        """The link card, canonical to the link itself; what cannot be read is said in words."""
        facts = await self.facts(view) or in_words(view.merchant.name, view.address)
        card = self._pages.merchants_page(view, facts, self._hosted.language(ask))
        page = self._hosted.prepare(card, "", False, headers.REVALIDATED, None)
        assert isinstance(page, Prepared)
        return page.answer(ask)

    async def facts(self, view: PageView) -> PageFacts | None:
        """What the page says of itself; None where it cannot be read, or not in time."""
        key = (view.merchant.merchant_id, view.address)
        known = self._known.get(key)
        if known is not None and monotonic() < known.until:
            self._known.move_to_end(key)
            return known.facts
        task = self._under_way.get(key)
        if task is None:
            if len(self._under_way) >= _MOST_WAITING:
                return None
            task = self._under_way[key] = asyncio.create_task(self._learn(key, view))
        # Waiting cancels nothing: others may wait for the same.
        await asyncio.wait({task}, timeout=PATIENCE)
        return task.result() if task.done() else None

    def close(self) -> None:
        """Let the threads go; what they have begun ends."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _learn(self, key: tuple[int, str], view: PageView) -> PageFacts | None:
        try:
            facts = await asyncio.get_running_loop().run_in_executor(self._pool, self._look, view)
        except Exception as trouble:
            log.info("%s cannot be read: %s", view.address, trouble)
            facts = None
        finally:
            self._under_way.pop(key, None)
        self._known[key] = _Known(facts, monotonic() + (FAILED_FOR if facts is None else KEPT_FOR))
        self._known.move_to_end(key)
        while len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)
        return facts

    def _look(self, view: PageView) -> PageFacts | None:
        merchant = view.merchant
        page = self._guard.get(
            view.address,
            most_bytes=MOST_BYTES,
            seconds=_SECONDS,
            accept=_ACCEPT,
            whole=False,
            of=merchant.merchant_id,
        )
        # A site that sends readers on to anybody must not put their words on a card of the merchant's.
        if page.status != 200 or not allows_page(merchant.allowed_origins, merchant.return_urls, page.address):
            return None
        return facts_of(page.body, page.content_type, page.address)
