"""Tables of referrals: likes and shares, their links, visits and claims, who is whom, and who a coupon speaks for.

Facts are appended; see each table. What came from another system by `POST /v1/history` stands in the same tables
under the sender's own ids, so that its references need no translation.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.codes import LONGEST as LONGEST_CODE
from app.kernel.database import Base, BigNumber, id_type

_STANDS = text("withdrawn_at IS NULL AND code IS NOT NULL")
_HAS_PARENT = text("parent_id IS NOT NULL")
_IMPORTED = text("imported")
_STANDING_LIKE = text("kind = 'like' AND withdrawn_at IS NULL")


class Referral(Base):
    """A like or a share: somebody's deliberate word for a product or wall. Never changed but to be withdrawn.

    One that was brought in from another system has no code, for its link is not ours.
    """

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
        # The share tree, downwards: from a person to what came of their word.
        Index("ix_referrals_visitor", "merchant_id", "visitor_id"),
        Index(
            "ix_referrals_parent",
            *("merchant_id", "parent_id"),
            sqlite_where=_HAS_PARENT,
            postgresql_where=_HAS_PARENT,
        ),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    referral_id: Mapped[str] = mapped_column(id_type(200), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))  # like, share
    visitor_id: Mapped[str] = mapped_column(id_type(200))
    product_id: Mapped[str | None] = mapped_column(id_type())
    wall_id: Mapped[str | None] = mapped_column(id_type())
    target: Mapped[str] = mapped_column(id_type(80))  # product and wall in one, since NULLs are never equal
    address: Mapped[str | None] = mapped_column(Text)  # a page of the merchant's own, where that is what was passed on
    told_product: Mapped[str | None] = mapped_column(id_type(255))  # what the sender named, where it is none of ours
    told_wall: Mapped[str | None] = mapped_column(id_type(255))
    network: Mapped[str | None] = mapped_column(id_type(40))
    code: Mapped[str | None] = mapped_column(id_type(16))
    parent_id: Mapped[str | None] = mapped_column(id_type(200))
    caption: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(String(100))
    device: Mapped[str | None] = mapped_column(id_type(16))  # keyed hashes with the day's salt (privacy/sightings.py)
    block: Mapped[str | None] = mapped_column(id_type(16))
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class SharerName(Base):
    """What a visitor wants to be called from now on, whatever they said with a share; empty: nothing."""

    __tablename__ = "sharer_names"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    visitor_id: Mapped[str] = mapped_column(id_type(200), primary_key=True)
    name: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[datetime]


class Link(Base):
    """Where a code leads."""

    __tablename__ = "links"
    __table_args__ = {"info": {"shared": "a link's code is all that a visit brings"}}

    code: Mapped[str] = mapped_column(id_type(16), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(BigNumber, ForeignKey("merchants.merchant_id"))
    referral_id: Mapped[str] = mapped_column(id_type())


class Visit(Base):
    """A person followed a referral's link; or whatever else of a journey was brought in from another system.

    Appended only; without foreign keys, as it is kept by the month (kernel/partitions.py).
    """

    __tablename__ = "visits"
    __table_args__ = (
        # Only what is brought in may come before its referral; an index over all visits would halve their speed.
        Index(
            "ix_visits_imported",
            *("merchant_id", "referral_id"),
            sqlite_where=_IMPORTED,
            postgresql_where=_IMPORTED,
        ),
        {"postgresql_partition_by": "RANGE (visit_id)"},  # an id begins with its time (docs/scaling.md)
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    visit_id: Mapped[str] = mapped_column(id_type(200), primary_key=True)  # the click id, clk_…
    referral_id: Mapped[str | None] = mapped_column(id_type(200))
    type: Mapped[str] = mapped_column(String(8))  # click (through a share), like (through a like), view, direct
    product_id: Mapped[str | None] = mapped_column(id_type())
    wall_id: Mapped[str | None] = mapped_column(id_type())
    seen_from: Mapped[str | None] = mapped_column(id_type(40))  # the network that was observed
    imported: Mapped[bool] = mapped_column(Boolean, server_default=false())
    device: Mapped[str | None] = mapped_column(id_type(16))  # keyed hashes with the day's salt (privacy/sightings.py)
    block: Mapped[str | None] = mapped_column(id_type(16))
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
    visit_id: Mapped[str] = mapped_column(id_type(200), primary_key=True)
    claimed_id: Mapped[str] = mapped_column(id_type(200))
    visitor_id: Mapped[str] = mapped_column(id_type(200))
    at: Mapped[datetime]
    received_at: Mapped[datetime]


class Identity(Base):
    """The merchant said: this visitor is that person. What was said last counts; appended only."""

    __tablename__ = "identities"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),
        Index("ix_identities_person", "merchant_id", "person"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    visitor_id: Mapped[str] = mapped_column(id_type(200), primary_key=True)
    person: Mapped[str] = mapped_column(id_type(200), primary_key=True)  # the merchant's customer id, or a visitor
    at: Mapped[datetime] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]


class Coupon(Base):
    """From `at` on, a code speaks for a referral; for nobody where `referral_id` is empty. Appended only."""

    __tablename__ = "coupons"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),
        UniqueConstraint("merchant_id", "code", "at", "referral_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    coupon_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    code: Mapped[str] = mapped_column(id_type(LONGEST_CODE))  # as codes are compared (app/kernel/codes.py)
    said: Mapped[str] = mapped_column(String(200))  # as it was written
    referral_id: Mapped[str | None] = mapped_column(id_type(200))
    at: Mapped[datetime]
    received_at: Mapped[datetime]


class Beacon(Base):
    """A widget reported: a wall or card was seen, something was opened. Appended only; dropped by age.

    Without foreign keys. `visitor_id` stands only where a token proved it and the person did not object.
    """

    __tablename__ = "beacons"
    __table_args__ = {"postgresql_partition_by": "RANGE (beacon_id)"}

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    beacon_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # bcn_…
    type: Mapped[str] = mapped_column(String(16))  # wall_view, card_view, card_open, share_open, checkout_open
    wall_id: Mapped[str | None] = mapped_column(id_type())
    product_id: Mapped[str | None] = mapped_column(id_type())
    referral_id: Mapped[str | None] = mapped_column(id_type(200))
    click_id: Mapped[str | None] = mapped_column(id_type(200))
    visitor_id: Mapped[str | None] = mapped_column(id_type(200))
    at: Mapped[datetime]
    received_at: Mapped[datetime]


class MachineVisits(Base):
    """How often machines asked for a link on a day (UTC): link previews, crawlers, pages unseen. They are no visits."""

    __tablename__ = "machine_visits"

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    day: Mapped[datetime] = mapped_column(primary_key=True)
    referral_id: Mapped[str] = mapped_column(id_type(200), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)  # crawler, preview, hidden
    machine: Mapped[str] = mapped_column(String(40), primary_key=True)  # whose: facebook, slack, googlebot, other
    visits: Mapped[int] = mapped_column(BigInteger)
