"""A product as a card: what widgets and pages show of it. Pure: knows no session, no request and no language."""

import re
from typing import Literal, TypedDict

from app.catalog.models import Product, Variant
from app.kernel.money import Money
from app.networks.wording import fit
from app.storefront.addresses import first_web_address, web_address

SHORT = 300
"""Characters of a description on a wall."""
WHOLE = 5_000
"""Characters of a description where a product stands alone."""
MOST_PICTURES = 10
"""Pictures of a product that pages show."""

_BLANK_LINE = re.compile(r"\n\s*\n")


class MoneyDict(TypedDict):
    """An amount as the contract writes it."""

    amount: int
    currency: str


class VariantDict(TypedDict):
    """One way to buy the product."""

    id: str
    title: str
    price: MoneyDict | None
    compare_at: MoneyDict | None
    available: bool


class Card(TypedDict):
    """One product, complete for a widget (api.md, `GET /v1/walls/{id}/widget`)."""

    type: Literal["product"]
    id: str
    title: str
    description: str
    image: str | None
    price: MoneyDict | None
    compare_at: MoneyDict | None
    url: str
    variants: list[VariantDict]
    likes: int
    sold_out: bool


class Beside(TypedDict):
    """What is beside a product on its wall: as much as leads there."""

    id: str
    title: str
    image: str | None
    price: MoneyDict | None
    url: str


def card(product: Product, likes: int, url: str, longest: int = SHORT) -> Card:
    """The card of a standing product. `url` is its hosted page; the description is cut at `longest`."""
    variants = product.standing
    offered = cheapest(variants)
    return {
        "type": "product",
        "id": product.product_id,
        "title": product.title,
        # Elements show a blank line as one, and pages as the room between two paragraphs: both must be as high.
        "description": cut("\n\n".join(paragraphs(product.description)), longest),
        "image": first_web_address(product.images),
        "price": _price(offered),
        "compare_at": _compare_at(offered),
        "url": url,
        "variants": [_variant(variant, product.title) for variant in variants],
        "likes": likes,
        "sold_out": is_sold_out(variants),
    }


def beside(product: Product, url: str) -> Beside:
    """The product as something else of the same wall."""
    return {
        "id": product.product_id,
        "title": product.title,
        "image": first_web_address(product.images),
        "price": _price(cheapest(product.standing)),
        "url": url,
    }


def pictures(product: Product) -> list[str]:
    """All pictures of the product that a browser can show, each once, the first ten."""
    shown = [address for image in product.images[:MOST_PICTURES] if (address := web_address(image))]
    return list(dict.fromkeys(shown))


def paragraphs(text: str) -> list[str]:
    """A description as its paragraphs; a single line break stays inside one."""
    return [part.strip() for part in _BLANK_LINE.split(text) if part.strip()]


def cheapest(variants: list[Variant]) -> Variant | None:
    """The variant of the lowest price that can be had; if none can, that of the lowest price."""
    priced = [variant for variant in variants if variant.price is not None]
    return min(priced, key=lambda variant: (not variant.available, variant.price), default=None)


def is_sold_out(variants: list[Variant]) -> bool:
    """Whether there is a price and no stock. What has no price was never for sale."""
    priced = [variant for variant in variants if variant.price is not None]
    return bool(priced) and not any(variant.available for variant in priced)


def cut(text: str, longest: int) -> str:
    """`text` if it is short enough, else its beginning up to a word, with an ellipsis."""
    if len(text) <= longest:
        return text
    head, at_word, _ = text[: longest - 1].rpartition(" ")
    if at_word and len(head) > longest * 2 // 3:
        return head.rstrip(" \n.,;:!?-") + "…"
    # No spaces: another script, or emoji, of which half a one must not be left over.
    return fit(text[: longest + 64], longest, len)


def money_of(minor: int | None, currency: str) -> MoneyDict | None:
    """An amount with its currency, or none."""
    if minor is None:
        return None
    money = Money(minor, currency)
    return {"amount": money.minor, "currency": money.currency}


def _price(variant: Variant | None) -> MoneyDict | None:
    return None if variant is None else money_of(variant.price, variant.currency)


def _compare_at(variant: Variant | None) -> MoneyDict | None:
    return None if variant is None else money_of(variant.compare_at, variant.currency)


def _variant(variant: Variant, otherwise: str) -> VariantDict:
    return {
        "id": variant.variant_id,
        "title": variant.title or otherwise,
        "price": _price(variant),
        "compare_at": _compare_at(variant),
        "available": variant.available,
    }
