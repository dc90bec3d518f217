"""A shop whose facts are counted, straight in the database; and the books by which its counts are judged: facts added
up in Python, by what `app/referrals/counting` says of each, and by nothing that the counts are made with."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.history import writing as history
from app.history.lines import Fact as PastFact
from app.kernel.database import Database
from app.kernel.events import Events
from app.kernel.ids import new_id
from app.kernel.outbox import Outbox
from app.kernel.recorder import Fact, Recorder
from app.kernel.rollups import reading
from app.kernel.rollups.appending import Counted
from app.kernel.rollups.folding import Folding
from app.kernel.rollups.tables import DIMENSIONS, MEASURES, QUARTER, Dimension, Rollup, RollupDelta
from app.networks.catalogue import ONSITE
from app.orders.models import Checkout
from app.referrals import beacons, counting, service, visits, writing
from app.referrals.bringing import PastReferral, PastTouch
from app.referrals.models import Beacon, Referral, Visit
from app.referrals.service import NewReferral
from app.reports import reckoned
from app.reports.mending import Books, Found
from tests.clock import START, TestClock
from tests.db.referring import Shop

NETWORKS = ("whatsapp", "x", "copy")
LONG = "ö" * 255
"""What another system may call a product."""
Sums = dict[tuple[str, str, int], tuple[int, ...]]
"""By dimension, value and quarter."""


@dataclass
class Street:
    """Where things happen that are counted. Threads may share it, each with a `chance` of its own."""

    database: Database
    shop: Shop
    recorder: Recorder
    events: Events
    began: datetime = START
    likes: list[tuple[str, str]] = field(default_factory=list)  # id and visitor
    links: list[visits.Way] = field(default_factory=list)
    clicks: list[str] = field(default_factory=list)

    @property
    def merchant(self) -> int:
        return self.shop.merchant

    def moment(self, chance: random.Random) -> datetime:
        """Some moment of the two days."""
        return self.began + timedelta(microseconds=chance.randrange(2 * 86_400_000_000))

    def say(self, chance: random.Random, count: int) -> Sequence[Fact[Any]]:
        """Likes and shares that people make."""
        facts: list[Fact[Any]] = []
        for _ in range(count):
            kind = chance.choice(("like", "share"))
            network = ONSITE if kind == "like" else chance.choice(NETWORKS)
            about = (kind, self.shop.visitor(), chance.choice(self.shop.products), None, network)
            facts.append(NewReferral(self.merchant, *about, None, None, None, self.moment(chance)))  # type: ignore[arg-type]
        return facts

    def come(self, chance: random.Random, count: int) -> Sequence[Fact[Any]]:
        """Visits through links."""
        seen_from = (None, "whatsapp", "facebook")
        return [
            visits.NewVisit.by(chance.choice(self.links), chance.choice(seen_from), self.moment(chance))
            for _ in range(count)
        ]

    def look(self, chance: random.Random, count: int) -> Sequence[Fact[Any]]:
        """What widgets report."""
        facts: list[Fact[Any]] = []
        for _ in range(count):
            at, way = self.moment(chance), chance.choice(self.links)
            card = beacons.Shown(*way[:2], way.product_id, None, "share", way.shared_to, is_withdrawn=False)
            subject = beacons.Subject(
                self.merchant,
                chance.choice(sorted(counting.BEACONS)),
                None,
                chance.choice([None, *self.shop.products]),
                chance.choice([None, card]),
            )
            micros = int(
                (at - timedelta(minutes=chance.randrange(1000)) - datetime(1970, 1, 1, tzinfo=UTC)) / _MICROSECOND
            )
            facts.append(beacons.NewBeacons((beacons.Report(subject, None, None, micros),), at))
        return facts

    def record(self, facts: Sequence[Fact[Any]]) -> list[object]:
        """Write them as requests do, all at once."""

        async def all_at_once() -> list[object]:
            return list(await asyncio.gather(*(self.recorder.record(fact) for fact in facts)))

        outcomes = asyncio.run(all_at_once())
        for fact, outcome in zip(facts, outcomes, strict=True):
            if isinstance(fact, NewReferral) and isinstance(outcome, service.Referred):
                if fact.kind == "like":
                    self.likes.append((outcome.referral.referral_id, fact.visitor_id))
                else:
                    about = (outcome.referral.referral_id, "click", fact.product_id, fact.wall_id, fact.network)
                    self.links.append(visits.Way(self.merchant, *about))
            elif isinstance(fact, visits.NewVisit):
                self.clicks.append(fact.visit_id)
        return outcomes

    def take_back(self, like: tuple[str, str]) -> None:
        with self.database.transaction() as session:
            service.take_back(session, self.merchant, *like, self.began)

    def claim(self, click: str, at: datetime) -> None:
        with self.database.transaction() as session:
            visits.claim(session, self.events, self.merchant, click, self.shop.visitor(), at)

    def bring(self, facts: Sequence[PastFact]) -> None:
        with self.database.transaction() as session:
            told = dict(enumerate(facts))
            history.write(session, self.merchant, told, livemode=True, now=self.began)

    def past(self, chance: random.Random, name: str, visitors: int) -> list[PastFact]:
        """A like or share that another system remembers, and those who came through it."""
        at, kind = self.moment(chance).replace(microsecond=0), chance.choice(("like", "share"))
        network, product = chance.choice([None, *NETWORKS]), chance.choice([None, LONG, *self.shop.products])
        referral = PastReferral(name, kind, f"{name}-by", network, None, product, "their wall", at, at)
        return [
            referral,
            *(
                PastTouch(
                    f"{name}-{number}",
                    f"{name}-visitor-{number}",
                    chance.choice(("click", "like", "view", "direct")),
                    chance.choice([None, *NETWORKS]),
                    chance.choice([name, name, None, "never told"]),
                    self.moment(chance).replace(microsecond=0),
                    at,
                )
                for number in range(visitors)
            ),
        ]

    def forget_to_count(self, chance: random.Random) -> None:
        """What a process of an older version does: a visit without its count."""
        way, at = chance.choice(self.links), self.moment(chance)
        about = (way.referral_id, way.type, way.product_id)
        row = dict(zip(("referral_id", "type", "product_id"), about, strict=True))
        with self.database.transaction() as session:
            session.add(
                Visit(
                    merchant_id=self.merchant, visit_id=new_id("clk", self.merchant, at), **row, at=at, received_at=at
                )
            )

    def folding(self) -> Folding:
        return Folding(self.database)

    def books(self, *, mend: bool, since: datetime | None = None) -> Books:
        until = self.began + timedelta(days=4)
        return Books(self.database, self.merchant, until, self.began - timedelta(days=9), since=since, mend=mend)

    def differing(self) -> Found:
        return self.books(mend=False).compare()

    def waiting(self) -> int:
        """Deltas that are not folded yet."""
        with self.database.reading() as session:
            mine = RollupDelta.merchant_id == self.merchant
            return session.scalar(select(func.count()).select_from(RollupDelta).where(mine)) or 0


_MICROSECOND = timedelta(microseconds=1)


@contextmanager
def street(database: Database) -> Iterator[Street]:
    """One with some links, whose recorder runs while the block lasts."""
    recorder = Recorder(database)
    recorder.register(NewReferral, writing.write)
    recorder.register(visits.NewVisit, visits.write)
    recorder.register(beacons.NewBeacons, beacons.Keeper().write)
    made = Street(database, Shop(database), recorder, Events(Outbox(TestClock())))
    recorder.start()
    made.record(made.say(random.Random(1), 20))
    yield made
    recorder.stop()


def facts(made: Street) -> Sums:
    """What the counts must be: each fact looked at by itself."""
    sums: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0] * len(MEASURES))
    for counted in _counted(made):
        for dimension, value in zip(DIMENSIONS, ("", *counted[3:]), strict=True):
            sums[dimension, value, counted.starts][MEASURES.index(counted.measure)] += 1
    return {key: tuple(counts) for key, counts in sums.items()}


_NOBODY = Referral()


def _counted(made: Street) -> list[Counted]:
    mine = made.merchant
    found: list[Counted | None] = []
    with made.database.reading() as session:
        known = {each.referral_id: each for each in session.scalars(select(Referral).filter_by(merchant_id=mine))}
        for like in known.values():
            if like.kind == "share" or like.withdrawn_at is None:
                about = (like.product_id or like.told_product, like.wall_id or like.told_wall)
                found.append(counting.of_referral(mine, like.at, like.kind, like.network, *about))
        for visit in session.scalars(select(Visit).filter_by(merchant_id=mine)):
            via = known.get(visit.referral_id or "", _NOBODY)
            product = visit.product_id or via.product_id or via.told_product
            wall = visit.wall_id or via.wall_id or via.told_wall
            found.append(counting.of_visit(mine, visit.at, visit.type, via.network, visit.seen_from, product, wall))
        for beacon in session.scalars(select(Beacon).filter_by(merchant_id=mine)):
            via = known.get(beacon.referral_id or "", _NOBODY)
            what = (beacon.product_id, beacon.wall_id, via.kind)
            found.append(counting.of_beacon(mine, beacon.at, beacon.type, via.network, *what))
        assert not session.scalar(select(func.count()).select_from(Checkout).filter_by(merchant_id=mine))
    return [each for each in found if each is not None]


def folded(made: Street) -> Sums:
    """The quarters that stand."""
    with made.database.reading() as session:
        rows = session.scalars(select(Rollup).filter_by(merchant_id=made.merchant, span=QUARTER)).all()
    sums = {(row.dimension, row.value, row.starts): tuple(int(getattr(row, name)) for name in MEASURES) for row in rows}
    return {key: counts for key, counts in sums.items() if any(counts)}


def shown(made: Street) -> Sums:
    """The counts as reports read them, quarter by quarter, folded or not."""
    sums: Sums = {}
    with made.database.reading() as session:
        extent = reading.extent(session, made.merchant)
        periods = [] if extent is None else [(each, each + QUARTER) for each in range(*extent, QUARTER)]
        for dimension in DIMENSIONS:
            found = reading.sums(session, made.merchant, dimension, periods)
            sums |= {(dimension, value, periods[index][0]): tuple(counts) for (index, value), counts in found.items()}
    return sums


def uneven(made: Street) -> list[reckoned.Span]:
    with made.database.reading() as session:
        return reckoned.uneven(session, made.merchant)


def added_up(sums: Sums, dimension: Dimension, since: int, until: int) -> dict[str, tuple[int, ...]]:
    """`sums` of a period, by value."""
    found: dict[str, list[int]] = defaultdict(lambda: [0] * len(MEASURES))
    for (of, value, starts), counts in sums.items():
        if of == dimension and since <= starts < until:
            found[value] = [one + more for one, more in zip(found[value], counts, strict=True)]
    return {value: tuple(counts) for value, counts in found.items()}
