"""Tables of attribution: credit lines, only ever appended."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, id_type


class CreditLine(Base):
    """A signed change of what a source and level earned of an order. The lines of an order add up to its net.

    What reports ask for stands on the line itself: it never changes, so it never has to be looked up.
    """

    __tablename__ = "credit_lines"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "order_id"], ["orders.merchant_id", "orders.order_id"]),
        Index("ix_credit_lines_order", "merchant_id", "order_id"),
        Index("ix_credit_lines_report", "merchant_id", "livemode", "order_at"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    credit_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    order_id: Mapped[str] = mapped_column(id_type())
    policy_version: Mapped[int]
    # what the line is: the natural key within its order (attribution.engine.LineKey)
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
    shared_to: Mapped[str | None] = mapped_column(id_type(40))
    seen_from: Mapped[str | None] = mapped_column(id_type(40))
    product: Mapped[str | None] = mapped_column(id_type())
    wall: Mapped[str | None] = mapped_column(id_type())
    kind: Mapped[str | None] = mapped_column(String(8))  # like, share
    written_at: Mapped[datetime]
