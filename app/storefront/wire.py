"""The shapes of the storefront's JSON, for the OpenAPI page. Payloads are built as plain dicts; a test compares."""

from typing import Literal

from app.kernel.http.wire import MoneyWire, Wire


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


class ThemeOut(Wire):
    """What the merchant chose of the wall's look; the rest is the widget's own choice."""

    scheme: Literal["light", "dark", "auto"] | None = None
    accent: str | None = None
    radius: int | None = None


class ShownWall(Wire):
    """The wall itself."""

    id: str
    title: str
    layout: Literal["grid", "list", "carousel", "single"]
    theme: ThemeOut
    locale: str
    url: str


class WallWidget(Wire):
    """Everything that `<grapevine-wall>` shows. `words` are its strings in the visitor's language."""

    merchant: str
    wall: ShownWall
    cards: list[CardOut]
    networks: list[NetworkOut]
    words: dict[str, str]


class ProductWidget(Wire):
    """Everything that `<grapevine-product>` shows."""

    merchant: str
    product: CardOut
    networks: list[NetworkOut]
    words: dict[str, str]


class EmbedCode(Wire):
    """What a merchant pastes: the element into a page, the link anywhere."""

    element: str
    link: str
