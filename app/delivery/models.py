"""Tables of outgoing webhooks: who is told, what they are to be told, and each attempt."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, id_type

_DUE = text("due_at IS NOT NULL")
_WAITING = text("delivered_at IS NULL AND given_up_at IS NULL")
_GIVEN_UP = text("given_up_at IS NOT NULL")


class WebhookEndpoint(Base):
    """An address that is told of events. Withdrawn, never deleted.

    `place` is how far in the journal (kernel/journal.py) its deliveries were made out.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    endpoint_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # whe_…
    url: Mapped[str] = mapped_column(Text)
    types: Mapped[list[str]] = mapped_column(JSON)  # empty: all
    description: Mapped[str | None] = mapped_column(String(200))
    secret: Mapped[str] = mapped_column(Text)  # sealed (kernel/sealing.py)
    former_secret: Mapped[str | None] = mapped_column(Text)  # sealed, the newest first; sign too until `former_until`
    former_until: Mapped[datetime | None]
    place: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]  # the first failure after which nothing arrived any more
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None] = mapped_column(String(40))
    withdrawn_at: Mapped[datetime | None]


class WebhookDelivery(Base):
    """An event that an endpoint is to be told. In order for each `subject`: a later one waits for those before it."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["merchant_id", "endpoint_id"], ["webhook_endpoints.merchant_id", "webhook_endpoints.endpoint_id"]
        ),
        Index(
            "ix_webhook_deliveries_due",
            *("merchant_id", "endpoint_id", "due_at"),
            sqlite_where=_DUE,
            postgresql_where=_DUE,
        ),
        Index(
            "ix_webhook_deliveries_subject",
            *("merchant_id", "endpoint_id", "subject", "delivery_id"),
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index(
            "ix_webhook_deliveries_given_up",
            *("merchant_id", "endpoint_id", "delivery_id"),
            sqlite_where=_GIVEN_UP,
            postgresql_where=_GIVEN_UP,
        ),
        Index("ix_webhook_deliveries_endpoint", "merchant_id", "endpoint_id", "delivery_id"),
        Index("ix_webhook_deliveries_event", "merchant_id", "event_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    delivery_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # whd_…, in the order of the journal
    endpoint_id: Mapped[str] = mapped_column(id_type())
    event_id: Mapped[str] = mapped_column(id_type())  # evt_…, the `webhook-id` of every attempt
    type: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(id_type(200))  # the id of what it is about
    body: Mapped[str] = mapped_column(Text)  # JSON, the same at every attempt
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # empty while one before it waits, and once it is delivered or given up
    attempts: Mapped[int]
    delivered_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]


class WebhookAttempt(Base):
    """What became of one attempt. Appended only; dropped by age."""

    __tablename__ = "webhook_attempts"

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    delivery_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    attempt_id: Mapped[str] = mapped_column(id_type(), primary_key=True)  # wha_…
    at: Mapped[datetime]
    took: Mapped[int] = mapped_column(comment="milliseconds")
    status: Mapped[int | None]  # of the answer, if there was one
    problem: Mapped[str | None] = mapped_column(Text)  # in words, where it did not arrive
