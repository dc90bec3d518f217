"""Two things at the same moment, each of which decides what the other is worth: the books end as if one came first.

Everybody dawdles between their last look and their commit, so that without turns neither would see the other.
"""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from app.attribution import shell
from app.kernel.database import Database
from app.orders.news import OrderChanged
from app.referrals.coupons import CouponChanged
from app.referrals.identities import IdentityJoined
from app.referrals.visits import VisitClaimed
from tests.clock import START
from tests.db.street import Street
from tests.threads import together

DAWDLE = 0.03
"""Seconds."""


@pytest.fixture(params=range(4))
def street(request: pytest.FixtureRequest, database: Database) -> Street:  # several, for luck decides
    opened = Street(database)
    for kind in (OrderChanged, VisitClaimed, IdentityJoined, CouponChanged):
        opened.world.events.on(kind, "dawdle", lambda *_: time.sleep(DAWDLE))
    return opened


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
