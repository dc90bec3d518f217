"""Notes in the journal what was written without a note: by processes of a version before the journal, which go on
beside new ones while those come. A job of every hour, which finds nothing at any other time. Knows no HTTP.

Looks at what was written in the last two days, but never at what is older than the merchant's journal: what was there
before comes in the snapshot (`snapshot.py`). Histories that an older process brought in have no time in their ids, and
are left to the snapshot as well.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.attribution.models import CreditLine
from app.catalog.models import Import
from app.kernel import journal
from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.ids import beginning
from app.kernel.journal import JournalEntry
from app.kernel.periodic import Periodic
from app.merchants.models import Merchant
from app.orders.corrections import correction_noted_as
from app.orders.models import Order, OrderCorrection, Refund
from app.orders.settling import given_back
from app.referrals.beacons import BELIEVED_FOR
from app.referrals.identities import noted_as
from app.referrals.models import Claim, Coupon, Identity, Referral, Visit

log = logging.getLogger(__name__)

NAME: Final = "journal"
EVERY: Final = timedelta(hours=1)
LOOKS_BACK: Final = timedelta(days=2)
BEGAN: Final = "journal.began"
"""Told to nobody: says that from here on what is not noted was forgotten."""
_BEFORE: Final = timedelta(minutes=15)
"""So much older than the beginning may be what a process wrote that did not know of it."""
_LATE: Final = BELIEVED_FOR + timedelta(hours=1)
"""So much older than its writing may be the time in a visit's id: a view is reported later, and is told by its hour; a
visit is claimed later."""
_STEP: Final = timedelta(minutes=15)
_FEW: Final = 2000
"""Of how long facts are compared at once: twice as long after few of them, so that memory does not grow with a crowd,
nor the number of questions with quiet merchants."""
_ASIDE: Final = timedelta(minutes=1)
"""Between the time in an id and that of the note: most are the same."""


def periodic(database: Database, clock: Clock) -> Periodic:
    """The job that notes what nobody noted."""

    def run(extend: Callable[[], None]) -> None:
        with database.reading() as session:
            merchants = session.scalars(select(Merchant.merchant_id).where(Merchant.closed_at.is_(None))).all()
        for merchant_id in merchants:
            extend()
            if noted := note_forgotten(database, merchant_id, clock.now()):
                log.info("%d facts of merchant %d were not in the journal, and are now", noted, merchant_id)

    return Periodic(NAME, EVERY, run)


def note_forgotten(database: Database, merchant_id: int, now: datetime) -> int:
    """Note what was written lately and is in no entry of the journal; how many facts that were."""
    with database.reading() as session:
        began = session.scalar(select(func.min(JournalEntry.entry_id)).where(JournalEntry.merchant_id == merchant_id))
        first = None if began is None else session.get_one(JournalEntry, (merchant_id, began)).at
        found = {} if first is None else _forgotten(session, merchant_id, first - _BEFORE, now)
    with database.transaction() as session:
        if first is None:
            journal.note(session, merchant_id, BEGAN, [""], now)
        for kind, subjects in found.items():
            journal.note(session, merchant_id, kind, subjects, now)
    return sum(map(len, found.values()))


def _forgotten(session: Session, merchant_id: int, began: datetime, now: datetime) -> dict[str, list[str]]:
    """By type what no entry has of what was written lately, and since the journal began: first by the entries of about
    the same time, and what is left by all since."""
    missing: dict[str, set[str]] = defaultdict(set)
    since = max(now - LOOKS_BACK, began)
    begin, step = max(now - LOOKS_BACK, began - _LATE), _STEP
    while begin < now:
        end = begin + step
        written = _timed(session, merchant_id, began, begin, end if end < now else now + _ASIDE)
        step = step * 2 if sum(map(len, written.values())) < _FEW else max(step / 2, _STEP)
        _without(session, merchant_id, written, begin - _ASIDE, end + _ASIDE)
        for kind, subjects in written.items():
            missing[kind] |= subjects
        begin = end
    for kind, subject in _untimed(session, merchant_id, since):
        missing[kind].add(subject)
    _without(session, merchant_id, missing, since - LOOKS_BACK, None)
    return {kind: sorted(subjects) for kind, subjects in missing.items() if subjects}


def _without(
    session: Session, merchant_id: int, written: dict[str, set[str]], since: datetime, until: datetime | None
) -> None:
    """Take away what the entries of that time have."""
    kinds = [kind for kind, subjects in written.items() if subjects]
    entries = select(JournalEntry.type, JournalEntry.subjects).where(
        JournalEntry.merchant_id == merchant_id,
        JournalEntry.entry_id >= beginning("jrn", since),
        JournalEntry.type.in_(kinds),
    )
    if until is not None:
        entries = entries.where(JournalEntry.entry_id < beginning("jrn", until))
    if kinds:
        for kind, subjects in session.execute(entries, execution_options={"yield_per": 100}):
            written[kind].difference_update(subjects)


class _Timed(NamedTuple):
    """Facts whose ids begin with the time of writing, or with an earlier one: then `received` is that of writing."""

    kind: str
    prefix: str
    id: InstrumentedAttribute[str]
    received: InstrumentedAttribute[datetime] | None = None


_TIMED: Final = (
    _Timed("referral.created", "ref", Referral.referral_id),
    _Timed("visit.recorded", "clk", Visit.visit_id, Visit.received_at),
    _Timed("visit.claimed", "clk", Claim.visit_id, Claim.received_at),
    _Timed("coupon.changed", "cpn", Coupon.coupon_id),
    _Timed("order.recorded", "ord", Order.order_id),
    _Timed("order.refunded", "rfd", Refund.refund_id),
)


def _timed(
    session: Session, merchant_id: int, began: datetime, since: datetime, until: datetime
) -> dict[str, set[str]]:
    written: dict[str, set[str]] = {}
    for kind, prefix, id, received in _TIMED:
        new = id >= beginning(prefix, began) if received is None else received >= began
        written[kind] = set(session.scalars(select(id).where(*_between(merchant_id, id, prefix, since, until), new)))
    firsts = _between(merchant_id, CreditLine.credit_id, "crd", max(since, began), until)
    lines = select(func.min(CreditLine.credit_id)).where(*firsts)
    written["order.attributed"] = set(session.scalars(lines.group_by(CreditLine.order_id, CreditLine.written_at)))
    return written


def _between(
    merchant_id: int, id: InstrumentedAttribute[str], prefix: str, since: datetime, until: datetime
) -> Sequence[ColumnElement[bool]]:
    mine = id.class_.merchant_id == merchant_id
    return mine, id >= beginning(prefix, since), id < beginning(prefix, until)


def _untimed(session: Session, merchant_id: int, since: datetime) -> Iterator[tuple[str, str]]:
    """Facts of which only a column says when they were written: few, or rows of tables that are not large."""

    def rows(mapped: Any, at: Any, *columns: Any) -> Iterable[Any]:
        asked: Select[Any] = select(*columns).where(mapped.merchant_id == merchant_id, at >= since)
        return session.execute(asked)

    for (referral,) in rows(Referral, Referral.withdrawn_at, Referral.referral_id):
        yield "referral.withdrawn", referral
    for (refund,) in rows(Refund, Refund.dropped_at, Refund.refund_id):
        yield "order.refunded", given_back(refund)
    for visitor, person, at in rows(Identity, Identity.received_at, Identity.visitor_id, Identity.person, Identity.at):
        yield "identity.joined", noted_as(visitor, person, at)
    places = (OrderCorrection.order_id, OrderCorrection.position)
    for order, position in rows(OrderCorrection, OrderCorrection.received_at, *places):
        yield "order.corrected", correction_noted_as(order, position)
    for (begun,) in rows(Import, Import.finished_at, Import.import_id):
        yield "import.finished", begun
