"""Tables of comparisons with Stripe's books, and of what they repaired."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, id_type


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
