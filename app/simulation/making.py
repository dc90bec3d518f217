"""Makes a world in a database: day after day, what happened is decided, written in bulk and credited by the engine.

Who fills the database through this sees the rows that the live code would have written, at the times at which it would
have; the credit of each day's orders is written by attribution itself, when the day is over.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.attribution import writing
from app.attribution.models import CreditLine
from app.kernel import bulk
from app.kernel.clock import from_micros
from app.kernel.database import Database
from app.kernel.rollups.tables import MEASURES, Rollup
from app.kernel.signing import Signer
from app.kernel.statistics import Growth, look_at
from app.orders.models import Checkout, Order, OrderLine, Refund
from app.orders.stripe_models import StripeObject
from app.referrals.models import Beacon, Claim, Coupon, Identity, Link, MachineVisits, Referral, Visit
from app.simulation import counted, rows, seasons, truth
from app.simulation.life import Day, Life
from app.simulation.opening import Opened, open_shop
from app.simulation.options import Options
from app.simulation.sales import TakenBack
from app.simulation.seasons import Quota, Span
from app.simulation.shops import Shop, about
from app.simulation.spans import Spans

Progress = Callable[[int], None]
"""Is told how many facts are written."""

_FIRST_LOOK: Final = 20_000
_ROLLUP: Final = ("merchant_id", "dimension", "span", "starts", "value", *MEASURES)


@dataclass
class Made:
    """A world that was made: its merchants with their keys, and the truth about each, in the same order."""

    options: Options
    merchants: list[Opened] = field(default_factory=list)
    truths: list[truth.Merchant] = field(default_factory=list)

    @property
    def facts(self) -> int:
        """Visits, likes, shares and beacons."""
        return sum(each.written[name] for each in self.truths for name in ("referrals", "visits", "beacons"))

    @property
    def orders(self) -> int:
        return sum(each.written["orders"] for each in self.truths)


def simulate(database: Database, signer: Signer, options: Options, progress: Progress = lambda _: None) -> Made:
    """Make the world in a migrated database, beside whatever is there. Takes one thread, and memory for a few days of
    facts and for each order's truth."""
    made = Made(options)
    looks = Growth(_FIRST_LOOK)
    per_merchant = zip(
        seasons.shares_of_merchants(options.facts, options.merchants),
        seasons.shares_of_merchants(options.sold, options.merchants),
        strict=True,
    )
    for number, (facts, orders) in enumerate(per_merchant):
        spans = list(seasons.days(options, ZoneInfo(about(number).timezone)))
        with database.transaction() as session:
            opened, shop = open_shop(session, signer, options.seed, number, spans[0].start)
        making = _Making(database, options, shop, spans[-1].end)
        made.merchants.append(opened)
        made.truths.append(making.truth)
        for written in making.live(spans, seasons.quotas(options, facts, orders)):
            progress(written)
            if looks.is_worth_a_look(made.facts):
                with database.transaction() as session:
                    look_at(session, *_FILLED)
    with database.transaction() as session:
        look_at(session, *_FILLED, Rollup)
    return made


_FILLED: Final = (Referral, Visit, Claim, Identity, Coupon, Order, Refund, CreditLine)


class _Making:
    """One merchant of the world, being made."""

    def __init__(self, database: Database, options: Options, shop: Shop, end: int) -> None:
        self._database = database
        self._shop = shop
        self._end = end
        self._batch = options.batch
        self._life = Life(options.seed, shop, end, options.livemode)
        self._to_come: dict[int, list[tuple[str, TakenBack, bool]]] = defaultdict(list)
        self._spans: list[Span] = []
        self._open = Spans()
        self.truth = truth.Merchant(shop, options.first_day, end)

    def live(self, spans: list[Span], quotas: list[Quota]) -> Iterator[int]:
        """Make all days; after each batch, how many facts it had."""
        self._spans = spans
        waiting: list[Day] = []
        facts = 0
        for span, quota in zip(spans, quotas, strict=True):
            waiting.append(self._life.live(span, quota))
            facts += sum(quota) - quota.orders
            if facts >= self._batch or span is spans[-1]:
                with self._database.transaction() as session:
                    self._write(session, waiting)
                yield facts
                waiting, facts = [], 0
        with self._database.transaction() as session:
            bulk.append(session, Rollup, _ROLLUP, rows.wider(self._shop, self._open.full()))

    def _write(self, session: Session, days: list[Day]) -> None:
        """What happened on these days first, then day by day what was bought and whose that was."""
        for day in days:
            self._happen(session, day)
        for day in days:
            self._sell(session, day)

    def _happen(self, session: Session, day: Day) -> None:
        shop, facts = self._shop, counted.of_day(self._shop, day, self._end)
        self.truth.add(day, facts)
        bulk.append(session, Referral, rows.REFERRAL, rows.referrals(shop, day, self._end))
        bulk.append(session, Link, rows.LINK, rows.links(shop, day))
        bulk.append(session, Visit, rows.VISIT, rows.visits(shop, day))
        bulk.append(session, Claim, rows.CLAIM, rows.claims(shop, day))
        bulk.append(session, Beacon, rows.BEACON, rows.beacons(shop, day))
        bulk.append(session, MachineVisits, rows.MACHINE, rows.machines(shop, day))
        bulk.append(session, Coupon, rows.COUPON, rows.coupons(shop, day))
        bulk.append(session, Identity, rows.IDENTITY, rows.identities(shop, day))
        bulk.append(session, Rollup, _ROLLUP, rows.rollups(shop, day, facts, self._open))

    def _sell(self, session: Session, day: Day) -> None:
        """The day's orders, and what is taken back or given back on it; then the credit, when the day is over."""
        shop = self._shop
        bulk.append(session, Checkout, rows.CHECKOUT, rows.checkouts(shop, day))
        bulk.append(session, Order, rows.ORDER, rows.orders(shop, day.sales))
        bulk.append(session, StripeObject, rows.STRIPE_OBJECT, rows.stripe_objects(shop, day))
        bulk.append(session, OrderLine, rows.ORDER_LINE, rows.order_lines(shop, day.sales))
        for sale in day.sales:
            for taken in sale.taken_back:
                self._announce(sale.order_id, taken)
        due = self._to_come.pop(day.span.number, [])
        bulk.append(
            session, Refund, rows.REFUND, rows.refunds(shop, ((order, each) for order, each, new in due if new))
        )
        for _, each, is_new in due:
            if not is_new:
                mine = (Refund.merchant_id == shop.merchant_id) & (Refund.refund_id == each.refund_id)
                session.execute(update(Refund).where(mine).values(dropped_at=from_micros(each.dropped_at or 0)))
        touched = {sale.order_id for sale in day.sales} | {order for order, _, _ in due}
        if touched:
            writing.bring_up_to_date(session, shop.merchant_id, touched, from_micros(day.span.end - 1))

    def _announce(self, order_id: str, taken: TakenBack) -> None:
        """Remember on which days something is taken back, and given back, as far as that is in this world."""
        for at, is_new in ((taken.at, True), (taken.dropped_at, False)):
            if at is not None and at < self._end:
                self._to_come[self._number(at)].append((order_id, taken, is_new))

    def _number(self, at: int) -> int:
        """The number of the day in which this moment lies."""
        number = (at - self._spans[0].start) // seasons.DAY
        while self._spans[min(number, len(self._spans) - 1)].start > at or number >= len(self._spans):
            number -= 1
        while self._spans[number].end <= at:
            number += 1
        return number
