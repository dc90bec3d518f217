"""Compares the counts with the facts and makes them equal, while everybody goes on writing. Knows no HTTP.

A difference is read from a snapshot, which holds up nobody. What is appended for it is right whatever was written
meanwhile, unless somebody else has mended: the turn of the merchant (`RollupCheck`) tells, and it is looked at again.
Broken off anywhere, what was mended is mended and the rest is found the next time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final, TypeVar, cast

from sqlalchemy import BigInteger, CursorResult, func, select, text, type_coerce, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.kernel.clock import to_micros
from app.kernel.database import Database, insert_new, table_of
from app.kernel.rollups import reading
from app.kernel.rollups.appending import Change, append_changes
from app.kernel.rollups.tables import MEASURES, QUARTER, SPANS, Rollup, RollupCheck
from app.merchants.models import Merchant
from app.referrals.models import Referral, Visit
from app.reports import reckoned
from app.reports.kept import kept
from app.reports.reckoned import Span

ASIDE: Final = timedelta(days=2)
"""Facts may be dated a day back (beacons), or ahead (another system's clock)."""
_SLOW, _QUICK = 2.0, 0.5
"""Seconds: from when on the next comparison is of half the time, and up to when it is of twice as much."""
_NARROWEST, _WIDEST = SPANS[1], 4 * SPANS[3]
_AT_ONCE: Final = 1000
"""Rows that are appended in one transaction."""

_Row = TypeVar("_Row", Change, Span)


@dataclass
class Found:
    """What differed; where it was to be mended, what was appended."""

    quarters: list[Change] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.quarters or self.spans)


@dataclass(frozen=True)
class Books:
    """One merchant's facts and counts. Facts of `since <= t < until` are compared; without `since`, all there are.

    `step` is called often; it may raise, to break off.
    """

    database: Database
    merchant_id: int
    until: datetime
    beacons_since: datetime
    since: datetime | None = None
    mend: bool = False
    step: Callable[[], None] = lambda: None

    def compare(self) -> Found:
        """What differs, and is mended where that is asked for."""
        if self.mend:
            with self.database.transaction() as session:
                insert_new(session, RollupCheck, merchant_id=self.merchant_id, turn=0)
        found = Found()
        for since, until in self._stretches():
            found.quarters += self._settled(self._of_quarters(since, until), append_changes)
        if self.since is None:
            found.spans += self._settled(self._of_spans, self._add_to_spans)
        return found

    def _settled(
        self, look: Callable[[Session], list[_Row]], write: Callable[[Session, list[_Row]], None]
    ) -> list[_Row]:
        """What `look` finds, and `write` mends."""
        settled: list[_Row] = []
        while True:
            self.step()
            with self.database.reading() as session:
                turn = _turn(session, self.merchant_id)
                rows = look(session)
            if not self.mend:
                return rows
            written = self._written(turn, rows, write)
            settled += rows[:written]
            if written == len(rows):
                return settled

    def _written(self, turn: int, rows: list[_Row], write: Callable[[Session, list[_Row]], None]) -> int:
        """How many of `rows` were written before somebody else mended, if anybody did."""
        for begin in range(0, len(rows), _AT_ONCE):
            self.step()
            with self.database.transaction() as session:
                if not _take(session, self.merchant_id, turn + begin // _AT_ONCE):
                    return begin
                write(session, rows[begin : begin + _AT_ONCE])
            self.database.breathe()
        return len(rows)

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """The time to be compared, in pieces that take seconds each."""
        with self.database.reading() as session:
            begin = _first(session, self.merchant_id) if self.since is None else to_micros(self.since)
        begin, end = begin // QUARTER * QUARTER, _up(to_micros(self.until))
        width = SPANS[2]
        while begin < end:
            began = monotonic()
            yield begin, min(begin + width, end)
            begin, took = begin + width, monotonic() - began
            width = max(width // 2, _NARROWEST) if took > _SLOW else width
            width = min(width * 2, _WIDEST) if took < _QUICK else width

    def _of_quarters(self, since: int, until: int) -> Callable[[Session], list[Change]]:
        def look(session: Session) -> list[Change]:
            there = kept(session, self.merchant_id, self.beacons_since)
            return reckoned.differences(session, self.merchant_id, since, until, *there)

        return look

    def _of_spans(self, session: Session) -> list[Span]:
        return reckoned.uneven(session, self.merchant_id)

    def _add_to_spans(self, session: Session, spans: Sequence[Span]) -> None:
        """Add to wider spans alone. In the order of the keys, as they are folded."""
        rows = [
            {
                **dict(zip(("dimension", "span", "starts", "value"), span[:4], strict=True)),
                **dict(zip(MEASURES, span.counts, strict=True)),
                "merchant_id": self.merchant_id,
            }
            for span in sorted(spans)
        ]
        session.execute(_ADD[session.get_bind().dialect.name], rows)


def _first(session: Session, merchant_id: int) -> int:
    """A moment before which there is neither a fact nor a count, in microseconds."""
    visits = select(func.min(type_coerce(Visit.at, BigInteger))).where(
        Visit.merchant_id == merchant_id, text("visits.imported")
    )
    referrals = select(func.min(type_coerce(Referral.at, BigInteger))).where(
        Referral.merchant_id == merchant_id, Referral.code.is_(None)
    )
    made_at = session.get_one(Merchant, merchant_id).created_at
    counted = reading.extent(session, merchant_id)
    known = [to_micros(made_at - ASIDE), session.scalar(visits), session.scalar(referrals), counted and counted[0]]
    return max(0, min(each for each in known if each is not None))


def _up(micros: int) -> int:
    """The beginning of a quarter, not before."""
    return -(-micros // QUARTER) * QUARTER


def _turn(session: Session, merchant_id: int) -> int:
    """How often this merchant's counts were mended; who only looks may find that nobody ever did."""
    return session.scalar(select(RollupCheck.turn).where(RollupCheck.merchant_id == merchant_id)) or 0


def _take(session: Session, merchant_id: int, turn: int) -> bool:
    """Begin the next turn, if nobody else has."""
    mine = update(RollupCheck).where(RollupCheck.merchant_id == merchant_id, RollupCheck.turn == turn)
    return cast("CursorResult[Any]", session.execute(mine.values(turn=turn + 1))).rowcount == 1


def _added(insert: Any) -> Any:
    into = insert(table_of(Rollup))
    added = {name: table_of(Rollup).c[name] + into.excluded[name] for name in MEASURES}
    return into.on_conflict_do_update(index_elements=list(table_of(Rollup).primary_key), set_=added)


_ADD: Final = {"sqlite": _added(sqlite.insert), "postgresql": _added(postgresql.insert)}
