"""Tables of what is known of Stripe: whose its objects are, its messages, its promotion codes, and what was found
missing when its books were compared with ours."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.codes import LONGEST as LONGEST_CODE
from app.kernel.database import Base, BigNumber, id_type


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
    via: Mapped[str | None] = mapped_column(String(16))  # webhook, reconciliation; empty: a webhook of old
    created: Mapped[datetime]
    received_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]


class PromotionCode(Base):
    """A promotion code of Stripe's that this merchant's buyers may use: Stripe's sessions name it by its id, and people
    by its `code`, which is that of a coupon (`PUT /v1/coupons/{code}`)."""

    __tablename__ = "promotion_codes"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),
        Index("ix_promotion_codes_code", "merchant_id", "code_key"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    promotion_code_id: Mapped[str] = mapped_column(id_type(200), primary_key=True)
    code: Mapped[str] = mapped_column(String(500))
    code_key: Mapped[str] = mapped_column(id_type(LONGEST_CODE))  # the code, as codes are compared
    active: Mapped[bool]
    known_at: Mapped[datetime]


class Reconciliation(Base):
    """One comparison of an account of Stripe's with our books."""

    __tablename__ = "reconciliations"
    __table_args__ = (
        Index("ix_reconciliations_account", "account", "started_at"),
        {"info": {"shared": "one account of Stripe's may serve several merchants"}},
    )

    reconciliation_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    account: Mapped[str] = mapped_column(id_type(64))  # empty: the key's own
    since: Mapped[datetime]  # what happened at Stripe from then on was looked at
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    events: Mapped[int]
    sessions: Mapped[int]
    repaired: Mapped[int]
    error: Mapped[str | None] = mapped_column(Text)


class Repair(Base):
    """Something that Stripe's webhooks had not told us, and that a reconciliation brought into the books."""

    __tablename__ = "repairs"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    repair_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    reconciliation_id: Mapped[str] = mapped_column(id_type())
    type: Mapped[str] = mapped_column(String(100))  # Stripe's type of event
    object_id: Mapped[str] = mapped_column(id_type(200))  # the session, refund or dispute
    order_id: Mapped[str | None] = mapped_column(id_type())
    happened_at: Mapped[datetime]
    repaired_at: Mapped[datetime]
