"""Orders that are never lost: corrections, reservations, connected shops, promotion codes, reconciliation

On PostgreSQL it fails after 5 s of waiting for a lock rather than stopping the shop; run it again. The two indexes in
tables of before (of counting refunds, of unsettled checkouts) come first: while they are made, nothing is written to
those two, and everything is read. What also keeps readers out takes a moment, and comes last.

Revision: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def text_of(length: int) -> TypeEngine[str]:
    """Text that is compared as bytes."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    index_what_stands()
    make_shops()
    make_stripe()
    make_jobs()
    make_orders()
    make_reservations()
    widen_what_stands()


def index_what_stands() -> None:
    unsettled = sa.text("status IN ('asking', 'open', 'paying')")
    op.create_index(
        "ix_checkouts_unsettled", "checkouts", ["expires_at"], sqlite_where=unsettled, postgresql_where=unsettled
    )
    counts = sa.text("dropped_at IS NULL")
    op.create_index(
        "uq_refunds_counting",
        "refunds",
        ["merchant_id", "order_id", "external_id"],
        unique=True,
        sqlite_where=counts,
        postgresql_where=counts,
    )


def make_reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("holder", text_of(40), nullable=False),
        sa.Column("variant_id", text_of(40), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("sold", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merchant_id", "variant_id"],
            ["variants.merchant_id", "variants.variant_id"],
            name=op.f("fk_reservations_merchant_id_variant_id"),
        ),
        sa.PrimaryKeyConstraint("merchant_id", "holder", "variant_id", name=op.f("pk_reservations")),
    )


def make_orders() -> None:
    op.create_table(
        "order_corrections",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_id", text_of(40), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id", "order_id"],
            ["orders.merchant_id", "orders.order_id"],
            name=op.f("fk_order_corrections_merchant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("merchant_id", "order_id", "position", name=op.f("pk_order_corrections")),
    )
    op.create_table(
        "former_buyers",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_id", text_of(40), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("click_id", text_of(200), nullable=True),
        sa.Column("visitor_id", text_of(200), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id", "order_id"],
            ["orders.merchant_id", "orders.order_id"],
            name=op.f("fk_former_buyers_merchant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("merchant_id", "order_id", "position", name=op.f("pk_former_buyers")),
    )
    op.create_index("ix_former_buyers_visitor", "former_buyers", ["merchant_id", "visitor_id"])
    op.create_index("ix_former_buyers_click", "former_buyers", ["merchant_id", "click_id"])


def make_shops() -> None:
    op.create_table(
        "connectors",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("system", text_of(16), nullable=False),
        sa.Column("secret", sa.String(length=1000), nullable=False),
        sa.Column("hint", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("refused_at", sa.BigInteger(), nullable=True),
        sa.Column("trouble", sa.String(length=300), nullable=True),
        sa.Column("trouble_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_connectors_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "system", name=op.f("pk_connectors")),
    )
    op.create_table(
        "shop_orders",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("system", text_of(16), nullable=False),
        sa.Column("shop_order_id", text_of(100), nullable=False),
        sa.Column("order_id", text_of(40), nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_shop_orders_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "system", "shop_order_id", name=op.f("pk_shop_orders")),
    )


def make_stripe() -> None:
    op.create_table(
        "promotion_codes",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("promotion_code_id", text_of(200), nullable=False),
        sa.Column("code", sa.String(length=500), nullable=False),
        sa.Column("code_key", text_of(600), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_promotion_codes_merchant_id")
        ),
        sa.PrimaryKeyConstraint("merchant_id", "promotion_code_id", name=op.f("pk_promotion_codes")),
    )
    op.create_index("ix_promotion_codes_code", "promotion_codes", ["merchant_id", "code_key"])
    op.create_table(
        "reconciliations",
        sa.Column("reconciliation_id", text_of(40), nullable=False),
        sa.Column("account", text_of(64), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("repaired", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("reconciliation_id", name=op.f("pk_reconciliations")),
    )
    op.create_index("ix_reconciliations_account", "reconciliations", ["account", "started_at"])
    op.create_table(
        "repairs",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("repair_id", text_of(40), nullable=False),
        sa.Column("reconciliation_id", text_of(40), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("object_id", text_of(200), nullable=False),
        sa.Column("order_id", text_of(40), nullable=True),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("repaired_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_repairs_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "repair_id", name=op.f("pk_repairs")),
    )


def make_jobs() -> None:
    op.create_table(
        "periodic_jobs",
        sa.Column("name", text_of(80), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_periodic_jobs")),
    )


def widen_what_stands() -> None:
    # An order that was cancelled has a refund of this name now; shops may have used it for one of theirs.
    op.execute("UPDATE refunds SET external_id = 'cancelled (refund)' WHERE external_id = 'cancelled'")
    op.execute("UPDATE waiting_refunds SET external_id = 'cancelled (refund)' WHERE external_id = 'cancelled'")
    with op.batch_alter_table("refunds") as refunds:
        refunds.drop_constraint(op.f("uq_refunds_merchant_id_order_id_external_id"), type_="unique")
    op.add_column("checkouts", sa.Column("terms", sa.JSON(), nullable=True))
    op.add_column("stripe_events", sa.Column("via", sa.String(length=16), nullable=True))
    op.add_column("merchants", sa.Column("checkout", sa.JSON(), nullable=True))
    op.add_column(
        "variants",
        sa.Column("held", sa.Integer(), server_default="0", nullable=False, comment="pieces of them that are reserved"),
    )


def downgrade() -> None:
    raise CommandError("what was corrected and reserved has no place in the tables of before: restore a backup")
