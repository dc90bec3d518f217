"""What the double holds: its objects as they change, before they are shown as Stripe shows them. Pure.

All amounts are minor units as Stripe counts them, all times whole seconds since 1970.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.catalog import Line, Price, Product, Shipping
from app.demo.stripe.records.offers import Coupon, Discount, PromotionCode
from app.demo.stripe.records.transfers import Account, BalanceTransaction, Dispute, Reversal, Transfer


@dataclass
class Session:
    id: str
    account: str | None
    created: int
    expires_at: int
    currency: str
    lines: tuple[Line, ...]
    shipping_options: tuple[Shipping, ...]
    shipping: Shipping | None  # the one that is charged: the first, until the buyer takes another
    success_url: str
    cancel_url: str | None
    metadata: dict[str, str]
    client_reference_id: str | None
    customer_email: str | None
    intent_metadata: dict[str, str]
    intent_fields: Mapping[str, str]  # description, receipt_email ...: given to the payment intent as they are
    intent_shipping: JsonObject | None
    ships_to: tuple[str, ...]  # countries; empty where no address is asked for
    tax_basis_points: int | None  # None where the session asks for no tax
    discount: Discount | None
    echoed: Mapping[str, object]  # parameters that are shown again and change nothing
    methods: tuple[str, ...]
    status: str = "open"
    payment_status: str = "unpaid"
    payment_intent: str | None = None
    paid_by: "Buyer | None" = None
    settles: "Settlement | None" = None

    @property
    def subtotal(self) -> int:
        return sum(line.subtotal for line in self.lines)

    @property
    def tax(self) -> int:
        return sum(line.tax for line in self.lines)

    @property
    def total(self) -> int:
        return self.total_of(self.lines)

    @property
    def discounted(self) -> int:
        return sum(line.discount for line in self.lines)

    def total_of(self, lines: tuple[Line, ...]) -> int:
        """What is to pay, were these its lines."""
        return sum(line.total for line in lines) + (self.shipping.amount if self.shipping else 0)


@dataclass(frozen=True)
class Settlement:
    """When a payment that settles later settles by itself, and how."""

    at: int
    succeeds: bool


@dataclass(frozen=True)
class Buyer:
    """Who pays. `address` is given where more than a country is known."""

    email: str | None
    name: str | None
    country: str | None
    address: JsonObject | None = None


@dataclass(frozen=True)
class Card:
    brand: str
    last4: str
    fingerprint: str


@dataclass
class PaymentMethod:
    """A card, or (None) something that settles later. `outcome`: what it does when it is to pay."""

    id: str
    account: str | None
    created: int
    type: str
    card: Card | None
    outcome: str
    owner: Buyer
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class PaymentIntent:
    id: str
    account: str | None
    created: int
    amount: int
    currency: str
    metadata: dict[str, str]
    fields: Mapping[str, str]
    methods: tuple[str, ...]
    status: str = "requires_payment_method"
    latest_charge: str | None = None
    payment_method: str | None = None
    failure: JsonObject | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None
    shipping: JsonObject | None = None


@dataclass
class Charge:
    id: str
    account: str | None
    created: int
    amount: int
    currency: str
    metadata: dict[str, str]
    payment_intent: str
    payment_method: str
    buyer: Buyer
    card: Card | None  # None: paid by the method that settles later
    later_method: str | None
    status: str
    failure_code: str | None = None
    amount_refunded: int = 0
    shipping: JsonObject | None = None
    disputed: bool = False

    @property
    def refunded(self) -> bool:
        return 0 < self.amount == self.amount_refunded

    @property
    def refundable(self) -> int:
        return self.amount - self.amount_refunded


@dataclass
class Refund:
    id: str
    account: str | None
    created: int
    amount: int
    currency: str
    charge: str
    payment_intent: str
    reason: str | None
    status: str
    by_card: bool
    metadata: dict[str, str] = field(default_factory=dict)
    failure_reason: str | None = None


@dataclass(frozen=True)
class Event:
    """Something that happened, with the object as it was then."""

    id: str
    account: str | None
    created: int
    type: str
    object: JsonObject
    previous: JsonObject | None
    request_id: str | None
    idempotency_key: str | None


Record = (
    Session
    | PaymentMethod
    | PaymentIntent
    | Charge
    | Refund
    | Event
    | Product
    | Price
    | Coupon
    | PromotionCode
    | Account
    | Transfer
    | Reversal
    | Dispute
    | BalanceTransaction
)
