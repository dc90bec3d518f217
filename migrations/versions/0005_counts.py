"""Counts that a report can be read from: what each batch of facts adds, and what it came to

New tables only. What happened before is counted by the server's worker after its start (docs/scaling.md).

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
        sa.Column("value", text_of(200), nullable=False),
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
        sa.Column("value", text_of(200), nullable=False),
        *counts(),
        sa.PrimaryKeyConstraint("merchant_id", "dimension", "span", "starts", "value", name=op.f("pk_rollups")),
    )
    op.create_index("ix_rollups_value", "rollups", ["merchant_id", "dimension", "value", "span", "starts"])


def downgrade() -> None:
    raise CommandError("what was counted since has no place in the tables of before: restore a backup")
