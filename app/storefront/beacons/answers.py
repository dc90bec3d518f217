"""Beacons: what is kept of what a page reports, and the touches that come of it.

attribution.md (touches of type `view`), api.md (Beacons). Facts go through the recorder and are answered after their
commit. Lives in the event loop.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from functools import lru_cache
from itertools import compress, islice
from time import monotonic
from typing import Final

from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool

from app.kernel import outbox
from app.kernel.as_of import writing_now
from app.kernel.clock import to_micros
from app.kernel.database import lost_a_race
from app.kernel.errors import NotFound, Unavailable
from app.kernel.ids import Malformed, merchant_of
from app.kernel.runtime import Runtime
from app.kernel.signing import Signer
from app.merchants.directory import Directory, Shop
from app.merchants.origins import allows_origin
from app.privacy import modes, signals, tokens
from app.privacy.modes import Touchpoint
from app.referrals import beacons, bots, view_touches
from app.referrals.beacons import NewBeacons, Report, Seen, Shown, Subject, Views, believed
from app.storefront.answers import Answer, Ask, Receive, plain
from app.storefront.beacons.body import Doorway
from app.storefront.beacons.reading import LARGEST_BODY, Entry, entries
from app.storefront.beacons.together import Together

log = logging.getLogger(__name__)

MOST_WAITING: Final = 10_000
"""Reports that may wait to be understood and written: half of what the recorder takes, so that there is always room for
a like or a visit, which waits for a part of a second behind them. Who has more to report is asked to come again."""
PATIENCE: Final = 5.0
"""Seconds after which a database that does not even say who is reported about counts as away."""
_LEAST: Final = 5
"""Reports: as much memory as a request takes beside them."""
_MOST_MERCHANTS: Final = 5
"""A page is one merchant's, who may have a shop or two beside it. What is reported of more is refused."""
_MOST_TOUCHING: Final = 4
"""Threads that write touches at once; the others are for those who like, share and buy."""
_MOST_CODES: Final = 20_000


