"""Asks reports as of a moment, and buys in transactions that stay open: for tests of `as_of`."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.attribution import policy_book
from app.kernel.as_of import writing_now
from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.ids import new_id
from app.kernel.replica import Reports
from app.orders import service as orders
from app.orders.models import Order
from app.orders.sales import Sale
from app.reports import attribution
from app.reports.ledger import Question
from tests.clock import TestClock
from tests.db.selling import Market

EVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
GROUPINGS = (("network",), ("sharer", "network"), ("day",))


class Told(NamedTuple):
    """What a report said, and as of when."""

    as_of: datetime
    said: bytes
    orders: int
    policy: int


def ask(database: Database, merchant: int, now: datetime, then: datetime | None = None) -> Told:
    """The report as it is now, or as it was then, by several dimensions."""
    with Reports(database).view(now, merchant) as (session, upto):
        asked = upto if then is None else min(then, upto)
        by_policy = policy_book.for_report(session, merchant, "current", asked, upto)
        reports = [attribution.answer(session, question_of(merchant, asked, names)) for names in GROUPINGS]
    total = reports[0].totals.get("eur")
    return Told(asked, repr((reports, by_policy)).encode(), 0 if total is None else total.orders, by_policy.version)


def question_of(merchant: int, at: datetime, names: tuple[str, ...]) -> Question:
    """What was sold for ever, as it was known then."""
    since, until = EVER
    zone = ZoneInfo("Europe/Paris")
    return Question(merchant_id=merchant, since=since, until=until, zone=zone, livemode=True, as_of=at, group_by=names)


def sale(market: Market, at: datetime) -> Sale:
    return Sale(
        external_id=new_id("ord", market.merchant, at),
        source="api",
        fingerprint="",
        livemode=True,
        currency="eur",
        gross=10_000,
        net=10_000,
        at=at,
        visitor_id=market.shop.visitor(),
    )


def buy(market: Market, clock: Clock, before_commit: Callable[[], object] = lambda: None) -> Order:
    """Somebody buys, as an endpoint writes it."""
    with market.here.database.transaction() as session:
        now = writing_now(session, market.merchant, clock)
        order, _ = orders.record(session, market.here.events, market.merchant, sale(market, now), now)
        before_commit()
    return order


@contextmanager
def held(write: Callable[[Callable[[], object]], object]) -> Iterator[None]:
    """What `write` writes is not committed until the block ends; it calls what it is given before it commits."""
    written, commit = threading.Event(), threading.Event()

    def hold() -> None:
        written.set()
        assert commit.wait(20)

    thread = threading.Thread(target=write, args=(hold,))
    thread.start()
    assert written.wait(20)
    try:
        yield
    finally:
        commit.set()
        thread.join(20)


class Running(TestClock):
    """A clock that nobody has to move."""

    def now(self) -> datetime:
        return datetime.now(UTC)
