"""Orders and refunds as JSON, in and out (api.md)."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from app.kernel.http.pages import PageQuery
from app.kernel.http.wire import LARGEST_AMOUNT, Amount, Body, Currency, ExternalId, Name, Text, Timestamp, Wire
from app.orders import lifecycle, settling
from app.orders.lifecycle import OrderStatus
from app.orders.models import Order, OrderCorrection, Refund
from app.referrals.clicks import LONGEST_ADDRESS

RefundReason = Literal["refund", "chargeback"]
TakenBackReason = Literal["refund", "chargeback", "cancellation"]

Customer = Annotated[
    Text, Field(max_length=320, description="The customer's id or mail; kept only as a hash keyed per merchant.")
]

Mail = Annotated[
    Text,
    Field(
        max_length=320,
        description="The buyer's mail, by which a purchase through one's own link is seen. Write-only: kept only as a "
        "hash keyed per merchant, in which all spellings of one box are the same, and not where the buyer may not be "
        "remembered. What is no address is left out. Where none is said, a `customer` that is a mail stands for it.",
        examples=["bo@example.org"],
        json_schema_extra={"writeOnly": True},
    ),
]


Click = Annotated[
    Text,
    Field(
        max_length=LONGEST_ADDRESS,
        description="`gv_click` as the shop received it: the click id, or the whole landing address that it came with.",
        examples=["https://shop.example/mug?gv_click=clk_01k9xkq2v900000001abcdefghjkmn"],
    ),
]
Visitor = Annotated[Text, Field(max_length=200, description="Who bought: `vis_…` or a token.")]
Coupon = Annotated[
    Text,
    Field(
        max_length=200,
        description="The code that was used. The code or address (`/r/CODE`) of a referral's link speaks for that "
        "referral, unless `PUT /v1/coupons/{code}` says otherwise. A click id that stands here counts as the "
        "`click_id` where none is given.",
        examples=["ANA10"],
    ),
]


class LineIn(Body):
    """A bought thing, in the shop's own words. `amount` is of the whole line, not of one piece."""

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
    click_id: Click | None = None
    visitor: Visitor | None = None
    coupon: Coupon | None = None
    customer: Customer | None = None
    mail: Mail | None = None
    test: Annotated[
        bool,
        Field(
            strict=True,
            description="Kept apart from real sales. Where Stripe is simulated, every order is a test order.",
        ),
    ] = False


class OrderPatch(Body):
    """What turns out to have been otherwise. What is left out stays; `null` clears the click, the visitor or the
    coupon. `cancelled: true` takes back all that refunds leave, `false` gives it back. A new `net` is the new `gross`
    too, where both were the same. Amounts and lines of an order that Stripe or a shop told of are corrected there:
    here they are refused. The `note` is kept with what the order said before."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cancelled": True, "note": "Called off by phone"}, {"net": 1799}]}
    )

    cancelled: Annotated[bool, Field(strict=True)] | None = None
    net: Amount | None = None
    gross: Amount | None = None
    lines: Annotated[list[LineIn], Field(max_length=500)] | None = None
    click_id: Click | None = None
    visitor: Visitor | None = None
    coupon: Coupon | None = None
    note: Annotated[Text, Field(max_length=300)] | None = None


class OrderQuery(PageQuery):
    """Filters of the list."""

    external_id: Annotated[ExternalId | None, Field(description="Only the order that its shop calls so.")] = None
    click_id: Annotated[Name | None, Field(description="Only orders that name this click.")] = None
    coupon: Annotated[Name | None, Field(description="Only orders with this code, in any case.")] = None


class RefundIn(Body):
    """What takes back; `amount` is of the order's net. `external_id` tells a repetition from another refund of the same
    order."""

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
    """What takes back of an order's net: a refund, a chargeback, or its cancellation, which takes what all others
    leave. `dropped_at` tells since when it does not count: it failed, was won or deleted, or counts under the same
    `external_id` with another amount now."""

    id: str
    external_id: str
    amount: int
    reason: TakenBackReason
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


class CorrectionOut(Wire):
    """When an order was corrected, and what it had said until then under the names that were corrected."""

    at: Timestamp
    before: Annotated[dict[str, object], Field(examples=[{"net": 1999, "coupon": None}])]
    note: str | None

    @classmethod
    def of(cls, correction: OrderCorrection) -> "CorrectionOut":
        names = {"visitor_id": "visitor"}
        before = {names.get(name, name): value for name, value in correction.before.items() if name != "coupon_key"}
        return cls(at=correction.received_at, before=before, note=correction.note)


class OrderOut(Wire):
    """An order with its lines, its refunds, and what was corrected of it, oldest first. `source` is who told of it:
    `api`, `stripe`, `shopify`, `woocommerce` or `history`. `refunded` is what counts now of what took back of the
    `net`."""

    id: str
    external_id: str
    source: str
    status: OrderStatus
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
    cancelled_at: Timestamp | None
    lines: list[LineOut]
    refunds: list[RefundOut]
    corrections: list[CorrectionOut]

    @classmethod
    def of(cls, order: Order) -> "OrderOut":
        counting = settling.counting(order)
        cancellation = counting.get(settling.CANCELLED)
        return cls(
            id=order.order_id,
            external_id=order.external_id,
            source=order.source,
            status=lifecycle.status(order.net, [(row.reason, row.amount) for row in counting.values()]),
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
            cancelled_at=None if cancellation is None else cancellation.at,
            lines=[LineOut.model_validate(line) for line in order.lines],
            refunds=[RefundOut.of(refund) for refund in order.refunds],
            corrections=[CorrectionOut.of(correction) for correction in order.corrections],
        )
