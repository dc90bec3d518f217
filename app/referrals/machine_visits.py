"""How often machines asked for a link: counted by day, beside the visits of people and never among them.

Nobody waits for these counts and nothing fails because of them: what cannot be counted is dropped, and said once in
the log. What came while the last counts were written goes together, so a storm of crawlers takes few places in the
recorder's queue, which people's visits need.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache

from sqlalchemy import Table, UpdateBase
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.kernel.database import table_of
from app.kernel.recorder import Fact, Recorder
from app.referrals.models import MachineVisits, Referral

log = logging.getLogger(__name__)

MOST_AT_ONCE = 2_000
"""Counts that wait at the same time, each of a link, a kind and a machine."""
PATIENCE = 5.0
"""Seconds for which a server that stops waits for its last counts."""

_KEY = ("merchant_id", "day", "referral_id", "kind", "machine")


@dataclass(frozen=True, order=True)
class MachinesCame(Fact[None]):
    """Machines asked for the link of a referral, so many times on that day (its midnight, UTC)."""

    merchant_id: int
    day: datetime
    referral_id: str
    kind: str
    machine: str
    visits: int = 1


Key = tuple[int, datetime, str, str, str]


def write(session: Session, facts: Sequence[MachinesCame]) -> list[None]:
    """Add the counts to those of their days. In the order of the keys: two batches never wait for each other."""
    sums: Counter[Key] = Counter()
    for fact in facts:
        sums[fact.merchant_id, fact.day, fact.referral_id, fact.kind, fact.machine] += fact.visits
    rows = [{**dict(zip(_KEY, key, strict=True)), "visits": visits} for key, visits in sorted(sums.items())]
    session.execute(_adding(session.get_bind().dialect.name == "sqlite"), rows)
    return [None] * len(facts)


@cache
def _adding(on_sqlite: bool) -> UpdateBase:
    insert: Callable[[Table], sqlite.Insert | postgresql.Insert] = sqlite.insert if on_sqlite else postgresql.insert
    table = table_of(MachineVisits)
    new = insert(table)
    return new.on_conflict_do_update(index_elements=list(_KEY), set_={"visits": table.c.visits + new.excluded.visits})


class MachineCounter:
    """Takes counts and lets the recorder write them. Lives in the event loop."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._waiting: Counter[Key] = Counter()
        self._writing: asyncio.Task[None] | None = None
        self._told = False

    def count(self, referral: Referral, kind: str, machine: str, at: datetime) -> None:
        """A machine has asked for the link of `referral`. Returns at once."""
        day = datetime.combine(at.date(), time.min, at.tzinfo)
        key = (referral.merchant_id, day, referral.referral_id, kind, machine)
        if key not in self._waiting and len(self._waiting) >= MOST_AT_ONCE:
            self._say_once("too many at once")
            return
        self._waiting[key] += 1
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def settle(self) -> None:
        """Wait until what was counted is written, or dropped; not for long, where the database does not answer."""
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=PATIENCE)

    async def _write(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, Counter()
            facts = sorted(MachinesCame(*key, visits=visits) for key, visits in taken.items())
            outcomes = await asyncio.gather(*map(self._recorder.record, facts), return_exceptions=True)
            failures = [outcome for outcome in outcomes if outcome is not None]
            if failures:
                self._say_once(failures[0])
            else:
                self._told = False

    def _say_once(self, why: object) -> None:
        if not self._told:
            self._told = True
            log.warning("visits of machines are not counted for the moment: %s", why)
