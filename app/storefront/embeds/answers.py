"""The iframe forms (api.md): `/embed/walls/{id}`, `/embed/products/{id}`, `/embed/r/{code}`. For pages without scripts.

Server-rendered, without storage, cookies or forms: whatever is pressed leads to a hosted page at the top. Who may
frame them is the merchant's list. Showing one is never a visit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.errors import AppError
from app.merchants.origins import ANY
from app.storefront import headers, look
from app.storefront.addresses import What, check_name
from app.storefront.answers import Answer, Ask, Header, Prepared, plain
from app.storefront.assets.files import Assets
from app.storefront.embeds import frames
from app.storefront.embeds.frames import Frame, FrameChoice
from app.storefront.friendly import friendly
from app.storefront.pages.answers import HTML
from app.storefront.parts import Parts
from app.storefront.shelf import Shelf

MEMORY = 32 * 1024 * 1024
"""Bytes for frames."""

_SHEETS = ("cards", "embed")


@dataclass(frozen=True)
class FrameKey:
    """Which frame: of what, in which language, and how the page that embeds it wants it."""

    what: What
    name: str
    language: str
    choice: FrameChoice


class Embeds:
    """Answers with frames. Lives in the event loop; they are built in the pool."""

    def __init__(self, parts: Parts, assets: Assets) -> None:
        self._database = parts.here.database
        self._style = _style(assets)
        self._viewer = parts.viewer
        self._words = parts.words
        self._pages = parts.pages
        self._met = parts.met
        self._shelf: Shelf[FrameKey, Prepared] = Shelf(self._build, parts.pool, MEMORY)

    async def wall(self, ask: Ask, wall_id: str) -> Answer:
        """`/embed/walls/{id}`."""
        return await self._frame(ask, "walls", wall_id)

    async def product(self, ask: Ask, product_id: str) -> Answer:
        """`/embed/products/{id}`; `?wall=` says where it was met."""
        return await self._frame(ask, "products", product_id)

    async def referral(self, ask: Ask, code: str) -> Answer:
        """`/embed/r/{code}`: what somebody passed on. Its links make the visit."""
        return await self._frame(ask, "r", code)

    def outdate_names(self) -> None:
        """Somebody is called otherwise, or not at all any more. Called in the loop."""
        self._shelf.outdate(lambda key, _: key.what == "r")

    async def _frame(self, ask: Ask, what: What, name: str) -> Answer:
        query = ask.query
        language = self._words.of_locale(query.get("lang"), self._words.asked(ask.headers.get("accept-language")))
        choice = FrameChoice.of(query, self._words.of_locale(query.get("lang"), ""))
        framing = self._framed(ask, what, name, language, choice)
        return await friendly(framing, lambda refusal: self._no(refusal, language, choice))

    async def _framed(self, ask: Ask, what: What, name: str, language: str, choice: FrameChoice) -> Answer:
        check_name(what, name)
        frame = await self._shelf.get(FrameKey(what, name, language, await self._what_matters(what, name, choice)))
        return frame.answer(ask)

    async def _what_matters(self, what: What, name: str, choice: FrameChoice) -> FrameChoice:
        """Of the choice; the rest would make the same frame again and again, and drive out others."""
        if what == "products":
            return choice.for_one(await self._met.on(choice.wall, name))
        return choice.for_cards()

    def _no(self, refusal: AppError, language: str, choice: FrameChoice) -> Answer:
        """A few words instead of a frame. Everybody may show them: a browser's own refusal would frighten more."""
        kind = "gone" if refusal.status in (404, 410) else "busy"
        body = self._pages.frame(language, frame=None, kind=kind, scheme=_scheme(choice, {}), style=self._style)
        return plain(refusal.status, body, HTML, headers.NO_STORE, *self._about([ANY], self._style))

    def _build(self, key: FrameKey, old: Prepared | None) -> Prepared:
        with self._database.reading() as session:
            frame = self._seen(session, key)
        language = key.choice.language or self._words.of_locale(frame.locale, key.language)
        style = self._style + look.style_of(frame.theme)
        body = self._pages.frame(language, frame=frame, scheme=_scheme(key.choice, frame.theme), style=style)
        about = [headers.SHORT_LIVED, headers.BY_LANGUAGE, *self._about(frame.allowed_origins, style)]
        return Prepared(body, HTML, about, old)

    def _seen(self, session: Session, key: FrameKey) -> Frame:
        viewer, choice = self._viewer, key.choice
        if key.what == "walls":
            return frames.of_wall(viewer.wall(session, key.name, choice.most), viewer.own, choice)
        if key.what == "products":
            return frames.of_product(viewer.product(session, key.name, choice.wall))
        page = viewer.page(session, key.name)
        if page is not None:
            return frames.of_page(page, viewer.own)
        return frames.of_referral(viewer.referral(session, key.name, choice.most), viewer.own, choice)

    def _about(self, allowed_origins: Iterable[str], style: str) -> list[Header]:
        return [
            (b"content-security-policy", policy(self._viewer.own, allowed_origins, style).encode("latin-1")),
            headers.NO_SNIFFING,
            headers.EMBEDDABLE,
            (b"referrer-policy", b"strict-origin-when-cross-origin"),
        ]


def _style(assets: Assets) -> str:
    """How frames look. It stands in the page itself: a browser shows a frame before the style sheets that it names are
    there, and what it shows would move."""
    asked = Ask("GET", {}, b"")
    return "".join(assets.file(asked, assets.hash, f"styles/{name}.css").body.decode() for name in _SHEETS)


def _scheme(choice: FrameChoice, theme: Mapping[str, Any]) -> str | None:
    """`light` or `dark`; None leaves it to the reader's system."""
    return look.scheme_of(theme if choice.theme is None else {"scheme": choice.theme})


def policy(own: str, allowed_origins: Iterable[str], style: str) -> str:
    """The content policy of a frame: what may run in it, and who may show it. In a sandbox `'self'` is nobody for some
    browsers, so the server is named."""
    allowed = list(allowed_origins)
    ancestors = [ANY] if ANY in allowed else ["'self'", *allowed]
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' {own}",
            f"style-src {look.source_of(style)}",
            f"connect-src 'self' {own}",
            "img-src * data:",
            "base-uri 'none'",
            "form-action 'none'",
            " ".join(["frame-ancestors", *ancestors]),
        ]
    )
