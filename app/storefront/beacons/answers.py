"""Beacons: what is kept of what a page reports, and the touches that come of it.

attribution.md (touches of type `view`), api.md (Beacons). Facts go through the recorder and are answered after their
commit. Lives in the event loop.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from itertools import compress
from time import monotonic
from typing import Final

from starlette.concurrency import run_in_threadpool

from app.kernel.clock import from_micros, to_micros
from app.kernel.errors import NotFound, Unavailable
from app.kernel.ids import Malformed, merchant_of
from app.kernel.runtime import Runtime
from app.kernel.signing import Signer
from app.merchants.directory import Directory, Shop
from app.merchants.origins import allows_origin
from app.privacy import signals, tokens
from app.referrals import beacons, bots
from app.referrals.beacons import NewBeacons, Report, Shown, Subject, believed
from app.storefront.answers import Answer, Ask, Receive, plain
from app.storefront.beacons.body import whole
from app.storefront.beacons.reading import LARGEST_BODY, Entry, entries

MOST_WAITING: Final = 10_000
"""Reports that may wait to be written: half of what the recorder takes, so that there is always room for a like or a
visit, which waits for a part of a second behind them. Who has more to report is asked to come again."""
_MOST_TOUCHING: Final = 4
"""Threads that write touches at once; the others are for those who like, share and buy."""
_MOST_CODES: Final = 20_000


class Beacons:
    """Answers for beacons."""

    def __init__(self, here: Runtime, directory: Directory) -> None:
        self._here = here
        self._directory = directory
        self._codes: dict[str, tuple[float, Shown]] = {}
        self._waiting = 0
        self._touching = asyncio.Semaphore(_MOST_TOUCHING)

    async def answer(self, ask: Ask, receive: Receive) -> Answer:
        """How many were kept of what was reported, once they are on disk, and how many could not be.

        Raises `TooLarge`, `BadRequest` and `Invalid` for a body that is none, and `Unavailable`.
        """
        told = entries(await whole(ask, receive, LARGEST_BODY))
        if bots.is_machine("GET", ask.headers.get("user-agent"), ask.headers):
            return _accepted(0, len(told))
        cards = await self._shown({entry.code for entry in told if entry is not None and entry.code})
        about = [None if entry is None else _subject(entry, cards) for entry in told]
        shops = await self._shops({of.merchant_id for of in about if of is not None})
        now = self._here.clock.now()
        reports = tuple(_reports(told, about, self._pages(ask, shops), to_micros(now)))
        stands = await self._keep(NewBeacons(reports, now)) if reports else []
        kept = sum(stands)
        return _accepted(kept, len(told) - kept)

    async def _keep(self, told: NewBeacons) -> list[bool]:
        """Write it, and the touches that come of it; whether each report stands."""
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too much is being reported at once; ask again in a moment.")
        self._waiting += len(told.reports)
        try:
            stands = await self._here.recorder.record(told)
            if views := _views(compress(told.reports, stands)):
                async with self._touching:
                    await run_in_threadpool(self._touch, views)
        finally:
            self._waiting -= len(told.reports)
        return stands

    async def _shown(self, codes: set[str]) -> Mapping[str, Shown]:
        """The referrals of these codes, as they were within the last second."""
        if not codes:
            return {}
        now = monotonic()
        known = {
            code: kept[1]
            for code in codes
            if (kept := self._codes.get(code)) is not None and now - kept[0] < beacons.FRESH_FOR
        }
        if len(known) < len(codes):
            found = await run_in_threadpool(self._read, codes - known.keys())
            if len(self._codes) + len(found) > _MOST_CODES:
                self._codes.clear()
            self._codes.update((code, (now, shown)) for code, shown in found.items())
            known |= found
        return known

    async def _shops(self, merchants: Iterable[int]) -> dict[int, Shop]:
        """The merchants of whom something is reported, as far as they are there."""
        found: dict[int, Shop] = {}
        for merchant in merchants:
            with suppress(NotFound):
                found[merchant] = await self._directory.find(merchant)
        return found

    def _pages(self, ask: Ask, shops: Mapping[int, Shop]) -> dict[int, "_Page"]:
        """The page that reports, to each of the merchants that let it."""
        origin, unknown = ask.headers.get("origin"), signals.says_no(ask.headers)
        own = self._here.settings.public_url
        return {
            merchant: _Page(self._here.signer, merchant, unknown or shop.privacy == "none")
            for merchant, shop in shops.items()
            if origin is None or allows_origin(shop.allowed_origins, origin, own)
        }

    def _read(self, codes: Iterable[str]) -> dict[str, Shown]:
        with self._here.database.reading() as session:
            return beacons.shown(session, codes)

    def _touch(self, views: "_Views") -> None:
        for visitor, seen in views.items():
            with self._here.database.transaction() as session:
                beacons.touch(session, self._here.events, visitor, seen, self._here.clock.now())


class _Page:
    """Who is behind the page that reports, to one merchant."""

    def __init__(self, signer: Signer, merchant_id: int, unknown: bool) -> None:
        self.unknown = unknown
        self._signer = signer
        self._merchant_id = merchant_id
        self._visitors: dict[str | None, str | None] = {None: None}

    def visitor(self, token: str | None) -> str | None:
        """The visitor whom `token` proves; a page says the same one each time, which is looked at once."""
        if token not in self._visitors:
            self._visitors[token] = tokens.visitor_of(self._signer, token, self._merchant_id)
        return self._visitors[token]


def _reports(
    told: Sequence[Entry | None], about: Sequence[Subject | None], pages: Mapping[int, _Page], now: int
) -> Iterator[Report]:
    """What may be written: what names something, and comes from a page that may call its merchant."""
    for entry, subject in zip(told, about, strict=True):
        page = None if subject is None else pages.get(subject.merchant_id)
        if page is None or entry is None or subject is None:
            continue
        at = now if entry.at is None else believed(to_micros(entry.at), now)
        if page.unknown:
            yield Report(subject, None, None, at)
        else:
            yield Report(subject, entry.click, page.visitor(entry.visitor), at)


def _subject(entry: Entry, cards: Mapping[str, Shown]) -> Subject | None:
    """What is named, where it is all one merchant's and there is anything."""
    card = None
    if entry.code is not None and (card := cards.get(entry.code)) is None:
        return None
    subject = _named(entry.type, entry.wall, entry.product, card)
    if subject is None or entry.click is None or _comes_to(entry.click) == subject.merchant_id:
        return subject
    return None


