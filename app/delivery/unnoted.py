"""Notes in the journal what was written without a note: by processes of a version before the journal, which go on
beside new ones while those come. A job of every hour, which finds nothing at any other time. Knows no HTTP.

Looks at what was written in the last two days, but never at what is older than the merchant's journal: what was there
before comes in the snapshot (`snapshot.py`). Histories that an older process brought in have no time in their ids, and
are left to the snapshot as well.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, func, literal, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.attribution.models import CreditLine
from app.catalog.models import Import
from app.kernel import journal
from app.kernel.clock import Clock, from_micros, to_micros
from app.kernel.database import Database
from app.kernel.ids import beginning, made_when
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
_AT_ONCE: Final = 2_000
"""Facts that are held at a time, however many a crowd has left behind."""
_ENTRIES: Final = 5
"""The same of entries, with up to 500 facts each."""
_ASIDE: Final = (timedelta(seconds=1), timedelta(minutes=1))
"""Between the time of a fact and that of its note: first so much, which finds nearly all, then so much."""

Facts = dict[str, int]
"""What entries have of facts, and when these were written, in microseconds; 0 where only their ids say that."""


def periodic(database: Database, clock: Clock) -> Periodic:
    """The job that notes what nobody noted."""

    def run(extend: Callable[[], None]) -> None:
        with database.reading() as session:
            merchants = session.scalars(select(Merchant.merchant_id).where(Merchant.closed_at.is_(None))).all()
        for merchant_id in merchants:
            extend()
            if noted := note_forgotten(database, merchant_id, clock.now(), extend):
                log.info("%d facts of merchant %d were not in the journal, and are now", noted, merchant_id)

    return Periodic(NAME, EVERY, run)


def note_forgotten(database: Database, merchant_id: int, now: datetime, step: Callable[[], None] = lambda: None) -> int:
    """Note what was written lately and is in no entry of the journal; how many facts that were. Memory does not grow
    with what was written. `step` is called often; it may raise, to break off."""
    with database.reading() as session:
        began = session.scalar(select(func.min(JournalEntry.entry_id)).where(JournalEntry.merchant_id == merchant_id))
        if began is not None:
            first = session.get_one(JournalEntry, (merchant_id, began)).at
            search = _Search(database, session, merchant_id, first - _BEFORE, now, step)
            return sum(search.note(kind, rows) for kind, rows in search.written())
    with database.transaction() as session:
        journal.note(session, merchant_id, BEGAN, [""], now)
    return 0


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


@dataclass(frozen=True)
class _Search:
    """Of one merchant. All is read in one moment, or what is erased meanwhile would seem to be forgotten."""

    database: Database
    session: Session
    merchant_id: int
    began: datetime
    now: datetime
    step: Callable[[], None]

    @property
    def since(self) -> datetime:
        return max(self.now - LOOKS_BACK, self.began)

    def note(self, kind: str, rows: Iterator[tuple[str, int]]) -> int:
        """Note those of the facts that no entry has; how many they were."""
        noted, left = 0, Facts()
        while page := dict(islice(rows, _AT_ONCE)):
            self.step()
            self._drop_noted(kind, page, _times_in(page))
            left |= page
            if len(left) >= _AT_ONCE:
                noted, left = noted + self._note_forgotten(kind, left), {}
        return noted + self._note_forgotten(kind, left)

    def _note_forgotten(self, kind: str, left: Facts) -> int:
        """Of what no entry of its time has: views and claims are noted later than their ids say."""
        self._drop_noted(kind, left, [at for at in left.values() if at])
        self._drop(kind, left, self.since - LOOKS_BACK)
        if left:
            with self.database.transaction() as session:
                journal.note(session, self.merchant_id, kind, sorted(left), self.now)
        return len(left)

    def _drop_noted(self, kind: str, facts: Facts, times: Sequence[int]) -> None:
        """Leave out what the entries of about these times have."""
        for aside in _ASIDE if times else ():
            self._drop(kind, facts, from_micros(min(times)) - aside, from_micros(max(times)) + aside)

    def _drop(self, kind: str, facts: Facts, since: datetime, until: datetime | None = None) -> None:
        entries = select(JournalEntry.subjects).where(
            JournalEntry.merchant_id == self.merchant_id,
            JournalEntry.entry_id >= beginning("jrn", since),
            JournalEntry.type == kind,
        )
        if until is not None:
            entries = entries.where(JournalEntry.entry_id < beginning("jrn", until))
        for subjects in self._streamed(entries, _ENTRIES) if facts else ():
            for subject in subjects[0]:
                facts.pop(subject, None)
            self.step()

    def written(self) -> Iterator[tuple[str, Iterator[tuple[str, int]]]]:
        """By type what was written lately and since the journal began, with the time of its writing. What has an id
        that tells when it was made comes in that order."""
        for kind, prefix, id, received in _TIMED:
            yield kind, self._streamed(self._timed(prefix, id, received))
        first = func.min(CreditLine.credit_id)
        lines = select(first, literal(0)).where(*self._made_since("crd", CreditLine.credit_id, self.since))
        lines = lines.group_by(CreditLine.order_id, CreditLine.written_at).order_by(first)
        yield "order.attributed", self._streamed(lines)
        yield from self._untimed()

    def _timed(
        self, prefix: str, id: InstrumentedAttribute[str], received: InstrumentedAttribute[datetime] | None
    ) -> Select[str, int]:
        if received is None:
            return select(id, literal(0)).where(*self._made_since(prefix, id, self.since)).order_by(id)
        made = self._made_since(prefix, id, max(self.now - LOOKS_BACK, self.began - _LATE))
        return select(id, type_coerce(received, BigInteger)).where(*made, received >= self.began).order_by(id)

    def _made_since(
        self, prefix: str, id: InstrumentedAttribute[str], since: datetime
    ) -> Sequence[ColumnElement[bool]]:
        mine = id.class_.merchant_id == self.merchant_id
        return mine, id >= beginning(prefix, since), id < beginning(prefix, self.now + _ASIDE[-1])

    def _untimed(self) -> Iterator[tuple[str, Iterator[tuple[str, int]]]]:
        """Facts of which only a column says when they were written."""

        def rows(mapped: Any, at: Any, *columns: Any) -> Iterator[Any]:
            lately = (mapped.merchant_id == self.merchant_id, at >= self.since)
            return self._streamed(select(*columns, type_coerce(at, BigInteger)).where(*lately))

        yield "referral.withdrawn", rows(Referral, Referral.withdrawn_at, Referral.referral_id)
        dropped = rows(Refund, Refund.dropped_at, Refund.refund_id)
        yield "order.refunded", ((given_back(refund), at) for refund, at in dropped)
        joined = rows(Identity, Identity.received_at, Identity.visitor_id, Identity.person, Identity.at)
        yield "identity.joined", ((noted_as(visitor, person, at), when) for visitor, person, at, when in joined)
        places = (OrderCorrection.order_id, OrderCorrection.position)
        corrected = rows(OrderCorrection, OrderCorrection.received_at, *places)
        yield "order.corrected", ((correction_noted_as(order, place), at) for order, place, at in corrected)
        yield "import.finished", rows(Import, Import.finished_at, Import.import_id)

    def _streamed(self, query: Select[*tuple[Any, ...]], at_once: int = _AT_ONCE) -> Iterator[Any]:
        return iter(self.session.execute(query, execution_options={"yield_per": at_once}))


def _times_in(page: Facts) -> Sequence[int]:
    """When the first and the last were made, by their ids; where these do not tell it, when all were written."""
    made = map(made_when, (next(iter(page)), next(reversed(page))))
    return [to_micros(at) for at in made if at is not None] or [*page.values()]
