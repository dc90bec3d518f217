"""A checkout session as we ask Stripe for it, and as it answers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.merchants.selling import Selling, ShippingOption
from app.orders.stripe.amounts import to_stripe
from app.orders.stripe.tags import Tags

_LONGEST_NAME = 250
_LONGEST_URL = 2048


@dataclass(frozen=True)
class Item:
    """A thing to be paid for: `price` of one, in our minor units."""

    title: str
    price: int
    quantity: int
    image: str | None


@dataclass(frozen=True)
class Terms:
    """How it is paid: the merchant's settings as they were, the buyer's language, and the promotion code (Stripe's id)
    that is applied already."""

    locale: str
    selling: Selling
    promotion: str | None = None

    def parameters(self, currency: str) -> dict[str, object]:
        """What they add to a session. A code that is applied leaves no room for another: Stripe refuses both."""
        asked: dict[str, object] = {"locale": self.locale}
        if self.promotion is not None:
            asked["discounts"] = [{"promotion_code": self.promotion}]
        elif self.selling.promotion_codes:
            asked["allow_promotion_codes"] = True
        if self.selling.automatic_tax:
            asked["automatic_tax"] = {"enabled": True}
        if self.selling.shipping is not None:
            asked["shipping_address_collection"] = {"allowed_countries": list(self.selling.shipping.countries)}
            options = self.selling.shipping.options_in(currency)
            if options:
                asked["shipping_options"] = [{"shipping_rate_data": self._rate(option)} for option in options]
        return asked

    @property
    def tax(self) -> dict[str, object]:
        """What is said of each price where Stripe computes the tax."""
        return {"tax_behavior": self.selling.tax_behavior} if self.selling.automatic_tax else {}

    def _rate(self, option: ShippingOption) -> dict[str, object]:
        cost = {"amount": to_stripe(option.amount, option.currency), "currency": option.currency}
        rate: dict[str, object] = {
            "display_name": option.name,
            "type": "fixed_amount",
            "fixed_amount": cost,
            **self.tax,
        }
        days = {"minimum": option.min_days, "maximum": option.max_days}
        told = {name: {"unit": "day", "value": value} for name, value in days.items() if value is not None}
        return {**rate, "delivery_estimate": told} if told else rate


@dataclass(frozen=True)
class NewSession:
    """What Stripe is asked for. The same `key` with the same content is the same session, however often it is asked.

    `account` is the connected account that sells, where it is not the key's own.
    """

    key: str
    account: str | None
    currency: str
    items: Sequence[Item]
    tags: Tags
    success_url: str
    cancel_url: str
    expires_at: datetime
    terms: Terms | None = None  # none was kept of checkouts of before there were any

    def parameters(self) -> dict[str, object]:
        """The body of `POST /v1/checkout/sessions`. Our tags go on the payment too, or its refunds could not be
        traced back. Raises `NotChargeable`."""
        metadata = self.tags.metadata()
        return {
            "mode": "payment",
            "line_items": [self._line(item) for item in self.items],
            "success_url": self.success_url,
            "cancel_url": self.cancel_url,
            "client_reference_id": self.tags.checkout,
            "expires_at": int(self.expires_at.timestamp()),
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata},
            **(self.terms.parameters(self.currency) if self.terms is not None else {}),
        }

    def _line(self, item: Item) -> dict[str, object]:
        product: dict[str, object] = {"name": item.title[:_LONGEST_NAME]}
        if item.image is not None and _is_plain(item.image):
            product["images"] = [item.image]
        price = {
            "currency": self.currency,
            "unit_amount": to_stripe(item.price, self.currency),
            "product_data": product,
            **(self.terms.tax if self.terms is not None else {}),
        }
        return {"quantity": item.quantity, "price_data": price}


@dataclass(frozen=True)
class Session:
    """What Stripe answers: where the buyer pays, and until when."""

    id: str
    url: str
    expires_at: datetime


def _is_plain(url: str) -> bool:
    """Whether Stripe takes the picture's address. A picture must not refuse a sale."""
    return url.isascii() and url.isprintable() and " " not in url and len(url) <= _LONGEST_URL
