"""What is held or refused earns nothing from then on, and earns again when that is decided: whatever is learnt between,
before and after, and at the same moment, the books are what all facts together say."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.attribution import shell
from app.attribution.models import CreditLine
from app.kernel.database import Database
from app.merchants.audit import By
from app.orders.models import Order
from app.orders.news import OrderChanged
from app.referrals import turns
from app.referrals.visits import VisitClaimed
from app.reports import audit
from app.trust import doubts
from app.trust.doubts import Verdict
from app.trust.found import About, Found
from app.trust.models import Doubt
from app.trust.news import StandingsChanged
from app.trust.rules import Do
from tests.clock import START
from tests.db import doubted
from tests.db.changing import World
from tests.db.street import Street
from tests.soak import SOAK
from tests.threads import together
from tests.unit.attribution.histories import random_policy

SEEDS = 60 if SOAK else 3
DECISIONS = 20
DAWDLE = 0.03
"""Seconds."""
REFERRAL, VISIT, ORDER = About.REFERRAL, About.VISIT, About.ORDER


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_any_decisions_the_books_are_what_all_facts_together_say(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    if seed and not (database.is_sqlite or SOAK):
        pytest.skip("on PostgreSQL one world is enough: what is asked is the same")
    chance = random.Random(seed)
    world = World(database, chance)
    uneven = {**random_policy(chance), "model": chance.choice(["position_based", "time_decay"]), "position": [0, 5_000]}
    world.keep_policies(1, chance.choice([uneven, {"windows": {"click": 10_000, "like": 10_000, "view": 10_000}}]))
    monkeypatch.setattr(shell, "FEW", [0, 1, 100][seed % 3])  # left to a worker, or at once
    doubted.keep_rules(world, [Do.HOLD, Do.REFUSE])
    world.history(referrals=6, touches=25, joined=2, coupons=2)
    for _ in range(8):
        world.buy()
    touch = partial(world.history, touches=2)
    late: list[Callable[[], object]] = [
        world.buy,
        world.visit,
        world.claim,
        world.claim,
        world.join,
        world.speak,
        touch,
    ]
    changed = 0
    for _ in range(DECISIONS):
        before = world.books()
        chance.choice([doubted.doubt, doubted.decide])(world)
        world.catch_up()
        assert world.computed() == world.books()
        changed += before != world.books()
        chance.choice(late)()
        chance.choice(late)()
    assert changed


class Doubtful(Street):
    """A street in which things are doubted, and held until somebody decides."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        doubted.keep_rules(self.world, [Do.HOLD])

    def raise_doubt(self, about: About, subject: str) -> None:
        """As a sweep does."""
        found = Found(about, subject, "click_stuffing", {"visits": 100})
        with self.world.database.transaction() as session:
            turns.hold_facts(session, self.world.merchant)
            doubts.record(session, self.world.events, self.world.merchant, [found], START)

    def decide(self, verdict: Verdict) -> None:
        """About the only doubt."""
        with self.world.database.transaction() as session:
            mine = select(Doubt.doubt_id).where(Doubt.merchant_id == self.world.merchant)
            by = By(self.world.merchant, "key_1", START)
            doubts.decide(session, self.world.events, by, session.scalars(mine).one(), verdict, None, START)

    def lines(self) -> int:
        with self.world.database.reading() as session:
            mine = select(func.count()).where(CreditLine.merchant_id == self.world.merchant)
            return session.scalar(mine) or 0

    def assert_the_books_are_right(self) -> None:
        super().assert_the_books_are_right()
        with self.world.database.reading() as session:
            assert [] == list(audit.discrepancies(session, self.world.merchant))


@pytest.fixture
def street(database: Database) -> Doubtful:
    return Doubtful(database)


@pytest.mark.parametrize("about", list(About))
def test_what_is_held_earns_nothing_and_earns_again_by_appending(street: Doubtful, about: About) -> None:
    click = street.arrive()
    street.claim(click, street.phone)
    order = street.buy(street.phone)
    street.refund(order)
    earned, lines = [street.earned()], [street.lines()]
    street.raise_doubt(about, {REFERRAL: street.link, VISIT: click, ORDER: order}[about])
    verdicts: tuple[Verdict | None, ...] = (None, "credit", "refuse", "reopen", "credit", "credit")
    for verdict in verdicts:
        if verdict is not None:
            street.decide(verdict)
        street.assert_the_books_are_right()
        earned.append(street.earned())
        lines.append(street.lines())
    friend, nobody = {street.friend}, {"(none)"}
    assert [friend, nobody, friend, nobody, nobody, friend, friend] == earned
    assert [2, 4, 6, 8, 8, 10, 10] == lines


