"""A database that is in use is brought up to date: what it knew it still knows, and it ends as a new one is made."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from psycopg import sql
from sqlalchemy import Row, inspect, text
from sqlalchemy.exc import IntegrityError

from app import migrate
from app.kernel.database import Database
from app.tables import METADATA
from tests.conftest import BACKENDS

SHOP = """
INSERT INTO merchants (merchant_id, public_id, name, currency, timezone, allowed_origins, return_urls, privacy, landing,
        created_at)
    VALUES (1, 'mer_1', 'Linen', 'eur', 'UTC', '[]', '[]', 'counts', 'page', 0);
INSERT INTO referrals (merchant_id, referral_id, kind, visitor_id, target, network, code, at, received_at)
    VALUES (1, 'ref_1', 'share', 'vis_1', '/', 'whatsapp', 'code1', 1, 1);
INSERT INTO visits (merchant_id, visit_id, referral_id, type, at, received_at)
    VALUES (1, 'clk_1', 'ref_1', 'click', 2, 2);
INSERT INTO visit_claims (merchant_id, visit_id, claimed_id, visitor_id, at, received_at)
    VALUES (1, 'clk_1', 'clk_1', 'vis_2', 2, 2);
INSERT INTO orders (merchant_id, order_id, external_id, source, fingerprint, livemode, currency, gross, net, click_id,
        coupon, at, received_at)
    VALUES (1, 'ord_1', 'o1', 'api', '', true, 'eur', 900, 900, 'clk_1', ' Straße10', 3, 3);
INSERT INTO order_lines (merchant_id, order_id, position, title, quantity, amount)
    VALUES (1, 'ord_1', 0, 'Cap', 1, 900);
INSERT INTO refunds (merchant_id, refund_id, order_id, external_id, reason, amount, paid_back, at, received_at)
    VALUES (1, 'rfd_1', 'ord_1', 'r1', 'refund', 100, 100, 4, 4);
INSERT INTO credit_lines (merchant_id, credit_id, order_id, policy_version, source, touch, referral, network, sharer,
        level, currency, gross, reversed, livemode, order_at, written_at)
    VALUES (1, 'crd_1', 'ord_1', 1, 'touch', 'clk_1', 'ref_1', 'whatsapp', 'vis_1', 0, 'eur', 900, 100, true, 3, 4)
"""


@pytest.fixture(params=BACKENDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'upgraded'}.db")
    else:
        server, name = request.getfixturevalue("postgres_url"), f"upgraded-{time.monotonic_ns()}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        database = Database(f"{server}/{name}")
    yield database
    database.close()


@pytest.fixture
def in_use(empty: Database) -> Database:
    """A database of the first tables in which something was sold."""
    command.upgrade(migrate.config(empty), "0001")
    with empty.transaction() as session:
        for statement in SHOP.split(";\n"):
            session.execute(text(statement))
    migrate.upgrade(empty)
    return empty


def only(database: Database, query: str) -> Row[tuple[object, ...]]:
    with database.reading() as session:
        return session.execute(text(query)).one()


def test_what_was_known_is_still_known(in_use: Database) -> None:
    assert migrate.is_current(in_use)
    assert ("whatsapp", "code1", None, None) == only(
        in_use, "SELECT network, code, told_product, parent_id FROM referrals"
    )
    assert ("ref_1", "click", False) == only(in_use, "SELECT referral_id, type, imported FROM visits")
    assert ("clk_1", "vis_2") == only(in_use, "SELECT claimed_id, visitor_id FROM visit_claims")
    assert (900, 1, 1) == only(
        in_use, "SELECT net, (SELECT count(*) FROM order_lines), (SELECT count(*) FROM refunds) FROM orders"
    )


def test_coupons_of_old_orders_can_be_found_as_codes_are_compared(in_use: Database) -> None:
    assert ("strasse10",) == only(in_use, "SELECT coupon_key FROM orders")


def test_old_credit_is_that_of_the_policy_in_force_and_names_the_link_it_came_through(in_use: Database) -> None:
    assert ("current", "ref_1", 900, 100) == only(
        in_use, "SELECT policy, source_referral, gross, reversed FROM credit_lines"
    )


def test_a_standing_share_still_stands_once(in_use: Database) -> None:
    again = "INSERT INTO referrals (merchant_id, referral_id, kind, visitor_id, target, network, code, at, received_at)"
    with pytest.raises(IntegrityError), in_use.transaction() as session:
        session.execute(text(f"{again} VALUES (1, 'ref_2', 'share', 'vis_1', '/', 'whatsapp', 'code2', 1, 1)"))


def indexes(database: Database) -> dict[str, str]:
    """Each index as the database itself writes it down."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        if database.is_sqlite
        else "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    )
    with database.reading() as session:
        found = {str(name): " ".join(str(said).split()) for name, said in session.execute(text(query))}
    return {name: said for name, said in found.items() if "alembic" not in name}


def test_an_upgraded_database_has_the_tables_and_indexes_of_a_new_one(
    in_use: Database, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    upgraded = indexes(in_use)
    with in_use.transaction() as session:
        connection = session.connection()
        tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
    assert set(METADATA.tables) == tables
    assert indexes(in_use) == upgraded
