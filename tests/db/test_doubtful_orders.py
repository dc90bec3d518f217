"""What is doubted when an order is told: how its buyer came, judged before it is divided."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.attribution.models import CreditLine
from app.kernel.database import Database
from app.orders import corrections
from app.orders.models import Order
from app.trust.book import Setting
from app.trust.found import About
from app.trust.purchases import MOST
from app.trust.rules import Do
from tests.clock import TestClock
from tests.db.shady import Shady, shady

A_DAY = timedelta(days=1)
OWN = ("own_mail", "own_card", "own_device")


@pytest.fixture
def shop(database: Database, still_clock: TestClock, tmp_path: Path) -> Iterator[Shady]:
    with shady(database, tmp_path, still_clock) as opened:
        yield opened


class Pair:
    """Ana, who has bought and passed the word, and somebody who came through it."""

    def __init__(self, shop: Shady, **bought: str) -> None:
        self.shop = shop
        self.ana, self.bo = shop.somebody(), shop.somebody()
        self.before = shop.buy(self.ana, **bought)
        self.word = shop.word(self.ana)
        self.click = shop.visit(self.word, self.bo)


@pytest.mark.parametrize("way", ["mail", "card"])
def test_who_buys_through_the_link_of_somebody_with_the_same_mail_or_card_is_doubted(shop: Shady, way: str) -> None:
    pair = Pair(shop, **{f"{way}_hash": "same"})
    order = shop.buy(pair.bo, **{f"{way}_hash": "same"})
    assert {(About.VISIT, pair.click, f"own_{way}")} == shop.doubted()
    assert {"order": order, "alike": 1, "orders": [pair.before]} == shop.doubts()[0].evidence


def test_another_mail_and_another_card_are_another_person(shop: Shady) -> None:
    pair = Pair(shop, mail_hash="anas", card_hash="anas")
    shop.buy(pair.bo, mail_hash="bos", card_hash="bos")
    assert set() == shop.doubted()


def test_a_live_order_is_not_compared_with_a_test(shop: Shady) -> None:
    ana, bo = shop.somebody(), shop.somebody()
    shop.sell(shop.sale(ana, test=True, card_hash="4242"))
    shop.visit(shop.word(ana), bo)
    shop.buy(bo, card_hash="4242")
    assert set() == shop.doubted()


def test_the_sharer_is_all_who_are_the_same_person(shop: Shady) -> None:
    laptop, phone, bo = shop.somebody(), shop.somebody(), shop.somebody()
    shop.join(laptop, "ana@shop")
    shop.join(phone, "ana@shop")
    shop.buy(laptop, mail_hash="same")
    click = shop.visit(shop.word(phone), bo)
    shop.buy(bo, mail_hash="same")
    assert {(About.VISIT, click, "own_mail")} == shop.doubted()


def test_so_is_the_buyer_who_came_on_another_device(shop: Shady) -> None:
    pair = Pair(shop, mail_hash="same")
    laptop = shop.somebody()
    shop.join(pair.bo, "bo@shop")
    shop.join(laptop, "bo@shop")
    shop.buy(laptop, mail_hash="same")
    assert {(About.VISIT, pair.click, "own_mail")} == shop.doubted()


def test_who_is_known_to_be_the_sharer_is_left_to_the_policy(shop: Shady) -> None:
    pair = Pair(shop, mail_hash="same", card_hash="same")
    shop.join(pair.bo, pair.ana)
    shop.buy(pair.bo, mail_hash="same", card_hash="same")
    assert set() == shop.doubted(*OWN)


def test_all_visits_through_that_word_within_the_window_are_doubted_and_no_others(shop: Shady) -> None:
    pair = Pair(shop, mail_hash="same")
    second = shop.visit(pair.word, pair.bo, A_DAY)
    shop.visit(pair.word, pair.bo, 31 * A_DAY)
    shop.visit(shop.word(shop.somebody()), pair.bo, A_DAY)
    shop.visit(pair.word, shop.somebody())
    shop.buy(pair.bo, mail_hash="same")
    assert {(About.VISIT, click, "own_mail") for click in (pair.click, second)} == shop.doubted()


def test_a_visit_at_the_edge_of_the_window_is_doubted_as_it_counts(shop: Shady) -> None:
    pair = Pair(shop, mail_hash="same")
    shop.clock.move(seconds=0.9)
    edge = shop.visit(pair.word, pair.bo, 30 * A_DAY + timedelta(seconds=0.5))
    shop.visit(pair.word, pair.bo, 30 * A_DAY + timedelta(seconds=1.5))
    shop.buy(pair.bo, mail_hash="same")
    assert {pair.click, edge} == {subject for _, subject, _ in shop.doubted()}


def test_a_visit_that_the_order_names_needs_no_claim(shop: Shady) -> None:
    ana = shop.somebody()
    shop.buy(ana, card_hash="same")
    click = shop.visit(shop.word(ana))
    shop.buy(click_id=click, card_hash="same")
    assert {(About.VISIT, click, "own_card")} == shop.doubted()


def test_who_had_bought_may_be_known_by_the_visit_that_was_named(shop: Shady) -> None:
    ana, bo = shop.somebody(), shop.somebody()
    shop.buy(click_id=shop.visit(shop.word(shop.somebody()), ana), card_hash="same")
    click = shop.visit(shop.word(ana), bo)
    shop.buy(bo, card_hash="same")
    assert {(About.VISIT, click, "own_card")} == shop.doubted("own_card")


def test_what_was_shared_on_the_buyers_device_is_doubted(shop: Shady) -> None:
    ana, bo = shop.somebody(), shop.somebody()
    word = shop.word(ana, device="device-1")
    click = shop.visit(word, bo)
    order = shop.buy(bo, device="device-1")
    assert {(About.VISIT, click, "own_device")} == shop.doubted()
    assert {"order": order, "alike": 1, "referrals": [word]} == shop.doubts()[0].evidence


def test_so_is_what_the_sharer_shared_there_of_something_else(shop: Shady) -> None:
    ana, phone, bo = shop.somebody(), shop.somebody(), shop.somebody()
    shop.join(phone, ana)
    shop.word(phone, device="device-1", product=1)
    click = shop.visit(shop.word(ana, device="device-2"), bo)
    shop.buy(bo, device="device-1")
    assert {(About.VISIT, click, "own_device")} == shop.doubted()


def test_another_device_or_none_is_no_ones_own(shop: Shady) -> None:
    ana, bo = shop.somebody(), shop.somebody()
    shop.visit(shop.word(ana, device="device-1"), bo)
    shop.word(shop.somebody(), device="device-2")
    shop.buy(bo, device="device-2")
    shop.buy(bo)
    assert set() == shop.doubted()


def test_by_a_coupon_the_order_itself_is_doubted(shop: Shady) -> None:
    ana, bo = shop.somebody(), shop.somebody()
    shop.buy(ana, mail_hash="same")
    shop.coupon("ANA10", shop.word(ana, device="device-1"))
    order = shop.buy(bo, coupon=" ana10 ", mail_hash="same", device="device-1")
    assert {(About.ORDER, order, "own_mail"), (About.ORDER, order, "own_device")} == shop.doubted()


def test_a_coupon_that_spoke_for_another_when_it_was_used_is_nothing(shop: Shady) -> None:
    ana, bo = shop.somebody(), shop.somebody()
    shop.buy(ana, mail_hash="same")
    shop.coupon("TEN", shop.word(shop.somebody()))
    shop.clock.move(hours=1)
    then = shop.clock.now()
    shop.clock.move(hours=1)
    shop.coupon("TEN", shop.word(ana))
    shop.sell(shop.sale(bo, at=then, coupon="TEN", mail_hash="same"))
    shop.sell(shop.sale(bo, at=then - A_DAY, coupon="TEN", mail_hash="same"))
    assert set() == shop.doubted()


@pytest.mark.parametrize(("seconds", "doubted"), [(0, True), (3, True), (4, False)])
def test_an_order_a_moment_after_the_visit_is_too_fast(shop: Shady, seconds: int, doubted: bool) -> None:
    bo = shop.somebody()
    click = shop.visit(shop.word(shop.somebody()), bo, timedelta(seconds=seconds))
    shop.visit(shop.word(shop.somebody()), bo, A_DAY)
    shop.buy(bo)
    assert ({(About.VISIT, click, "too_fast")} if doubted else set()) == shop.doubted()


def test_the_visit_that_is_named_counts_and_not_the_latest(shop: Shady) -> None:
    bo, word = shop.somebody(), shop.word(shop.somebody())
    named = shop.visit(word, bo, A_DAY)
    shop.visit(word, bo, timedelta(0))
    shop.buy(bo, click_id=named)
    assert set() == shop.doubted()


def test_a_buyer_who_gave_three_orders_back_is_doubted_at_the_fourth(shop: Shady) -> None:
    bo = shop.somebody()
    for number in range(3):
        order = shop.buy(bo)
        assert set() == shop.doubted(), number
        shop.take_back(order)
        shop.clock.move(days=1)
    last = shop.buy(bo)
    assert {(About.ORDER, last, "refunds_in_series")} == shop.doubted()
    assert {"days": 90, "taken_back": 3} == shop.doubts()[0].evidence


@pytest.mark.parametrize("way", ["mail_hash", "card_hash", "joined", "click"])
def test_the_same_buyer_is_known_by_mail_card_person_and_visit(shop: Shady, way: str) -> None:
    devices = [shop.somebody() for _ in range(4)]
    known = {way: "same"} if way.endswith("hash") else {}
    for device in devices if way == "joined" else ():
        shop.join(device, "bo@shop")
    word = shop.word(shop.somebody())
    clicks = [shop.visit(word, devices[0]) for _ in range(4)]
    for device, click in zip(devices[:3], clicks, strict=False):
        order = shop.buy(click_id=click) if way == "click" else shop.buy(device, **known)
        shop.take_back(order)
    last = shop.buy(click_id=clicks[3]) if way == "click" else shop.buy(devices[3], **known)
    assert {(About.ORDER, last, "refunds_in_series")} == shop.doubted()


def test_what_was_kept_in_part_or_given_back_long_ago_makes_no_series(shop: Shady) -> None:
    bo = shop.somebody()
    shop.take_back(shop.buy(bo))
    shop.clock.move(days=91)
    for amount in (100, 100, 99):
        shop.take_back(shop.buy(bo), amount)
    shop.take_back(shop.buy(shop.somebody()))
    shop.buy(bo)
    assert set() == shop.doubted()


class Page:
    """A page of coupons, on which strangers find a code of Ana's."""

    def __init__(self, shop: Shady) -> None:
        self.shop = shop
        shop.visit(word := shop.word(shop.somebody()), bo := shop.somebody(), A_DAY)
        shop.buy(bo)  # this shop says who bought
        shop.coupon("ANA10", word)

    def strangers(self, count: int) -> list[str]:
        return [self.shop.buy(coupon="ana10") for _ in range(count)]

    def friends(self, count: int) -> list[str]:
        made = []
        for _ in range(count):
            friend = self.shop.somebody()
            self.shop.visit(self.shop.word(self.shop.somebody()), friend, A_DAY)
            made.append(self.shop.buy(friend, coupon="ana10"))
        return made


