"""Facts of every other kind are dropped when their time is over, and those that are reckoned with never."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from app.kernel import bulk
from app.kernel.clock import to_micros
from app.kernel.database import Base, Database
from app.kernel.ids import new_id
from app.merchants.models import AuditEntry, Merchant
from app.merchants.retention import Kind, Retention
from app.orders.connectors.models import ShopOrder
from app.orders.models import Checkout
from app.orders.stripe_models import StripeEvent
from app.referrals.models import Beacon, MachineVisits
from app.reports.kept import kept
from app.retention import others
from app.retention.visits import shops
from app.settings import Settings
from app.trust.models import Decision, Doubt
from tests.clock import START
from tests.conftest import NewDatabase
from tests.db.referring import Shop

USUAL: Final[dict[Kind, int]] = {"visits": 800, "beacons": 400, "machine_visits": 800, "checkouts": 400}
NOW = START + timedelta(days=1_500)
OLD, YOUNG = NOW - timedelta(days=1_200), NOW - timedelta(days=20)


@pytest.fixture(scope="module")
def either(new_database: NewDatabase) -> Iterator[Database]:
    database = Database(new_database("others"))
    yield database
    database.close()


@pytest.fixture
def shop(either: Database) -> Shop:
    return Shop(either)


def add(database: Database, *rows: Base) -> None:
    with database.transaction() as session:
        session.add_all(rows)


def left(shop: Shop, mapped: type[Base]) -> int:
    query = select(func.count()).select_from(mapped)
    if "merchant_id" in mapped.__table__.columns:
        query = query.where(mapped.__table__.c.merchant_id == shop.merchant)
    with shop.database.reading() as session:
        return session.scalar(query) or 0


def forget(shop: Shop, *, times: int = 2, now: datetime = NOW) -> None:
    """What the daily job does."""
    for _ in range(times):
        for each in shops(shop.database):
            others.forget_of_merchant(shop.database, each, USUAL, now, lambda: None)
        others.forget_for_all(shop.database, Settings(), now, lambda: None)


def keep_only(shop: Shop, **days: int) -> None:
    with shop.database.transaction() as session:
        session.get_one(Merchant, shop.merchant).retention = Retention(days, {}).to_json()


def checkout(shop: Shop, at: datetime, status: str) -> Checkout:
    name = new_id("chk", shop.merchant, at)
    return Checkout(
        merchant_id=shop.merchant,
        checkout_id=name,
        **dict.fromkeys(("attempt_key", "fingerprint", "stripe_key", "success_url", "cancel_url"), name),
        status=status,
        items=[],
        currency="eur",
        amount=1,
        created_at=at,
        expires_at=at,
    )


def test_attempts_to_pay_go_when_they_are_over(shop: Shop) -> None:
    ends = ("paid", "failed", "expired", "asking", "open", "paying")
    add(shop.database, *(checkout(shop, at, status) for status in ends for at in (OLD, YOUNG)))
    forget(shop, times=1)
    assert 12 == left(shop, Checkout), "first it is announced"
    forget(shop, times=1)
    assert 9 == left(shop, Checkout)
    with shop.database.reading() as session:
        told = kept(session, shop.merchant, OLD)
    assert to_micros(NOW - timedelta(days=401)) < told.checkouts <= to_micros(NOW - timedelta(days=400))
    assert (to_micros(OLD), 0) == (told.beacons, told.visits)


def report(shop: Shop, at: datetime) -> None:
    name = new_id("bcn", shop.merchant, at)
    row = (shop.merchant, name, "wall_view", to_micros(at), to_micros(at))
    with shop.database.transaction() as session:
        bulk.append(session, Beacon, ("merchant_id", "beacon_id", "type", "at", "received_at"), [row])


def test_a_merchant_may_have_less_kept_of_what_widgets_report(shop: Shop) -> None:
    neighbour = Shop(shop.database)
    for each in (shop, neighbour):
        for at in (NOW - timedelta(days=90), YOUNG):
            report(each, at)
    keep_only(shop, beacons=60)
    forget(shop)
    assert (1, 2) == (left(shop, Beacon), left(neighbour, Beacon))
    with shop.database.reading() as session:
        assert to_micros(NOW - timedelta(days=61)) < kept(session, shop.merchant, OLD).beacons
        assert to_micros(OLD) == kept(session, neighbour.merchant, OLD).beacons
    keep_only(shop)  # a longer time brings nothing back, nor is it said to be there
    forget(shop)
    assert 1 == left(shop, Beacon)


def test_a_longer_time_does_not_say_that_what_is_gone_is_there(shop: Shop) -> None:
    keep_only(shop, beacons=60)
    forget(shop)
    with shop.database.transaction() as session:
        merchant = session.get_one(Merchant, shop.merchant)
        merchant.retention = merchant.kept.changed({"beacons": None}).to_json()
        assert 400 == merchant.kept.days("beacons", USUAL)
    with shop.database.reading() as session:
        assert to_micros(NOW - timedelta(days=61)) < kept(session, shop.merchant, OLD).beacons


def test_what_machines_asked_for_goes_by_the_day(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "AT_ONCE", 2)
    day = {"kind": "crawler", "machine": "slack", "visits": 1}
    for at in (OLD, OLD + timedelta(days=1), YOUNG):
        rows = (MachineVisits(merchant_id=shop.merchant, day=at, referral_id=f"ref_{n}", **day) for n in range(3))
        add(shop.database, *rows)
    forget(shop, times=1)
    assert 3 == left(shop, MachineVisits)


def test_messages_of_stripe_go_but_those_that_refunds_are_reckoned_from(shop: Shop) -> None:
    for kind in ("checkout.session.completed", "charge.refunded", "charge.dispute.created"):
        for at, applied in ((OLD, OLD), (OLD, None), (YOUNG, YOUNG)):
            message: dict[str, Any] = {"event_id": new_id("evt", 1, at), "type": kind, "body": {}, "created": at}
            add(shop.database, StripeEvent(**message, received_at=at, applied_at=applied))
    before = left(shop, StripeEvent)
    forget(shop, times=1)
    assert before - 1 == left(shop, StripeEvent)


def test_what_a_shop_told_goes_where_it_was_never_paid(shop: Shop) -> None:
    for number, (at, order) in enumerate(((OLD, None), (OLD, "ord_1"), (YOUNG, None))):
        about = {"merchant_id": shop.merchant, "system": "shopify", "shop_order_id": f"o{number}"}
        add(shop.database, ShopOrder(**about, order_id=order, told={}, changed_at=at))
    forget(shop, times=1)
    assert 2 == left(shop, ShopOrder)


def test_the_audit_trail_is_kept_for_three_years(shop: Shop) -> None:
    for at in (OLD, NOW - timedelta(days=1_000)):
        name = new_id("aud", shop.merchant, at)
        add(shop.database, AuditEntry(merchant_id=shop.merchant, entry_id=name, action="x", changes={}, at=at))
    forget(shop, times=1)
    assert 1 == left(shop, AuditEntry)


def doubt(shop: Shop, at: datetime, *effects: str) -> None:
    about = {"merchant_id": shop.merchant, "doubt_id": (name := new_id("dbt", shop.merchant, at))}
    add(shop.database, Doubt(**about, about="visit", subject=name, rule="too_fast", evidence={}, at=at))
    for effect in effects:
        made = new_id("dec", shop.merchant, at)
        add(shop.database, Decision(**about, decision_id=made, verdict="flag", effect=effect, at=at))


def test_doubts_go_that_take_nobodys_credit(shop: Shop) -> None:
    doubt(shop, OLD, "none")
    doubt(shop, OLD, "refuse", "none")
    doubt(shop, OLD, "none", "hold")
    doubt(shop, OLD, "refuse")
    doubt(shop, YOUNG, "none")
    forget(shop, times=1)
    assert (3, 4) == (left(shop, Doubt), left(shop, Decision))
