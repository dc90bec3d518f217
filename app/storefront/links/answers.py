"""Referral links: `/r/{code}`, where a person makes a visit and everybody else makes none, and their QR codes.

api.md (`GET /r/{code}`), facts.md (Links, cards, crawlers). Visits go through the recorder and are answered
after their commit.
"""

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.kernel.errors import AppError, NotFound
from app.kernel.ids import is_code
from app.networks.observed import seen_from as observed
from app.networks.utm import with_utm
from app.privacy.sightings import Sightings
from app.referrals import bots, links
from app.referrals.bots import Asker
from app.referrals.machine_visits import MachineCounter
from app.referrals.machines import BROWSER
from app.referrals.models import Referral
from app.referrals.visits import NewVisit, Way
from app.storefront import headers, look
from app.storefront.addresses import web_address, with_click
from app.storefront.answers import Answer, Ask, Give, Header, Prepared, plain, wire
from app.storefront.friendly import friendly
from app.storefront.links.page_cards import PageCards
from app.storefront.pages.answers import STAND_IN, ClickPage, Hosted, Page
from app.storefront.parts import Parts
from app.storefront.shelf import Shelf, Wanted
from app.storefront.views import Led, PageView, ProductView, ReferralView

log = logging.getLogger(__name__)

MEMORY = 32 * 1024 * 1024
"""Bytes for the pages of links."""

_SVG = "image/svg+xml"
_A_DAY = (b"cache-control", b"public, max-age=86400")
_DRAWING_ONLY = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'")


class LinkKey(NamedTuple):
    """Which link, in which language, for people (who get a click id) or for machines."""

    code: str
    language: str
    for_people: bool


@dataclass(frozen=True)
class _Landing:
    """Where a link leads: away to the merchant's, or to `page`."""

    referral: Referral
    privacy: str
    """The merchant's mode."""
    away: "_Away | None"
    page: Page | None
    merchants_page: PageView | None = None
    """The merchant's own, of which machines get a link card."""
    way: Way = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "way", Way.through(self.referral))

    @property
    def size(self) -> int:
        return 2048 + (self.page.size if self.page is not None else 0)


class _Away:
    """Leads to an address at the merchant's, which tells them the click and, where they want it, the network."""

    def __init__(self, address: str, utm: bool) -> None:
        self._address = address
        self._utm = utm
        self._halves: dict[str | None, tuple[list[bytes], list[bytes]]] = {}  # by network, of which there are few

    def answer(self, click: str, network: str | None) -> Answer:
        """The way there for one visitor; `network` is that of the visit (attribution.md, rule 7)."""
        address, head = self._halves.get(network) or self._cut(network)
        known = click.encode()
        return Answer(302, [(b"location", known.join(address)), *_AWAY], b"", known.join(head))

    def _cut(self, network: str | None) -> tuple[list[bytes], list[bytes]]:
        """The address, and the whole head, around the click."""
        tagged = with_utm(self._address, network) if self._utm and network else self._address
        address, mark = with_click(tagged, STAND_IN).encode("ascii"), STAND_IN.encode()
        halves = address.split(mark), wire([(b"location", address), *_AWAY]).split(mark)
        self._halves[network] = halves
        return halves


