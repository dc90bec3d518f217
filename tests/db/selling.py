"""A merchant straight in the database, without HTTP: people who shared, buyers who came through them, their orders, and
what the ledger says of these."""

import random
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from app import main
from app.attribution import policy_changes, recomputation
from app.attribution.batches import settled_batches
from app.attribution.engine import Amounts, LineKey, Model, Policy, Upline, UplineMode
from app.attribution.models import CreditLine, Recomputation
from app.attribution.policies import CURRENT, kept
from app.kernel import journal
from app.kernel.database import Database
from app.kernel.ids import new_id
from app.kernel.outbox import OutboxRow, Worker
from app.kernel.runtime import Runtime
from app.orders import service as orders
from app.orders.lifecycle import Taking
from app.orders.models import Order
from app.orders.sales import Sale
from app.referrals import visits
from app.referrals.models import Claim
from tests.clock import TestClock
from tests.conftest import settings_for
from tests.db.ledger import books
from tests.db.referring import Shop, done, written

LINEAR = Policy(model=Model.LINEAR, upline=Upline(UplineMode.GEOMETRIC))
FIRST = Policy(model=Model.FIRST_TOUCH)

Books = dict[str, dict[LineKey, Amounts]]
"""By order what each line has earned, without lines of nothing."""


class Killed(BaseException):
    """Stands for the end of the process in the middle of the work."""


def die(_: Recomputation) -> None:
    raise Killed


