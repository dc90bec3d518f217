"""Tables of attribution: credit lines, only ever appended; the policies they follow; and what is still to be done."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, id_type


class CreditLine(Base):
    """A signed change of what a source and level earned of an order. Under each policy the lines of an order add up
    to its net.

    What reports ask for stands on the line itself: it never changes, so it never has to be looked up.
    """

    __tablename__ = "credit_lines"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "order_id"], ["orders.merchant_id", "orders.order_id"]),
        Index("ix_credit_lines_order", "merchant_id", "order_id"),
        Index("ix_credit_lines_report", "merchant_id", "policy", "livemode", "order_at"),
        # Whose credit a referral's chain decides: those of its descendants change when people are joined.
        Index("ix_credit_lines_source", "merchant_id", "source_referral"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    credit_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    order_id: Mapped[str] = mapped_column(id_type())
    policy: Mapped[str] = mapped_column(id_type(40), server_default="current")  # `KeptPolicy.name`
    policy_version: Mapped[int]
    # what the line is: the natural key within its order and policy (attribution.engine.LineKey)
    source: Mapped[str] = mapped_column(String(8))  # touch, coupon, direct
    touch: Mapped[str | None] = mapped_column(id_type(200))
    referral: Mapped[str | None] = mapped_column(id_type(200))  # the level's own
    network: Mapped[str] = mapped_column(id_type(40))
    sharer: Mapped[str] = mapped_column(id_type(200))  # a person, a visitor, (none) or (house)
    level: Mapped[int | None]  # empty for the house
    reason: Mapped[str | None] = mapped_column(String(40))
    # how much: minor units, signed changes
    currency: Mapped[str] = mapped_column(String(3))
    gross: Mapped[int] = mapped_column(BigInteger, comment="minor units")
    reversed: Mapped[int] = mapped_column(BigInteger, comment="minor units")
    # by what it is reported
    livemode: Mapped[bool] = mapped_column(Boolean)
    order_at: Mapped[datetime]
    source_referral: Mapped[str | None] = mapped_column(id_type(200))  # of the touch or coupon, on every level
    shared_to: Mapped[str | None] = mapped_column(id_type(40))
    seen_from: Mapped[str | None] = mapped_column(id_type(40))
    product: Mapped[str | None] = mapped_column(id_type(255))
    wall: Mapped[str | None] = mapped_column(id_type(255))
    kind: Mapped[str | None] = mapped_column(String(8))  # like, share
    written_at: Mapped[datetime]


class CreditMark(Base):
    """Credit of orders of this quarter of an hour was written since its sums were kept. Appended with the lines; taken
    away by whoever adds it up again (reports/credit_sums.py)."""

    __tablename__ = "credit_marks"

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    policy: Mapped[str] = mapped_column(id_type(40), primary_key=True)
    livemode: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    starts: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # of the quarter, microseconds since 1970
    mark_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # mrk_…


class KeptPolicy(Base):
    """One version of a policy by its name: `current` is in force, the others are kept computed beside it."""

    __tablename__ = "policies"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(id_type(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    policy: Mapped[dict[str, Any]] = mapped_column(JSON)  # in full, as attribution.md writes it
    applies_from: Mapped[datetime | None]  # to orders that were made from then on; empty: to all
    made_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class StaleOrder(Base):
    """An order whose credit must be looked at again: something was learnt that may change it."""

    __tablename__ = "stale_orders"
    __table_args__ = (ForeignKeyConstraint(["merchant_id", "order_id"], ["orders.merchant_id", "orders.order_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(id_type(), primary_key=True)


class Recomputation(Base):
    """A job that brings the credit of many orders up to date, and how far it got."""

    __tablename__ = "recomputations"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    job_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    since: Mapped[datetime | None]  # orders that were made from then on; empty: all
    status: Mapped[str] = mapped_column(String(16))  # queued, running, finished, failed
    total: Mapped[int] = mapped_column(BigInteger)
    done: Mapped[int] = mapped_column(BigInteger)
    appended: Mapped[int] = mapped_column(BigInteger)  # credit lines
    position: Mapped[str | None] = mapped_column(id_type())  # the order that was done last, in order of ids
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
