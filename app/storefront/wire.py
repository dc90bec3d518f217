"""The shapes of the storefront's JSON, for the OpenAPI page. Payloads are built as plain dicts; a test compares."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from app.kernel.http.wire import MoneyWire, Wire
from app.walls.looks import Layout, Scheme


class VariantOut(Wire):
    """One way to buy the product. Without a price it is shown and not for sale."""

    id: str
    title: str
    price: MoneyWire | None
    compare_at: MoneyWire | None
    available: bool


class CardOut(Wire):
    """One thing on a wall. `price` is the lowest of the variants that can be had; texts are text, never HTML."""

    type: Literal["product"]
    id: str
    title: str
    description: str
    image: str | None
    price: MoneyWire | None
    compare_at: MoneyWire | None
    url: str
    variants: list[VariantOut]
    likes: int
    sold_out: bool


class NetworkOut(Wire):
    """A network on which the word can be passed, and its colour."""

    id: str
    name: str
    color: str


class SharingTold(Wire):
    """What people are told before they share."""

    rewarded: Annotated[bool, Field(description="Whether a share may be rewarded.")]
    terms: Annotated[str | None, Field(description="Where the terms of rewards are told.")]


class ThemeOut(Wire):
    """What the merchant chose of the wall's look; the rest is the widget's own choice."""

    scheme: Scheme | None = None
    accent: str | None = None
    radius: int | None = None


class ShownWall(Wire):
    """The wall itself."""

    id: str
    title: str
    layout: Layout
    theme: ThemeOut
    locale: str
    url: str


class WallWidget(Wire):
    """Everything that `<grapevine-wall>` shows. `words` are its strings in the visitor's language."""

    merchant: str
    wall: ShownWall
    cards: list[CardOut]
    networks: list[NetworkOut]
    sharing: SharingTold
    words: dict[str, str]


class ProductWidget(Wire):
    """Everything that `<grapevine-product>` shows."""

    merchant: str
    product: CardOut
    networks: list[NetworkOut]
    sharing: SharingTold
    words: dict[str, str]


class SharingWidget(Wire):
    """Everything that `<grapevine-share>` needs to know of a merchant."""

    merchant: Annotated[str, Field(examples=["mer_..."])]
    networks: Annotated[list[NetworkOut], Field(description="In the merchant's order.")]
    sharing: SharingTold
    words: dict[str, str]


class GpcSupport(Wire):
    """The resource by which a site says that it honours Global Privacy Control."""

    gpc: bool
    last_update: Annotated[date, Field(alias="lastUpdate")]


class Pasted(Wire):
    """What is pasted into pages of one system, and how it is done there, step by step."""

    code: Annotated[str, Field(examples=["https://shop.example/w/wall_..."])]
    steps: Annotated[list[str], Field(examples=[["Paste the address on a line of its own."]])]


class EmbedCode(Wire):
    """What a merchant pastes: the element into a page, the link anywhere."""

    element: str
    link: str
    element_pinned: Annotated[
        str, Field(description="The element held at the code of today: an immutable file and its `integrity`.")
    ]
    iframe: Annotated[str, Field(description="For pages that allow no scripts of others.")]
    wordpress: Pasted
    shopify: Pasted
    ghost: Pasted
    notion: Pasted
