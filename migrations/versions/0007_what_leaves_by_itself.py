"""What leaves by itself: the journal of all facts, outgoing webhooks; names that sharers chose, keys without small groups

New tables, and two columns that are empty: nothing is rewritten. On PostgreSQL it fails after 5 s of waiting for a lock
rather than stopping the shop; run it again.

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.types import TypeEngine

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def text_of(length: int) -> TypeEngine[str]:
    """Text that is compared as bytes."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    make_journal()
    make_webhooks()
    op.create_table(
        "sharer_names",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("visitor_id", text_of(200), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_sharer_names_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "visitor_id", name=op.f("pk_sharer_names")),
    )
    op.add_column("api_keys", sa.Column("suppressed", sa.Boolean(), nullable=True))
    op.add_column("merchants", sa.Column("small_group", sa.SmallInteger(), nullable=True))


def make_journal() -> None:
    op.create_table(
        "journal_entries",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", text_of(40), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("subjects", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("merchant_id", "entry_id", name=op.f("pk_journal_entries")),
    )
    op.create_index("uq_journal_entries_position", "journal_entries", ["merchant_id", "position"], unique=True)
    unplaced = sa.text("position IS NULL")
    op.create_index(
        "ix_journal_entries_unplaced",
        "journal_entries",
        ["merchant_id", "entry_id"],
        sqlite_where=unplaced,
        postgresql_where=unplaced,
    )
    op.create_table(
        "journal_ends",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_journal_ends_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", name=op.f("pk_journal_ends")),
    )


def make_webhooks() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("endpoint_id", text_of(40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=True),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("former_secret", sa.Text(), nullable=True),
        sa.Column("former_until", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_reason", sa.String(length=40), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_webhook_endpoints_merchant_id")
        ),
        sa.PrimaryKeyConstraint("merchant_id", "endpoint_id", name=op.f("pk_webhook_endpoints")),
    )
    make_deliveries()
    op.create_table(
        "webhook_attempts",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("delivery_id", text_of(40), nullable=False),
        sa.Column("attempt_id", text_of(40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("took", sa.Integer(), nullable=False, comment="milliseconds"),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("merchant_id", "delivery_id", "attempt_id", name=op.f("pk_webhook_attempts")),
    )


def make_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("delivery_id", text_of(40), nullable=False),
        sa.Column("endpoint_id", text_of(40), nullable=False),
        sa.Column("event_id", text_of(40), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("subject", text_of(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("given_up_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merchant_id", "endpoint_id"],
            ["webhook_endpoints.merchant_id", "webhook_endpoints.endpoint_id"],
            name=op.f("fk_webhook_deliveries_merchant_id_endpoint_id"),
        ),
        sa.PrimaryKeyConstraint("merchant_id", "delivery_id", name=op.f("pk_webhook_deliveries")),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["merchant_id", "endpoint_id", "due_at"],
        sqlite_where=due,
        postgresql_where=due,
    )
    waiting = sa.text("delivered_at IS NULL AND given_up_at IS NULL")
    op.create_index(
        "ix_webhook_deliveries_subject",
        "webhook_deliveries",
        ["merchant_id", "endpoint_id", "subject", "delivery_id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    given_up = sa.text("given_up_at IS NOT NULL")
    op.create_index(
        "ix_webhook_deliveries_given_up",
        "webhook_deliveries",
        ["merchant_id", "endpoint_id", "delivery_id"],
        sqlite_where=given_up,
        postgresql_where=given_up,
    )
    op.create_index(
        "ix_webhook_deliveries_endpoint", "webhook_deliveries", ["merchant_id", "endpoint_id", "delivery_id"]
    )
    op.create_index("ix_webhook_deliveries_event", "webhook_deliveries", ["merchant_id", "event_id"])


def downgrade() -> None:
    raise CommandError("what was told since has no place in the tables of before: restore a backup")