class Beacons:
    """Answers for beacons."""

    def __init__(self, here: Runtime, directory: Directory) -> None:
        self._here = here
        self._directory = directory
        self._codes: dict[str, tuple[float, Shown]] = {}
        self._looks = Together(self._read)
        self._doorway = Doorway()
        self._waiting = 0
        self._touching = asyncio.Semaphore(_MOST_TOUCHING)

    async def answer(self, ask: Ask, receive: Receive) -> Answer:
        """How many were kept of what was reported, once they are on disk, and how many could not be.

        Raises `TooLarge`, `BadRequest` and `Invalid` for a body that is none, and `Unavailable`.
        """
        told = entries(await self._doorway.whole(ask, receive, LARGEST_BODY))
        if bots.is_machine("GET", ask.headers.get("user-agent"), ask.headers):
            return _accepted(0, len(told))
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too much is being reported at once; ask again in a moment.")
        weight = max(len(told), _LEAST)
        self._waiting += weight  # before anything is waited for: while a database stalls, nobody hears who goes away
        try:
            return await self._take(ask, told)
        finally:
            self._waiting -= weight

    async def _take(self, ask: Ask, told: Sequence[Entry | None]) -> Answer:
        try:
            async with asyncio.timeout(PATIENCE):
                about, shops = await self._about(told)
        except TimeoutError:
            raise Unavailable("The database is not available; ask again in a moment.") from None
        now = self._here.clock.now()
        reports = tuple(_reports(told, about, self._pages(ask, shops), to_micros(now)))
        stands = await self._keep(NewBeacons.of(reports, now)) if reports else []
        kept = sum(stands)
        return _accepted(kept, len(told) - kept)

    async def _about(self, told: Sequence[Entry | None]) -> tuple[list[Subject | None], Mapping[int, Shop]]:
        """What is reported about, and of whom."""
        cards = await self._shown({entry.code for entry in told if entry is not None and entry.code})
        about = [None if entry is None else _subject(entry, cards) for entry in told]
        merchants = dict.fromkeys([of.merchant_id for of in about if of is not None])
        return about, await self._shops(islice(merchants, _MOST_MERCHANTS))

    async def _keep(self, told: NewBeacons) -> list[bool]:
        """Write it, and the touches that come of it; whether each report stands."""
        stands = await self._here.recorder.record(told)
        if told.promises and (views := beacons.views(compress(told.reports, stands))):
            async with self._touching:
                await run_in_threadpool(self._touch, views, told.promises)
        return stands

    async def _shown(self, codes: Set[str]) -> Mapping[str, Shown]:
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
            found = await self._looks.find(codes - known.keys())
            if len(self._codes) + len(found) > _MOST_CODES:
                self._codes.clear()
            self._codes.update((code, (now, shown)) for code, shown in found.items())
            known |= {code: found[code] for code in codes & found.keys()}
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
        origin, says_no = ask.headers.get("origin"), signals.says_no(ask.headers)
        own = self._here.settings.public_url
        return {
            merchant: _Page(self._here.signer, shop, says_no)
            for merchant, shop in shops.items()
            if origin is None or allows_origin(shop.allowed_origins, origin, own)
        }

    def _read(self, codes: Set[str]) -> dict[str, Shown]:
        with self._here.database.reading() as session:
            return beacons.shown(session, codes)

    def _touch(self, views: Views, promises: Mapping[str, str]) -> None:
        """The reports are on disk: whoever heard of an error would tell them again, and they would count twice."""
        for visitor, seen in views.items():
            try:
                self._touch_once(visitor, seen, promises[visitor])
            except Exception as error:
                log.error("the views of a visitor are counted, and earn something only later", exc_info=error)

    def _touch_once(self, visitor: str, seen: Seen, promise: str, races: int = 3) -> None:
        """Again, where somebody else wrote the same at this moment."""
        try:
            with self._here.database.transaction() as session:
                now = writing_now(session, seen[0][0].merchant_id, self._here.clock)
                view_touches.touch(session, self._here.events, self._here.signer, visitor, seen, now)
                outbox.take_back(session, seen[0][0].merchant_id, promise)
        except DBAPIError as error:
            if not races or not lost_a_race(error):
                raise
        else:
            return
        self._touch_once(visitor, seen, promise, races - 1)


class _Page:
    """Who is behind the page that reports, to one merchant."""

    def __init__(self, signer: Signer, shop: Shop, says_no: bool) -> None:
        self._kept = modes.might_remember(Touchpoint.BEACON, shop.privacy, says_no)
        self._touches = modes.might_remember(Touchpoint.VIEW, shop.privacy, says_no)
        self._signer = signer
        self._merchant_id = shop.merchant_id
        self._visitors: dict[str | None, str | None] = {None: None}

    def visitor(self, token: str | None) -> str | None:
        """The visitor whom `token` proves; a page says the same one each time, which is looked at once."""
        if token not in self._visitors:
            self._visitors[token] = tokens.visitor_of(self._signer, token, self._merchant_id)
        return self._visitors[token]

    def report(self, subject: Subject, entry: Entry, at: int) -> Report:
        """What was reported, with whom as far as they might be remembered: a click is somebody's too."""
        matters = self._kept or (self._touches and subject.card is not None)
        who = self.visitor(entry.visitor) if matters else None
        kept = who if self._kept else None
        return Report(subject, None if kept is None else entry.click, kept, at, who)


def _reports(
    told: Sequence[Entry | None], about: Sequence[Subject | None], pages: Mapping[int, _Page], now: int
) -> Iterator[Report]:
    """What may be written: what names something, and comes from a page that may call its merchant."""
    for entry, subject in zip(told, about, strict=True):
        page = None if subject is None else pages.get(subject.merchant_id)
        if page is None or entry is None or subject is None:
            continue
        at = now if entry.at is None else believed(to_micros(entry.at), now)
        yield page.report(subject, entry, at)


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


def _accepted(kept: int, refused: int) -> Answer:
    return plain(202, b'{"kept":%d,"refused":%d}' % (kept, refused), "application/json")
