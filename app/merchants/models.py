"""Tables of merchants and their keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, ForeignKeyConstraint, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, BigNumber, id_type
from app.merchants.retention import Retention
from app.merchants.selling import Selling
from app.merchants.sharing import Sharing
from app.privacy import small_groups


class Merchant(Base):
    """A tenant. `merchant_id` is the number that its ids carry; `public_id` is how the world names it."""

    __tablename__ = "merchants"

    merchant_id: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(id_type())
    name: Mapped[str] = mapped_column(String(200))
    currency: Mapped[str] = mapped_column(String(3))
    timezone: Mapped[str] = mapped_column(String(64))  # IANA
    allowed_origins: Mapped[list[str]] = mapped_column(JSON)
    return_urls: Mapped[list[str]] = mapped_column(JSON)
    privacy: Mapped[str] = mapped_column(String(16))  # none, counts, consented
    landing: Mapped[str] = mapped_column(String(16))  # page, merchant
    stripe_account: Mapped[str | None] = mapped_column(String(64))
    checkout: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # how buyers pay: shipping, tax, promotion codes
    sharing: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # on which networks, and what is said of rewards
    small_group: Mapped[int | None] = mapped_column(SmallInteger)  # fewer people are "a few"; empty: five
    rules: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # what is done about doubts, by rule; empty: as usual
    retention: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # days, by kind of fact; empty: as usual
    visits_kept_from: Mapped[datetime | None]  # earlier visits are no more; empty: all are there
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    @property
    def fewest_told(self) -> int:
        """Where the public looks, fewer people are "a few"."""
        return small_groups.threshold_of(self.small_group)

    @property
    def kept(self) -> Retention:
        """How long what is kept is kept, as it was set, and since when."""
        return Retention.from_json(self.retention)

    @property
    def selling(self) -> Selling:
        """How buyers pay, as it was set or as it is by itself."""
        return Selling.from_json(self.checkout)

    @property
    def sharing_settings(self) -> Sharing:
        """How the word is passed on, as it was set or as it is by itself."""
        return Sharing.from_json(self.sharing)


class ApiKey(Base):
    """A key, known only by its keyed hash. Withdrawn, never deleted."""

    __tablename__ = "api_keys"
    __table_args__ = {"info": {"shared": "a key is looked up by its hash before its merchant is known"}}

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(BigNumber, ForeignKey("merchants.merchant_id"), index=True)
    key_id: Mapped[str] = mapped_column(id_type())
    kind: Mapped[str] = mapped_column(String(16))  # secret, report
    hint: Mapped[str] = mapped_column(String(16))  # the last four characters, to tell keys apart
    suppressed: Mapped[bool | None] = mapped_column(Boolean)  # a report key that is shown no small groups
    label: Mapped[str | None] = mapped_column(String(100))  # what the merchant calls it
    scopes: Mapped[list[str] | None] = mapped_column(JSON)  # what it may do; empty: all that its kind may
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class AuditEntry(Base):
    """Something that a key, the operator or the command line changed: what, of what, from what to what. Appended only;
    never a secret."""

    __tablename__ = "audit_entries"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # aud_…
    key_id: Mapped[str | None] = mapped_column(id_type())  # empty: the operator
    action: Mapped[str] = mapped_column(String(60))  # merchant.changed, key.made, policy.changed, …
    subject: Mapped[str | None] = mapped_column(id_type(200))
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
    request_id: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[datetime]