@lru_cache(maxsize=8192)
def _named(kind: str, wall: str | None, product: str | None, card: Shown | None) -> Subject | None:
    if wall is None and (kind == "wall_view" or (product is None and card is None)):
        return None
    named = set() if card is None else {card.merchant_id}
    try:
        named |= {merchant_of(each, prefix) for each, prefix in ((wall, "wall"), (product, "prod")) if each is not None}
    except Malformed:
        return None
    return Subject(named.pop(), kind, wall, product, card) if len(named) == 1 else None


@lru_cache(maxsize=1024)
def _comes_to(click: str) -> int | None:
    """To whom the click came."""
    try:
        return merchant_of(click, "clk")
    except Malformed:
        return None


_Views = dict[str, list[tuple[Shown, datetime]]]
"""What each visitor saw. A visitor is one merchant's."""


def _views(kept: Iterable[Report]) -> _Views:
    views: _Views = defaultdict(list)
    for report in kept:
        card = report.subject.card
        if card is None or card.is_withdrawn or report.visitor_id is None or report.subject.type != "card_view":
            continue
        views[report.visitor_id].append((card, from_micros(report.at)))
    return views


def _accepted(kept: int, refused: int) -> Answer:
    return plain(202, b'{"kept":%d,"refused":%d}' % (kept, refused), "application/json")