def test_the_tenth_stranger_with_a_code_makes_it_a_coupon_sites(shop: Shady) -> None:
    orders = Page(shop).strangers(11)
    assert {(About.ORDER, order, "coupon_site") for order in orders[9:]} == shop.doubted()
    assert {"orders": 10, "strangers": 10} == shop.doubts()[0].evidence


def test_a_code_that_friends_use_too_is_not(shop: Shady) -> None:
    page = Page(shop)
    page.friends(3)
    page.strangers(11)
    assert set() == shop.doubted("coupon_site")


def test_a_friend_who_uses_such_a_code_is_not_doubted(shop: Shady) -> None:
    page = Page(shop)
    strangers = page.strangers(12)
    page.friends(1)
    assert set(strangers[9:]) == {subject for _, subject, _ in shop.doubted("coupon_site")}


def test_a_friend_may_have_come_on_another_device(shop: Shady) -> None:
    page = Page(shop)
    page.strangers(9)
    phone, laptop = shop.somebody(), shop.somebody()
    shop.join(phone, "bo@shop")
    shop.join(laptop, "bo@shop")
    shop.visit(shop.word(shop.somebody()), phone, 40 * A_DAY)
    shop.buy(laptop, coupon="ana10")
    assert set() == shop.doubted("coupon_site")


