"""Looks whether the kept sums of credit are those of the ledger, where no mark says that they are not.

Only a process of an older version can write credit without a mark, while both run side by side during an upgrade. Lines
are appended and never changed, so a quarter of an hour whose lines are as many as were added up is right.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, func, select, type_coerce
from sqlalchemy.orm import Session

from app.attribution.marks import Quarter, mark
from app.attribution.models import CreditLine, CreditMark
from app.kernel.database import Database
from app.kernel.ids import beginning
from app.kernel.rollups.tables import QUARTER
from app.merchants.models import Merchant
from app.reports.credit_sums import TOTAL
from app.reports.models import CreditSum


def mark_forgotten(database: Database, now: datetime, since: timedelta | None, extend: Callable[[], None]) -> int:
    """Mark the quarters that have other lines than were added up; how many. Looks at those of which something was
    written `since` so long ago, or at all. `extend` is called between merchants."""
    written_since = None if since is None else now - since
    with database.reading() as session:
        merchants = session.scalars(select(Merchant.merchant_id).order_by(Merchant.merchant_id)).all()
    found = 0
    for merchant_id in merchants:
        extend()
        with database.reading() as session:
            wrong = forgotten(session, merchant_id, written_since)
        if wrong:
            with database.transaction() as session:
                mark(session, merchant_id, wrong, now)
        found += len(wrong)
    return found


def forgotten(session: Session, merchant_id: int, written_since: datetime | None = None) -> set[Quarter]:
    """The quarters of this merchant's whose sums are not those of the ledger although no mark says so. The session sees
    one moment (`Database.reading`)."""
    quarters = None if written_since is None else _written(session, merchant_id, written_since)
    there, kept = _lines(session, merchant_id, quarters), _kept(session, merchant_id, quarters)
    wrong = {each for each in there.keys() | kept.keys() if there.get(each) != kept.get(each)}
    marks = select(CreditMark.policy, CreditMark.livemode, CreditMark.starts).where(
        CreditMark.merchant_id == merchant_id
    )
    return wrong - {Quarter(*row) for row in session.execute(marks.distinct())} if wrong else wrong


def _written(session: Session, merchant_id: int, since: datetime) -> Collection[int]:
    """The quarters of which something was written lately: ids tell when that was."""
    first = beginning("crd", since)
    starts = _starts()
    lately = select(starts).where(CreditLine.merchant_id == merchant_id, CreditLine.credit_id >= first)
    return session.scalars(lately.distinct()).all()


def _lines(session: Session, merchant_id: int, quarters: Collection[int] | None) -> dict[Quarter, int]:
    starts = _starts()
    key = (CreditLine.policy, CreditLine.livemode, starts)
    query = select(*key, func.count()).where(CreditLine.merchant_id == merchant_id)
    if quarters is not None:
        at = type_coerce(CreditLine.order_at, BigInteger)
        query = query.where(at >= min(quarters, default=0), at < max(quarters, default=-QUARTER) + QUARTER)
    return _by_quarter(session, query.group_by(*key), quarters)


def _kept(session: Session, merchant_id: int, quarters: Collection[int] | None) -> dict[Quarter, int]:
    key = (CreditSum.policy, CreditSum.livemode, CreditSum.starts)
    query = select(*key, func.sum(CreditSum.lines)).where(
        CreditSum.merchant_id == merchant_id, CreditSum.dimension == TOTAL, CreditSum.span == QUARTER
    )
    if quarters is not None:
        query = query.where(CreditSum.starts >= min(quarters, default=0), CreditSum.starts <= max(quarters, default=-1))
    return _by_quarter(session, query.group_by(*key), quarters)


def _by_quarter(
    session: Session, query: Select[*tuple[Any, ...]], quarters: Collection[int] | None
) -> dict[Quarter, int]:
    wanted = None if quarters is None else set(quarters)
    found = ((Quarter(policy, live, starts), int(lines)) for policy, live, starts, lines in session.execute(query))
    return {each: lines for each, lines in found if wanted is None or each.starts in wanted}


def _starts() -> ColumnElement[int]:
    at = type_coerce(CreditLine.order_at, BigInteger)
    return at - at % QUARTER
