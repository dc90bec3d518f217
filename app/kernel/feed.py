"""What happened, in an order that never changes: each entry gets its position after its commit, from one relay.

Knows no domain: a domain tells, in the transaction of its cause, that something of a kind happened to something.
Positions count from 1 for each merchant. Whoever has read up to a position has seen all that ever comes before it,
which no clock and no sequence could promise: transactions commit in another order than they begin.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, id_type

_UNPLACED = text("position IS NULL")


class FeedEntry(Base):
    """Something happened. Appended only; the relay fills in `position`. Dropped by age."""

    __tablename__ = "feed_entries"
    __table_args__ = (
        Index("uq_feed_entries_position", "merchant_id", "position", unique=True),
        Index(
            "ix_feed_entries_unplaced",
            *("merchant_id", "entry_id"),
            sqlite_where=_UNPLACED,
            postgresql_where=_UNPLACED,
        ),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # evt_…
    kind: Mapped[str] = mapped_column(String(16))  # like, share, wall, catalogue
    product_id: Mapped[str | None] = mapped_column(id_type())
    wall_id: Mapped[str | None] = mapped_column(id_type())
    at: Mapped[datetime]
    position: Mapped[int | None] = mapped_column(BigInteger)


class FeedEnd(Base):
    """How far a merchant's feed has come; its row is the relay's turn."""

    __tablename__ = "feed_ends"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)
