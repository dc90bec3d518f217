"""Time passes, and what is too old is dropped as the server's jobs drop it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.history import writing as history
from app.kernel.database import Base
from app.kernel.ids import new_id
from app.merchants.models import Merchant
from app.merchants.retention import Retention
from app.orders import service as orders
from app.orders.sales import Sale
from app.referrals.bringing import PastTouch
from app.referrals.models import Claim, Visit
from app.retention.visits import forget_visits
from tests.db.selling import Market

KEEP = 800


def drop(market: Market, *, times: int = 2, keep: int = KEEP, step: Callable[[], None] = lambda: None) -> None:
    """Run the job: what one run announces the next one drops."""
    for _ in range(times):
        forget_visits(market.here.database, market.clock, market.clock.now(), keep, step)


def later(market: Market, days: int = KEEP + 30) -> datetime:
    """So many days pass, and what is too old by then is dropped."""
    at = market.clock.move(days=days)
    drop(market)
    return at


def keep_only(market: Market, **days: int) -> None:
    """The merchant's own periods, from now on."""
    with market.here.database.transaction() as session:
        merchant = session.get_one(Merchant, market.merchant)
        merchant.retention = Retention({**days}, {}).to_json()


def kept_from(market: Market) -> datetime | None:
    with market.here.database.reading() as session:
        return session.get_one(Merchant, market.merchant).visits_kept_from


def left(market: Market) -> tuple[int, int]:
    """How many visits and claims there are of the merchant."""

    def count(mapped: type[Base]) -> int:
        of_merchant = select(func.count()).select_from(mapped).where(mapped.merchant_id == market.merchant)  # type: ignore[attr-defined]
        with market.here.database.reading() as session:
            return session.scalar(of_merchant) or 0

    return count(Visit), count(Claim)


def buy_by_click(market: Market, click: str) -> str:
    """Somebody buys of whom nothing is told but the click; the order's id."""
    return _buy(market, market.clock.now(), click_id=click)


def buy(market: Market, visitor: str, at: datetime | None = None) -> str:
    """The visitor has bought, now or then; the order's id."""
    return _buy(market, at or market.clock.now(), visitor_id=visitor)


def _buy(market: Market, at: datetime, **buyer: str) -> str:
    now = market.clock.now()
    name = new_id("ord", market.merchant, now)
    sale = Sale(name, "api", "", True, "eur", 10_001, 10_001, at, **buyer)  # type: ignore[arg-type]
    with market.here.database.transaction() as session:
        return orders.record(session, market.here.events, market.merchant, sale, now)[0].order_id


def bring_in(market: Market, name: str, at: datetime, link: int = 0) -> None:
    """Another system tells of a visit of that time, and that it knew of it then."""
    fact = PastTouch(name, "v1", "click", None, market.links[link], at, at)
    with market.here.database.transaction() as session:
        history.write(session, market.merchant, {0: fact}, livemode=True, now=market.clock.now())


def midnight(at: datetime, days: int) -> datetime:
    """The beginning of the day so many days before."""
    return (at - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
