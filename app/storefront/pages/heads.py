"""What the head of a page says to networks, search engines and readers of cards. Pure: facts in, `Head` out.

Open Graph (ogp.me), Twitter's cards, and how each network reads them: facts.md (Links, cards, crawlers).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from babel import Locale
from babel.core import get_global

from app.merchants.origins import ANY
from app.referrals.models import Referral
from app.storefront.cards import Card, MoneyDict, cut
from app.storefront.feeds import document as feeds
from app.storefront.links.page_facts import PageFacts
from app.storefront.oembed import document as oembed
from app.storefront.pages.structured import price_tag
from app.storefront.views import PageView, ProductView, WallView
from app.storefront.words import Messages

DESCRIPTION = 200
"""Characters that previews and search results show at most."""
PLAYER = (480, 640)
"""Width and height of an embed inside a network's own card, in CSS pixels."""
DRAWN = (1200, 630)
"""Width and height of the pictures that we draw for link cards (storefront/pictures/answers.py)."""

PictureOf = Callable[[ProductView | WallView, str], str]
"""The address of the picture that stands for a page, in a language."""
Speak = Callable[[MoneyDict], str]


@dataclass(frozen=True)
class Picture:
    """The picture of a link card; of one that is not ours neither size nor type is known."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None
    type: str | None = None


@dataclass(frozen=True)
class Player:
    """A frame that a network may show instead of the picture."""

    url: str
    width: int
    height: int


@dataclass(frozen=True)
class Head:
    """What the head of a page says. `url` is absolute and canonical to itself; notices have none.

    `locale` is Open Graph's (`fr_CH`); `tags` are further properties, `facts` what a link card shows below its text.
    """

    title: str
    description: str = ""
    url: str | None = None
    image: Picture | None = None
    robots: str | None = None
    links: Sequence[Mapping[str, str]] = field(default=())
    type: Literal["website", "product"] = "website"
    locale: str | None = None
    player: Player | None = None
    tags: Sequence[tuple[str, str]] = ()
    facts: Sequence[tuple[str, str]] = ()


def of_product(view: ProductView, own: str, picture: str, words: Messages, money: Speak) -> Head:
    """The head of a product's own page. `?wall=` changes nothing in it: it is one product, and one card."""
    card, url = view.card, f"{own}/p/{view.card['id']}"
    return Head(
        title=card["title"],
        description=cut(card["description"], DESCRIPTION),
        url=url,
        image=_drawn(picture, f"{card['title']} · {money(card['price'])}" if card["price"] else card["title"]),
        type="product",
        locale=locale_of(view.wall.locale if view.wall is not None else None, words["lang"]),
        player=_player(own, view.merchant.allowed_origins, f"products/{card['id']}"),
        tags=_product_tags(view),
        facts=_facts(card, words, money),
        links=oembed.discovery(own, url),
    )


def of_wall(view: WallView, own: str, picture: str, words: Messages) -> Head:
    """The head of a wall's own page."""
    wall = view.wall
    url = f"{own}/w/{wall.wall_id}"
    return Head(
        title=wall.title,
        description=cut(", ".join(card["title"] for card in view.cards[:5]), DESCRIPTION),
        url=url,
        image=_drawn(picture, wall.title),
        locale=locale_of(wall.locale, words["lang"]),
        player=_player(own, view.merchant.allowed_origins, f"walls/{wall.wall_id}"),
        links=[*oembed.discovery(own, url), *feeds.discovery(own, wall.wall_id, wall.title)],
    )


def of_page(view: PageView, own: str, facts: PageFacts) -> Head:
    """The head behind a link to a page of the merchant's own, of which `facts` are known: that of the link itself."""
    return Head(
        title=facts.title,
        description=cut(view.referral.caption or facts.description, DESCRIPTION),
        url=f"{own}/r/{view.referral.code}",
        image=Picture(facts.image, facts.title) if facts.image else None,
        robots="noindex",
    )


def passed_on(head: Head, own: str, referral: Referral) -> Head:
    """The head of a referral's link. Previews that merge cards by `og:url`, or replace a link by its canonical one,
    must keep the code, so it is canonical to itself. Search engines are for the product's own page: a person's words
    are for those they were sent to."""
    url = f"{own}/r/{referral.code}"
    player = head.player and replace(head.player, url=f"{own}/embed/r/{referral.code}")
    return replace(
        head,
        url=url,
        description=cut(referral.caption, DESCRIPTION) if referral.caption else head.description,
        robots="noindex",
        player=player,
        links=oembed.discovery(own, url),
    )


def locale_of(chosen: str | None, language: str) -> str:
    """Open Graph's name of the page's language, with a country: the chosen one's (BCP 47), else the likeliest."""
    given = (chosen or "").split("-")
    if given[0].lower() == language and len(given[-1]) == 2 and len(given) > 1:
        return f"{language}_{given[-1].upper()}"
    likely = Locale.parse(str(get_global("likely_subtags").get(language, language)))
    return f"{language}_{likely.territory}" if likely.territory else language


def first_image(view: WallView) -> str | None:
    """A picture that stands for a wall where nothing is drawn: that of its first card that has one."""
    return next((card["image"] for card in view.cards if card["image"]), None)


def _drawn(url: str, alt: str) -> Picture:
    return Picture(url, alt, *DRAWN, "image/png")


def _player(own: str, allowed_origins: Sequence[str], path: str) -> Player | None:
    """The embed as a player, for networks that make a frame of it (Mastodon). They take https only, and where the
    merchant's list does not let everybody frame it, theirs would stay empty: the picture is better then."""
    if not own.startswith("https://") or ANY not in allowed_origins:
        return None
    return Player(f"{own}/embed/{path}", *PLAYER)


def _product_tags(view: ProductView) -> list[tuple[str, str]]:
    card = view.card
    tags = [("product:retailer_item_id", card["id"])]
    if view.product.brand:
        tags.append(("product:brand", view.product.brand))
    if card["price"] is not None:
        tags += _priced("price", card["price"])
        tags.append(("product:availability", "out of stock" if card["sold_out"] else "in stock"))
        if card["compare_at"] is not None and card["compare_at"]["amount"] > card["price"]["amount"]:
            tags += [*_priced("original_price", card["compare_at"]), *_priced("sale_price", card["price"])]
    return tags


def _priced(name: str, money: MoneyDict) -> list[tuple[str, str]]:
    written = price_tag(money)
    return [(f"product:{name}:amount", written["amount"]), (f"product:{name}:currency", written["currency"])]


def _facts(card: Card, words: Messages, money: Speak) -> list[tuple[str, str]]:
    if card["price"] is None:
        return []
    stock = words["sold_out"] if card["sold_out"] else words["page_in_stock"]
    return [(words["page_price"], money(card["price"])), (words["page_availability"], stock)]
