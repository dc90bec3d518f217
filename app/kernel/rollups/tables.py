"""The tables of counts: what each batch of facts adds, and what that came to, by spans of time.

Several narrow rollups, never one wide one: a fact is counted once under each dimension by itself. What is appended
meets no other row, so nobody waits for anybody; only the folding touches rows that stand
(docs/decisions/0018-rollups.md).
"""

from datetime import datetime
from typing import Final, Literal, get_args

from sqlalchemy import BigInteger, Index, String, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.database import Base, id_type

Measure = Literal[
    "wall_views",
    "card_views",
    "card_opens",
    "share_opens",
    "checkout_opens",
    "likes",
    "shares",
    "visits",
    "checkouts",
]
"""What is counted."""
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)

Dimension = Literal["total", "network", "shared_to", "seen_from", "product", "wall", "kind"]
"""By what it is counted; under `total` all of it stands once more, with an empty value."""
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)

QUARTER: Final = 900_000_000
"""Microseconds. Every time zone begins its days with a quarter of an hour."""
SPANS: Final = (QUARTER, 4 * QUARTER, 96 * QUARTER, 16 * 96 * QUARTER)
"""Quarters, hours, days and sixteen days of UTC: each is whole numbers of the one before, so that any period is a few
of each."""


class CountColumns:
    """So many of each, in a row."""

    wall_views: Mapped[int] = mapped_column(BigInteger, server_default="0")
    card_views: Mapped[int] = mapped_column(BigInteger, server_default="0")
    card_opens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    share_opens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    checkout_opens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    likes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    shares: Mapped[int] = mapped_column(BigInteger, server_default="0")
    visits: Mapped[int] = mapped_column(BigInteger, server_default="0")
    checkouts: Mapped[int] = mapped_column(BigInteger, server_default="0")


class RollupDelta(CountColumns, Base):
    """What a batch of facts adds to a quarter of an hour; a negative number takes back. Gone when it is folded."""

    __tablename__ = "rollup_deltas"

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    delta_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # rll_…
    dimension: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(id_type(255))  # empty: none
    starts: Mapped[int] = mapped_column(BigInteger)  # of the quarter, microseconds since 1970


class Rollup(CountColumns, Base):
    """What was counted in a span of time, as far as it is folded."""

    __tablename__ = "rollups"
    __table_args__ = (Index("ix_rollups_value", "merchant_id", "dimension", "value", "span", "starts"),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    span: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # one of `SPANS`
    starts: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    value: Mapped[str] = mapped_column(id_type(255), primary_key=True)


class RollupCheck(Base):
    """How far the counts of a merchant were compared with the facts.

    `turn` counts the mendings: a difference that was found at one turn may be appended at that turn only, so nothing
    is ever mended twice.
    """

    __tablename__ = "rollup_checks"

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    turn: Mapped[int] = mapped_column(BigInteger, server_default="0")
    thorough: Mapped[int] = mapped_column(server_default="0")  # how often all facts were compared
    compared_at: Mapped[datetime | None]  # when the last comparison that came to its end had begun


def run_uncompiled(session: Session) -> None:
    """Let PostgreSQL compile no statement of this transaction: a second of compiling for milliseconds of adding up."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL jit = off"))