@dataclass
class Market:
    """Where things are sold through friends."""

    here: Runtime
    clock: TestClock
    shop: Shop
    chance: random.Random = field(default_factory=lambda: random.Random(3))
    links: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        shares = [self.shop.share(self.shop.visitor(), product) for product in self.shop.products * 2]
        self.links = [each.referral.referral_id for each in done(written(self.here.database, shares))]

    @property
    def merchant(self) -> int:
        return self.shop.merchant

    def come(self, buyer: str, link: str, at: datetime) -> str:
        """The buyer follows a link."""
        visit = visits.NewVisit(
            merchant_id=self.merchant,
            visit_id=new_id("clk", self.merchant, at),
            referral_id=link,
            type="click",
            product_id=None,
            wall_id=None,
            seen_from=None,
            at=at,
        )
        ids = {"merchant_id": self.merchant, "visit_id": visit.visit_id, "claimed_id": visit.visit_id}
        with self.here.database.transaction() as session:
            visits.write(session, [visit])
            session.add(Claim(**ids, visitor_id=buyer, at=at, received_at=at))
            journal.note(session, self.merchant, "visit.claimed", [visit.visit_id], at)
        return visit.visit_id

    def sell(self, *, touches: int = 3, test: bool = False) -> str:
        """Somebody comes through some friends, a day apart, and buys now; the order's id."""
        buyer, now = self.shop.visitor(), self.clock.now()
        for days in range(touches, 0, -1):
            self.come(buyer, self.chance.choice(self.links), now - timedelta(days=days))
        sale = Sale(
            external_id=new_id("ord", self.merchant, now),
            source="api",
            fingerprint="",
            livemode=not test,
            currency="eur",
            gross=10_000,
            net=self.chance.choice((1, 100, 9_999, 10_000)),
            at=now,
            visitor_id=buyer,
        )
        with self.here.database.transaction() as session:
            order, _ = orders.record(session, self.here.events, self.merchant, sale, now)
        return order.order_id

    def refund(self, order_id: str, amount: int) -> None:
        now = self.clock.now()
        taking = Taking(new_id("rfd", self.merchant, now), "refund", now, amount, amount)
        with self.here.database.transaction() as session:
            orders.take_back(session, self.here.events, self.merchant, order_id, taking, now)

    def put(self, policy: Policy, start: policy_changes.Start = "beginning") -> Recomputation | None:
        """Change the policy in force; the job that this started."""
        before = set(self.jobs())
        with self.here.database.transaction() as session:
            policy_changes.put(session, self.here.outbox, self.merchant, policy, start, self.clock.now())
        return next((job for id_, job in self.jobs().items() if id_ not in before), None)

    def keep(self, name: str, policy: Policy) -> None:
        with self.here.database.transaction() as session:
            policy_changes.keep(session, self.here.outbox, self.merchant, name, policy, self.clock.now())

    def begin(self, policy: Policy, start: policy_changes.Start = "beginning") -> Recomputation:
        """Change the policy in force, which starts a job."""
        job = self.put(policy, start)
        assert job is not None
        return job

    def jobs(self) -> dict[str, Recomputation]:
        with self.here.database.reading() as session:
            mine = select(Recomputation).where(Recomputation.merchant_id == self.merchant)
            return {job.job_id: job for job in session.scalars(mine.order_by(Recomputation.created_at))}

    def work(self, progress: recomputation.Progress = lambda _: None, batch: int = 4) -> int:
        """What a worker does that looks for work once."""

        def job(message: object) -> None:
            recomputation.run(self.here.database, self.clock, message, progress, batch=batch)  # type: ignore[arg-type]

        return Worker(self.here.database, self.clock, self.here.outbox, {recomputation.TOPIC: job}).run_due()

    def promised(self) -> int:
        """How many pieces of work wait."""
        with self.here.database.reading() as session:
            waiting = select(func.count()).where(OutboxRow.merchant_id == self.merchant)
            return session.scalar(waiting) or 0

    def books(self, policy: str = CURRENT, as_of: datetime | None = None) -> Books:
        """What the ledger says."""
        with self.here.database.reading() as session:
            found = books(session, self.merchant, as_of)
        return {order: lines for (order, name), lines in found.items() if name == policy}

    def computed(self, policy: Policy) -> Books:
        """What the engine says, all from the beginning."""
        found: Books = {}
        with self.here.database.reading() as session:
            for livemode in (True, False):
                for batch in settled_batches(session, self.merchant, [policy], livemode=livemode):
                    for row, settlement in zip(batch.rows, batch.settlements[0], strict=True):
                        lines = {line.key: line.amounts for line in settlement.lines}
                        found[row.order_id] = {key: sums for key, sums in lines.items() if any(sums)}
        return found

    def lines(self) -> int:
        """How many lines the ledger has."""
        with self.here.database.reading() as session:
            return session.scalar(select(func.count()).where(CreditLine.merchant_id == self.merchant)) or 0

    def assert_adds_up(self, *beside: str) -> None:
        """Under the policy in force each order's lines add up to what was sold and taken back; so they do under the
        policies `beside`, where they are computed already."""
        with self.here.database.reading() as session:
            sold = {
                order.order_id: (order.net, order.refunded)
                for order in session.scalars(select(Order).where(Order.merchant_id == self.merchant))
            }
        assert sold == added(self.books(), sold)
        for name in beside:
            books = self.books(name)
            assert {order: sold[order] for order in books} == added(books, books)

    def sold(self, count: int) -> list[str]:
        """So many orders, an hour apart, some of them tests; of every third something was taken back."""
        made = []
        for number in range(count):
            made.append(self.sell(test=number % 5 == 4))
            self.clock.move(hours=1)
            if number % 3 == 0:
                self.refund(made[-1], 1)
                self.clock.move(hours=1)
        return made

    def newest_policy(self) -> Policy:
        with self.here.database.reading() as session:
            return kept(session, self.merchant).newest.policy


def added(books: Books, orders: Collection[str]) -> dict[str, tuple[int, int]]:
    """Gross and what was taken back of each order."""
    return {
        order: (
            sum(gross for gross, _ in books.get(order, {}).values()),
            sum(taken for _, taken in books.get(order, {}).values()),
        )
        for order in orders
    }


@contextmanager
def market(database: Database, folder: Path, clock: TestClock) -> Iterator[Market]:
    """A market of a new merchant in this database."""
    here = main.assemble(settings_for(database.url.render_as_string(hide_password=False), folder), clock)
    yield Market(here, clock, Shop(here.database))
    here.database.close()
