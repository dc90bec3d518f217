"""Tables of orders, refunds and checkouts, and what is kept of Stripe's messages."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.codes import LONGEST as LONGEST_CODE
from app.kernel.database import Base, BigNumber, id_type

_HAS_CLICK = text("click_id IS NOT NULL")
_HAS_VISITOR = text("visitor_id IS NOT NULL")
_HAS_COUPON = text("coupon_key IS NOT NULL")


class Order(Base):
    """A sale. Amounts are minor units of `currency`; `net` is after discounts, without tax and shipping."""

    __tablename__ = "orders"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),
        UniqueConstraint("merchant_id", "external_id"),
        Index("ix_orders_at", "merchant_id", "at"),
        # Without those that name nothing: where most do not, a planner would take the whole index for one key.
        Index("ix_orders_click", "merchant_id", "click_id", sqlite_where=_HAS_CLICK, postgresql_where=_HAS_CLICK),
        Index(
            "ix_orders_visitor",
            *("merchant_id", "visitor_id"),
            sqlite_where=_HAS_VISITOR,
            postgresql_where=_HAS_VISITOR,
        ),
        Index(
            "ix_orders_coupon",
            *("merchant_id", "coupon_key"),
            sqlite_where=_HAS_COUPON,
            postgresql_where=_HAS_COUPON,
        ),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    external_id: Mapped[str] = mapped_column(id_type(255))
    source: Mapped[str] = mapped_column(String(16))  # api, stripe, history
    fingerprint: Mapped[str] = mapped_column(String(64))  # SHA-256 of what was said, to tell a repetition
    livemode: Mapped[bool] = mapped_column(Boolean)
    currency: Mapped[str] = mapped_column(String(3))
    gross: Mapped[int] = mapped_column(BigInteger, comment="minor units that were paid")
    net: Mapped[int] = mapped_column(BigInteger, comment="minor units that are divided")
    click_id: Mapped[str | None] = mapped_column(id_type(200))  # as it came, known or not
    visitor_id: Mapped[str | None] = mapped_column(id_type(200))
    wall_id: Mapped[str | None] = mapped_column(id_type())
    coupon: Mapped[str | None] = mapped_column(String(200))
    coupon_key: Mapped[str | None] = mapped_column(id_type(LONGEST_CODE))  # the code, as codes are compared
    customer_hash: Mapped[str | None] = mapped_column(String(64))  # keyed per merchant; never the customer's name
    at: Mapped[datetime]
    received_at: Mapped[datetime]

    lines: Mapped[list["OrderLine"]] = relationship(order_by="OrderLine.position", lazy="selectin", cascade="all")
    refunds: Mapped[list["Refund"]] = relationship(
        order_by="Refund.refund_id", lazy="selectin", cascade="all", overlaps="lines"
    )

    @property
    def refunded(self) -> int:
        """Minor units of the net that were taken back and not given back again; never more than there were
        (what was brought in from another system may have taken back too much)."""
        return min(self.net, sum(refund.amount for refund in self.refunds if refund.dropped_at is None))


class OrderLine(Base):
    """What was bought."""

    __tablename__ = "order_lines"
    __table_args__ = (ForeignKeyConstraint(["merchant_id", "order_id"], ["orders.merchant_id", "orders.order_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product: Mapped[str | None] = mapped_column(id_type(255))  # ours (prod_…) or the other shop's id
    variant: Mapped[str | None] = mapped_column(id_type(255))
    title: Mapped[str] = mapped_column(String(300))
    quantity: Mapped[int]
    amount: Mapped[int] = mapped_column(BigInteger, comment="minor units of the whole line")


class Refund(Base):
    """What takes back: `amount` of the order's net. Dropped when it failed, was deleted or the dispute was won."""

    __tablename__ = "refunds"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "order_id"], ["orders.merchant_id", "orders.order_id"]),
        UniqueConstraint("merchant_id", "order_id", "external_id"),
        Index("ix_refunds_external", "merchant_id", "external_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    refund_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    order_id: Mapped[str] = mapped_column(id_type())
    external_id: Mapped[str] = mapped_column(id_type(255))
    reason: Mapped[str] = mapped_column(String(16))  # refund, chargeback
    amount: Mapped[int] = mapped_column(BigInteger, comment="minor units of the net")
    paid_back: Mapped[int] = mapped_column(
        BigInteger, comment="minor units of what was paid, tax and shipping included"
    )
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    dropped_at: Mapped[datetime | None]


class WaitingRefund(Base):
    """A refund from another system that came before its order. It becomes a `Refund` when the order comes."""

    __tablename__ = "waiting_refunds"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),
        Index("ix_waiting_refunds_order", "merchant_id", "order_external_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    external_id: Mapped[str] = mapped_column(id_type(255), primary_key=True)
    order_external_id: Mapped[str] = mapped_column(id_type(255))
    reason: Mapped[str] = mapped_column(String(16))  # refund, chargeback
    amount: Mapped[int] = mapped_column(BigInteger, comment="minor units of the net")
    at: Mapped[datetime]
    received_at: Mapped[datetime]


class Checkout(Base):
    """An attempt to buy through Stripe Checkout, kept before Stripe is asked, so that a lost answer is asked again
    under the same key and never becomes a second session."""

    __tablename__ = "checkouts"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),
        Index("ix_checkouts_attempt", "merchant_id", "attempt_key", unique=True),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    checkout_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    attempt_key: Mapped[str] = mapped_column(id_type(80))  # the client's attempt: the same key, the same checkout
    fingerprint: Mapped[str] = mapped_column(String(64))  # SHA-256 of what was asked under that key
    stripe_key: Mapped[str] = mapped_column(id_type(80))  # Idempotency-Key of our request to Stripe
    status: Mapped[str] = mapped_column(String(16))  # asking, open, paying, paid, failed, expired
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[int] = mapped_column(BigInteger, comment="minor units of all items")
    click_id: Mapped[str | None] = mapped_column(id_type(200))  # as it came, known or not
    referral_id: Mapped[str | None] = mapped_column(id_type())  # of the click, where it is known
    visitor_id: Mapped[str | None] = mapped_column(id_type())
    wall_id: Mapped[str | None] = mapped_column(id_type())
    coupon: Mapped[str | None] = mapped_column(String(200))
    success_url: Mapped[str] = mapped_column(String(2000))
    cancel_url: Mapped[str] = mapped_column(String(2000))
    session_id: Mapped[str | None] = mapped_column(id_type(200))
    session_url: Mapped[str | None] = mapped_column(String(4000))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class StripeObject(Base):
    """To whom an object of Stripe's belongs: a session, a payment.

    A payment's row is made at the first mention of it, when nobody may know yet whose it is, so that whoever
    speaks of the payment has a row to lock (app/orders/webhook.py).
    """

    __tablename__ = "stripe_objects"
    __table_args__ = {"info": {"shared": "Stripe's messages name objects, not merchants"}}

    object_id: Mapped[str] = mapped_column(id_type(200), primary_key=True)
    merchant_id: Mapped[int | None] = mapped_column(BigNumber, ForeignKey("merchants.merchant_id"))
    checkout_id: Mapped[str | None] = mapped_column(id_type())
    order_id: Mapped[str | None] = mapped_column(id_type())  # the sale, once it was paid


class StripeEvent(Base):
    """A message of Stripe's, kept once. Waiting ones (`applied_at` empty) name a payment that is not known yet."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        Index("ix_stripe_events_payment", "payment_intent"),
        {"info": {"shared": "a message may come before what tells us whose it is"}},
    )

    event_id: Mapped[str] = mapped_column(id_type(200), primary_key=True)
    type: Mapped[str] = mapped_column(String(100))
    payment_intent: Mapped[str | None] = mapped_column(id_type(200))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created: Mapped[datetime]
    received_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
