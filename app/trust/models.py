"""Tables of doubts and of what was decided about them. Both are only appended to."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, id_type

_BARS = text("effect <> 'none'")


class Doubt(Base):
    """A rule found something doubtful about a referral, a visit or an order; told once, with its evidence.

    The evidence has no address, agent, mail or card: numbers, times, and ids of ours.
    """

    __tablename__ = "doubts"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),
        UniqueConstraint("merchant_id", "about", "subject", "rule"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    doubt_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # dbt_…
    about: Mapped[str] = mapped_column(String(8))  # referral, visit, order
    subject: Mapped[str] = mapped_column(id_type(200))  # its id
    rule: Mapped[str] = mapped_column(id_type(40))  # the stable reason code
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime]


class Decision(Base):
    """What was decided about a doubt: first by its rule, then, if they like, by the merchant, who may `reopen` it and
    so leave it to the rule again. The last one holds. A rule that is changed decides anew where no merchant did."""

    __tablename__ = "decisions"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "doubt_id"], ["doubts.merchant_id", "doubts.doubt_id"]),
        Index("ix_decisions_doubt", "merchant_id", "doubt_id", "decision_id"),
        # Whether anything was ever barred, which most merchants never do.
        Index("ix_decisions_barring", "merchant_id", sqlite_where=_BARS, postgresql_where=_BARS),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    decision_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # dec_…
    doubt_id: Mapped[str] = mapped_column(id_type())
    # A rule's: off, flag, hold, refuse. The merchant's: credit, refuse, reopen.
    verdict: Mapped[str] = mapped_column(String(8))
    effect: Mapped[str] = mapped_column(String(8))  # what becomes of credit from then on: none, hold, refuse
    note: Mapped[str | None] = mapped_column(Text)
    key_id: Mapped[str | None] = mapped_column(id_type())  # with which key the merchant decided; empty: the rule did
    at: Mapped[datetime]
