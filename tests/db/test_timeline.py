"""What one customer did and brought, from the tables, also where another system told of it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.attribution.engine import Policy, Upline, UplineMode
from app.delivery import timeline
from app.delivery.timeline import Moment, Place
from app.kernel.database import Database
from app.orders import service as orders
from app.orders.sales import Sale
from app.referrals import bringing, turns
from app.referrals.bringing import PastIdentity, PastReferral, PastTouch
from app.referrals.models import Referral
from tests.clock import START
from tests.db.referring import Shop, done, written
from tests.db.selling import Market

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def whole(database: Database, merchant: int, person: str, most: int = 100) -> list[Moment]:
    """All of it, a page at a time."""
    found: list[Moment] = []
    while True:
        with database.reading() as session:
            who = timeline.visitors(session, merchant, person)
            page = timeline.page(session, merchant, who, found[-1].place if found else None, most)
        found += page
        if len(page) < most:
            return found


def bring(database: Database, merchant: int) -> None:
    """Another system tells: a share of before anybody counted, two visits through it, and who that was."""
    with database.transaction() as session:
        turns.hold_facts(session, merchant)
        share = PastReferral("s1", "share", "ana-phone", "x", None, None, None, EPOCH, START)
        bringing.bring_referrals(session, merchant, [share], now=START)
        touches = [
            PastTouch(f"t{number}", "bo", "click", None, "s1", START + timedelta(days=number), START)
            for number in range(2)
        ]
        bringing.bring_touches(session, merchant, touches, now=START)
        identity = PastIdentity("ana-phone", "Ana / 7", START, START)
        bringing.bring_identities(session, merchant, [identity], now=START)


@pytest.mark.parametrize("most", [1, 2, 100])
def test_what_another_system_told_is_in_it(database: Database, most: int) -> None:
    shop = Shop(database)
    bring(database, shop.merchant)
    assert [("visit_brought", "t1"), ("visit_brought", "t0"), ("share", "s1")] == [
        (moment.kind, moment.id) for moment in whole(database, shop.merchant, "Ana / 7", most)
    ]
    assert [("visit", "t1"), ("visit", "t0")] == [
        (moment.kind, moment.id) for moment in whole(database, shop.merchant, "bo", most)
    ]


def test_who_was_joined_to_somebody_else_has_no_timeline_of_their_own(database: Database) -> None:
    shop = Shop(database)
    bring(database, shop.merchant)
    assert [] == whole(database, shop.merchant, "ana-phone")


@pytest.mark.parametrize("most", [1, 3])
def test_what_happened_in_one_moment_comes_once_whatever_the_page(
    database: Database, market: Market, most: int
) -> None:
    ana = market.shop.visitor()
    facts = [market.shop.share(ana, product) for product in market.shop.products]
    facts += [market.shop.like(ana, product) for product in market.shop.products]
    made = done(written(database, facts))
    for outcome in made:
        for _ in range(2):
            market.come(market.shop.visitor(), outcome.referral.referral_id, START)
    found = whole(database, market.merchant, ana, most)
    assert whole(database, market.merchant, ana) == found
    assert 3 * len(made) == len(found) == len({moment.place for moment in found})


@pytest.mark.parametrize("at", [-(2**63) + 1, -1, 0, 2**63 - 1])
def test_any_place_can_be_asked_for(database: Database, at: int) -> None:
    shop = Shop(database)
    bring(database, shop.merchant)
    with database.reading() as session:
        who = timeline.visitors(session, shop.merchant, "Ana / 7")
        page = timeline.page(session, shop.merchant, who, Place(at, "like", "x"), 10)
    assert (3 if at > 0 else 0) == len(page)


@pytest.mark.parametrize("mode", [UplineMode.DIRECT, UplineMode.ROOT, UplineMode.GEOMETRIC], ids=str)
def test_a_sale_through_their_link_is_told_whoever_is_credited_above(
    database: Database, market: Market, mode: UplineMode
) -> None:
    above, link = market.links[:2]
    with database.transaction() as session:
        of_link = (Referral.merchant_id == market.merchant, Referral.referral_id == link)
        session.execute(update(Referral).where(*of_link).values(parent_id=above))
        sharer = session.scalars(select(Referral.visitor_id).where(*of_link)).one()
    market.put(Policy(upline=Upline(mode)))
    market.work()
    buyer, at = market.shop.visitor(), market.clock.now()
    market.come(buyer, link, at - timedelta(days=1))
    sale = Sale("x1", "api", "", True, "eur", 10_000, 10_000, at, visitor_id=buyer)
    with database.transaction() as session:
        orders.record(session, market.here.events, market.merchant, sale, at)
    brought = [moment for moment in whole(database, market.merchant, sharer) if moment.kind == "sale_brought"]
    assert [10_000] == [moment.net for moment in brought]
