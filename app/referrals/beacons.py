"""Beacons: what widgets report was seen or opened. Facts for counting, and, of a referral's card, a touch.

Knows the session and the tables, not HTTP. What comes from a page is believed only as far as it is possible: things
that are there, of one merchant, between a day ago and now.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain, compress
from time import monotonic
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import FromClause, Select, select
from sqlalchemy.orm import Session

from app.catalog import service as catalog
from app.kernel import outbox
from app.kernel.bulk import Bulk
from app.kernel.clock import from_micros, to_micros
from app.kernel.database import id_type, table_of
from app.kernel.given import Question
from app.kernel.ids import is_code, new_id, new_ids
from app.kernel.recorder import Fact
from app.kernel.rollups import appending
from app.kernel.rollups.appending import Counted
from app.kernel.rollups.tables import QUARTER
from app.referrals import counting
from app.referrals.models import Beacon, Link, Referral
from app.walls import service as walls

BELIEVED_FOR: Final = timedelta(days=1)
"""How old a report may be: a telephone may have been without a network since."""
FRESH_FOR: Final = 1.0
"""Seconds. What was taken off is refused this much later at the latest."""
TOPIC: Final = "referrals.views"
_PATIENCE: Final = outbox.LEASE
"""After so long a worker writes the touches that were not written with what was reported."""
_BELIEVED_FOR: Final = BELIEVED_FOR // timedelta(microseconds=1)
_MOST_KNOWN: Final = 20_000


class Shown(NamedTuple):
    """The referral whose card was shown."""

    merchant_id: int
    referral_id: str
    product_id: str | None
    wall_id: str | None
    kind: str
    network: str | None
    is_withdrawn: bool


@dataclass(frozen=True, eq=False, slots=True)
class Subject:
    """What was seen or opened: alike in many reports, which are looked at together. `card` is whose word it was."""

    merchant_id: int
    type: str
    wall_id: str | None
    product_id: str | None
    card: Shown | None


class Report(msgspec.Struct, frozen=True, gc=False):
    """That it was seen or opened, as it is written; `at` in microseconds since 1970. Made by the ten thousand.

    Who saw the card of a referral (`seen_by`) may earn it credit without being kept beside what they saw.
    """

    subject: Subject
    click_id: str | None
    visitor_id: str | None
    at: int
    seen_by: str | None = None


Seen = list[tuple[Shown, datetime]]
Views = dict[str, Seen]
"""Whose cards each proven visitor saw, and when. A visitor is one merchant's."""


@dataclass(frozen=True)
class NewBeacons(Fact[list[bool]]):
    """What one page reported at once; the answer is, for each, whether it is kept. `promises` names, for each visitor,
    the message under which touches wait in the outbox until they are written (`touch`)."""

    reports: tuple[Report, ...]
    received_at: datetime
    promises: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, reports: tuple[Report, ...], now: datetime) -> "NewBeacons":
        """With a promise for each visitor who may have seen a card."""
        jobs = {visitor: new_id("job", seen[0][0].merchant_id, now) for visitor, seen in views(reports).items()}
        return cls(reports, now, jobs)

    @property
    def weight(self) -> int:
        """A row for each."""
        return len(self.reports)


def believed(at: int, now: int) -> int:
    """When it was, as far as a page is believed; in microseconds."""
    return min(max(at, now - _BELIEVED_FOR), now)


class Keeper:
    """Writes beacons that name only what is there. Threads may share it.

    What stands is asked once a second, however often it is named; what does not is asked each time, so that nobody
    can fill the memory with what never was.
    """

    def __init__(self) -> None:
        self._products = _Known(catalog.faces)
        self._walls = _Known(walls.titles)

    def write(self, session: Session, facts: Sequence[NewBeacons]) -> list[list[bool]]:
        """Write what names only what is there, all in one statement, and count it."""
        standing = self._standing(session, {report.subject for fact in facts for report in fact.reports})
        kept = [[report.subject in standing for report in fact.reports] for fact in facts]
        written = [tuple(compress(fact.reports, stands)) for fact, stands in zip(facts, kept, strict=True)]
        rows = [row for fact, reports in zip(facts, written, strict=True) for row in _rows(reports, fact.received_at)]
        for fact, reports in zip(facts, written, strict=True):
            if fact.promises:
                _promise(session, fact, views(reports))
        _BEACONS.insert(session, rows)
        appending.append(session, _counts(chain.from_iterable(written)))
        return kept

    def _standing(self, session: Session, subjects: Collection[Subject]) -> set[Subject]:
        products = self._products.among(session, {(of.merchant_id, of.product_id) for of in subjects if of.product_id})
        open_walls = self._walls.among(session, {(of.merchant_id, of.wall_id) for of in subjects if of.wall_id})
        return {
            of
            for of in subjects
            if (of.product_id is None or (of.merchant_id, of.product_id) in products)
            and (of.wall_id is None or (of.merchant_id, of.wall_id) in open_walls)
        }


