"""Attribution that can be trusted: policies, identities, coupons, and facts from other systems

Ids get room for those of other systems. Nothing here waits for a backfill of many rows: no release has been made with
the first tables alone. On PostgreSQL it fails after 5 s of waiting for a lock rather than stopping the shop; run it again.

Revision: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def text_of(length: int) -> TypeEngine[str]:
    """Text that is compared as bytes."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    make_tables()
    widen_referrals()
    widen_visits()
    widen_orders()
    widen_credit_lines()


def make_tables() -> None:
    op.create_table(
        "coupons",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "coupon_id",
            text_of(40),
            nullable=False,
        ),
        sa.Column(
            "code",
            text_of(600),
            nullable=False,
        ),
        sa.Column("said", sa.String(length=200), nullable=False),
        sa.Column(
            "referral_id",
            text_of(200),
            nullable=True,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_coupons_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "coupon_id", name=op.f("pk_coupons")),
        sa.UniqueConstraint(
            "merchant_id", "code", "at", "referral_id", name=op.f("uq_coupons_merchant_id_code_at_referral_id")
        ),
    )
    op.create_table(
        "identities",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "visitor_id",
            text_of(200),
            nullable=False,
        ),
        sa.Column(
            "person",
            text_of(200),
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_identities_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "visitor_id", "person", "at", name=op.f("pk_identities")),
    )
    op.create_index("ix_identities_person", "identities", ["merchant_id", "person"])

    op.create_table(
        "policies",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", text_of(40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("applies_from", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_policies_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "name", "version", name=op.f("pk_policies")),
    )
    op.create_table(
        "recomputations",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "job_id",
            text_of(40),
            nullable=False,
        ),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("appended", sa.BigInteger(), nullable=False),
        sa.Column(
            "position",
            text_of(40),
            nullable=True,
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_recomputations_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "job_id", name=op.f("pk_recomputations")),
    )
    op.create_table(
        "waiting_refunds",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "external_id",
            text_of(255),
            nullable=False,
        ),
        sa.Column(
            "order_external_id",
            text_of(255),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="minor units of the net"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchants.merchant_id"], name=op.f("fk_waiting_refunds_merchant_id")
        ),
        sa.PrimaryKeyConstraint("merchant_id", "external_id", name=op.f("pk_waiting_refunds")),
    )
    op.create_index("ix_waiting_refunds_order", "waiting_refunds", ["merchant_id", "order_external_id"])

    op.create_table(
        "stale_orders",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "order_id",
            text_of(40),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id", "order_id"],
            ["orders.merchant_id", "orders.order_id"],
            name=op.f("fk_stale_orders_merchant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("merchant_id", "order_id", name=op.f("pk_stale_orders")),
    )


def widen_referrals() -> None:
    op.drop_index("uq_referrals_standing", "referrals")
    with op.batch_alter_table("referrals") as referrals:
        referrals.add_column(sa.Column("told_product", text_of(255), nullable=True))
        referrals.add_column(sa.Column("told_wall", text_of(255), nullable=True))
        referrals.alter_column("referral_id", existing_type=text_of(40), type_=text_of(200), existing_nullable=False)
        referrals.alter_column("visitor_id", existing_type=text_of(40), type_=text_of(200), existing_nullable=False)
        referrals.alter_column("network", existing_type=sa.String(32), type_=text_of(40), nullable=True)
        referrals.alter_column("code", existing_type=text_of(16), nullable=True)
        referrals.alter_column("parent_id", existing_type=text_of(40), type_=text_of(200), existing_nullable=True)
    op.create_index(
        "uq_referrals_standing",
        "referrals",
        ["merchant_id", "visitor_id", "kind", "target", "network"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL AND code IS NOT NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL AND code IS NOT NULL"),
    )
    op.create_index("ix_referrals_visitor", "referrals", ["merchant_id", "visitor_id"])
    op.create_index(
        "ix_referrals_parent",
        "referrals",
        ["merchant_id", "parent_id"],
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )


def widen_visits() -> None:
    with op.batch_alter_table("visits") as visits:
        visits.add_column(sa.Column("imported", sa.Boolean(), server_default=sa.false(), nullable=False))
        visits.alter_column("visit_id", existing_type=text_of(40), type_=text_of(200), existing_nullable=False)
        visits.alter_column("referral_id", existing_type=text_of(40), type_=text_of(200), nullable=True)
        visits.alter_column("seen_from", existing_type=sa.String(32), type_=text_of(40), existing_nullable=True)
    op.create_index(
        "ix_visits_imported",
        "visits",
        ["merchant_id", "referral_id"],
        sqlite_where=sa.text("imported"),
        postgresql_where=sa.text("imported"),
    )
    with op.batch_alter_table("visit_claims") as claims:
        for name in ("visit_id", "claimed_id", "visitor_id"):
            claims.alter_column(name, existing_type=text_of(40), type_=text_of(200), existing_nullable=False)


def widen_orders() -> None:
    op.add_column("orders", sa.Column("coupon_key", text_of(600), nullable=True))
    # SQLite knows no lengths, and would make the table anew, to which others point.
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("orders", "visitor_id", existing_type=text_of(40), type_=text_of(200), existing_nullable=True)
    orders = sa.table("orders", sa.column("coupon", sa.String()), sa.column("coupon_key", sa.String()))
    for code in op.get_bind().scalars(sa.select(orders.c.coupon).where(orders.c.coupon.is_not(None)).distinct()).all():
        op.execute(orders.update().where(orders.c.coupon == code).values(coupon_key=code.strip().casefold()))
    op.drop_index("ix_orders_click", "orders")
    op.drop_index("ix_orders_visitor", "orders")
    for name, of in (("click", "click_id"), ("visitor", "visitor_id"), ("coupon", "coupon_key")):
        said = sa.text(f"{of} IS NOT NULL")
        op.create_index(f"ix_orders_{name}", "orders", ["merchant_id", of], sqlite_where=said, postgresql_where=said)
    op.create_index("ix_refunds_external", "refunds", ["merchant_id", "external_id"])


def widen_credit_lines() -> None:
    op.drop_index("ix_credit_lines_report", "credit_lines")
    with op.batch_alter_table("credit_lines") as lines:
        lines.add_column(sa.Column("policy", text_of(40), server_default="current", nullable=False))
        lines.add_column(sa.Column("source_referral", text_of(200), nullable=True))
        lines.alter_column("product", existing_type=text_of(40), type_=text_of(255), existing_nullable=True)
        lines.alter_column("wall", existing_type=text_of(40), type_=text_of(255), existing_nullable=True)
    op.execute(
        "UPDATE credit_lines SET source_referral = (SELECT visits.referral_id FROM visits WHERE visits.merchant_id ="
        " credit_lines.merchant_id AND visits.visit_id = credit_lines.touch) WHERE touch IS NOT NULL"
    )
    op.create_index("ix_credit_lines_report", "credit_lines", ["merchant_id", "policy", "livemode", "order_at"])
    op.create_index("ix_credit_lines_source", "credit_lines", ["merchant_id", "source_referral"])


def downgrade() -> None:
    raise CommandError("facts of other systems have no place in the tables of before: restore a backup")
