"""What processes of the version before the journal write beside new ones comes into the journal after all."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from app.delivery import unnoted
from app.kernel.database import Database
from app.kernel.ids import new_id
from app.kernel.journal import JournalEntry
from app.referrals import view_touches, visits
from app.referrals.beacons import Shown
from app.referrals.models import Referral
from app.referrals.visits import NewVisit
from tests.db.journalling import a_life, now, read_on
from tests.db.selling import Market

KINDS = {
    *("referral.created", "referral.withdrawn", "visit.recorded", "visit.claimed", "identity.joined", "coupon.changed"),
    *("order.recorded", "order.corrected", "order.refunded", "order.attributed"),
}


def forget(database: Database, merchant: int) -> None:
    """As if a process had written it that knows of no journal."""
    new = (JournalEntry.merchant_id == merchant) & JournalEntry.position.is_(None)
    with database.transaction() as session:
        session.execute(delete(JournalEntry).where(new))


def mended(database: Database, market: Market) -> int:
    return unnoted.note_forgotten(database, market.merchant, market.clock.now())


@pytest.fixture
def life(market: Market) -> Callable[[], None]:
    def live() -> None:
        a_life(market)
        market.come(market.shop.visitor(), market.links[0], market.clock.now())

    return live


def test_what_was_forgotten_is_told_as_if_it_had_been_noted(
    database: Database, market: Market, life: Callable[[], None]
) -> None:
    mended(database, market)
    start = now(database, market.merchant)
    life()
    forget(database, market.merchant)
    market.clock.move(hours=3)
    assert 0 < mended(database, market)
    now(database, market.merchant)
    events, _ = read_on(database, market.merchant, start)
    assert KINDS == {event.type for event in events}
    snapshot, _ = read_on(database, market.merchant, "")
    before = {event.id for event in snapshot} - {event.id for event in events}
    kinds = {event.type for event in snapshot if event.id in before}
    assert kinds > (doubts := {"doubt.raised", "doubt.decided"})  # which no version raised before the journal
    assert {"referral.created", "visit.recorded", "visit.claimed"} == kinds - doubts  # of the days before the journal
    assert 0 == mended(database, market)


def test_nothing_is_forgotten_where_everything_is_noted(
    database: Database, market: Market, life: Callable[[], None]
) -> None:
    mended(database, market)
    market.clock.move(hours=1)
    life()
    market.clock.move(hours=1)
    assert 0 == mended(database, market)


def test_what_is_older_than_the_journal_is_not_told_anew(
    database: Database, market: Market, life: Callable[[], None]
) -> None:
    life()
    forget(database, market.merchant)
    market.clock.move(hours=1)
    assert 0 == mended(database, market)
    start = now(database, market.merchant)
    market.clock.move(hours=1)
    assert 0 == mended(database, market)
    assert [] == read_on(database, market.merchant, start)[0]


def test_what_is_long_past_is_looked_at_no_more(database: Database, market: Market, life: Callable[[], None]) -> None:
    mended(database, market)
    life()
    market.clock.move(hours=1)
    forget(database, market.merchant)
    market.clock.set(market.clock.now() + unnoted.LOOKS_BACK + timedelta(hours=1))
    assert 0 == mended(database, market)


def test_the_job_begins_the_journal_of_every_merchant(database: Database, market: Market) -> None:
    forget(database, market.merchant)
    unnoted.periodic(database, market.clock).run(lambda: None)
    with database.reading() as session:
        noted = session.scalars(select(JournalEntry.type).where(JournalEntry.merchant_id == market.merchant)).all()
    assert [unnoted.BEGAN] == noted
    now(database, market.merchant)
    assert {"referral.created"} == {event.type for event in read_on(database, market.merchant, "")[0]}


def begun(database: Database, market: Market) -> str:
    """The journal begins now; the cursor of now."""
    forget(database, market.merchant)
    mended(database, market)
    return now(database, market.merchant)


def told_since(database: Database, market: Market, start: str) -> list[str]:
    """What comes of what an old process wrote since then."""
    forget(database, market.merchant)
    market.clock.move(hours=1)
    mended(database, market)
    now(database, market.merchant)
    return [event.type for event in read_on(database, market.merchant, start)[0]]


def test_a_visit_of_before_the_journal_that_is_claimed_later_is_told_as_claimed(
    database: Database, market: Market
) -> None:
    at = market.clock.now()
    click = new_id("clk", market.merchant, at)
    visit = NewVisit(market.merchant, click, market.links[0], "click", None, None, None, at)
    with database.transaction() as session:
        visits.write(session, [visit])
    market.clock.move(minutes=18)
    start = begun(database, market)
    market.clock.move(minutes=5)
    with database.transaction() as session:
        who, events = market.shop.visitor(), market.here.events
        visits.claim(session, events, market.merchant, click, who, market.clock.now())
    assert ["visit.claimed"] == told_since(database, market, start)


@pytest.mark.parametrize("late", [timedelta(), timedelta(hours=23, minutes=59)], ids=str)
def test_a_view_of_before_the_journal_that_is_reported_later_is_told(
    database: Database, market: Market, late: timedelta
) -> None:
    market.clock.move(minutes=55)
    start = begun(database, market)
    market.clock.move(minutes=1)
    seen, card = market.clock.now() - late, market.links[0]
    with database.transaction() as session:
        referral = session.get_one(Referral, (market.merchant, card))
        shown = Shown(market.merchant, card, referral.product_id, None, referral.kind, referral.network, False)
        touched = [(shown, seen)]
        view_touches.touch(
            session, market.here.events, market.here.signer, market.shop.visitor(), touched, market.clock.now()
        )
    assert ["visit.recorded", "visit.claimed"] == told_since(database, market, start)
