"""The storefront, put together: one of each part, and the one place where both lanes find what answers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.kernel.runtime import Runtime
from app.storefront.answers import Answer, Ask, plain
from app.storefront.assets import Assets
from app.storefront.headers import SHORT_LIVED, page_headers
from app.storefront.hosted import HTML, Hosted
from app.storefront.links import Links
from app.storefront.pages import Pages
from app.storefront.payloads import Payloads
from app.storefront.views import Viewer
from app.storefront.words import Words

_BUILDERS = 4
"""Threads that build what is kept, apart from those in which endpoints wait for the database."""


class Storefront:
    """Everything that a shopper meets. `widgets` is the folder of elements, pages, styles and messages."""

    def __init__(self, here: Runtime, widgets: Path) -> None:
        self._pool = ThreadPoolExecutor(_BUILDERS, thread_name_prefix="grapevine-storefront")
        self._common = page_headers(here.settings.stripe_api_base)
        words = Words(widgets / "messages")
        viewer = Viewer(here.settings.public_url)
        self.assets = Assets(widgets)
        self._pages = Pages(widgets / "pages", words, self.assets.prefix, viewer)
        self.payloads = Payloads(here.database, viewer, words, self._pool)
        self.hosted = Hosted(here, viewer, words, self._pages, self._common, self._pool)
        self.links = Links(here, viewer, self._pages, self.hosted, self._pool)

    async def home(self, ask: Ask) -> Answer:
        """`/`: what this server is, for whoever wonders."""
        page = self._pages.notice("home", self.hosted.language(ask))
        return plain(200, page, HTML, SHORT_LIVED, (b"vary", b"Accept-Language"), *self._common)

    async def favicon(self, _: Ask) -> Answer:
        """`/favicon.ico`: browsers ask for it unasked. There is none, and they need not ask again today."""
        return Answer(204, [(b"cache-control", b"public, max-age=86400")])

    def close(self) -> None:
        """Let the threads go; what they have begun ends."""
        self._pool.shutdown(cancel_futures=True)
