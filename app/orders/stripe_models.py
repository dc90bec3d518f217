"""Tables of what is known of Stripe: whose its objects are, and its messages."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, BigNumber, id_type


class StripeObject(Base):
    """To whom an object of Stripe's belongs: a session, a payment.

    A payment's row is made at the first mention of it, when nobody may know yet whose it is, so that whoever
    speaks of the payment has a row to lock (app/orders/webhooks/bookkeeper.py).
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
