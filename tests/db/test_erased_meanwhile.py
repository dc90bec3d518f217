"""What is told of somebody while they are forgotten moves nobody's credit, and names them nowhere."""

import random
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from app.history import writing as history
from app.history.lines import Fact
from app.kernel.database import Database
from app.kernel.journal import JournalEntry
from app.kernel.outbox import OutboxRow
from app.orders.bringing import PastOrder
from app.privacy.erasure import TOPIC, Erasure
from app.referrals import identities
from app.referrals.bringing import PastReferral, PastTouch
from app.referrals.identities import said_when
from tests.clock import START
from tests.db.changing import World
from tests.db.forgetting import places
from tests.db.test_erasure import WHO_LEFT, erase, finish, forgets, without_names

__all__ = ["forgets"]


def tell(world: World, *facts: Fact) -> None:
    """Another system tells it."""
    world.clock.move(seconds=1)
    with world.database.transaction() as session:
        history.write(session, world.merchant, dict(enumerate(facts)), livemode=True, now=world.clock.now())
    world.catch_up()


def when(second: int) -> tuple[datetime, datetime]:
    """When something happened, and was known."""
    return (START + timedelta(seconds=second),) * 2


def sold(sharer: str, buyer: str, second: int) -> Sequence[Fact]:
    """`buyer` comes through what `sharer` passed on, and buys."""
    share, click = f"share-{second}", f"click-{second}"
    return (
        PastReferral(share, "share", sharer, "x", None, None, None, *when(second)),
        PastTouch(click, buyer, "click", "x", share, *when(second + 1)),
        PastOrder(f"order-{second}", buyer, "eur", 10_000, None, *when(second + 2)),
    )


def join(world: World, visitor: str, person: str) -> None:
    world.clock.move(seconds=1)
    with world.database.transaction() as session:
        identities.join(session, world.events, world.merchant, visitor, person, world.clock.now())


def earned(world: World) -> set[str]:
    """Whoever earned something."""
    return {key.sharer for lines in world.books().values() for key in lines}


def noted(world: World) -> set[str]:
    """The visitors of whom it was noted who they are."""
    mine = (JournalEntry.merchant_id == world.merchant, JournalEntry.type == "identity.joined")
    with world.database.reading() as session:
        entries = session.scalars(select(JournalEntry.subjects).where(*mine)).all()
    return {said_when(subject)[0] for subjects in entries for subject in subjects}


def test_who_is_joined_to_somebody_just_then_is_credited_as_before(database: Database, forgets: Erasure) -> None:
    world = World(database, random.Random(1))
    world.keep_policies(0, {"model": "last_touch"})
    tell(world, *sold("v1", "v2", 0))
    erase(forgets, world.merchant, "v1")
    (was,) = earned(world)
    tell(world, *sold("v1", "v3", 10), *sold("v4", "v5", 20))
    join(world, "v1", "p9")
    join(world, "v4", "v1")
    before = world.books()
    assert {was, "p9", "v1"} == earned(world)
    finish(forgets)
    assert without_names(before) == without_names(world.books())
    assert world.computed() == world.books()
    assert {was, "p9"} < earned(world)
    assert places(database, world.merchant, ["v1"]) <= WHO_LEFT
    assert {"v4"} < noted(world)
    assert "v1" not in noted(world)


def test_what_is_told_of_them_since_is_another_person_s(database: Database, forgets: Erasure) -> None:
    world = World(database, random.Random(2))
    world.keep_policies(0, {"model": "last_touch"})
    share, click, order = sold("v1", "v2", 0)
    tell(world, share, order)  # of somebody who came from nowhere
    erase(forgets, world.merchant, "v2")
    tell(world, click)
    before = world.books()
    finish(forgets)
    assert {"(none)"} == earned(world)
    assert before == world.books()
    assert world.computed() == world.books()
    assert places(database, world.merchant, ["v2"]) <= WHO_LEFT


def test_who_is_just_being_joined_is_erased_with_their_person(database: Database, forgets: Erasure) -> None:
    world = World(database, random.Random(3))
    world.keep_policies(0, {"model": "last_touch"})
    tell(world, *sold("v1", "v2", 0))
    meanwhile = threading.Thread(target=erase, args=(forgets, world.merchant, "v1"))
    with database.transaction() as session:
        identities.join(session, world.events, world.merchant, "v1", "p9", world.clock.now())
        meanwhile.start()
        meanwhile.join(0.5)
    meanwhile.join()
    finish(forgets)
    assert set() == {"v1", "p9"} & earned(world)
    assert world.computed() == world.books()
    assert places(database, world.merchant, ["v1", "p9"]) <= WHO_LEFT


def test_what_a_version_before_promised_is_kept(database: Database, forgets: Erasure) -> None:
    """It had one name for what was written before and since."""
    world = World(database, random.Random(4))
    erase(forgets, world.merchant, "v1")
    with database.transaction() as session:
        mine = (OutboxRow.merchant_id == world.merchant, OutboxRow.topic == TOPIC)
        row = session.scalars(select(OutboxRow).where(*mine)).one()
        row.payload = {"names": row.payload["names"]}
    tell(world, *sold("v1", "v2", 0))
    finish(forgets)
    assert places(database, world.merchant, ["v1"]) <= WHO_LEFT