def test_a_code_that_speaks_for_nobody_is_the_shops_own(shop: Shady) -> None:
    Page(shop)
    for _ in range(11):
        shop.buy(coupon="SPRING")
    assert set() == shop.doubted()


def test_a_shop_that_never_says_who_bought_has_no_strangers(shop: Shady) -> None:
    shop.coupon("ANA10", shop.word(shop.somebody()))
    for _ in range(11):
        shop.buy(coupon="ana10")
    assert set() == shop.doubted()


def test_orders_that_are_told_together_are_judged_as_one_by_one(shop: Shady) -> None:
    pairs = [Pair(shop, mail_hash=f"same-{number}") for number in range(3)]
    told = [shop.sale(pair.bo, mail_hash=f"same-{number}") for number, pair in enumerate(pairs)]
    shop.sell_all(*told, shop.sale(pairs[0].bo, test=True, mail_hash="same-1"))
    assert {(About.VISIT, pair.click, "own_mail") for pair in pairs} == shop.doubted()


def test_journeys_that_are_too_long_together_are_looked_at_apart(shop: Shady, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST > 4
    monkeypatch.setattr("app.trust.purchases.MOST", 4)
    pairs = [Pair(shop, mail_hash=f"same-{number}") for number in range(3)]
    for pair in pairs:
        shop.visit(pair.word, pair.bo, A_DAY)
    shop.sell_all(*(shop.sale(pair.bo, mail_hash=f"same-{number}") for number, pair in enumerate(pairs)))
    assert 6 == len(shop.doubted("own_mail"))


def test_a_rule_that_is_off_does_not_even_look(shop: Shady) -> None:
    shop.rules(own_mail=Do.OFF)
    pair = Pair(shop, mail_hash="same", card_hash="same")
    shop.buy(pair.bo, mail_hash="same", card_hash="same")
    assert {(About.VISIT, pair.click, "own_card")} == shop.doubted()


def test_where_all_are_off_nothing_is_asked(shop: Shady) -> None:
    shop.rules(**dict.fromkeys((*OWN, "too_fast", "coupon_site", "refunds_in_series"), Do.OFF))
    pair = Pair(shop, mail_hash="same", card_hash="same")
    shop.visit(pair.word, pair.bo, timedelta(0))
    shop.buy(pair.bo, mail_hash="same", card_hash="same")
    assert set() == shop.doubted()


def test_merchants_have_numbers_of_their_own(shop: Shady) -> None:
    shop.settings(too_fast=Setting(Do.FLAG, {"seconds": 60}))
    pair = Pair(shop)
    shop.buy(pair.bo)
    assert {(About.VISIT, pair.click, "too_fast")} == shop.doubted()


def test_a_buyer_who_is_learnt_of_later_is_judged_then(shop: Shady) -> None:
    pair = Pair(shop, mail_hash="same")
    order_id = shop.buy(mail_hash="same")
    assert set() == shop.doubted()
    with shop.here.database.transaction() as session:
        order = session.scalars(select(Order).where(Order.order_id == order_id)).one()
        corrections.correct(session, shop.here.events, order, {"visitor_id": pair.bo}, shop.clock.now())
    assert {(About.VISIT, pair.click, "own_mail")} == shop.doubted()


def test_what_was_brought_in_from_the_past_is_not_judged(shop: Shady) -> None:
    pair = Pair(shop, mail_hash="same")
    order_id = shop.buy(mail_hash="same")
    with shop.here.database.transaction() as session:
        order = session.scalars(select(Order).where(Order.order_id == order_id)).one()
        order.source = "history"
        corrections.correct(session, shop.here.events, order, {"visitor_id": pair.bo}, shop.clock.now())
    assert set() == shop.doubted()


def test_another_merchants_people_are_others(shop: Shady, tmp_path: Path, database: Database) -> None:
    pair = Pair(shop, mail_hash="same")
    with shady(database, tmp_path, shop.clock) as other:
        other.buy(pair.bo, mail_hash="same", click_id=pair.click)
        assert set() == other.doubted() | shop.doubted()


def test_what_is_refused_has_never_earned(shop: Shady) -> None:
    shop.rules(own_mail=Do.REFUSE)
    pair = Pair(shop, mail_hash="same")
    shop.visit(honest := shop.word(shop.somebody()), pair.bo, A_DAY)
    order = shop.buy(pair.bo, mail_hash="same")
    with shop.here.database.reading() as session:
        earned = select(CreditLine.source_referral, CreditLine.gross).where(CreditLine.order_id == order)
        assert [(honest, 100)] == [tuple(line) for line in session.execute(earned)]
