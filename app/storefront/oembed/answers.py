"""`GET /oembed`: what stands behind an address of ours, for whoever embeds it. Asking is never a visit."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.kernel.errors import AppError, BadRequest, NotFound
from app.kernel.http import problems
from app.kernel.ids import Malformed
from app.storefront import headers
from app.storefront.addresses import check_name
from app.storefront.answers import Answer, Ask, Header, plain
from app.storefront.links.page_facts import in_words
from app.storefront.oembed.document import Described, Target, document, most, target_of
from app.storefront.pages.heads import DRAWN
from app.storefront.parts import Parts
from app.storefront.shelf import Shelf
from app.storefront.views import PageView, ProductView, WallView

MEMORY = 8 * 1024 * 1024
"""Bytes for what is told of pages."""

_OF_A_WALL, _OF_A_PRODUCT, _OF_A_PAGE = (640, 720), (480, 640), (480, 240)
"""Width and height of frames, in CSS pixels, where there is room; with scripts they say how high they really are."""
_HEADERS: Sequence[Header] = (
    (b"cache-control", b"public, max-age=60"),
    (b"vary", b"Accept-Language"),
    headers.ANYWHERE,
    headers.NO_SNIFFING,
)


class FormatNotSpoken(AppError):
    status, code, title = 501, "format_not_supported", "Only JSON is spoken here"


@dataclass(frozen=True)
class Key:
    """What is to be told, in which language."""

    target: Target
    language: str


class OEmbed:
    """Answers for oEmbed. Lives in the event loop; what is told is read in the pool."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.here.database
        self._viewer = parts.viewer
        self._words = parts.words
        self._picture = parts.picture
        self._met = parts.met
        self._shelf: Shelf[Key, Described] = Shelf(self._read, parts.pool, MEMORY)

    async def answer(self, ask: Ask) -> Answer:
        """The description of `url`. A "no" is a problem that pages of any origin may read, too."""
        try:
            said = await self._document(ask)
        except (AppError, Malformed) as refusal:
            return _no(refusal if isinstance(refusal, AppError) else NotFound())
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        return plain(200, body, "application/json", *_HEADERS)

    def outdate_names(self) -> None:
        """Somebody is called otherwise, or not at all any more. Called in the loop."""
        self._shelf.outdate(lambda *_: True)

    async def _document(self, ask: Ask) -> dict[str, object]:
        query = ask.query
        url = query.get("url")
        if not url:
            raise BadRequest("url is missing: the address of a page of ours, percent-encoded.")
        if query.get("format", "json").lower() != "json":
            raise FormatNotSpoken
        target = target_of(url, self._viewer.own)
        if target is None:
            raise NotFound
        check_name(target.what, target.name)
        met = await self._met.on(target.wall, target.name) if target.what == "products" else None
        target = replace(target, wall=met)
        language = self._words.asked(ask.headers.get("accept-language"))
        told = await self._shelf.get(Key(target, language))
        return document(told, self._viewer.own, most(query.get("maxwidth")), most(query.get("maxheight")))

    def _read(self, key: Key, _: Described | None) -> Described:
        with self._database.reading() as session:
            return self._told(session, key.target, key.language)

    def _told(self, session: Session, target: Target, language: str) -> Described:
        viewer = self._viewer
        if target.what == "walls":
            wall = viewer.wall(session, target.name)
            return self._seen(wall, target, viewer.wall_url(wall.wall.wall_id), language)
        if target.what == "products":
            product = viewer.product(session, target.name, target.wall)
            return self._seen(product, target, product.card["url"], language)
        url, theirs = f"{viewer.own}/r/{target.name}", viewer.page(session, target.name)
        if theirs is not None:
            return self._merchants_page(theirs, target, url)
        view = viewer.referral(session, target.name)
        return self._seen(view.seen, target, url, language, view.said_by, view.referral.caption)

    def _seen(
        self,
        view: ProductView | WallView,
        target: Target,
        url: str,
        language: str,
        author: str | None = None,
        caption: str | None = None,
    ) -> Described:
        is_wall = isinstance(view, WallView)
        width, height = _OF_A_WALL if is_wall else _OF_A_PRODUCT
        spoken = self._words.of_locale(view.wall.locale if view.wall is not None else None, language)
        return Described(
            title=view.wall.title if isinstance(view, WallView) else view.card["title"],
            url=url,
            frame=self._viewer.own + target.path,
            shop=view.merchant.name,
            width=width,
            height=height,
            author=author,
            caption=caption,
            picture=(self._picture(view, spoken), *DRAWN),
        )

    def _merchants_page(self, view: PageView, target: Target, url: str) -> Described:
        facts, (width, height) = in_words(view.merchant.name, view.address), _OF_A_PAGE
        return Described(
            title=facts.description or facts.title,
            url=url,
            frame=self._viewer.own + target.path,
            shop=view.merchant.name,
            width=width,
            height=height,
            author=view.said_by,
            caption=view.referral.caption,
        )


def _no(error: AppError) -> Answer:
    about = [(name.lower().encode(), value.encode()) for name, value in problems.headers_of(error).items()]
    return plain(error.status, problems.body_of(error), problems.MEDIA_TYPE, headers.NO_STORE, headers.ANYWHERE, *about)
