"""`/w/{wall}/embed`: where a merchant looks at a wall as it will be, chooses, and copies what to paste.

It needs no key: ids of walls are public, and so is all that stands here.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from app.storefront import headers
from app.storefront.addresses import check_name
from app.storefront.answers import Answer, Ask, Prepared
from app.storefront.embed_code import snippets as embed_code
from app.storefront.embed_code.snippets import DESIGNS, FRAMED, Design, Server, Shown, SnippetChoice
from app.storefront.pages.answers import HTML, Hosted
from app.storefront.parts import Parts
from app.storefront.shelf import Shelf
from app.storefront.views import WallView
from app.walls.looks import LAYOUTS, SCHEMES

MEMORY = 8 * 1024 * 1024
"""Bytes for pages."""
_LOOKED_AT = 12
"""So many of a wall's cards are read to find pictures for its own."""


@dataclass(frozen=True)
class Key:
    """Which wall's page, in which language, with what chosen on it."""

    wall_id: str
    language: str
    choice: SnippetChoice
    design: Design


class EmbedPage:
    """Answers with the page. Lives in the event loop; pages are built in the pool."""

    def __init__(self, parts: Parts, hosted: Hosted, server: Server) -> None:
        self._parts = parts
        self._hosted = hosted
        self._server = server
        self._shelf: Shelf[Key, Prepared] = Shelf(self._build, parts.pool, MEMORY)

    async def answer(self, ask: Ask, wall_id: str) -> Answer:
        """The page; `layout`, `theme` and `as` of the query are what was chosen on it."""
        query = ask.query
        key = Key(wall_id, self._hosted.language(ask), SnippetChoice.of(query), _design(query.get("as")))
        return await self._hosted.friendly(ask, self._answer(ask, key))

    async def _answer(self, ask: Ask, key: Key) -> Answer:
        check_name("walls", key.wall_id)
        return (await self._shelf.get(key)).answer(ask)

    def _build(self, key: Key, old: Prepared | None) -> Prepared:
        with self._parts.here.database.reading() as session:
            view = self._parts.viewer.wall(session, key.wall_id, _LOOKED_AT)
        page = self._page(view, key.language, key.choice, key.design)
        return Prepared(page, HTML, [headers.REVALIDATED, headers.BY_LANGUAGE, *self._parts.common], old)

    def _page(self, view: WallView, language: str, choice: SnippetChoice, design: Design) -> bytes:
        parts, words = self._parts, self._parts.words[language]
        shown = Shown(view.wall.wall_id, view.wall.title, view.wall.layout, view.total)
        return parts.pages.embedding(
            view.merchant.name,
            language,
            words["embed_code_title"].replace("{title}", view.wall.title),
            wall=shown,
            layouts=("", *LAYOUTS),
            themes=("", *SCHEMES),
            designs=DESIGNS,
            choice=choice,
            design=design,
            framed=design in FRAMED,
            frame=embed_code.frame_address("", shown, choice),
            height=embed_code.height(shown, choice),
            bones=embed_code.room(shown, choice),
            card=parts.picture(view, language),
            host=urlsplit(parts.viewer.own).netloc,
            snippets=embed_code.snippets(self._server, shown, choice, words),
        )


def _design(text: str | None) -> Design:
    return next((design for design in DESIGNS if design == text), "element")