class Links:
    """Answers for links. Lives in the event loop; pages are built in the pool."""

    def __init__(self, parts: Parts, hosted: Hosted, page_cards: PageCards, sightings: Sightings) -> None:
        self._here = parts.here
        self._viewer = parts.viewer
        self._pages = parts.pages
        self._hosted = hosted
        self._page_cards = page_cards
        self._sightings = sightings
        self._machines = MachineCounter(parts.here.recorder)
        self._shelf: Shelf[LinkKey, _Landing] = Shelf(self._build, parts.pool, MEMORY, self._build_all)

    async def follow(self, ask: Ask, code: str) -> Answer:
        """`/r/{code}`: a visit and its page for a person, the link card for a machine or a page that asks unseen,
        "later" for a prefetch."""
        asker = bots.kind_of(ask.method, ask.headers.get("user-agent"), ask.headers)
        if asker is Asker.PREFETCH:
            return Answer(503, [headers.NO_STORE, (b"content-length", b"0")])
        visiting = self._visit(ask, code) if asker is Asker.PERSON else self._card(ask, code, asker)
        return await friendly(visiting, lambda refusal: self._hosted.no(ask, refusal))

    async def qr(self, ask: Ask, code: str) -> Answer:
        """`/r/{code}.svg`: the link as a picture to be photographed. Raises `NotFound`, `Gone`, `Unavailable`."""
        import segno  # when one is asked for: it would make every start a little longer

        await self._landing(ask, code, for_people=False)
        drawn = io.BytesIO()
        # Error correction M: read from a screen or a sticker, with room for the eye.
        segno.make(f"{self._viewer.own}/r/{code}", error="m", micro=False).save(
            drawn, kind="svg", scale=8, border=4, light="#fff", xmldecl=False, svgversion=1.1
        )
        about = (_A_DAY, headers.ANYWHERE, headers.EMBEDDABLE, headers.NO_SNIFFING, _DRAWING_ONLY)
        return plain(200, drawn.getvalue(), _SVG, *about)

    def follow_at_once(self, ask: Ask, code: str, give: Give) -> bool:
        """Whether the answer of `follow` is given without a wait for anything but the visit's commit."""
        landing = self._shelf.at_once(LinkKey(code, self._hosted.language(ask), True))
        if landing is None or bots.kind_of(ask.method, ask.headers.get("user-agent"), ask.headers) is not Asker.PERSON:
            return False
        visit = self._visit_of(ask, landing)

        def tell(click: str | Exception) -> None:
            try:
                answer = self._failed(ask, click) if isinstance(click, Exception) else _led(landing, visit, click)
                answer.give(give)
            except Exception:  # whatever it is: nobody else would answer
                log.exception("a visitor could not be led on")
                give(500, b"content-length: 0\r\n", b"")

        self._here.recorder.put(visit, tell)
        return True

    def _failed(self, ask: Ask, error: Exception) -> Answer:
        return self._hosted.no(ask, error if isinstance(error, AppError) else AppError())

    async def _visit(self, ask: Ask, code: str) -> Answer:
        landing = await self._landing(ask, code, for_people=True)
        visit = self._visit_of(ask, landing)
        return _led(landing, visit, await self._here.recorder.record(visit))

    def _visit_of(self, ask: Ask, landing: _Landing) -> NewVisit:
        about, way, now = ask.headers, landing.way, self._here.clock.now()
        seen_from = observed(about.get("referer"), about.get("user-agent"), ask.query, shared_to=way.shared_to)
        seen = self._sightings.seen(landing.privacy, way.merchant_id, about, ask.address, now)
        return NewVisit.by(way, seen_from, now, seen)

    def outdate(self, merchants: frozenset[int]) -> None:
        """What these merchants' links show has changed, or any merchant's where none is named. Called in the loop."""
        self._shelf.outdate(lambda _, kept: kept is None or not merchants or kept.way.merchant_id in merchants)

    async def settle(self) -> None:
        """Wait until the visits of machines that were counted are written."""
        await self._machines.settle()

    async def _card(self, ask: Ask, code: str, asker: Asker) -> Answer:
        landing = await self._landing(ask, code, for_people=False)
        if ask.method == "GET" and asker in bots.COUNTED:
            machine = BROWSER if asker is Asker.HIDDEN else bots.machine_of(ask.headers.get("user-agent"))
            self._machines.count(landing.referral, asker, machine, self._here.clock.now())
        if landing.merchants_page is not None:
            return await self._page_cards.answer(ask, landing.merchants_page)
        assert isinstance(landing.page, Prepared)
        return landing.page.answer(ask)

    async def _landing(self, ask: Ask, code: str, *, for_people: bool) -> _Landing:
        key = LinkKey(code, self._hosted.language(ask), for_people)
        ready = self._shelf.ready(key)
        if ready is not None:
            return ready
        if not is_code(code):
            raise NotFound
        return await self._shelf.get(key)

    def _build(self, key: LinkKey, old: _Landing | None) -> _Landing:
        with self._here.database.reading() as session:
            return self._land(session, key, self._viewer.led(session, key.code), old)

    def _build_all(self, wanted: Sequence[Wanted[LinkKey, _Landing]]) -> Sequence[_Landing | Exception]:
        made: list[_Landing | Exception] = []
        held: list[object] = []  # what several lead to is read once, as long as somebody holds it
        with self._here.database.reading() as session:
            held.append(links.foreseen(session, {key.code for key, _ in wanted}))
            for key, old in wanted:
                try:
                    led = self._viewer.led(session, key.code)
                    held.append(led)
                    made.append(self._land(session, key, led, old))
                except SQLAlchemyError:
                    raise
                except Exception as error:
                    made.append(error)
        return made

    def _land(self, session: Session, key: LinkKey, led: PageView | Led, old: _Landing | None) -> _Landing:
        utm, about = led.merchant.sharing_settings.utm, (led.referral, led.merchant.privacy)
        if isinstance(led, PageView):
            away = _Away(led.address, utm) if key.for_people else None
            return _Landing(*about, away, None, led)
        address = web_address(led.product.url) if led.product is not None and led.lands_on == "merchant" else None
        if key.for_people and address is not None:
            return _Landing(*about, _Away(address, utm), None)
        view = self._viewer.seen(session, led)
        rendered = self._render(view, key.language, STAND_IN if key.for_people else None)
        # What a person gets at the same address is another answer, so no cache between us may keep this one.
        known = old.page if old else None
        page = self._hosted.prepare(rendered, look.style_of_page(view.seen), key.for_people, headers.REVALIDATED, known)
        return _Landing(*about, None, page)

    def _render(self, view: ReferralView, language: str, click: str | None) -> bytes:
        if isinstance(view.seen, ProductView):
            return self._pages.product(view.seen, language, click, view)
        return self._pages.wall(view.seen, language, click, view)


def _led(landing: _Landing, visit: NewVisit, click: str) -> Answer:
    """Where the visitor with this click is led to."""
    if landing.away is not None:
        return landing.away.answer(click, visit.seen_from or visit.shared_to)
    assert isinstance(landing.page, ClickPage)
    return landing.page.for_click(click)


_AWAY: tuple[Header, ...] = (
    (b"content-length", b"0"),
    headers.NO_STORE,
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
)
