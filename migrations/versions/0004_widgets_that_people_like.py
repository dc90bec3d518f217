"""Widgets that people like to meet: the live feed, beacons, machines' visits, shares of any page, ways of sharing

On PostgreSQL it fails after 5 s of waiting for a lock rather than stopping the shop; run it again. New tables only,
and two columns that are empty: nothing is rewritten.

Revision: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.types import TypeEngine

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def text_of(length: int) -> TypeEngine[str]:
    """Text that is compared as bytes."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    make_feed()
    make_sightings()
    op.add_column("referrals", sa.Column("address", sa.Text(), nullable=True))
    op.add_column("merchants", sa.Column("sharing", sa.JSON(), nullable=True))


def make_feed() -> None:
    op.create_table(
        "feed_entries",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", text_of(40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("product_id", text_of(40), nullable=True),
        sa.Column("wall_id", text_of(40), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("merchant_id", "entry_id", name=op.f("pk_feed_entries")),
    )
    op.create_index("uq_feed_entries_position", "feed_entries", ["merchant_id", "position"], unique=True)
    unplaced = sa.text("position IS NULL")
    op.create_index(
        "ix_feed_entries_unplaced",
        "feed_entries",
        ["merchant_id", "entry_id"],
        sqlite_where=unplaced,
        postgresql_where=unplaced,
    )
    op.create_table(
        "feed_ends",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_feed_ends_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", name=op.f("pk_feed_ends")),
    )


def make_sightings() -> None:
    op.create_table(
        "beacons",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("beacon_id", text_of(40), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("wall_id", text_of(40), nullable=True),
        sa.Column("product_id", text_of(40), nullable=True),
        sa.Column("referral_id", text_of(200), nullable=True),
        sa.Column("click_id", text_of(200), nullable=True),
        sa.Column("visitor_id", text_of(200), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "beacon_id", name=op.f("pk_beacons")),
    )
    op.create_table(
        "machine_visits",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("referral_id", text_of(200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("machine", sa.String(length=40), nullable=False),
        sa.Column("visits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            *("merchant_id", "day", "referral_id", "kind", "machine"), name=op.f("pk_machine_visits")
        ),
    )


def downgrade() -> None:
    raise CommandError("what was seen and shared since has no place in the tables of before: restore a backup")
