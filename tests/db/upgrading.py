"""Databases of older code, with something in them, which tests bring up to date."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Row, text

from app import migrate
from app.kernel.database import Database
from tests import postgres

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


@contextmanager
def empty_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """An empty database of the kind that the fixture is asked for."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{folder / 'upgraded'}.db")
    else:
        server = request.getfixturevalue("postgres_url")
        database = Database(postgres.new_database(server, f"upgraded-{time.monotonic_ns()}"))
    yield database
    database.close()


def tell(database: Database, revision: str, statements: str) -> None:
    """Write this in the tables of that revision."""
    command.upgrade(migrate.config(database), revision)
    with database.transaction() as session:
        for statement in statements.split(";\n"):
            session.connection().exec_driver_sql(statement)


def every(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reading() as session:
        return [tuple(row) for row in session.execute(text(query))]


def only(database: Database, query: str) -> Row[tuple[object, ...]]:
    with database.reading() as session:
        return session.execute(text(query)).one()
