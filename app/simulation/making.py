"""Makes a world in a database: day after day, what happened is decided, written in bulk and credited by the engine.

Who fills the database through this sees the rows that the live code would have written, at the times at which it would
have; the credit of each day's orders is written by attribution itself, when the day is over.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.attribution import writing
from app.attribution.models import CreditLine
from app.kernel import bulk
from app.kernel.clock import from_micros
from app.kernel.database import Base, Database
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
from app.simulation.word import Word

Progress = Callable[[int], None]
"""Is told how many facts are written."""

_FIRST_LOOK: Final = 20_000
_LONGEST: Final = 32
"""Days that are written together at most: their counts are added up in memory."""
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


def simulate(
    database: Database,
    signer: Signer,
    options: Options,
    progress: Progress = lambda _: None,
    *,
    with_the_word: bool = False,
) -> Made:
    """Make the world in a migrated database, beside whatever is there. Takes memory for a few days of facts and for
    each order's truth; with the truth about how the word was passed on, also for each like, share and visit."""
    made = Made(options)
    looks = Growth(_FIRST_LOOK)
    with _at_ease(database):
        for written in _shops(database, signer, made, with_the_word=with_the_word):
            progress(written)
            if looks.is_worth_a_look(made.facts):
                with database.transaction() as session:
                    look_at(session, *_FILLED)
        with database.transaction() as session:
            look_at(session, *_FILLED, Rollup)
    return made


def _shops(database: Database, signer: Signer, made: Made, *, with_the_word: bool) -> Iterator[int]:
    """Make one merchant after the other; after each batch, how many facts it had."""
    options = made.options
    per_merchant = zip(
        seasons.shares_of_merchants(options.facts, options.merchants),
        seasons.shares_of_merchants(options.sold, options.merchants),
        strict=True,
    )
    for number, (facts, orders) in enumerate(per_merchant):
        spans = list(seasons.days(options, ZoneInfo(about(number).timezone)))
        with database.transaction() as session:
            opened, shop = open_shop(session, signer, options.seed, number, spans[0].start)
        making = _Making(database, options, shop, spans[-1].end, Word(shop) if with_the_word else None)
        made.merchants.append(opened)
        made.truths.append(making.truth)
        yield from making.live(spans, seasons.quotas(options, facts, orders))


@contextmanager
def _at_ease(database: Database) -> Iterator[None]:
    """SQLite notes what a statement of many rows changes, to undo it alone if one of them cannot be; in a file, that
    is four times what is written at all. Here it stays in memory; whatever fails ends all of it anyway."""

    def keep(where: str) -> None:
        if database.is_sqlite:
            line = database.engine.raw_connection()  # the one that is used next
            line.cursor().execute(f"PRAGMA temp_store={where}")
            line.close()

    keep("MEMORY")
    try:
        yield
    finally:
        keep("FILE")


_FILLED: Final = (Referral, Visit, Claim, Identity, Coupon, Order, Refund, CreditLine)


class _Table(NamedTuple):
    """What goes into a table."""

    mapped: type[Base]
    columns: tuple[str, ...]
    rows: Sequence[bulk.Row]


class _Batch(NamedTuple):
    """Some days, and all of them that is written whatever is known when they are over."""

    days: Sequence[Day]
    facts: int
    tables: Sequence[_Table]


class _Making:
    """One merchant of the world, being made."""

    def __init__(self, database: Database, options: Options, shop: Shop, end: int, word: Word | None) -> None:
        self._database = database
        self._shop = shop
        self._end = end
        self._batch = options.batch
        self._life = Life(options.seed, shop, end, options.livemode)
        self._to_come: dict[int, list[tuple[str, TakenBack, bool]]] = defaultdict(list)
        self._spans: list[Span] = []
        self._open = Spans()
        self.truth = truth.Merchant(shop, options.first_day, end, word)

    def live(self, spans: list[Span], quotas: list[Quota]) -> Iterator[int]:
        """Make all days; after each batch, how many facts it had."""
        self._spans = spans
        with self._ahead(self._lived(spans, quotas)) as batches:
            for batch in batches:
                with self._database.transaction() as session:
                    for table in batch.tables:
                        bulk.append(session, *table)
                    for day in batch.days:
                        self._settle(session, day)
                yield batch.facts
        with self._database.transaction() as session:
            bulk.append(session, Rollup, _ROLLUP, rows.wider(self._shop, self._open.full()))

    @contextmanager
    def _ahead(self, batches: Iterator[_Batch]) -> Iterator[Iterator[_Batch]]:
        """The same; while a server works on one, another thread makes the next. SQLite works in this process, and two
        threads would wait for each other."""

        def each() -> Iterator[_Batch]:
            coming = thread.submit(next, batches, None)
            while (batch := coming.result()) is not None:
                coming = thread.submit(next, batches, None)
                yield batch

        if self._database.is_sqlite:
            yield batches
            return
        with ThreadPoolExecutor(1, thread_name_prefix="simulate") as thread:
            yield each()

    def _lived(self, spans: list[Span], quotas: list[Quota]) -> Iterator[_Batch]:
        """All days, some at a time. Asks no database."""
        waiting: list[Day] = []
        facts = 0
        for span, quota in zip(spans, quotas, strict=True):
            waiting.append(self._life.live(span, quota))
            facts += sum(quota) - quota.orders
            if facts >= self._batch or len(waiting) == _LONGEST or span is spans[-1]:
                yield _Batch(waiting, facts, self._tables(waiting))
                waiting, facts = [], 0

    def _tables(self, days: Sequence[Day]) -> Sequence[_Table]:
        shop = self._shop
        found = [counted.of_day(shop, day, self._end) for day in days]
        for day, facts in zip(days, found, strict=True):
            self.truth.add(day, facts)
        made: tuple[tuple[type[Base], tuple[str, ...], Callable[[Day], rows.Rows]], ...] = (
            (Referral, rows.REFERRAL, lambda day: rows.referrals(shop, day, self._end)),
            (Link, rows.LINK, lambda day: rows.links(shop, day)),
            (Visit, rows.VISIT, lambda day: rows.visits(shop, day)),
            (Claim, rows.CLAIM, lambda day: rows.claims(shop, day)),
            (Beacon, rows.BEACON, lambda day: rows.beacons(shop, day)),
            (MachineVisits, rows.MACHINE, lambda day: rows.machines(shop, day)),
            (Coupon, rows.COUPON, lambda day: rows.coupons(shop, day)),
            (Identity, rows.IDENTITY, lambda day: rows.identities(shop, day)),
            (Checkout, rows.CHECKOUT, lambda day: rows.checkouts(shop, day)),
            (Order, rows.ORDER, lambda day: rows.orders(shop, day.sales)),
            (StripeObject, rows.STRIPE_OBJECT, lambda day: rows.stripe_objects(shop, day)),
            (OrderLine, rows.ORDER_LINE, lambda day: rows.order_lines(shop, day.sales)),
        )
        tables = [_Table(mapped, columns, [row for day in days for row in of(day)]) for mapped, columns, of in made]
        counts = rows.rollups(shop, days[0].span.start, days[-1].span.end, counted.joined(found), self._open)
        return [*tables, _Table(Rollup, _ROLLUP, counts)]

    def _settle(self, session: Session, day: Day) -> None:
        """What is taken back or given back on a day; then the credit, when it is over."""
        shop = self._shop
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
