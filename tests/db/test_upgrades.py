"""A database that is in use is brought up to date: what it knew it still knows, and it ends as a new one is made."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from app import migrate
from app.kernel.database import Database
from app.merchants.models import Merchant
from app.orders.models import Checkout
from app.tables import METADATA
from tests.conftest import BACKENDS
from tests.db.journalling import now, read_on, told
from tests.db.upgrading import SHOP, empty_database, every, only, tell

TRADE = """
INSERT INTO products (merchant_id, product_id, title, description, images, created_at, updated_at)
    VALUES (1, 'prd_1', 'Cap', '', '[]', 0, 0);
INSERT INTO variants (merchant_id, variant_id, product_id, position, currency, price, stock)
    VALUES (1, 'var_1', 'prd_1', 0, 'eur', 900, 3);
INSERT INTO variants (merchant_id, variant_id, product_id, position, currency, price, stock)
    VALUES (1, 'var_2', 'prd_1', 1, 'eur', 900, NULL);
INSERT INTO checkouts (merchant_id, checkout_id, attempt_key, fingerprint, stripe_key, status, items, currency, amount,
        coupon, success_url, cancel_url, session_id, created_at, expires_at)
    VALUES (1, 'chk_1', 'attempt', 'print', 'key', 'open', '[{"variant": "var_1", "quantity": 2}]', 'eur', 1800,
        'TEN', 'https://shop.example/thanks', 'https://shop.example/cart', 'cs_1', 5, 6);
INSERT INTO stripe_events (event_id, type, payment_intent, body, created, received_at)
    VALUES ('evt_1', 'refund.created', 'pi_1', '{"id": "evt_1"}', 5, 5);
INSERT INTO refunds (merchant_id, refund_id, order_id, external_id, reason, amount, paid_back, at, received_at,
        dropped_at)
    VALUES (1, 'rfd_2', 'ord_1', 'r2', 'refund', 200, 240, 5, 6, 7);
INSERT INTO refunds (merchant_id, refund_id, order_id, external_id, reason, amount, paid_back, at, received_at)
    VALUES (1, 'rfd_3', 'ord_1', 'r3', 'chargeback', 300, 360, 8, 9);
INSERT INTO refunds (merchant_id, refund_id, order_id, external_id, reason, amount, paid_back, at, received_at)
    VALUES (1, 'rfd_4', 'ord_1', 'cancelled', 'refund', 50, 50, 8, 9);
INSERT INTO waiting_refunds (merchant_id, external_id, order_external_id, reason, amount, at, received_at)
    VALUES (1, 'cancelled', 'o2', 'refund', 50, 8, 9)
