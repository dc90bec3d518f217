"""The funnel of several dimensions against that of each of them: whatever is summed away, the same is left."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.kernel.database import Database
from app.kernel.rollups.reading import Counts
from app.kernel.signing import Signer
from app.referrals.bringing import PastIdentity
from app.referrals.models import Beacon, Identity, Referral, Visit
from app.reports import funnel
from app.reports.funnel import Report
from app.reports.funnel_asked import BY, SHARER, Question
from app.reports.funnel_counts import added, counted
from app.simulation.making import simulate
from app.simulation.options import Options
from tests.clock import START
from tests.conftest import NewDatabase
from tests.db.counted import Street, street
from tests.soak import SOAK

Table = dict[tuple[str, ...], Counts]
PARIS = ZoneInfo("Europe/Paris")
NARROW: tuple[str, ...] = ("day", *BY)
PAIRS = list(combinations(BY, 2))
SEEDS = range(20) if SOAK else (1,)


def asked(merchant_id: int, *group_by: str, **more: object) -> Question:
    about = Question(
        merchant_id=merchant_id,
        since=START - timedelta(days=400),
        until=START + timedelta(days=3),
        zone=PARIS,
        livemode=True,
        as_of=START + timedelta(days=3),
        own_currency="eur",
        beacons_since=START - timedelta(days=999),
        group_by=group_by,
    )
    return replace(about, **more)  # type: ignore[arg-type]


def table(database: Database, question: Question) -> Table:
    with database.reading() as session:
        return dict(counted(session, question).counts)


def summed(found: Table, *places: int) -> Table:
    """The table with only the names at these places."""
    sums: Table = defaultdict(Counts)
    for names, counts in found.items():
        kept = tuple(names[place] for place in places)
        sums[kept] = added(sums[kept], counts)
    return dict(sums)


@pytest.fixture(params=SEEDS, ids=[f"seed {seed}" for seed in SEEDS])
def world(request: pytest.FixtureRequest, database: Database) -> Iterator[Street]:
    """Two days of all that is counted, of ours and of another system's; some of it is taken back, some not folded."""
    chance = random.Random(request.param)
    with street(database) as made:
        made.record([*made.come(chance, 60), *made.say(chance, 30), *made.look(chance, 60)])
        for name in ("one", "two", "three"):
            made.bring(made.past(chance, name, 15))
        made.folding().fold_all()
        made.take_back(made.likes[0])
        made.record([*made.come(chance, 20), *made.look(chance, 20)])
        made.bring(
            [
                PastIdentity("one-by", "Ana", START, START),
                PastIdentity("two-by", "Bo", START, START),
                PastIdentity("two-by", "Ana", START + timedelta(seconds=1), START + timedelta(seconds=1)),
            ]
        )
        yield made


def test_two_dimensions_summed_over_one_are_the_other(world: Street) -> None:
    database, mine = world.database, world.merchant
    narrow = {name: table(database, asked(mine, name)) for name in NARROW}
    total = table(database, asked(mine))
    for one, other in PAIRS:
        found = table(database, asked(mine, one, other))
        assert narrow[one] == summed(found, 0), (one, other)
        assert narrow[other] == summed(found, 1), (one, other)
        assert total == summed(found)
    for name in BY:
        found = table(database, asked(mine, SHARER, name))
        assert narrow[name] == summed(found, 1)
        assert table(database, asked(mine, SHARER)) == summed(found, 0)
    everything = table(database, asked(mine, *NARROW, SHARER))
    for place, one_of_all in enumerate(NARROW):
        assert narrow[one_of_all] == summed(everything, place), one_of_all


def test_a_filter_of_another_dimension_leaves_its_part_of_the_table(world: Street) -> None:
    database, mine = world.database, world.merchant
    for one, other in PAIRS if SOAK else PAIRS[::4]:
        found = table(database, asked(mine, one, other))
        value = sorted({names[1] for names in found})[0]
        inside = {names: counts for names, counts in found.items() if names[1] == value}
        outside = {names: counts for names, counts in found.items() if names[1] != value}
        assert summed(inside, 0) == table(database, asked(mine, one, only={other: [value]})), (one, other)
        assert summed(outside, 0) == table(database, asked(mine, one, without={other: [value]})), (one, other)
        both = asked(mine, only={other: [value]}, without={one: ["x"]})
        assert summed({names: each for names, each in inside.items() if names[0] != "x"}) == table(database, both)


