"""`/w/{wall}/embed`: where a merchant looks at a wall as it will be, chooses, and copies what to paste.

It needs no key: ids of walls are public, and so is all that stands here.
"""

import asyncio
from concurrent.futures import Executor
from urllib.parse import urlsplit

from app.kernel.database import Database
from app.storefront import headers
from app.storefront.answers import Answer, Ask, Header, plain
from app.storefront.embed_code import snippets as embed_code
from app.storefront.embed_code.snippets import DESIGNS, FRAMED, Choice, Design, Server, Shown
from app.storefront.embeds.frames import LAYOUTS, THEMES
from app.storefront.pages.heads import PictureOf
from app.storefront.pages.hosted import HTML, Hosted
from app.storefront.pages.templates import Pages
from app.storefront.views import Viewer, WallView
from app.storefront.words import Words


class EmbedPage:
    """Answers with the page. It is made anew each time: merchants are few."""

    def __init__(
        self,
        database: Database,
        viewer: Viewer,
        words: Words,
        pages: Pages,
        hosted: Hosted,
        picture: PictureOf,
        server: Server,
        common: list[Header],
        pool: Executor,
    ) -> None:
        self._database = database
        self._viewer = viewer
        self._words = words
        self._pages = pages
        self._hosted = hosted
        self._picture = picture
        self._server = server
        self._common = common
        self._pool = pool

    async def answer(self, ask: Ask, wall_id: str) -> Answer:
        """The page; `layout`, `theme` and `as` of the query are what was chosen on it."""
        loop = asyncio.get_running_loop()
        return await self._hosted.friendly(ask, loop.run_in_executor(self._pool, self._made, ask, wall_id))

    def _made(self, ask: Ask, wall_id: str) -> Answer:
        with self._database.reading() as session:
            view = self._viewer.wall(session, wall_id)
            language, query = self._hosted.language(ask), ask.query
            page = self._page(view, language, Choice.of(query), _design(query.get("as")))
        return plain(200, page, HTML, headers.REVALIDATED, headers.BY_LANGUAGE, *self._common)

    def _page(self, view: WallView, language: str, choice: Choice, design: Design) -> bytes:
        words = self._words[language]
        shown = Shown(view.wall.wall_id, view.wall.title, view.wall.layout, len(view.cards))
        return self._pages.embedding(
            view.merchant.name,
            language,
            words["embed_code_title"].replace("{title}", view.wall.title),
            wall=shown,
            layouts=("", *LAYOUTS),
            themes=("", *THEMES),
            designs=DESIGNS,
            choice=choice,
            design=design,
            framed=design in FRAMED,
            frame=embed_code.frame_address("", shown, choice),
            height=embed_code.height(shown, choice),
            bones=embed_code.room(shown, choice),
            card=self._picture(view, language),
            host=urlsplit(self._viewer.own).netloc,
            snippets=embed_code.snippets(self._server, shown, choice, words),
        )


def _design(text: str | None) -> Design:
    return next((design for design in DESIGNS if design == text), "element")
