"""What stands in a frame, out of views: cards, where each leads, and how it is to look. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.storefront.cards import Card, MoneyDict
from app.storefront.links.page_facts import in_words
from app.storefront.views import PageView, ProductView, ReferralView, WallView
from app.walls.looks import Layout, Scheme, layout_of, scheme_of

USUAL = 24
MOST = 120
"""Cards of a wall in a frame, unless the page that embeds it says how many, and at most; a link leads to the rest."""
STEPS = (1, 2, 3, 4, 6, 8, 12, 18, USUAL, 36, 48, 72, 96, MOST)
"""How many there can be. Each is a frame of its own to build and keep, so of any number the next that is no more."""
_LONGEST_ID = 64


@dataclass(frozen=True)
class FrameChoice:
    """What the page that embeds a frame chose, by the query; what makes no sense is as if it were not there."""

    layout: Layout | None = None
    theme: Scheme | None = None
    cards: int = USUAL
    language: str = ""
    wall: str | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], language: str) -> "FrameChoice":
        """`language` is that of `lang`, where we speak it."""
        layout, theme, count, wall = (query.get(name) for name in ("layout", "theme", "cards", "wall"))
        return cls(
            layout=layout_of(layout),
            theme=scheme_of(theme),
            cards=_step(count),
            language=language,
            wall=wall if wall and len(wall) <= _LONGEST_ID else None,
        )

    def for_cards(self) -> "FrameChoice":
        """What of it matters where there may be many cards."""
        return replace(self, wall=None, cards=USUAL if self.layout == "single" else self.cards)

    def for_one(self, wall: str | None) -> "FrameChoice":
        """What of it matters to one product, as met on `wall`."""
        return FrameChoice(theme=self.theme, language=self.language, wall=wall)

    @property
    def most(self) -> int:
        """So many cards are shown at most."""
        return 1 if self.layout == "single" else self.cards


@dataclass(frozen=True)
class FrameCard:
    """One card: where it leads, and what is to be said of it when it was seen."""

    product: str | None
    title: str
    image: str | None
    price: MoneyDict | None
    compare_at: MoneyDict | None
    sold_out: bool
    description: str
    url: str


@dataclass(frozen=True)
class Frame:
    """A frame of one `shape`: a wall's layout, or `alone` for one product. `url` is the page that it stands for."""

    title: str
    url: str
    shape: str
    cards: Sequence[FrameCard]
    shop: str
    allowed_origins: Sequence[str]
    more: bool = False
    wall: str | None = None
    code: str | None = None
    passed_on: bool = False
    said_by: str | None = None
    """Who passed it on, where they gave a name."""
    caption: str | None = None
    locale: str | None = None
    theme: Mapping[str, Any] = field(default_factory=dict)


def of_wall(view: WallView, own: str, choice: FrameChoice) -> Frame:
    """A wall; each card leads to its product's own page."""
    wall = view.wall
    layout = choice.layout or wall.layout
    shown = view.cards[: 1 if layout == "single" else choice.most]
    return Frame(
        title=wall.title,
        url=f"{own}/w/{wall.wall_id}",
        shape=layout,
        cards=[_card(card, card["url"]) for card in shown],
        shop=view.merchant.name,
        allowed_origins=view.merchant.allowed_origins,
        more=len(shown) < view.total,
        wall=wall.wall_id,
        locale=wall.locale,
        theme=wall.theme,
    )


def of_product(view: ProductView) -> Frame:
    """A product, as it is met on its wall where one is named."""
    wall = view.wall
    return Frame(
        title=view.card["title"],
        url=view.card["url"],
        shape="alone",
        cards=[_card(view.card, view.card["url"])],
        shop=view.merchant.name,
        allowed_origins=view.merchant.allowed_origins,
        wall=wall.wall_id if wall is not None else None,
        locale=wall.locale if wall is not None else None,
        theme=wall.theme if wall is not None else {},
    )


def of_referral(view: ReferralView, own: str, choice: FrameChoice) -> Frame:
    """What somebody passed on, with their words. Every link is the referral's own, which makes the visit."""
    seen, referral = view.seen, view.referral
    frame = of_wall(seen, own, choice) if isinstance(seen, WallView) else of_product(seen)
    url = f"{own}/r/{referral.code}"
    return replace(
        frame,
        url=url,
        cards=[replace(card, url=url) for card in frame.cards],
        code=referral.code,
        passed_on=True,
        said_by=view.said_by,
        caption=referral.caption,
    )


def of_page(view: PageView, own: str) -> Frame:
    """A page of the merchant's own that somebody passed on: where it is, in words."""
    referral, facts = view.referral, in_words(view.merchant.name, view.address)
    address = f"{own}/r/{referral.code}"
    return Frame(
        title=view.merchant.name,
        url=address,
        shape="page",
        cards=[FrameCard(None, facts.title, None, None, None, False, facts.description, address)],
        shop=view.merchant.name,
        allowed_origins=view.merchant.allowed_origins,
        code=referral.code,
        passed_on=True,
        said_by=view.said_by,
        caption=referral.caption,
    )


def _step(count: str | None) -> int:
    if count is None or not (count.isascii() and count.isdecimal() and len(count) <= 4):
        return USUAL
    return max((step for step in STEPS if step <= int(count)), default=STEPS[0])


def _card(card: Card, url: str) -> FrameCard:
    return FrameCard(
        product=card["id"],
        title=card["title"],
        image=card["image"],
        price=card["price"],
        compare_at=card["compare_at"],
        sold_out=card["sold_out"],
        description=card["description"],
        url=url,
    )