def test_people_have_what_came_of_their_word_as_counted_by_hand(world: Street) -> None:
    said, mine = {"one-by": "Ana", "two-by": "Ana"}, world.merchant
    expected: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    with world.database.reading() as session:
        assert 3 == len(session.scalars(select(Identity).filter_by(merchant_id=mine)).all())
        referrals = {each.referral_id: each for each in session.scalars(select(Referral).filter_by(merchant_id=mine))}
        whose = {name: said.get(each.visitor_id, each.visitor_id) for name, each in referrals.items()}
        for referral in referrals.values():
            if referral.kind == "share" or referral.withdrawn_at is None:
                expected[whose[referral.referral_id]][f"{referral.kind}s"] += 1
        for visit in session.scalars(select(Visit).filter_by(merchant_id=mine)):
            if visit.type in ("click", "like"):
                expected[whose.get(visit.referral_id or "", "(none)")]["visits"] += 1
        for beacon in session.scalars(select(Beacon).filter_by(merchant_id=mine)):
            expected[whose.get(beacon.referral_id or "", "(none)")][f"{beacon.type}s"] += 1
    found = table(world.database, asked(mine, SHARER))
    assert {(name,): Counts(**counts) for name, counts in expected.items()} == found
    of_ana = {(): found["Ana",]}
    assert of_ana == table(world.database, asked(mine, only={SHARER: ["Ana"]}))
    assert of_ana == summed(table(world.database, asked(mine, "network", "kind", only={SHARER: ["Ana"]})))
    others = table(world.database, asked(mine, SHARER, without={SHARER: ["Ana", "(none)"]}))
    assert {names: counts for names, counts in found.items() if names[0] not in ("Ana", "(none)")} == others


def test_a_part_of_the_time_is_counted_to_the_quarter(world: Street) -> None:
    quarter, mine = timedelta(minutes=15), world.merchant
    chance = random.Random(5)
    for _ in range(8):
        since = START + quarter * chance.randrange(150)
        period = {"since": since, "until": since + quarter * chance.randrange(1, 60)}
        for group_by in (("network",), ("day", "kind"), ("product", "week", "month")):
            found = table(world.database, asked(mine, *group_by, SHARER, **period))
            assert table(world.database, asked(mine, *group_by, **period)) == summed(found, *range(len(group_by)))


@pytest.fixture(scope="module")
def year(new_database: NewDatabase) -> Iterator[tuple[Database, int]]:
    """A world with orders, checkouts, and changes of the clock."""
    database = Database(new_database("funnels"))
    options = Options(until=START.date(), seed=9, merchants=1, facts=2_500, days=150, orders=120)
    yield database, simulate(database, Signer(b"secret of the tests"), options).merchants[0].merchant_id
    database.close()


def rows_of(report: Report, *places: int) -> dict[tuple[str, ...], tuple[Counts, int]]:
    """Counts and net by the names at these places, in euros."""
    sums: dict[tuple[str, ...], tuple[Counts, int]] = defaultdict(lambda: (Counts(), 0))
    for names, currency, step in report.rows:
        if currency == "eur":
            values = tuple(names.values())
            kept = tuple(values[place] for place in places)
            sums[kept] = added(sums[kept][0], step.counts), sums[kept][1] + step.net
    return dict(sums)


def test_counts_and_net_of_a_simulated_world_are_the_same_however_they_are_cut(year: tuple[Database, int]) -> None:
    database, mine = year
    with database.reading() as session:
        narrow = {name: funnel.answer(session, asked(mine, name)) for name in (*BY, "day", "month", SHARER)}
        total = narrow["network"].totals["eur"]
        assert total.counts.checkouts > 0
        assert total.net > 0
        for one, other in combinations(narrow, 2):
            both = funnel.answer(session, asked(mine, one, other))
            assert narrow[one].totals == both.totals
            assert rows_of(narrow[one], 0) == rows_of(both, 0), (one, other)
            assert rows_of(narrow[other], 0) == rows_of(both, 1), (one, other)
            assert {(): (total.counts, total.net)} == rows_of(both)
