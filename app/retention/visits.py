"""Visits, with whose they were, are dropped when their time is over: announced by one run, dropped by the next.

What was credited by them stands: orders that they may have led to are closed (app/attribution/closing.py). On
PostgreSQL a month goes whole where every merchant's time is over; else rows do. What was brought in from another system
counts from when it was received, and no earlier than the merchant is here.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import delete, exists, func, select, text
from sqlalchemy.orm import Session

from app.attribution import closing, stale
from app.attribution.models import Recomputation, StaleOrder
from app.kernel import partitions
from app.kernel.clock import Clock
from app.kernel.database import Database, table_of
from app.kernel.forgetting import AT_ONCE, forget_of
from app.kernel.partitions import SLACK, Timed
from app.merchants.models import Merchant
from app.merchants.retention import Retention
from app.referrals.models import Claim, Visit
from app.referrals.turns import hold_facts

log = logging.getLogger(__name__)

_VISITS: Final = Timed(Visit, "clk")
_CLAIMS: Final = table_of(Claim).c.visit_id
_LENGTH: Final = 34
"""Characters of an id of ours: one of another system that begins like it is dropped as what was brought in is."""
Step = Callable[[], None]
"""Called between two transactions; may raise, to break it off."""


class Shop(NamedTuple):
    """A merchant, whether they have left or not."""

    merchant_id: int
    created_at: datetime
    kept_from: datetime | None
    kept: Retention


def shops(database: Database) -> list[Shop]:
    """Every merchant there ever was."""
    columns = (Merchant.merchant_id, Merchant.created_at, Merchant.visits_kept_from, Merchant.retention)
    with database.reading() as session:
        found = session.execute(select(*columns).order_by(Merchant.merchant_id)).all()
    return [Shop(merchant, made, kept_from, Retention.from_json(own)) for merchant, made, kept_from, own in found]


def forget_visits(database: Database, clock: Clock, now: datetime, usual: int, step: Step) -> None:
    """Drop what was announced before, then announce what goes next: visits that are older than `usual` days, or than
    the merchant's own."""
    known = shops(database)
    whole = _forget_months(database, known)
    step()
    for shop in known:
        if shop.kept_from is not None:
            by_month = None if "visits" in shop.kept.own else whole
            _forget_rows(database, shop.merchant_id, shop.kept_from, by_month, step)
    for shop in known:
        _announce(database, clock, shop, now, usual, step)
        step()


def midnight(at: datetime) -> datetime:
    """The beginning of that day (UTC): periods are of whole days, so that a mark moves once a day."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _forget_months(database: Database, known: Iterable[Shop]) -> datetime | None:
    """Drop the months that are over for everybody; until when. None where there are no months."""
    edges = [shop.kept_from or shop.created_at - SLACK for shop in known]
    if database.is_sqlite or not edges:
        return None
    return partitions.drop_months(database, _VISITS, min(edges))


def _forget_rows(database: Database, merchant_id: int, kept_from: datetime, whole: datetime | None, step: Step) -> None:
    """Drop one merchant's visits and claims of before; where months go `whole`, not those of the next month to go."""
    until = kept_from
    if whole is not None and partitions.month_of(kept_from) <= whole:
        until = whole
    for key in (_CLAIMS, _VISITS.key):
        ours = func.length(key) == _LENGTH
        forget_of(database, key, merchant_id, "clk_", _VISITS.beginning(until), step, ours)
    _forget_imported(database, merchant_id, kept_from, step)


def _forget_imported(database: Database, merchant_id: int, kept_from: datetime, step: Step) -> None:
    # As the index says it: SQLite would not see that `imported = 1` is the same.
    theirs = (Visit.merchant_id == merchant_id, text("visits.imported"))
    old = select(Visit.visit_id).where(*theirs, Visit.received_at < kept_from, Visit.at < kept_from).limit(AT_ONCE)
    while True:
        with database.reading() as session:
            ids = session.scalars(old).all()
        if not ids:
            return
        with database.transaction() as session:
            for mapped in (Claim, Visit):
                session.execute(delete(mapped).where(mapped.merchant_id == merchant_id, mapped.visit_id.in_(ids)))
        step()
        database.breathe()


def _announce(database: Database, clock: Clock, shop: Shop, now: datetime, usual: int, step: Step) -> None:
    """Close what the visits that go next may have led to. All that was learnt until then is credited before; where that
    cannot be done now, another time."""
    if not _goes_on(shop, _edge(database, shop, now, usual)):
        return
    stale.drain(database, clock, shop.merchant_id, after_batch=step)
    with database.transaction() as session:
        hold_facts(session, shop.merchant_id)
        if _waits(session, shop.merchant_id):
            log.warning("merchant %d has credit to be looked at again: no visits are given up yet", shop.merchant_id)
            return
        merchant = session.get_one(Merchant, shop.merchant_id, with_for_update=True, populate_existing=True)
        kept_from = _kept_from(session, merchant.merchant_id, merchant.kept, now, usual)
        if _goes_on(shop._replace(kept_from=merchant.visits_kept_from), kept_from):
            merchant.visits_kept_from = kept_from


def _edge(database: Database, shop: Shop, now: datetime, usual: int) -> datetime:
    with database.reading() as session:
        return _kept_from(session, shop.merchant_id, shop.kept, now, usual)


def _kept_from(session: Session, merchant_id: int, kept: Retention, now: datetime, usual: int) -> datetime:
    """From when on visits are kept: never fewer days than the merchant's policies need."""
    days = max(kept.days("visits", {"visits": usual}), closing.days_needed(session, merchant_id))
    return midnight(now - timedelta(days=days))


def _goes_on(shop: Shop, kept_from: datetime) -> bool:
    """Whether anything can be of before, and that was not said already."""
    return shop.created_at < kept_from and (shop.kept_from is None or shop.kept_from < kept_from)


def _waits(session: Session, merchant_id: int) -> bool:
    """Whether something was learnt that may change credit, and did not yet."""
    unfinished = exists().where(Recomputation.merchant_id == merchant_id, Recomputation.finished_at.is_(None))
    waiting = exists().where(StaleOrder.merchant_id == merchant_id)
    return bool(session.scalar(select(unfinished | waiting)))
