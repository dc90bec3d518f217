"""A street: somebody with two devices and a friend, in a world whose every step a test decides."""

import random
from datetime import datetime, timedelta

from app.kernel.database import Database
from app.kernel.ids import new_id
from app.orders import service as orders
from app.orders.lifecycle import Taking
from app.orders.sales import Sale
from app.referrals import coupons, identities, visits
from tests.clock import START
from tests.db.changing import World
from tests.db.referring import done, written


class Street:
    """Where one person has two devices, and a friend whose links they follow."""

    def __init__(self, database: Database) -> None:
        self.world = World(database, random.Random(1))
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
        sale = Sale(
            *(number, "api", number, True, "eur", 1000, 1000, at), click_id=click, visitor_id=device, coupon=coupon
        )
        with self.world.database.transaction() as session:
            return orders.record(session, self.world.events, self.world.merchant, sale, START)[0].order_id

    def refund(self, order: str) -> str:
        taking = Taking(str(next(self.world.numbers)), "refund", START, 100, 100)
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
