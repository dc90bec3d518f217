"""Trust: consent, leaving, salts; doubts and decisions; an audit trail; keys that expire

New tables, and columns that are empty: nothing is rewritten. On PostgreSQL it fails after 5 s of waiting for a lock
rather than stopping the shop; run it again.

Revision: 0008
Revises: 0007
"""

from contextlib import nullcontext
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.types import TypeEngine

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def text_of(length: int) -> TypeEngine[str]:
    """Text that is compared as bytes."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    add_columns()
    make_people()
    make_doubts()
    op.create_table(
        "audit_entries",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", text_of(40), nullable=False),
        sa.Column("key_id", text_of(40), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", text_of(200), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_audit_entries_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "entry_id", name=op.f("pk_audit_entries")),
    )


def add_columns() -> None:
    add(
        "merchants",
        sa.Column("rules", sa.JSON()),
        sa.Column("retention", sa.JSON()),
        sa.Column("visits_kept_from", sa.BigInteger()),
    )
    add(
        "api_keys",
        sa.Column("label", sa.String(length=100)),
        sa.Column("scopes", sa.JSON()),
        sa.Column("expires_at", sa.BigInteger()),
    )
    for table in ("referrals", "visits"):
        add(table, sa.Column("device", text_of(16)), sa.Column("block", text_of(16)))
    add("checkouts", sa.Column("device", text_of(16)))
    hashes = [sa.Column(name, sa.String(length=64)) for name in ("mail_hash", "card_hash")]
    add("orders", *hashes, sa.Column("device", text_of(16)))
    index("ix_orders_mail", "mail_hash")
    index("ix_orders_card", "card_hash")


def add(table: str, *columns: sa.Column[Any]) -> None:
    """Add columns to one table, and let it go: who held several tables at once would wait for those who use them in
    another order, and they for us. A second attempt leaves those that are there."""
    with op.get_context().autocommit_block() if on_postgresql() else nullcontext():
        for column in columns:
            op.add_column(table, column, if_not_exists=on_postgresql() or None)


def index(name: str, column: str) -> None:
    """Find orders by a hash, where they have it. On PostgreSQL it is made beside everybody's work; what was left of an
    attempt that failed is made anew."""
    known = sa.text(f"{column} IS NOT NULL")
    with op.get_context().autocommit_block() if on_postgresql() else nullcontext():
        if on_postgresql():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.create_index(
            name,
            "orders",
            ["merchant_id", column],
            sqlite_where=known,
            postgresql_where=known,
            postgresql_concurrently=on_postgresql(),
        )


def on_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def make_people() -> None:
    op.create_table(
        "consents",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("consent_id", text_of(40), nullable=False),
        sa.Column("visitor_id", text_of(200), nullable=False),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_consents_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "consent_id", name=op.f("pk_consents")),
    )
    op.create_index("ix_consents_visitor", "consents", ["merchant_id", "visitor_id"])
    op.create_table(
        "leavers",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("visitor_hash", sa.String(length=64), nullable=False),
        sa.Column("opted_out_at", sa.BigInteger(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_leavers_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "visitor_hash", name=op.f("pk_leavers")),
    )
    op.create_table(
        "salts",
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_salts")),
    )


def make_doubts() -> None:
    op.create_table(
        "doubts",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("doubt_id", text_of(40), nullable=False),
        sa.Column("about", sa.String(length=8), nullable=False),
        sa.Column("subject", text_of(200), nullable=False),
        sa.Column("rule", text_of(40), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_doubts_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "doubt_id", name=op.f("pk_doubts")),
        sa.UniqueConstraint(
            "merchant_id", "about", "subject", "rule", name=op.f("uq_doubts_merchant_id_about_subject_rule")
        ),
    )
    op.create_table(
        "decisions",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("decision_id", text_of(40), nullable=False),
        sa.Column("doubt_id", text_of(40), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("effect", sa.String(length=8), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("key_id", text_of(40), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id", "doubt_id"],
            ["doubts.merchant_id", "doubts.doubt_id"],
            name=op.f("fk_decisions_merchant_id_doubt_id"),
        ),
        sa.PrimaryKeyConstraint("merchant_id", "decision_id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_doubt", "decisions", ["merchant_id", "doubt_id", "decision_id"])
    bars = sa.text("effect <> 'none'")
    op.create_index("ix_decisions_barring", "decisions", ["merchant_id"], sqlite_where=bars, postgresql_where=bars)


def downgrade() -> None:
    raise CommandError("what people said since has no place in the tables of before: restore a backup")
