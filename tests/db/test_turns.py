"""Two things at the same moment, each of which decides what the other is worth: the books end as if one came first.

Everybody dawdles between their last look and their commit, so that without turns neither would see the other.
"""

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest

from app.attribution import shell
from app.kernel.database import Database
from app.kernel.ids import new_id
from app.orders import service as orders
from app.orders.service import OrderChanged
from app.referrals import coupons, identities, visits
from app.referrals.coupons import CouponChanged
from app.referrals.identities import IdentityJoined
from app.referrals.visits import VisitClaimed
from tests.clock import START
from tests.db.changing import World
from tests.db.referring import done, written
from tests.threads import together

DAWDLE = 0.03
"""Seconds."""


class Street:
    """Where one person has two devices, and a friend."""

    def __init__(self, database: Database) -> None:
        self.world = World(database, random.Random(1))
        for kind in (OrderChanged, VisitClaimed, IdentityJoined, CouponChanged):
            self.world.events.on(kind, "dawdle", lambda *_: time.sleep(DAWDLE))
        shop = self.world.shop
        self.friend = shop.visitor()
        self.link = self.share(self.friend)
        self.phone, self.laptop = shop.visitor(), shop.visitor()

    def share(self, visitor: str) -> str:
        shop = self.world.shop
        return done(written(shop.database, [shop.share(visitor, shop.products[0])]))[0].referral.referral_id

    def arrive(self, link: str | None = None) -> str:
        """Somebody follows a link, the friend's where no other is given; the click. Each a second later."""
        at = START - timedelta(minutes=1) + timedelta(seconds=next(self.world.numbers))
        click = new_id("clk", self.world.merchant, at)
        visit = visits.NewVisit(self.world.merchant, click, link or self.link, "click", None, None, None, at)
        with self.world.database.transaction() as session:
            visits.write(session, [visit])
        return click

    def claim(self, click: str, device: str) -> str:
        with self.world.database.transaction() as session:
            return visits.claim(session, self.world.events, self.world.merchant, click, device, START)

    def join(self, device: str, person: str) -> str:
        with self.world.database.transaction() as session:
            return identities.join(session, self.world.events, self.world.merchant, device, person, START).person

    def speak(self, code: str) -> str:
        with self.world.database.transaction() as session:
            return coupons.put(session, self.world.events, self.world.merchant, code, self.link, START).code

    def buy(
        self, device: str | None, *, click: str | None = None, coupon: str | None = None, at: datetime = START
    ) -> str:
        number = str(next(self.world.numbers))
        sale = orders.Sale(
            *(number, "api", number, True, "eur", 1000, 1000, at), click_id=click, visitor_id=device, coupon=coupon
        )
        with self.world.database.transaction() as session:
            return orders.record(session, self.world.events, self.world.merchant, sale, START)[0].order_id

    def refund(self, order: str) -> str:
        taking = orders.TakingBack(str(next(self.world.numbers)), "refund", 100, 100, START)
        with self.world.database.transaction() as session:
            made, _ = orders.take_back(session, self.world.events, self.world.merchant, order, taking, START)
        return made.refund_id

    def assert_the_books_are_right(self) -> None:
        self.world.catch_up()
        assert (0, []) == self.world.left()
        assert self.world.computed() == self.world.books()

    def earned(self) -> set[str]:
        """Who earned something."""
        return {key.sharer for lines in self.world.books().values() for key in lines}


@pytest.fixture(params=range(4))
def street(request: pytest.FixtureRequest, database: Database) -> Street:  # several, for luck decides
    return Street(database)


def test_a_sign_in_while_the_other_device_buys(street: Street) -> None:
    street.claim(street.arrive(), street.phone)
    street.join(street.phone, "mia")
    together(lambda: street.join(street.laptop, "mia"), lambda: street.buy(street.laptop))
    street.assert_the_books_are_right()
    assert {street.friend} == street.earned()


def test_a_claim_on_one_device_while_the_other_buys(street: Street) -> None:
    street.join(street.phone, "mia")
    street.join(street.laptop, "mia")
    click = street.arrive()
    together(lambda: street.claim(click, street.phone), lambda: street.buy(street.laptop))
    street.assert_the_books_are_right()
    assert {street.friend} == street.earned()


def test_a_claim_while_the_same_click_is_bought_through(street: Street) -> None:
    """The purchase names no visitor: whoever claims the click has bought, with all that led them there."""
    street.world.keep_policies(0, {"model": "first_touch"})
    other = street.share(street.laptop)
    street.claim(street.arrive(other), street.phone)
    click = street.arrive()
    together(lambda: street.claim(click, street.phone), lambda: street.buy(None, click=click))
    street.assert_the_books_are_right()
    assert {street.laptop} == street.earned()


def test_a_code_is_given_away_while_somebody_buys_with_it(street: Street) -> None:
    together(lambda: street.speak("TEN"), lambda: street.buy(street.laptop, coupon=" ten"))
    street.assert_the_books_are_right()
    assert {street.friend} == street.earned()


def test_two_devices_buy_where_journeys_start_anew(street: Street) -> None:
    """The later order must not earn what led to the earlier one, whichever is heard first."""
    street.world.keep_policies(0, {"journey_reset": True})
    street.claim(street.arrive(), street.phone)
    street.join(street.phone, "mia")
    street.join(street.laptop, "mia")
    late = START + timedelta(seconds=5)
    together(lambda: street.buy(street.phone), lambda: street.buy(street.laptop, at=late))
    street.assert_the_books_are_right()
    assert {street.friend, "(none)"} == street.earned()


def test_a_refund_while_the_friend_becomes_somebody_else(street: Street) -> None:
    street.claim(street.arrive(), street.phone)
    order = street.buy(street.phone)
    together(lambda: street.join(street.friend, "ana"), lambda: street.refund(order))
    street.assert_the_books_are_right()
    assert {"ana"} == street.earned()


def test_everything_at_once_ends_and_the_books_are_right(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where all is left to several who catch up beside it: nobody waits in a circle, nothing is forgotten."""
    monkeypatch.setattr(shell, "FEW", 1)
    street.world.keep_policies(1, {"journey_reset": True})
    clicks = [street.arrive() for _ in range(4)]
    devices = [street.phone, street.laptop, street.friend]
    bought = [street.buy(device) for device in devices]

    def busy(chance: random.Random) -> None:
        things: list[Callable[[], object]] = [
            lambda: street.claim(chance.choice(clicks), chance.choice(devices)),
            lambda: street.join(chance.choice(devices), chance.choice(["mia", "zoe", *devices])),
            lambda: street.speak("TEN"),
            lambda: street.buy(chance.choice(devices), coupon="TEN"),
            lambda: street.buy(None, click=chance.choice(clicks)),
            lambda: street.refund(chance.choice(bought)),
            street.world.catch_up,
        ]
        for _ in range(6):
            chance.choice(things)()

    together(*(partial(busy, random.Random(number)) for number in range(4)))
    street.assert_the_books_are_right()