"""


@pytest.fixture(params=BACKENDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database(request, tmp_path) as made:
        yield made


@pytest.fixture
def in_use(empty: Database) -> Database:
    """A database of the first tables in which something was sold."""
    tell(empty, "0001", SHOP)
    migrate.upgrade(empty)
    return empty


@pytest.fixture
def trading(empty: Database) -> Database:
    """A database of before orders could be corrected, in which somebody buys and something was given back."""
    tell(empty, "0001", SHOP)
    tell(empty, "0002", TRADE)
    migrate.upgrade(empty)
    return empty


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


def test_what_was_known_is_told_from_the_beginning_and_nothing_of_it_anew(in_use: Database) -> None:
    assert [
        *(("referral.created", "ref_1"), ("visit.recorded", "clk_1"), ("visit.claimed", "clk_1")),
        *(("order.recorded", "ord_1"), ("order.refunded", "ord_1"), ("order.attributed", "ord_1")),
    ] == told(read_on(in_use, 1, "")[0])
    assert ([], "0-") == read_on(in_use, 1, now(in_use, 1))


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


def test_refunds_are_what_they_were_and_what_was_dropped_stays_dropped(trading: Database) -> None:
    kept = every(
        trading,
        "SELECT refund_id, order_id, external_id, reason, amount, paid_back, at, received_at, dropped_at FROM refunds"
        " ORDER BY refund_id",
    )
    assert [
        ("rfd_1", "ord_1", "r1", "refund", 100, 100, 4, 4, None),
        ("rfd_2", "ord_1", "r2", "refund", 200, 240, 5, 6, 7),
        ("rfd_3", "ord_1", "r3", "chargeback", 300, 360, 8, 9, None),
        ("rfd_4", "ord_1", "cancelled (refund)", "refund", 50, 50, 8, 9, None),
    ] == kept


def test_a_refund_that_its_shop_called_cancelled_is_no_cancellation(trading: Database) -> None:
    assert ("cancelled (refund)", "o2") == only(trading, "SELECT external_id, order_external_id FROM waiting_refunds")
    assert not every(trading, "SELECT refund_id FROM refunds WHERE external_id = 'cancelled'")


REFUND_AGAIN = (
    "INSERT INTO refunds (merchant_id, refund_id, order_id, external_id, reason, amount, paid_back, at, received_at)"
    " VALUES (1, 'rfd_new', 'ord_1', '{}', 'refund', 50, 50, 10, 10)"
)


def test_a_refund_that_was_dropped_may_come_to_count_again_and_then_counts_once(trading: Database) -> None:
    with trading.transaction() as session:
        session.execute(text(REFUND_AGAIN.format("r2")))
    assert [("rfd_2", 7), ("rfd_new", None)] == every(
        trading, "SELECT refund_id, dropped_at FROM refunds WHERE external_id = 'r2' ORDER BY refund_id"
    )
    with pytest.raises(IntegrityError), trading.transaction() as session:
        session.execute(text(REFUND_AGAIN.format("r2").replace("rfd_new", "rfd_newer")))


@pytest.mark.parametrize("counting", ["r1", "r3"])
def test_a_refund_that_counted_before_does_not_count_twice(trading: Database, counting: str) -> None:
    with pytest.raises(IntegrityError), trading.transaction() as session:
        session.execute(text(REFUND_AGAIN.format(counting)))


def test_a_checkout_that_is_open_stays_open_and_asks_nothing_more_of_stripe(trading: Database) -> None:
    assert ("open", "cs_1", "key", 1800, "TEN", 6, None) == only(
        trading, "SELECT status, session_id, stripe_key, amount, coupon, expires_at, terms FROM checkouts"
    )
    with trading.reading() as session:
        checkout = session.get_one(Checkout, (1, "chk_1"))
        assert ([{"variant": "var_1", "quantity": 2}], None) == (checkout.items, checkout.terms)


def test_stock_is_what_it_was_and_nothing_of_it_is_held(trading: Database) -> None:
    assert [("var_1", 3, 0), ("var_2", None, 0)] == every(
        trading, "SELECT variant_id, stock, held FROM variants ORDER BY variant_id"
    )
    assert [(0,)] == every(trading, "SELECT count(*) FROM reservations")


def test_a_message_that_waited_still_waits(trading: Database) -> None:
    assert ("refund.created", "pi_1", None, None) == only(
        trading, "SELECT type, payment_intent, via, applied_at FROM stripe_events"
    )


def test_a_merchant_of_before_sells_as_ever(trading: Database) -> None:
    with trading.reading() as session:
        merchant = session.get_one(Merchant, 1)
        assert ("Linen", None) == (merchant.name, merchant.checkout)


def test_an_order_of_before_was_never_corrected_and_is_still_divided(trading: Database) -> None:
    assert (900, 0, 900, 100) == only(
        trading,
        "SELECT net, (SELECT count(*) FROM order_corrections), (SELECT sum(gross) FROM credit_lines),"
        " (SELECT sum(reversed) FROM credit_lines) FROM orders",
    )


def indexes(database: Database) -> dict[str, str]:
    """Each index as the database itself writes it down."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        if database.is_sqlite
        else "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    )
    parts = {index for _, indexes in parts_of(database) for index in indexes}
    with database.reading() as session:
        found = {str(name): " ".join(str(said).split()) for name, said in session.execute(text(query))}
    return {name: said for name, said in found.items() if "alembic" not in name and name not in parts}


def parts_of(database: Database) -> list[tuple[str, list[str]]]:
    """The parts of PostgreSQL's tables, which come and go by the month, each with its indexes."""
    if database.is_sqlite:
        return []
    with database.reading() as session:
        found = session.scalars(text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")).all()
        query = text("SELECT indexname FROM pg_indexes WHERE tablename = :name")
        return [(name, list(session.scalars(query, {"name": name}))) for name in found]


def test_an_upgraded_database_has_the_tables_and_indexes_of_a_new_one(
    trading: Database, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    upgraded = indexes(trading)
    parts = {name for name, _ in parts_of(trading)}
    with trading.transaction() as session:
        connection = session.connection()
        tables = set(inspect(connection).get_table_names()) - {"alembic_version"} - parts
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
    assert set(METADATA.tables) == tables
    assert indexes(trading) == upgraded
