"""Moving in: facts are written batch by batch, each in a transaction, and at the end the credit of orders follows.

Knows the database, not HTTP. What was committed stays, whatever happens after; the same lines again change nothing.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError, IntegrityError

from app.attribution import stale
from app.attribution.models import CreditLine, StaleOrder
from app.history import writing
from app.history.lines import Code, Fact, Refused, read
from app.history.promise import Promise
from app.history.splitting import RawLine
from app.history.writing import Verdicts
from app.kernel.brought import Contradiction, Outcome
from app.kernel.clock import Clock
from app.kernel.database import Base, Database, lost_a_race
from app.kernel.outbox import Outbox
from app.kernel.statistics import Growth, look_at
from app.orders import bringing as orders
from app.referrals import bringing as referrals

MOST_REFUSED = 10_000
"""Refused lines that are told one by one; of more only the number."""

_FIRST_LOOK = 2000
"""Facts that are written before the database is asked to look at how many they are."""

_RACES = 3
"""How often in a row a batch is done again because somebody else was faster, or was given way to."""


class RefusedLine(NamedTuple):
    """A line that was not taken, and why."""

    line: int  # the first is 1
    code: Code
    detail: str
    field: str | None


@dataclass
class Tally:
    """What became of all lines so far."""

    accepted: int = 0
    unchanged: int = 0
    refused_count: int = 0
    refused: list[RefusedLine] = field(default_factory=list)  # the first `MOST_REFUSED`


class Moving:
    """One who moves in: a request, or a file. What says no `received_at` was received when it began."""

    def __init__(self, database: Database, clock: Clock, outbox: Outbox, merchant_id: int, *, livemode: bool) -> None:
        self._database = database
        self._clock = clock
        self._merchant_id = merchant_id
        self._livemode = livemode
        self._promise = Promise(clock, outbox, merchant_id)
        self._began_at = clock.now()
        self._facts, self._batches = Growth(_FIRST_LOOK), Growth(1)
        self.tally = Tally()

    def take(self, lines: Sequence[RawLine]) -> None:
        """Write what these lines tell, in one transaction; each has its verdict."""
        told = {line.number: read(line.content, self._began_at) for line in lines}
        facts = {number: fact for number, fact in told.items() if not isinstance(fact, Refused)}
        verdicts = self._written(facts) if facts else {}
        for number, fact in told.items():
            if isinstance(fact, Refused):
                self._refuse(RefusedLine(number, *fact))
            elif isinstance(verdict := verdicts[number], Contradiction):
                self._refuse(RefusedLine(number, "fact_contradicts", verdict.detail, verdict.field))
            elif verdict is Outcome.ACCEPTED:
                self.tally.accepted += 1
            else:
                self.tally.unchanged += 1
        if self._facts.is_worth_a_look(self.tally.accepted):
            self._look_at(*referrals.TABLES, *orders.TABLES, StaleOrder)

    def finish(self) -> Tally:
        """There are no more lines: bring up to date what they changed."""
        done = itertools.count(1)

        def look() -> None:
            if self._batches.is_worth_a_look(next(done)):
                self._look_at(CreditLine)

        stale.drain(self._database, self._clock, self._merchant_id, after_batch=look)
        self._promise.take_back(self._database)
        return self.tally

    def leave(self) -> None:
        """Whoever sent has gone: what was written stays, and the worker does the rest."""
        self._promise.call_in(self._database)

    def _written(self, facts: Mapping[int, Fact], races: int = _RACES) -> Verdicts:
        try:
            with self._database.transaction() as session:
                now = self._clock.now()
                verdicts = writing.write(session, self._merchant_id, facts, livemode=self._livemode, now=now)
                if Outcome.ACCEPTED in verdicts.values():
                    self._promise.renew(session)
                return verdicts
        except DBAPIError as error:
            if not races or not (isinstance(error, IntegrityError) or lost_a_race(error)):
                raise
        return self._written(facts, races - 1)

    def _look_at(self, *tables: type[Base]) -> None:
        with self._database.transaction() as session:
            look_at(session, *tables)

    def _refuse(self, line: RefusedLine) -> None:
        self.tally.refused_count += 1
        if len(self.tally.refused) < MOST_REFUSED:
            self.tally.refused.append(line)
