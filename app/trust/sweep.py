"""The look, each minute, at what happens all at once: visits that a program makes, likes and shares by the hundred.

Only where something is new, and one merchant after the other. What is found is recorded with the merchant's facts held
alone, since it may concern many orders. Where nobody looked for a while, it looks at what came meanwhile, too.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.kernel.as_of import writing_now
from app.kernel.periodic import Periodic, PeriodicJob
from app.kernel.runtime import Runtime
from app.kernel.trouble import in_trouble
from app.referrals import turns
from app.trust import doubts, evidence
from app.trust.evidence import COUNTED, Awake, Span
from app.trust.found import About, Found, doubtful
from app.trust.rules import (
    Rule,
    click_stuffing,
    duplicate_sharers,
    pace,
    velocity_likes,
    velocity_shares,
    velocity_visits,
)
from app.trust.rules.pace import Busy

log = logging.getLogger(__name__)

NAME: Final = "doubts"
OF_DAYS: Final = "doubts-of-days"
EVERY: Final = timedelta(minutes=1)
DAYS_EVERY: Final = timedelta(minutes=10)
"""What is looked for in a whole day is looked for less often."""

_LATE: Final = timedelta(minutes=1)
"""How long after its time a visit may come to be seen."""
_LONGEST: Final = timedelta(minutes=60)
"""The most minutes that a rule may look at."""
_STEP: Final = timedelta(minutes=10)
_MOST_STEPS: Final = 24
_LONGEST_AGO: Final = _STEP * _MOST_STEPS
_DAY: Final = timedelta(days=1)

Look = Callable[[Session, Awake, datetime], Iterator[Found]]
"""What is doubtful of a merchant in the time before a moment."""


@dataclass(frozen=True)
class Sweep:
    """Looks at every merchant of whom something is new, and records what it finds."""

    here: Runtime

    def periodic(self) -> list[Periodic]:
        return [Periodic(NAME, EVERY, self.minutes), Periodic(OF_DAYS, DAYS_EVERY, self.days)]

    def minutes(self, step: Callable[[], None]) -> None:
        """What came in the last minutes, and since this was last done. `step` may raise to break it off."""
        now, last = self.here.clock.now(), self._last(NAME)
        for until in _ends(now, last):
            self._look(_of_minutes, _news(until, last, EVERY if until == now else _STEP), until, step)

    def days(self, step: Callable[[], None]) -> None:
        """What came within a day."""
        now, last = self.here.clock.now(), self._last(OF_DAYS)
        self._look(_of_a_day, _news(now, last, DAYS_EVERY), now, step)

    def _last(self, name: str) -> datetime | None:
        with self.here.database.reading() as session:
            job = session.get(PeriodicJob, name)
            return None if job is None else job.finished_at

    def _look(self, look: Look, news: Span, until: datetime, step: Callable[[], None]) -> None:
        with self.here.database.reading() as session:
            awake = evidence.awake(session, news, Span.before(until, _LONGEST))
        for merchant in awake:
            step()
            try:
                self._judge(look, merchant, until)
            except Exception as error:
                if in_trouble(error):
                    raise
                log.exception("merchant %s could not be looked at for doubts", merchant.merchant_id)

    def _judge(self, look: Look, merchant: Awake, until: datetime) -> None:
        with self.here.database.reading() as session:
            found = list(look(session, merchant, until))
        if not found:
            return
        with self.here.database.transaction() as session:
            turns.hold_facts(session, merchant.merchant_id)
            now = writing_now(session, merchant.merchant_id, self.here.clock)
            doubts.record(session, self.here.events, merchant.merchant_id, found, now)
        self.here.database.breathe()


def _ends(now: datetime, last: datetime | None) -> list[datetime]:
    """The ends of the times to be looked at, the oldest first: now, and one after the other back to the last look,
    as far as that is worth it."""
    ends = [now]
    while last is not None and last < ends[0] - _STEP and len(ends) < _MOST_STEPS:
        ends.insert(0, ends[0] - _STEP)
    return ends


def _news(until: datetime, last: datetime | None, usual: timedelta) -> Span:
    """What is new: since the last look, or as long ago as one may be."""
    since = until - usual if last is None else min(last, until - usual)
    return Span(max(since, until - _LONGEST_AGO) - _LATE, until + _LATE)


def _of_minutes(session: Session, merchant: Awake, until: datetime) -> Iterator[Found]:
    yield from _stuffing(session, merchant, until)
    yield from _one_block(session, merchant, until)
    yield from _paces(session, merchant, until, "like", velocity_likes.RULE)
    yield from _paces(session, merchant, until, "share", velocity_shares.RULE)


def _of_a_day(session: Session, merchant: Awake, until: datetime) -> Iterator[Found]:
    thresholds = _asked(merchant, duplicate_sharers.RULE)
    if thresholds is None:
        return
    code, least = duplicate_sharers.RULE.code, thresholds["sharers"]
    span = Span.before(until, _DAY)
    for referral_id, sharers in evidence.on_one_device(session, merchant.merchant_id, span, least, code):
        yield from doubtful(About.REFERRAL, referral_id, code, duplicate_sharers.judge(sharers, thresholds))


def _stuffing(session: Session, merchant: Awake, until: datetime) -> Iterator[Found]:
    thresholds = _asked(merchant, click_stuffing.RULE)
    if thresholds is None or merchant.visits < min(thresholds["visits"], COUNTED):
        return
    code, span = click_stuffing.RULE.code, _minutes(until, thresholds)
    tallies = evidence.tallies(session, merchant.merchant_id, span)
    suspects = {person: tally for person, tally in tallies.items() if click_stuffing.judge(tally.at_least, thresholds)}
    for person, crowd in evidence.crowds(session, merchant.merchant_id, span, suspects).items():
        seen = click_stuffing.judge(crowd, thresholds)
        if seen is not None:
            for referral_id in evidence.undoubted(session, merchant.merchant_id, suspects[person].referrals, code):
                yield from doubtful(About.REFERRAL, referral_id, code, seen)


def _one_block(session: Session, merchant: Awake, until: datetime) -> Iterator[Found]:
    thresholds = _asked(merchant, velocity_visits.RULE)
    if thresholds is None or merchant.visits <= min(thresholds["visits"], COUNTED - 1):
        return
    code, most = velocity_visits.RULE.code, thresholds["visits"]
    span = _minutes(until, thresholds)
    for referral_id, visits in evidence.from_one_block(session, merchant.merchant_id, span, most, code):
        yield from doubtful(About.REFERRAL, referral_id, code, velocity_visits.judge(visits, thresholds))


def _paces(session: Session, merchant: Awake, until: datetime, kind: str, rule: Rule) -> Iterator[Found]:
    thresholds = _asked(merchant, rule)
    if thresholds is None:
        return
    most = Busy(thresholds["by_visitor"], thresholds["by_block"])
    if merchant.referrals > min(*most, COUNTED - 1):
        span = _minutes(until, thresholds)
        for referral_id, busy in evidence.paces(session, merchant.merchant_id, span, kind, most, rule.code):
            yield from doubtful(About.REFERRAL, referral_id, rule.code, pace.judge(busy, thresholds))


def _asked(merchant: Awake, rule: Rule) -> Mapping[str, int] | None:
    """The numbers that the rule goes by, where it does anything."""
    setting = merchant.settings.of(rule.code)
    return setting.thresholds if setting.is_on else None


def _minutes(until: datetime, thresholds: Mapping[str, int]) -> Span:
    return Span.before(until, timedelta(minutes=thresholds["minutes"]))