_Key = tuple[int, str]


class _Known:
    """Remembers for a second what `ask` found."""

    def __init__(self, ask: Callable[[Session, Collection[_Key]], Collection[_Key]]) -> None:
        self._ask = ask
        self._since: dict[_Key, float] = {}

    def among(self, session: Session, keys: set[_Key]) -> set[_Key]:
        """Those of `keys` that stand."""
        now = monotonic()
        known = {key for key in keys if now - self._since.get(key, -FRESH_FOR) < FRESH_FOR}
        if len(known) == len(keys):
            return known
        found = set(self._ask(session, keys - known))
        if len(self._since) + len(found) > _MOST_KNOWN:
            self._since = {}
        self._since.update(dict.fromkeys(found, now))
        return known | found


def _rows(reports: Sequence[Report], received_at: datetime) -> list[tuple[object, ...]]:
    """What one page reported, as it is kept: ids of one merchant are made in one go."""
    ids, received = _ids(reports, received_at), to_micros(received_at)
    return [
        (
            (of := report.subject).merchant_id,
            next(ids[of.merchant_id]),
            of.type,
            of.wall_id,
            of.product_id,
            None if of.card is None else of.card.referral_id,
            report.click_id,
            report.visitor_id,
            report.at,
            received,
        )
        for report in reports
    ]


def _ids(reports: Sequence[Report], at: datetime) -> dict[int, Iterator[str]]:
    merchants = Counter([report.subject.merchant_id for report in reports])
    return {merchant: iter(new_ids("bcn", merchant, at, count)) for merchant, count in merchants.items()}


def _counts(reports: Iterable[Report]) -> dict[Counted, int]:
    counts: dict[Counted, int] = defaultdict(int)
    alike = Counter([(report.subject, report.at - report.at % QUARTER) for report in reports])
    for about, count in alike.items():
        counts[_counted(*about)] += count
    return counts


@lru_cache(maxsize=8192)
def _counted(of: Subject, quarter: int) -> Counted:
    """Under what it is counted, in the quarter of an hour that begins then."""
    network, kind = (of.card.network, of.card.kind) if of.card is not None else (None, None)
    return counting.of_beacon(of.merchant_id, from_micros(quarter), of.type, network, of.product_id, of.wall_id, kind)


def shown(session: Session, codes: Iterable[str]) -> dict[str, Shown]:
    """The referrals to which these codes lead, withdrawn or not; none for a code that is unknown."""
    asked: set[tuple[int | str, ...]] = {(code,) for code in codes if is_code(code)}
    return {
        code: Shown(merchant, referral, product, wall, kind, network, withdrawn is not None)
        for code, merchant, referral, product, wall, kind, network, withdrawn in _SHOWN.ask(session, asked)
    }


def views(reports: Iterable[Report]) -> Views:
    """What of it may become touches."""
    found: Views = defaultdict(list)
    for report in reports:
        card = report.subject.card
        if card is None or card.is_withdrawn or report.seen_by is None or report.subject.type != "card_view":
            continue
        found[report.seen_by].append((card, from_micros(report.at)))
    return found


def _promise(session: Session, fact: NewBeacons, seen: Views) -> None:
    """The touches stand or fall with the reports, though they are written after them."""
    now = fact.received_at
    for visitor, cards in seen.items():
        payload = {"visitor": visitor, "seen": [[*card, to_micros(at)] for card, at in cards]}
        merchant_id = cards[0][0].merchant_id
        outbox.put(session, merchant_id, fact.promises[visitor], TOPIC, payload, now, now + _PATIENCE)


def _shown(given: FromClause) -> Select[*tuple[Any, ...]]:
    about = (Referral.product_id, Referral.wall_id, Referral.kind, Referral.network, Referral.withdrawn_at)
    theirs = (Referral.merchant_id == Link.merchant_id) & (Referral.referral_id == Link.referral_id)
    found = select(Link.code, Link.merchant_id, Link.referral_id, *about)
    return found.join_from(given, Link, Link.code == given.c.code).join(Referral, theirs)


_SHOWN = Question(_shown, code=id_type())
_BEACONS = Bulk(
    table_of(Beacon),
    (
        *("merchant_id", "beacon_id", "type", "wall_id", "product_id"),
        *("referral_id", "click_id", "visitor_id", "at", "received_at"),
    ),
)
