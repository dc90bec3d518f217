"""Nothing of who was erased comes back or is left over: not of a crowd, not of what was being written just then, not
from an old backup."""

import random
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import main
from app.erasing import erase_all_again, erasure_of
from app.kernel.database import Database
from app.kernel.ids import new_id
from app.kernel.outbox import OutboxRow
from app.kernel.runtime import Runtime
from app.kernel.under_way import wait_out
from app.orders.buyer_hashes import mail_hash
from app.orders.models import Order
from app.privacy import erasure, leaving
from app.privacy.erasure import Erasure
from app.privacy.models import Consent, Leaver
from app.referrals.models import Beacon, SharerName
from app.referrals.parents import usual_windows
from app.referrals.remembering import write_referrals
from app.referrals.service import NewReferral
from tests.clock import TestClock
from tests.conftest import settings_for
from tests.db.changing import World
from tests.db.forgetting import places
from tests.db.test_erasure import WHO_LEFT, erase, finish


@pytest.fixture
def here(database: Database, still_clock: TestClock, tmp_path: Path) -> Iterator[Runtime]:
    """A server's parts."""
    made = main.assemble(settings_for(database.url.render_as_string(hide_password=False), tmp_path), still_clock)
    yield made
    made.reports.close()
    made.database.close()


@pytest.fixture
def forgets(here: Runtime) -> Erasure:
    """What that server forgets people with."""
    return erasure_of(here)


def unfinished(database: Database, merchant: int) -> int:
    """How many names are still to be looked for."""
    theirs = (Leaver.merchant_id == merchant, Leaver.finished_at.is_(None))
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Leaver).where(*theirs)) or 0


def name(world: World, visitors: Collection[str]) -> None:
    """Have them be called something."""
    with world.database.transaction() as session:
        for each in visitors:
            session.add(SharerName(merchant_id=world.merchant, visitor_id=each, name="Ana", at=world.clock.now()))


def test_who_only_agreed_or_only_looked_is_erased_again_too(database: Database, forgets: Erasure) -> None:
    world = World(database, random.Random(2))
    now = world.clock.now()
    with database.transaction() as session:
        session.add(
            Consent(
                merchant_id=world.merchant,
                consent_id=new_id("cns", world.merchant, now),
                visitor_id="agreed",
                version="1",
                at=now,
                withdrawn_at=None,
            )
        )
        session.add(
            Beacon(
                merchant_id=world.merchant,
                beacon_id=new_id("bcn", world.merchant, now),
                type="wall_view",
                visitor_id="looked",
                at=now,
                received_at=now,
            )
        )
        leaving.erased(session, forgets.signer, world.merchant, ["agreed", "looked"], now)  # as after a restore
    forgets.erase_again(world.merchant)
    finish(forgets)
    assert set() == places(database, world.merchant, ["agreed", "looked"])


def test_however_many_were_erased_since_the_backup_all_of_them_are_erased_again(
    database: Database, forgets: Erasure
) -> None:
    world = World(database, random.Random(3))
    many = 1100 if database.is_sqlite else 250  # SQLite knows no expression of more than a thousand parts
    names = [new_id("vis", world.merchant, world.clock.now()) for _ in range(many)]
    name(world, names)
    with database.transaction() as session:
        leaving.erased(session, forgets.signer, world.merchant, names, world.clock.now())
    assert many == forgets.erase_again(world.merchant)
    finish(forgets)
    assert set() == places(database, world.merchant, names)
    assert 0 == unfinished(database, world.merchant)


def test_a_like_that_is_being_written_while_its_visitor_is_erased_names_nobody(
    database: Database, forgets: Erasure
) -> None:
    world = World(database, random.Random(4))
    visitor, now = new_id("vis", world.merchant, world.clock.now()), world.clock.now()
    share = NewReferral(
        merchant_id=world.merchant,
        kind="share",
        visitor_id=visitor,
        product_id=None,
        wall_id=None,
        network="whatsapp",
        via=None,
        caption="Ana's own words",
        name="Ana",
        at=now,
        address="https://shop.example/",
    )

    def forget() -> None:
        erase(forgets, world.merchant, visitor)
        finish(forgets)

    meanwhile = threading.Thread(target=forget)
    with database.transaction() as session:
        write_referrals(session, [share], windows=usual_windows, signer=forgets.signer)
        meanwhile.start()
        meanwhile.join(1.0)
    meanwhile.join()
    assert places(database, world.merchant, [visitor, "Ana", "Ana's own words"]) <= WHO_LEFT
    assert 0 == unfinished(database, world.merchant)


def test_all_who_left_meanwhile_are_looked_for_together(database: Database, forgets: Erasure) -> None:
    world = World(database, random.Random(5))
    names = [f"v-{number}" for number in range(30)]
    name(world, names)
    for each in names:
        erase(forgets, world.merchant, each)
    erase(forgets, world.merchant, names[0])  # twice: under another name
    assert 2 == finish(forgets)
    assert places(database, world.merchant, names) <= WHO_LEFT
    assert 0 == unfinished(database, world.merchant)
    with database.reading() as session:
        assert 0 == session.scalar(select(func.count()).select_from(OutboxRow).where(OutboxRow.topic == erasure.TOPIC))


def test_a_customer_of_whom_orders_know_a_hash_alone_is_erased_again_too(database: Database, forgets: Erasure) -> None:
    world = World(database, random.Random(6))
    mails = ["bo@example.com", "Bo+shop@example.com"]
    hashes = [forgets.signer.customer_hash(world.merchant, "bo"), mail_hash(forgets.signer, world.merchant, mails[0])]

    def known_by() -> set[str | None]:
        with database.reading() as session:
            rows = session.execute(
                select(Order.customer_hash, Order.mail_hash).where(Order.merchant_id == world.merchant)
            )
            return {hashed for row in rows for hashed in row} - {None}

    def buy() -> None:
        world.buy()
        with database.transaction() as session:
            order = session.scalars(select(Order).where(Order.merchant_id == world.merchant)).first()
            assert order is not None
            order.customer_hash, order.mail_hash = hashes

    for customer in ("bo", mails[1]):
        buy()
        with database.transaction() as session:
            forgets.erase(session, world.merchant, [], [customer])
        finish(forgets)
        assert set() == known_by()
        buy()  # as after a restore
        forgets.erase_again(world.merchant)
        finish(forgets)
        assert set() == known_by()


def test_a_backup_of_long_ago_names_nobody_who_had_left_before_it(
    database: Database, here: Runtime, forgets: Erasure, still_clock: TestClock
) -> None:
    world = World(database, random.Random(7))
    erase(forgets, world.merchant, "v1")
    finish(forgets)
    assert WHO_LEFT == places(database, world.merchant, ["v1"])
    still_clock.move(days=400)  # in which nobody looked: it lay on a shelf
    erase_all_again(here)
    assert set() == places(database, world.merchant, ["v1"])


def test_who_stays_at_work_is_not_waited_for_for_ever(database: Database) -> None:
    with database.reading() as session:
        session.execute(select(1))
        assert database.is_sqlite == wait_out(database, patience=0.1)
    assert wait_out(database)
