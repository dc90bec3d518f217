"""Tables of referrals: likes and shares, their links, visits and claims. Facts are appended; see each table."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, BigNumber, id_type

_STANDS = text("withdrawn_at IS NULL")
_STANDING_LIKE = text("kind = 'like' AND withdrawn_at IS NULL")


class Referral(Base):
    """A like or a share: somebody's deliberate word for a product or wall. Never changed but to be withdrawn."""

    __tablename__ = "referrals"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "product_id"], ["products.merchant_id", "products.product_id"]),
        ForeignKeyConstraint(["merchant_id", "wall_id"], ["walls.merchant_id", "walls.wall_id"]),
        Index(
            "uq_referrals_standing",
            *("merchant_id", "visitor_id", "kind", "target", "network"),
            unique=True,
            sqlite_where=_STANDS,
            postgresql_where=_STANDS,
        ),
        # Holds all that a like count asks for, in the order of counting (docs/decisions/0008-likes.md).
        Index(
            "ix_referrals_likers",
            *("merchant_id", "product_id", "visitor_id"),
            sqlite_where=_STANDING_LIKE,
            postgresql_where=_STANDING_LIKE,
        ),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    referral_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))  # like, share
    visitor_id: Mapped[str] = mapped_column(id_type())
    product_id: Mapped[str | None] = mapped_column(id_type())
    wall_id: Mapped[str | None] = mapped_column(id_type())
    target: Mapped[str] = mapped_column(id_type(80))  # product and wall in one, since NULLs are never equal
    network: Mapped[str] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(id_type(16))
    parent_id: Mapped[str | None] = mapped_column(id_type())
    caption: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Link(Base):
    """Where a code leads."""

    __tablename__ = "links"
    __table_args__ = {"info": {"shared": "a link's code is all that a visit brings"}}

    code: Mapped[str] = mapped_column(id_type(16), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(BigNumber, ForeignKey("merchants.merchant_id"))
    referral_id: Mapped[str] = mapped_column(id_type())


class Visit(Base):
    """A person followed a referral's link. Appended only; without foreign keys, as it is dropped by age."""

    __tablename__ = "visits"

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    visit_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # the click id, clk_…
    referral_id: Mapped[str] = mapped_column(id_type())
    type: Mapped[str] = mapped_column(String(8))  # click (through a share), like (through a like)
    product_id: Mapped[str | None] = mapped_column(id_type())
    wall_id: Mapped[str | None] = mapped_column(id_type())
    seen_from: Mapped[str | None] = mapped_column(String(32))  # the network that was observed
    at: Mapped[datetime]
    received_at: Mapped[datetime]


class Claim(Base):
    """A visitor said: that visit was mine. The first claim of a visit stands; appended only.

    Who claims what somebody else had claimed (a copied address) gets a visit of their own: `visit_id` is theirs,
    `claimed_id` the one whose address they had.
    """

    __tablename__ = "visit_claims"
    __table_args__ = (
        UniqueConstraint("merchant_id", "claimed_id", "visitor_id"),
        Index("ix_visit_claims_visitor", "merchant_id", "visitor_id", "visit_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    visit_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    claimed_id: Mapped[str] = mapped_column(id_type())
    visitor_id: Mapped[str] = mapped_column(id_type())
    at: Mapped[datetime]
    received_at: Mapped[datetime]
