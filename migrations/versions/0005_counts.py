"""Counts that a report can be read from: what each batch of facts adds, and what it came to

New tables, and one column that may be empty, so whoever is older does not mind. What happened before is counted by the
server's worker after its start (docs/decisions/0018-rollups.md).

Revision: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.types import TypeEngine

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_MEASURES = (
    *("wall_views", "card_views", "card_opens", "share_opens", "checkout_opens"),
    *("likes", "shares", "visits", "checkouts"),
)


def text_of(length: int) -> TypeEngine[str]:
    """Text that is compared as bytes."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def counts() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), server_default="0", nullable=False) for name in _MEASURES]


def upgrade() -> None:
    op.create_table(
        "rollup_deltas",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("delta_id", text_of(40), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("value", text_of(255), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        *counts(),
        sa.PrimaryKeyConstraint("merchant_id", "delta_id", name=op.f("pk_rollup_deltas")),
    )
    op.create_table(
        "rollups",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("span", sa.BigInteger(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("value", text_of(255), nullable=False),
        *counts(),
        sa.PrimaryKeyConstraint("merchant_id", "dimension", "span", "starts", "value", name=op.f("pk_rollups")),
    )
    op.create_table(
        "rollup_checks",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("turn", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("thorough", sa.Integer(), server_default="0", nullable=False),
        sa.Column("compared_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("merchant_id", name=op.f("pk_rollup_checks")),
    )
    op.create_index("ix_rollups_value", "rollups", ["merchant_id", "dimension", "value", "span", "starts"])
    make_credit_sums()  # reads all credit: before anything is locked
    if op.get_bind().dialect.name == "postgresql":
        # Deltas come and go by the thousand: cleared away before they are many. Counts change in place, not in a new one.
        op.execute(
            "ALTER TABLE rollup_deltas SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,"
            " autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0)"
        )
        op.execute("ALTER TABLE rollups SET (fillfactor = 80)")
    op.create_index("ix_refunds_order", "refunds", ["merchant_id", "order_id"])
    # By which network the buyer had come: the visit that knows it may be gone when the checkout is counted.
    op.add_column("checkouts", sa.Column("seen_from", text_of(40), nullable=True))


def make_credit_sums() -> None:
    """Sums of credit, and what is to be added up: all that there is."""
    op.create_table(
        "credit_marks",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("policy", text_of(40), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("mark_id", text_of(40), nullable=False),
        sa.PrimaryKeyConstraint(
            *("merchant_id", "policy", "livemode", "starts", "mark_id"), name=op.f("pk_credit_marks")
        ),
    )
    op.create_table(
        "credit_sums",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("policy", text_of(40), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("span", sa.BigInteger(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("value", text_of(255), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False, comment="minor units"),
        sa.Column("refunded", sa.BigInteger(), nullable=False, comment="minor units"),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            *("merchant_id", "policy", "livemode", "dimension", "span", "starts", "currency", "value"),
            name=op.f("pk_credit_sums"),
        ),
    )
    op.execute(
        sa.text(
            "INSERT INTO credit_marks (merchant_id, policy, livemode, starts, mark_id)"
            " SELECT DISTINCT merchant_id, policy, livemode, order_at - order_at % 900000000, '' FROM credit_lines"
        )
    )


def downgrade() -> None:
    raise CommandError("what was counted since has no place in the tables of before: restore a backup")
