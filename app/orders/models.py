"""Tables of orders, what takes them back or corrects them, and checkouts."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.codes import LONGEST as LONGEST_CODE
from app.kernel.database import Base, id_type

_HAS_CLICK = text("click_id IS NOT NULL")
_HAS_VISITOR = text("visitor_id IS NOT NULL")
_HAS_COUPON = text("coupon_key IS NOT NULL")
_HAS_MAIL = text("mail_hash IS NOT NULL")
_HAS_CARD = text("card_hash IS NOT NULL")
_COUNTS = text("dropped_at IS NULL")
UNSETTLED = text("status IN ('asking', 'open', 'paying')")
"""Checkouts of which nobody has told yet how they ended; word for word as their index says it."""


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
        Index("ix_orders_mail", "merchant_id", "mail_hash", sqlite_where=_HAS_MAIL, postgresql_where=_HAS_MAIL),
        Index("ix_orders_card", "merchant_id", "card_hash", sqlite_where=_HAS_CARD, postgresql_where=_HAS_CARD),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    external_id: Mapped[str] = mapped_column(id_type(255))
    source: Mapped[str] = mapped_column(String(16))  # api, stripe, shopify, woocommerce, history
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
    mail_hash: Mapped[str | None] = mapped_column(String(64))  # of the normalised mail, keyed per merchant
    card_hash: Mapped[str | None] = mapped_column(String(64))  # of the card's fingerprint at Stripe, likewise
    device: Mapped[str | None] = mapped_column(id_type(16))  # of the checkout, while it can be compared
    at: Mapped[datetime]
    received_at: Mapped[datetime]

    lines: Mapped[list["OrderLine"]] = relationship(order_by="OrderLine.position", lazy="selectin", cascade="all")
    refunds: Mapped[list["Refund"]] = relationship(
        order_by="Refund.refund_id", lazy="selectin", cascade="all", overlaps="lines"
    )
    corrections: Mapped[list["OrderCorrection"]] = relationship(
        order_by="OrderCorrection.position", lazy="selectin", cascade="all", overlaps="lines,refunds"
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
    """What takes back: `amount` of the order's net. Dropped when it failed, was deleted, the dispute was won, or when
    another amount of it came to count: of all rows with one `external_id` at most one counts."""

    __tablename__ = "refunds"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "order_id"], ["orders.merchant_id", "orders.order_id"]),
        Index(
            "uq_refunds_counting",
            *("merchant_id", "order_id", "external_id"),
            unique=True,
            sqlite_where=_COUNTS,
            postgresql_where=_COUNTS,
        ),
        Index("ix_refunds_external", "merchant_id", "external_id"),
        # Dropped ones too: without it, each look at an order would read all refunds of its merchant.
        Index("ix_refunds_order", "merchant_id", "order_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    refund_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    order_id: Mapped[str] = mapped_column(id_type())
    external_id: Mapped[str] = mapped_column(id_type(255))
    reason: Mapped[str] = mapped_column(String(16))  # refund, chargeback, cancellation
    amount: Mapped[int] = mapped_column(BigInteger, comment="minor units of the net")
    paid_back: Mapped[int] = mapped_column(
        BigInteger, comment="minor units of what was paid, tax and shipping included"
    )
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    dropped_at: Mapped[datetime | None]


class OrderCorrection(Base):
    """What an order said `before` it was corrected: the names and old values of what was changed then. The order itself
    says what holds now, so what was known at any moment can be told."""

    __tablename__ = "order_corrections"
    __table_args__ = (ForeignKeyConstraint(["merchant_id", "order_id"], ["orders.merchant_id", "orders.order_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    note: Mapped[str | None] = mapped_column(String(300))
    received_at: Mapped[datetime]


class FormerBuyer(Base):
    """Who had bought an order, as it said until it was corrected: their orders are looked for by what was known at a
    time. One for each correction of who bought, of the same position."""

    __tablename__ = "former_buyers"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "order_id"], ["orders.merchant_id", "orders.order_id"]),
        Index("ix_former_buyers_visitor", "merchant_id", "visitor_id"),
        Index("ix_former_buyers_click", "merchant_id", "click_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    click_id: Mapped[str | None] = mapped_column(id_type(200))
    visitor_id: Mapped[str | None] = mapped_column(id_type(200))
    until: Mapped[datetime]  # when the correction was received


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
        Index("ix_checkouts_unsettled", "expires_at", sqlite_where=UNSETTLED, postgresql_where=UNSETTLED),
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
    seen_from: Mapped[str | None] = mapped_column(id_type(40))  # the network that was observed at the click
    visitor_id: Mapped[str | None] = mapped_column(id_type())
    wall_id: Mapped[str | None] = mapped_column(id_type())
    coupon: Mapped[str | None] = mapped_column(String(200))
    device: Mapped[str | None] = mapped_column(id_type(16))
    terms: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # language, tax, shipping, promotion: as asked of Stripe
    success_url: Mapped[str] = mapped_column(String(2000))
    cancel_url: Mapped[str] = mapped_column(String(2000))
    session_id: Mapped[str | None] = mapped_column(id_type(200))
    session_url: Mapped[str | None] = mapped_column(String(4000))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
