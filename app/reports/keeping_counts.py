"""The job that keeps counts and facts equal: who is compared when, and from when on. Knows no HTTP."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import or_, select, update

from app.kernel.database import Database
from app.kernel.periodic import Periodic
from app.kernel.rollups.tables import RollupCheck
from app.kernel.runtime import Runtime
from app.merchants.models import Merchant
from app.referrals import keeping
from app.reports.mending import ASIDE, Books
from app.settings import Settings

log = logging.getLogger(__name__)

NAME: Final = "counts"
EVERY: Final = timedelta(hours=1)
_ANEW_AFTER: Final = timedelta(days=1)
_THOROUGH: Final = 2
"""So often all facts of a merchant are compared at once: when they are met first, which counts what happened before
there were counts, and an hour later, when no process of the version before is left that writes facts uncounted."""
_THOROUGH_AFTER: Final = timedelta(minutes=50)
_MONTH: Final = 30
"""Days after which all facts are compared again: an older process that was left after all may have taken back a like
of any age."""
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


def periodic(here: Runtime) -> Periodic:
    """The job that keeps counts and facts equal."""
    return Periodic(NAME, EVERY, lambda extend: keep_all_equal(here.database, here.settings, here.clock.now(), extend))


def keep_all_equal(database: Database, settings: Settings, now: datetime, step: Callable[[], None]) -> None:
    """Count what was not counted, for all who are due: what happened before there were counts, what processes of an
    older version write beside this one, and whatever else should differ."""
    with database.reading() as session:
        due = session.execute(_due(now)).all()
    for merchant_id, thorough, compared_at in due:
        since = _since(merchant_id, thorough or 0, compared_at, now)
        beacons_since = keeping.beacons_kept_since(settings, now)
        books = Books(database, merchant_id, now + ASIDE, beacons_since, since=since, mend=True, step=step)
        found = books.compare()
        if found:
            places = len(found.quarters) + len(found.spans)
            log.info("counts of merchant %d differed from the facts in %d places, and are mended", merchant_id, places)
        with database.transaction() as session:
            done = {"compared_at": now, "thorough": RollupCheck.thorough + int(since is None)}
            session.execute(update(RollupCheck).where(RollupCheck.merchant_id == merchant_id).values(done))


def _since(merchant_id: int, thorough: int, compared_at: datetime | None, now: datetime) -> datetime | None:
    """From when on facts are compared; None: all of them."""
    if compared_at is None or thorough < _THOROUGH or _month(merchant_id, compared_at) != _month(merchant_id, now):
        return None
    return compared_at - ASIDE


def _month(merchant_id: int, at: datetime) -> int:
    """In which month of the merchant's own that is: they do not all begin on one day."""
    return ((at - _BEGINNING).days + merchant_id) // _MONTH


def _due(now: datetime) -> Any:
    """Who is to be compared now. What lies ahead was written while a clock was wrong."""
    compared_at = RollupCheck.compared_at
    due = or_(
        compared_at.is_(None),
        compared_at <= now - _ANEW_AFTER,
        (RollupCheck.thorough < _THOROUGH) & (compared_at <= now - _THOROUGH_AFTER),
        compared_at > now + _ANEW_AFTER,
    )
    merchants = select(Merchant.merchant_id, RollupCheck.thorough, compared_at).outerjoin(
        RollupCheck, RollupCheck.merchant_id == Merchant.merchant_id
    )
    return merchants.where(Merchant.closed_at.is_(None), due).order_by(Merchant.merchant_id)
