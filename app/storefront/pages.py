"""Pages out of templates (widgets/pages): complete without JavaScript, in one language. Knows views, not requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader

from app.networks.catalogue import NETWORKS
from app.networks.intents import intent_url
from app.referrals.models import Referral
from app.storefront import structured
from app.storefront.addresses import web_address
from app.storefront.cards import Card, cut
from app.storefront.prices import speaker
from app.storefront.views import ProductView, Viewer, WallView
from app.storefront.words import Words

Kind = Literal["not_found", "gone", "busy", "refused", "sold_out", "error", "home"]

NAME = "Grapevine"
_DESCRIPTION = 200
"""Characters that previews and search results show at most."""


@dataclass(frozen=True)
class Head:
    """What the head of a page says. `url` is absolute and canonical to itself; notices have none."""

    title: str
    description: str = ""
    url: str | None = None
    image: str | None = None
    robots: str | None = None
    links: Sequence[Mapping[str, str]] = field(default=())


class Pages:
    """Renders every page of ours. Threads may share it."""

    def __init__(self, templates: Path, words: Words, assets: str, viewer: Viewer) -> None:
        self._templates = Environment(loader=FileSystemLoader(templates), autoescape=True, auto_reload=False)
        self._words = words
        self._assets = assets
        self._viewer = viewer

    def wall(self, view: WallView, language: str, click: str | None, shared: Referral | None = None) -> bytes:
        """The page of a wall; with `shared`, that of the share's link, which is canonical to itself."""
        language = self._words.of_locale(view.wall.locale, language)
        url = self._viewer.wall_url(view.wall.wall_id)
        image = next((card["image"] for card in view.cards if card["image"]), None)
        titles = ", ".join(card["title"] for card in view.cards[:5])
        return self._render(
            "wall.html",
            language,
            view.merchant.name,
            self._head(view.wall.title, cut(titles, _DESCRIPTION), url, image, shared),
            structured.of_wall(view.wall.title, url, view.cards),
            wall={"id": view.wall.wall_id, "title": view.wall.title, "url": url},
            cards=view.cards,
            click=click,
        )

    def product(self, view: ProductView, language: str, click: str | None, shared: Referral | None = None) -> bytes:
        """The page of a product; with `shared`, that of the share's link: whose it is, and their words."""
        wall, card = view.wall, view.card
        language = self._words.of_locale(wall.locale if wall is not None else None, language)
        head = self._head(
            card["title"],
            cut(card["description"], _DESCRIPTION),
            self._viewer.product_url(card["id"]),
            card["image"],
            shared,
        )
        price = card["price"]
        return self._render(
            "product.html",
            language,
            view.merchant.name,
            head,
            structured.of_product(view.product, self._viewer.product_url(card["id"])),
            product=card,
            wall=wall and {"id": wall.wall_id, "title": wall.title, "url": self._viewer.wall_url(wall.wall_id)},
            click=click,
            referral=shared and {"name": shared.name, "caption": shared.caption},
            share_links=_share_links(head),
            shop_url=web_address(view.product.url),
            price_tag=price and structured.price_tag(price),
        )

    def thanks(self, seller: str, language: str, cards: Sequence[Card], wall_id: str | None, simulated: bool) -> bytes:
        """The page after a purchase. It may be passed on, so nothing of the order is on it but the products."""
        return self._render(
            "thanks.html",
            language,
            seller,
            Head(self._words[language]["page_thanks_title"], robots="noindex"),
            None,
            products=cards,
            wall=wall_id and {"id": wall_id},
            click=None,
            back=wall_id and self._viewer.wall_url(wall_id),
            simulated=simulated,
        )

    def notice(self, kind: Kind, language: str, back: str | None = None) -> bytes:
        """A page that only says something: a friendly "no", mostly. `back` becomes a link, if it is an address."""
        title = self._words[language][f"page_{kind}_title"]
        head, way_back = Head(title, robots="noindex"), web_address(back)
        return self._render("notice.html", language, NAME, head, None, kind=kind, detail=None, back=way_back)

    def _head(self, title: str, description: str, url: str, image: str | None, shared: Referral | None) -> Head:
        if shared is None:
            return Head(title, description, url, image)
        # Previews that merge cards by og:url, or replace a link by its canonical one, must keep the code. Search
        # engines are for the product's own page: a person's words are for those they were sent to.
        words = cut(shared.caption, _DESCRIPTION) if shared.caption else description
        return Head(title, words, f"{self._viewer.own}/r/{shared.code}", image, robots="noindex")

    def _render(
        self, template: str, language: str, seller: str, head: Head, json_ld: str | None, **context: object
    ) -> bytes:
        text = self._templates.get_template(template).render(
            words=self._words[language],
            assets=self._assets,
            shop={"name": seller, "url": None},
            page=head,
            json_ld=json_ld,
            money=_speaker(language),
            **context,
        )
        return text.encode()


_speaker = cache(speaker)


def _share_links(head: Head) -> list[dict[str, str]]:
    """Networks' own addresses for the page itself, for readers without JavaScript. They make no referral."""
    if head.url is None:
        return []
    links = []
    for network in NETWORKS:
        if network.shareable and (address := intent_url(network.id, head.url, head.title, head.image, head.title)):
            links.append({"id": network.id, "name": network.name, "url": address})
    return links
