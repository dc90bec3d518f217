"""What the double remembers of what is sold: products, prices, the lines of a session, ways of shipping."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.demo.stripe.parameters.values import JsonObject


@dataclass
class Product:
    """Something that is sold. One that was made for a single session is not `active`."""

    id: str
    account: str | None
    created: int
    name: str
    description: str | None
    images: tuple[str, ...]
    active: bool
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class Price:
    """What one of a product costs. One that was made for a single session is not `active`."""

    id: str
    account: str | None
    created: int
    product: Product
    currency: str
    unit_amount: int
    tax_behavior: str
    active: bool
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One line of a session. `tax` is on top of what is paid for it, or (`inclusive`) inside."""

    id: str
    price: Price
    quantity: int
    metadata: Mapping[str, str]
    discount: int = 0
    tax: int = 0

    @property
    def product(self) -> Product:
        return self.price.product

    @property
    def currency(self) -> str:
        return self.price.currency

    @property
    def subtotal(self) -> int:
        return self.price.unit_amount * self.quantity

    @property
    def inclusive(self) -> bool:
        return self.price.tax_behavior == "inclusive"

    @property
    def total(self) -> int:
        return self.subtotal - self.discount + (0 if self.inclusive else self.tax)


@dataclass(frozen=True)
class Shipping:
    """One of the ways in which a session can be shipped. Not taxed."""

    rate_id: str
    created: int
    name: str
    amount: int
    currency: str
    tax_behavior: str
    estimate: JsonObject | None
    metadata: Mapping[str, str]
