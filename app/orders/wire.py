"""Orders and refunds as JSON, in and out (api.md)."""

from typing import Annotated, Literal

from pydantic import Field

from app.kernel.http.wire import LARGEST_AMOUNT, Amount, Body, Currency, ExternalId, Text, Timestamp, Wire
from app.orders.models import Order, Refund

RefundReason = Literal["refund", "chargeback"]

Customer = Annotated[
    Text, Field(max_length=320, description="The customer's id or mail; kept only as a hash keyed per merchant.")
]


class LineIn(Body):
    """A bought thing, in the shop's own words."""

    product: ExternalId | None = None
    variant: ExternalId | None = None
    title: Annotated[Text, Field(min_length=1, max_length=300)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 1
    amount: Amount


class OrderIn(Body):
    """A sale made elsewhere. Amounts are minor units of `currency`; `net` is after discounts, without tax and
    shipping; `gross` is what was paid (default: `net`)."""

    external_id: ExternalId
    placed_at: Timestamp
    currency: Currency
    net: Amount
    gross: Amount | None = None
    lines: Annotated[list[LineIn], Field(max_length=500)] = []
    click_id: Annotated[Text, Field(max_length=200, description="`gv_click` as the shop received it.")] | None = None
    visitor: Annotated[Text, Field(max_length=200, description="Who bought: `vis_…` or a token.")] | None = None
    coupon: Annotated[Text, Field(max_length=200)] | None = None
    customer: Customer | None = None
    test: Annotated[
        bool, Field(description="Kept apart from real sales. Where Stripe is simulated, every order is a test order.")
    ] = False


class RefundIn(Body):
    """What takes back; `amount` is of the order's net."""

    external_id: ExternalId
    amount: Annotated[int, Field(ge=1, le=LARGEST_AMOUNT, strict=True)]
    reason: RefundReason = "refund"


class LineOut(Wire):
    product: str | None
    variant: str | None
    title: str
    quantity: int
    amount: int


class RefundOut(Wire):
    """A refund; `dropped_at` tells when it was found to have failed, or was deleted."""

    id: str
    external_id: str
    amount: int
    reason: RefundReason
    at: Timestamp
    dropped_at: Timestamp | None

    @classmethod
    def of(cls, refund: Refund) -> "RefundOut":
        return cls(
            id=refund.refund_id,
            external_id=refund.external_id,
            amount=refund.amount,
            reason=refund.reason,
            at=refund.at,
            dropped_at=refund.dropped_at,
        )


class OrderOut(Wire):
    """An order with its lines and refunds."""

    id: str
    external_id: str
    source: str
    placed_at: Timestamp
    received_at: Timestamp
    currency: str
    gross: int
    net: int
    refunded: int
    click_id: str | None
    visitor: str | None
    coupon: str | None
    test: bool
    lines: list[LineOut]
    refunds: list[RefundOut]

    @classmethod
    def of(cls, order: Order) -> "OrderOut":
        return cls(
            id=order.order_id,
            external_id=order.external_id,
            source=order.source,
            placed_at=order.at,
            received_at=order.received_at,
            currency=order.currency,
            gross=order.gross,
            net=order.net,
            refunded=order.refunded,
            click_id=order.click_id,
            visitor=order.visitor_id,
            coupon=order.coupon,
            test=not order.livemode,
            lines=[LineOut.model_validate(line) for line in order.lines],
            refunds=[RefundOut.of(refund) for refund in order.refunds],
        )
