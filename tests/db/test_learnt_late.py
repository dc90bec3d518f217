"""Who buys first, and says only afterwards how they came, earns nobody more than who says so at once; and what tests
show stands against nothing that is live."""

import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.attribution import policies
from app.attribution.models import CreditLine
from app.kernel.database import Database
from app.orders.models import Order
from app.orders.news import OrderChanged
from app.referrals import visits
from app.trust import doubts
from app.trust.found import About, Found
from app.trust.learnt_late import MOST
from app.trust.rules import Do
from tests.clock import START, TestClock
from tests.db import doubted
from tests.db.shady import Shady, shady
from tests.db.street import Street
from tests.threads import together

A_SECOND = timedelta(seconds=1)


@pytest.fixture
def shop(database: Database, still_clock: TestClock, tmp_path: Path) -> Iterator[Shady]:
    with shady(database, tmp_path, still_clock) as opened:
        yield opened


def claim(shop: Shady, click: str, visitor: str) -> None:
    ids = (shop.merchant, click, visitor)
    with shop.here.database.transaction() as session:
        visits.claim(session, shop.here.events, *ids, shop.clock.now(), policies.click_windows)


def earned(shop: Shady, *orders: str) -> dict[str, int]:
    """By sharer, of these orders."""
    with shop.here.database.reading() as session:
        lines = select(CreditLine.sharer, func.sum(CreditLine.gross)).where(CreditLine.order_id.in_(orders))
        return {sharer: gross for sharer, gross in session.execute(lines.group_by(CreditLine.sharer)) if gross}


def test_who_claims_the_visit_only_after_buying_is_judged_then(shop: Shady) -> None:
    shop.rules(own_mail=Do.REFUSE)
    ana, bo, cy = shop.somebody(), shop.somebody(), shop.somebody()
    shop.buy(ana, mail_hash="same")
    own, honest = shop.visits(shop.word(ana), [None, None])
    orders = [shop.buy(bo, mail_hash="same"), shop.buy(cy, mail_hash="cys")]
    claim(shop, own, bo)
    claim(shop, honest, cy)
    assert {(About.VISIT, own, "own_mail")} == shop.doubted()
    assert [{"(none)": 100}, {ana: 100}] == [earned(shop, order) for order in orders]


def test_who_is_joined_to_whoever_came_only_after_buying_is_judged_then(shop: Shady) -> None:
    shop.rules(own_card=Do.REFUSE)
    ana, phone, laptop = shop.somebody(), shop.somebody(), shop.somebody()
    shop.buy(ana, card_hash="same")
    click = shop.visit(shop.word(ana), phone)
    order = shop.buy(laptop, card_hash="same")
    shop.join(phone, laptop)
    assert {(About.VISIT, click, "own_card")} == shop.doubted()
    assert {"(none)": 100} == earned(shop, order)


def test_what_is_doubtful_of_orders_beside_others_is_not_asked_again(shop: Shady) -> None:
    bo = shop.somebody()
    orders = [shop.buy(bo) for _ in range(4)]
    for order in orders:
        shop.take_back(order)
    claim(shop, shop.visit(shop.word(shop.somebody())), bo)
    assert set() == shop.doubted("refunds_in_series")


def test_of_somebody_who_bought_very_often_the_newest_orders_are_looked_at(shop: Shady) -> None:
    ana, bo = shop.somebody(), shop.somebody()
    shop.buy(ana, mail_hash="same")
    click = shop.visit(shop.word(ana))
    shop.sell_all(*(shop.sale(bo, mail_hash="bos") for _ in range(MOST)), shop.sale(bo, mail_hash="same"))
    claim(shop, click, bo)
    assert {click} == {subject for _, subject, _ in shop.doubted("own_mail")}


def test_what_a_test_shows_stands_against_the_test_and_against_nothing_that_is_live(shop: Shady) -> None:
    shop.rules(own_mail=Do.REFUSE, too_fast=Do.REFUSE)
    ana, bo = shop.somebody(), shop.somebody()
    shop.sell(shop.sale(ana, test=True, mail_hash="same"))
    shop.visit(shop.word(ana), bo, A_SECOND)
    test = shop.sell(shop.sale(bo, test=True, mail_hash="same"))
    shop.clock.move(minutes=1)
    live = shop.buy(bo, mail_hash="same")
    assert {(About.ORDER, test, "own_mail")} == shop.doubted()
    assert [{"(none)": 100}, {ana: 100}] == [earned(shop, order) for order in (test, live)]


def test_whoever_claimed_the_visit_that_anothers_order_names_buys_at_the_same_moment(database: Database) -> None:
    """The order's rule may doubt that visit, while its claimer buys: neither may miss the other."""
    street = Street(database)
    doubted.keep_rules(street.world, [Do.REFUSE])
    click = street.arrive()
    street.claim(click, street.phone)

    def too_fast(session: Session, event: OrderChanged) -> None:
        if session.get_one(Order, (event.merchant_id, event.order_id)).visitor_id == street.laptop:
            found = [Found(About.VISIT, click, "too_fast", {"seconds": 1})]
            doubts.record(session, street.world.events, event.merchant_id, found, START)

    street.world.events.on(OrderChanged, "rules", too_fast)
    street.world.events.on(OrderChanged, "dawdle", lambda *_: time.sleep(0.1))
    named = partial(street.buy, street.laptop, click=click)
    together(named, partial(street.buy, street.phone))
    street.assert_the_books_are_right()
    assert {"(none)"} == street.earned()
