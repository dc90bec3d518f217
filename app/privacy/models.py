"""Tables of what people said about being remembered: consent, leaving; and the salts that make what is seen of a
device unreadable when they are gone."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, id_type


class Consent(Base):
    """The receipt for a consent that a page passed on: to which `version` of its words, and when. Withdrawn by being
    told so, never deleted but with the person."""

    __tablename__ = "consents"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),
        Index("ix_consents_visitor", "merchant_id", "visitor_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    consent_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # cns_…
    visitor_id: Mapped[str] = mapped_column(id_type(200))
    version: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Leaver(Base):
    """Somebody who opted out, or had themselves erased: known by a keyed hash of their visitor alone, so that the list
    of those who left names nobody, and a backup that was put back can be asked whom it must forget again."""

    __tablename__ = "leavers"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    visitor_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    opted_out_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]  # when nothing of them was left anywhere


class Salt(Base):
    """What is mixed into the hashes of addresses and agents of a day (UTC); destroyed at the end of the next one, and
    from then on nobody can tell what those hashes were made of, we included."""

    __tablename__ = "salts"
    __table_args__ = {"info": {"shared": "the server's own; the merchant's number is mixed in beside it"}}

    day: Mapped[datetime] = mapped_column(primary_key=True)
    salt: Mapped[str] = mapped_column(String(64))
