"""The storefront, put together: one of each part, and the one place where both lanes find what answers."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from app.kernel.http.rates.counting import RateCounts
from app.kernel.outgoing import Guard
from app.kernel.runtime import Runtime
from app.kernel.wakeups import Wakeups
from app.merchants.directory import Directory
from app.privacy.sightings import Sightings
from app.storefront.answers import Answer, Ask, plain
from app.storefront.assets.files import Assets
from app.storefront.beacons.answers import Beacons
from app.storefront.embed_code.answers import EmbedPage
from app.storefront.embed_code.snippets import Server
from app.storefront.embeds.answers import Embeds
from app.storefront.feeds.answers import Feeds
from app.storefront.headers import SHORT_LIVED, page_headers
from app.storefront.links.answers import Links
from app.storefront.links.page_cards import PageCards
from app.storefront.live.hub import Hub
from app.storefront.me.answers import MePage
from app.storefront.met import Met
from app.storefront.oembed.answers import OEmbed
from app.storefront.pages.answers import HTML, Hosted
from app.storefront.pages.templates import Pages
from app.storefront.parts import Parts
from app.storefront.payloads import Payloads
from app.storefront.pictures.answers import Pictures
from app.storefront.views import Viewer
from app.storefront.words import Words

_BUILDERS = 4
"""Threads that build what is kept, apart from those in which endpoints wait for the database."""


class Storefront:
    """Everything that a shopper meets. `widgets` is the folder of elements, pages, styles and messages; shops are found
    in the `directory`."""

    def __init__(self, here: Runtime, widgets: Path, directory: Directory | None = None) -> None:
        self._pool = ThreadPoolExecutor(_BUILDERS, thread_name_prefix="grapevine-storefront")
        self._common = page_headers(here.settings.stripe_api_base, here.settings.public_url)
        self.guard = Guard(here.settings.outgoing_allow)
        self.rates = RateCounts(
            here.settings.rate_limits, here.settings.rate_limit_storage, here.settings.secret.encode()
        )
        self.sightings = Sightings(here.database, here.clock)
        words = Words(widgets / "messages")
        viewer = Viewer(here.settings.public_url)
        self.assets = Assets(widgets, here.settings.data_dir / "assets")
        self.pictures = Pictures(here, viewer, words, self.guard, widgets / "fonts", self._pool)
        self._pages = Pages(widgets / "pages", words, self.assets.prefix, viewer, self.pictures.address)
        self.live = Hub(here.database, viewer.own)
        self.words = words
        self.server = Server(viewer.own, self.assets.entry, self.assets.integrity)
        parts = Parts(
            here=here,
            viewer=viewer,
            words=words,
            pages=self._pages,
            picture=self.pictures.address,
            met=Met(here.database, self._pool),
            common=self._common,
            pool=self._pool,
        )
        self.hosted = Hosted(parts)
        self.payloads = Payloads(parts)
        self.embed_page = EmbedPage(parts, self.hosted, self.server)
        self.me = MePage(parts, self.hosted)
        self.embeds = Embeds(parts, self.assets)
        self.oembed = OEmbed(parts)
        self.feeds = Feeds(parts)
        self._page_cards = PageCards(self.guard, self._pages, self.hosted)
        self.links = Links(parts, self.hosted, self._page_cards, self.sightings)
        self.directory = directory or Directory(here.database)
        self.beacons = Beacons(here, self.directory)

    def listen(self, wakeups: Wakeups) -> None:
        """Hear of what changed, here or in another process, at once. Called in the loop."""
        loop = asyncio.get_running_loop()

        def shown(merchants: frozenset[int]) -> None:
            with suppress(RuntimeError):  # the loop was closed: nobody asks any more
                loop.call_soon_threadsafe(self.payloads.outdate, merchants)

        def named(merchants: frozenset[int]) -> None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._outdate_names, merchants)

        wakeups.hear("shown", shown)
        wakeups.hear("named", named)
        wakeups.hear("placed", lambda _: self.live.look())

    def _outdate_names(self, merchants: frozenset[int]) -> None:
        """Whoever asks next is told of nobody who is named no more."""
        self.links.outdate(merchants)
        self.embeds.outdate_names()
        self.oembed.outdate_names()

    async def home(self, ask: Ask) -> Answer:
        """`/`: what this server is, for whoever wonders."""
        page = self._pages.notice("home", self.hosted.language(ask))
        return plain(200, page, HTML, SHORT_LIVED, (b"vary", b"Accept-Language"), *self._common)

    async def favicon(self, _: Ask) -> Answer:
        """`/favicon.ico`: browsers ask for it unasked. There is none, and they need not ask again today."""
        return Answer(204, [(b"cache-control", b"public, max-age=86400")])

    async def settle(self) -> None:
        """Write what was counted and not written yet, before the recorder stops."""
        await self.links.settle()

    def close(self) -> None:
        """Let the threads go; what they have begun ends."""
        self.sightings.stop()
        self.pictures.close()
        self._page_cards.close()
        self.live.close()
        self._pool.shutdown(cancel_futures=True)