def test_what_is_learnt_of_an_old_order_while_its_referral_is_held_earns_when_it_is_credited(street: Doubtful) -> None:
    street.buy(street.laptop)
    street.buy(street.laptop, coupon="TEN", at=START + timedelta(seconds=1))
    street.raise_doubt(REFERRAL, street.link)
    street.claim(street.arrive(), street.phone)
    street.join(street.phone, "mia")
    street.join(street.laptop, "mia")
    street.buy(None, click=street.arrive())
    street.assert_the_books_are_right()
    assert {"(none)"} == street.earned()
    street.decide("credit")
    street.assert_the_books_are_right()
    assert {street.friend} == street.earned()


def test_a_code_that_came_to_speak_for_a_held_referral_speaks_when_that_is_credited(street: Doubtful) -> None:
    street.raise_doubt(REFERRAL, street.link)
    street.speak("TEN")
    street.buy(street.laptop, coupon="ten")
    assert {"(none)"} == street.earned()
    street.decide("credit")
    street.assert_the_books_are_right()
    assert {street.friend} == street.earned()


def test_a_touch_that_earned_nothing_still_decides_which_of_the_others_is_the_first(street: Doubtful) -> None:
    """The first of three earns nothing, the second and the third share; without the first, the second is the first."""
    street.world.keep_policies(0, {"model": "position_based", "position": [0, 5_000], "windows": {"click": 10_000}})
    others = [street.share(street.world.shop.visitor()) for _ in range(2)]
    for link in (street.link, *others):
        street.claim(street.arrive(link), street.phone)
    street.buy(street.phone)
    assert 2 == len(street.earned())
    street.raise_doubt(REFERRAL, street.link)
    street.assert_the_books_are_right()
    assert 1 == len(street.earned())


# -- at the same moment ------------------------------------------------------------------------------------------


@pytest.fixture(params=range(2))
def slow_street(request: pytest.FixtureRequest, database: Database) -> Doubtful:  # several, for luck decides
    """Where everybody dawdles between their last look and their commit: without turns neither would see the other."""
    opened = Doubtful(database)
    for kind in (OrderChanged, VisitClaimed, StandingsChanged):
        opened.world.events.on(kind, "dawdle", lambda *_: time.sleep(DAWDLE))
    opened.claim(opened.arrive(), opened.phone)
    return opened


def test_a_doubt_is_raised_while_somebody_buys(slow_street: Doubtful) -> None:
    street = slow_street
    together(lambda: street.raise_doubt(REFERRAL, street.link), lambda: street.buy(street.phone))
    street.assert_the_books_are_right()
    assert {"(none)"} == street.earned()


def test_a_doubt_is_decided_while_somebody_buys(slow_street: Doubtful) -> None:
    street = slow_street
    street.raise_doubt(REFERRAL, street.link)
    together(lambda: street.decide("credit"), lambda: street.buy(street.phone))
    street.assert_the_books_are_right()
    assert {street.friend} == street.earned()


def test_a_doubt_is_decided_while_the_visit_that_led_to_an_order_is_claimed(slow_street: Doubtful) -> None:
    street = slow_street
    street.raise_doubt(REFERRAL, street.link)
    street.buy(street.laptop)
    click = street.arrive()
    together(lambda: street.decide("credit"), lambda: street.claim(click, street.laptop))
    street.assert_the_books_are_right()
    assert {street.friend} == street.earned()


def test_a_doubt_about_an_order_is_raised_while_it_is_refunded(slow_street: Doubtful) -> None:
    street = slow_street
    order = street.buy(street.phone)
    together(lambda: street.raise_doubt(ORDER, order), lambda: street.refund(order))
    street.assert_the_books_are_right()
    assert {"(none)"} == street.earned()


def test_an_orders_own_rule_doubts_its_visit_in_its_own_transaction(street: Doubtful) -> None:
    """It shares the merchant's facts as all orders do: several at once do not wait for each other for ever."""
    clicks = {device: street.arrive() for device in (street.phone, street.laptop)}
    for device, click in clicks.items():
        street.claim(click, device)

    def too_fast(session: Session, event: OrderChanged) -> None:
        buyer = session.get_one(Order, (event.merchant_id, event.order_id)).visitor_id
        found = [Found(VISIT, clicks[buyer or ""], "too_fast", {"seconds": 1})]
        doubts.record(session, street.world.events, event.merchant_id, found, START)
        time.sleep(DAWDLE)

    street.world.events.on(OrderChanged, "rules", too_fast)
    together(*(partial(street.buy, device) for device in clicks), *(partial(street.buy, device) for device in clicks))
    street.assert_the_books_are_right()
    assert {"(none)"} == street.earned()
