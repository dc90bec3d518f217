"""Structured data for search engines and link previews: schema.org's Product, Offer, ItemList as JSON-LD. Pure."""

import json

from app.catalog.models import Product, Variant
from app.kernel.money import to_decimal
from app.storefront import cards
from app.storefront.cards import Card, MoneyDict

_CONTEXT = "https://schema.org"
_IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def of_product(product: Product, url: str, seller: str) -> str:
    """The product and each of its priced variants as an offer of the seller's. Nothing is said that is not known: no
    condition, and no date until which a price holds."""
    images = cards.pictures(product)
    offers = [_offer(variant, url, seller) for variant in product.standing if variant.price is not None]
    return in_script(
        {
            "@context": _CONTEXT,
            "@type": "Product",
            "@id": url,
            "name": product.title,
            "url": url,
            "productID": product.product_id,
            **({"description": product.description} if product.description else {}),
            **({"image": images} if images else {}),
            **({"brand": {"@type": "Brand", "name": product.brand}} if product.brand else {}),
            **({"offers": offers} if offers else {}),
        }
    )


def of_wall(title: str, url: str, shown: list[Card]) -> str:
    """The wall as a list of the pages of its products."""
    items = [
        {"@type": "ListItem", "position": position, "name": card["title"], "url": card["url"]}
        for position, card in enumerate(shown, start=1)
    ]
    return in_script({"@context": _CONTEXT, "@type": "ItemList", "name": title, "url": url, "itemListElement": items})


def price_tag(money: MoneyDict) -> dict[str, str]:
    """A price as Open Graph writes it: `19.99`, `EUR`."""
    return {"amount": to_decimal(money["amount"], money["currency"]), "currency": money["currency"].upper()}


def in_script(document: dict[str, object]) -> str:
    """JSON that cannot leave the script element in which it stands, whatever a merchant wrote."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for character, escape in _IN_SCRIPT.items():
        text = text.replace(character, escape)
    return text


def _offer(variant: Variant, url: str, seller: str) -> dict[str, object]:
    assert variant.price is not None
    return {
        "@type": "Offer",
        "url": url,
        "price": to_decimal(variant.price, variant.currency),
        "priceCurrency": variant.currency.upper(),
        "availability": f"{_CONTEXT}/{'InStock' if variant.available else 'OutOfStock'}",
        "seller": {"@type": "Organization", "name": seller},
        **({"name": variant.title} if variant.title else {}),
        **({"sku": variant.sku} if variant.sku else {}),
    }
