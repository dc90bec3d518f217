"""A merchant straight in the database, with whom some people cheat: who passes the word, who comes, who buys; and what
of it was doubted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app import main
from app.kernel.database import Database
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.merchants.models import Merchant
from app.orders import bulk, service
from app.orders.lifecycle import Taking
from app.orders.sales import Sale
from app.privacy.sightings import Sighting
from app.referrals import coupons, identities, visits
from app.referrals.models import Claim
from app.referrals.service import Kind
from app.trust import book
from app.trust.book import Book, Setting, usual
from app.trust.found import About
from app.trust.models import Doubt
from app.trust.rules import RULES, Do
from app.trust.sweep import Sweep
from tests.clock import TestClock
from tests.conftest import settings_for
from tests.db.referring import Shop, done, written

A_MINUTE = timedelta(minutes=1)
Doubted = tuple[About, str, str]
"""About what, which one, by which rule."""


@dataclass
class Shady:
    """The merchant, at a time that only the test moves."""

    here: Runtime
    clock: TestClock
    shop: Shop

    @property
    def merchant(self) -> int:
        return self.shop.merchant

    def somebody(self) -> str:
        return self.shop.visitor()

    def word(self, visitor: str, kind: Kind = "share", device: str | None = None, product: int = 0) -> str:
        """A like or share of the visitor's; the referral's id."""
        return self.words([visitor], kind, [device], product)[0]

    def words(
        self,
        visitors: Sequence[str],
        kind: Kind = "share",
        devices: Sequence[str | None] = (),
        product: int = 0,
    ) -> list[str]:
        """One of each of these."""
        facts = []
        for visitor, device in zip_longest(visitors, devices):
            network = new_id("x", 0, self.clock.now())  # as if each were passed on somewhere else
            fact = self.shop.new(kind, visitor, self.shop.products[product], None, network)
            facts.append(replace(fact, at=self.clock.now(), seen=_seen(device)))
        return [each.referral.referral_id for each in done(written(self.here.database, facts))]

    def visit(
        self, referral: str, buyer: str | None = None, ago: timedelta = A_MINUTE, device: str | None = None
    ) -> str:
        """Somebody follows a link, and says who they are or not; the click id."""
        return self.visits(referral, [device], [buyer], ago)[0]

    def visits(
        self,
        referral: str,
        devices: Sequence[str | None],
        buyers: Sequence[str | None] = (),
        ago: timedelta = A_MINUTE,
    ) -> list[str]:
        """A visit from each of these devices."""
        at = self.clock.now() - ago
        way = visits.Way(self.merchant, referral, "click", None, None, "x")
        with self.here.database.transaction() as session:
            clicks = visits.write(session, [visits.NewVisit.by(way, None, at, _seen(device)) for device in devices])
            for click, buyer in zip_longest(clicks, buyers):
                if buyer is not None:
                    ids = {"merchant_id": self.merchant, "visit_id": click, "claimed_id": click}
                    session.add(Claim(**ids, visitor_id=buyer, at=at, received_at=at))
        return clicks

    def join(self, visitor: str, person: str) -> None:
        with self.here.database.transaction() as session:
            identities.join(session, self.here.events, self.merchant, visitor, person, self.clock.now())
        self.clock.move(seconds=1)

    def coupon(self, code: str, referral: str) -> None:
        with self.here.database.transaction() as session:
            coupons.put(session, self.here.events, self.merchant, code, referral, self.clock.now())

    def sale(self, visitor: str | None = None, *, test: bool = False, at: datetime | None = None, **more: Any) -> Sale:
        return Sale(
            external_id=new_id("x", 0, self.clock.now()),
            source="api",
            fingerprint="",
            livemode=not test,
            currency="eur",
            gross=100,
            net=100,
            at=at or self.clock.now(),
            visitor_id=visitor,
            **more,
        )

    def buy(self, visitor: str | None = None, **fields: Any) -> str:
        return self.sell(self.sale(visitor, **fields))

    def sell(self, sale: Sale) -> str:
        with self.here.database.transaction() as session:
            order, _ = service.record(session, self.here.events, self.merchant, sale, self.clock.now())
        return order.order_id

    def sell_all(self, *sales: Sale) -> list[str | None]:
        with self.here.database.transaction() as session:
            told = bulk.record_all(session, self.here.events, self.merchant, sales, self.clock.now())
        return [each.order_id for each in told]

    def take_back(self, order_id: str, amount: int = 100) -> None:
        now = self.clock.now()
        taking = Taking(new_id("x", 0, now), "refund", now, amount, amount)
        with self.here.database.transaction() as session:
            service.take_back(session, self.here.events, self.merchant, order_id, taking, now)

    def close(self, at: datetime | None = None) -> None:
        """They left, or are back."""
        with self.here.database.transaction() as session:
            session.get_one(Merchant, self.merchant).closed_at = at

    def rules(self, **dos: Do) -> None:
        """Let rules do this, and all others as usual."""
        self.settings(**{code: usual(RULES[code])._replace(do=do) for code, do in dos.items()})

    def settings(self, **said: Setting) -> None:
        with self.here.database.transaction() as session:
            book.keep(session, self.merchant, Book(said))

    def sweep(self) -> None:
        Sweep(self.here).minutes(lambda: None)

    def sweep_days(self) -> None:
        Sweep(self.here).days(lambda: None)

    def doubted(self, *rules: str) -> set[Doubted]:
        """What is doubted, by any rule or by these."""
        return {(About(each.about), each.subject, each.rule) for each in self.doubts(*rules)}

    def doubts(self, *rules: str) -> list[Doubt]:
        with self.here.database.reading() as session:
            mine = select(Doubt).where(Doubt.merchant_id == self.merchant).order_by(Doubt.doubt_id)
            return [each for each in session.scalars(mine) if not rules or each.rule in rules]


def _seen(device: str | None) -> Sighting | None:
    return None if device is None else Sighting(device, device[:4])


@contextmanager
def shady(database: Database, folder: Path, clock: TestClock) -> Iterator[Shady]:
    """A new merchant of this kind in the database."""
    here = main.assemble(settings_for(database.url.render_as_string(hide_password=False), folder), clock)
    opened = Shady(here, clock, Shop(here.database))
    yield opened
    opened.close(clock.now())
    here.database.close()
