"""Pages out of templates (widgets/pages): complete without JavaScript, in one language. Knows views, not requests."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from app.merchants.models import Merchant
from app.networks.catalogue import BY_ID
from app.networks.catalogue import Kind as NetworkKind
from app.networks.intents import intent_url
from app.storefront import cards, look
from app.storefront.addresses import web_address
from app.storefront.cards import Card
from app.storefront.links.page_facts import PageFacts
from app.storefront.pages import heads, structured
from app.storefront.pages.choices import MOST, NOTHING, Chosen
from app.storefront.pages.heads import Head, PictureOf, Speak
from app.storefront.pages.refusals import Kind
from app.storefront.prices import speaker
from app.storefront.views import PageView, ProductView, ReferralView, Viewer, WallView
from app.storefront.words import Words, network_name

NAME = "Grapevine"


class Pages:
    """Renders every page of ours. Threads may share it."""

    def __init__(self, templates: Path, words: Words, assets: str, viewer: Viewer, picture: PictureOf) -> None:
        self._templates = Environment(loader=FileSystemLoader(templates), autoescape=True, auto_reload=False)
        self._words = words
        self._assets = assets
        self._viewer = viewer
        self._picture = picture

    def wall(self, view: WallView, language: str, click: str | None, shared: ReferralView | None = None) -> bytes:
        """The page of a wall; with `shared`, that of the share's link, which is canonical to itself."""
        language = self._words.of_locale(view.wall.locale, language)
        own = heads.of_wall(view, self._viewer.own, self._picture(view, language), self._words[language])
        head = self._of(own, shared)
        return self._render(
            "wall.html",
            language,
            view.merchant.name,
            head,
            structured.of_wall(view.wall.title, self._viewer.wall_url(view.wall.wall_id), view.cards),
            wall=self._about(view),
            cards=view.cards,
            click=click,
            unchosen=NOTHING,
            most=MOST,
            scheme=look.scheme_of(view.wall.theme),
            style=look.style_of(view.wall.theme),
            referral=shared and {"name": shared.said_by, "caption": shared.referral.caption},
            share_links=_share_links(head, view.merchant, heads.first_image(view)),
        )

    def product(
        self,
        view: ProductView,
        language: str,
        click: str | None,
        shared: ReferralView | None = None,
        chosen: Chosen = NOTHING,
    ) -> bytes:
        """The page of a product; with `shared`, that of the share's link: whose it is, and their words. `chosen` is
        what a form held that was refused."""
        wall, card = view.wall, view.card
        language = self._words.of_locale(wall.locale if wall is not None else None, language)
        words, url = self._words[language], self._viewer.product_url(card["id"])
        head = heads.of_product(view, self._viewer.own, self._picture(view, language), words, money_in(language))
        head = self._of(head, shared)
        return self._render(
            "product.html",
            language,
            view.merchant.name,
            head,
            structured.of_product(view.product, url, view.merchant.name),
            product=card,
            pictures=cards.pictures(view.product)[1:],
            beside=view.beside,
            wall=wall and {"id": wall.wall_id, "title": wall.title, "url": self._viewer.wall_url(wall.wall_id)},
            click=click,
            chosen=chosen,
            most=MOST,
            referral=shared and {"name": shared.said_by, "caption": shared.referral.caption},
            share_links=_share_links(head, view.merchant, card["image"]),
            shop_url=web_address(view.product.url),
        )

    def merchants_page(self, view: PageView, facts: PageFacts, language: str) -> bytes:
        """What machines see behind a link to a page of the merchant's own: its card, canonical to the link itself."""
        head = heads.of_page(view, self._viewer.own, facts)
        return self._render("passed_on.html", language, view.merchant.name, head, None, address=view.address)

    def thanks(
        self,
        merchant: Merchant,
        language: str,
        cards: Sequence[Card],
        wall_id: str | None,
        simulated: bool,
        via: str | None = None,
    ) -> bytes:
        """The page after a purchase. It may be passed on, so nothing of the order is on it but the products, and
        `via`, the click that led to it: whose word a share from here passes on."""
        return self._render(
            "thanks.html",
            language,
            merchant.name,
            Head(self._words[language]["page_thanks_title"], robots="noindex"),
            None,
            merchant=merchant.public_id,
            products=cards,
            wall=wall_id and {"id": wall_id},
            via=via,
            back=wall_id and self._viewer.wall_url(wall_id),
            simulated=simulated,
        )

    def me(self, language: str) -> bytes:
        """The page on which a sharer sees what their word did: words alone, which its script fills."""
        head = Head(self._words[language]["page_me_title"], robots="noindex")
        words = self._words[language]
        said = {key: text for key, text in words.items() if key.startswith(("page_me_", "error_"))}
        named = [network for network in BY_ID.values() if network.kind is not NetworkKind.DEVICE]
        networks = {network.id: network_name(network.id, words) for network in named}
        return self._render("me.html", language, NAME, head, None, said=said, networks=networks)

    def notice(self, kind: Kind, language: str, back: str | None = None) -> bytes:
        """A page that only says something: a friendly "no", mostly. `back` becomes a link, if it is an address."""
        title = self._words[language][f"page_{kind}_title"]
        head, way_back = Head(title, robots="noindex"), web_address(back)
        return self._render("notice.html", language, NAME, head, None, kind=kind, back=way_back)

    def embedding(self, seller: str, language: str, title: str, **context: object) -> bytes:
        """The merchant's page on which the code of a wall is chosen and copied (embed_code.html)."""
        return self._render("embed_code.html", language, seller, Head(title, robots="noindex"), None, **context)

    def frame(self, language: str, **context: object) -> bytes:
        """A page that stands in a frame of somebody else's (embed.html)."""
        return self._fill("embed.html", language, **context)

    def _of(self, head: Head, shared: ReferralView | None) -> Head:
        return head if shared is None else heads.passed_on(head, self._viewer.own, shared.referral)

    def _about(self, view: WallView) -> dict[str, str]:
        wall = view.wall
        return {
            "id": wall.wall_id,
            "title": wall.title,
            "layout": wall.layout,
            "url": self._viewer.wall_url(wall.wall_id),
        }

    def _render(
        self, template: str, language: str, seller: str, head: Head, json_ld: str | None, **context: object
    ) -> bytes:
        return self._fill(template, language, shop={"name": seller}, page=head, json_ld=json_ld, **context)

    def _fill(self, template: str, language: str, **context: object) -> bytes:
        text = self._templates.get_template(template).render(
            words=self._words[language], assets=self._assets, money=money_in(language), **context
        )
        return text.encode()


@cache
def money_in(language: str) -> Speak:
    """Says prices in this language of ours."""
    return speaker(language)


def _share_links(head: Head, merchant: Merchant, image: str | None) -> list[dict[str, str]]:
    """Networks' own addresses for the page itself, for readers without JavaScript, in the merchant's order. They make
    no referral."""
    if head.url is None:
        return []
    links = []
    for network in merchant.sharing_settings.offered():
        if address := intent_url(network.id, head.url, head.title, image, head.title):
            links.append({"id": network.id, "name": network.name, "url": address})
    return links
