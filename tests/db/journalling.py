"""The feed of facts as tests read it."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from app.delivery import facts
from app.delivery.facts import Event
from app.kernel.database import Database
from app.kernel.feed_relay import Relay
from app.kernel.journal import JOURNAL
from app.merchants.audit import By
from app.orders import corrections
from app.orders.corrections import Amendment
from app.orders.models import Order
from app.referrals import coupons, identities, service
from app.trust import doubts
from app.trust.found import About, Found
from app.trust.models import Doubt
from tests.clock import TestClock
from tests.db.referring import done, written
from tests.db.selling import Market


def place_all(database: Database) -> int:
    """What a relay does that looks once."""
    return Relay(database, TestClock(), of=JOURNAL).place_all()


def now(database: Database, merchant: int) -> str:
    """The cursor of what has its place by now."""
    place_all(database)
    with database.reading() as session:
        return facts.end(session, merchant)


def read_on(
    database: Database, merchant: int, after: str, limit: int = 7, types: Collection[str] = ()
) -> tuple[list[Event], str]:
    """All events after a cursor, a few at a time, and the cursor to go on from."""
    found: list[Event] = []
    for _ in range(10_000):
        with database.reading() as session:
            read = facts.read(session, merchant, after, limit, types)
        assert len(read.events) <= limit
        found += read.events
        after = read.cursor
        if not read.more:
            return found, after
    raise AssertionError("it never ends")


def told(events: Sequence[Event]) -> list[tuple[str, str]]:
    """Types, and what they are about."""
    return [(event.type, event.subject) for event in events]


def a_life(market: Market) -> None:
    """One of everything."""
    database, merchant, events = market.here.database, market.merchant, market.here.events
    order = market.sell(touches=2)
    market.refund(order, 1)
    market.clock.move(minutes=1)
    at = market.clock.now()
    with database.transaction() as session:
        found = session.get_one(Order, (merchant, order))
        corrections.give_back(session, events, merchant, order, found.refunds[0].refund_id, at)
    with database.transaction() as session:
        corrections.amend(session, events, merchant, order, Amendment({"coupon": "ANA10"}, cancelled=True), at)
    with database.transaction() as session:
        coupons.put(session, events, merchant, "ana10", market.links[0], at)
        identities.join(session, events, merchant, market.shop.visitor(), "ana@example.com", at)
        identities.join(session, events, merchant, market.shop.visitor(), "bo", at)
    with database.transaction() as session:
        seen = [Found(About.ORDER, order, rule, {"alike": 1}) for rule in ("own_mail", "own_card")]
        doubts.record(session, events, merchant, seen, at)
        doubt = max(session.scalars(select(Doubt.doubt_id).where(Doubt.merchant_id == merchant)))
        doubts.decide(session, events, By(merchant, "key_1", at), doubt, "refuse", None, at)
    ana = market.shop.visitor()
    like = done(written(database, [market.shop.like(ana)]))[0].referral.referral_id
    with database.transaction() as session:
        service.take_back(session, merchant, like, ana, at)
