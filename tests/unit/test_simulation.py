"""Worlds as they are decided, before any database: the same each time, as large as was asked, and possible."""

import hashlib
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.kernel.clock import from_micros
from app.kernel.ids import is_code, is_of
from app.referrals.parents import WINDOW, Arrival, choose
from app.simulation import seasons, shops
from app.simulation.columns import LIKE
from app.simulation.life import Day, Life
from app.simulation.options import Impossible, Options
from app.simulation.seasons import label

UNTIL = date(2026, 3, 2)
SMALL = Options(until=UNTIL, merchants=1, facts=4_000, days=60, orders=500)


def lived(options: Options, merchant_id: int = 3) -> list[Day]:
    """The first merchant's days."""
    shop = shops.furnished(options.seed, 0, merchant_id, 0)
    spans = list(seasons.days(options, shop.zone))
    life = Life(options.seed, shop, spans[-1].end, options.livemode)
    quotas = seasons.quotas(options, options.facts, options.sold)
    return [life.live(span, quota) for span, quota in zip(spans, quotas, strict=True)]


def digest(days: list[Day]) -> str:
    """Of everything that happens."""
    told = hashlib.sha256()
    for day in days:
        for columns in (day.referrals, day.visits, day.views, day.beacons, day.machines):
            told.update(repr([column.tolist() for column in columns]).encode())
        told.update(repr([day.span, day.sales, day.checkouts, day.coupons, day.identities]).encode())
    return told.hexdigest()


@pytest.fixture(scope="module")
def days() -> list[Day]:
    return lived(SMALL)


def test_the_same_seed_makes_the_same_world(days: list[Day]) -> None:
    assert digest(days) == digest(lived(SMALL))


def test_another_seed_makes_another_world(days: list[Day]) -> None:
    assert digest(days) != digest(lived(replace(SMALL, seed=8)))


def test_a_world_does_not_depend_on_the_process(days: list[Day]) -> None:
    program = "from tests.unit.test_simulation import *; print(digest(lived(SMALL)))"
    environment = {**os.environ, "PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}
    said = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert digest(days) == said.stdout.strip()


@pytest.mark.parametrize("facts", [1, 2, 3, 17, 333, 4_000])
def test_there_are_as_many_facts_and_orders_as_were_asked_for(facts: int) -> None:
    made = lived(replace(SMALL, facts=facts, orders=7))

    assert facts == sum(len(day.visits.at) + len(day.referrals.at) + len(day.beacons.at) for day in made)
    assert 7 == sum(len(day.sales) for day in made)


def test_days_are_those_of_the_merchants_time_zone(days: list[Day]) -> None:
    zone = ZoneInfo("Europe/Paris")
    for day in days:
        times = [at for facts in (day.visits, day.referrals, day.beacons) for at in facts.at.tolist()]
        assert {day.span.date} == {from_micros(at).astimezone(zone).date() for at in times}


def test_the_days_on_which_clocks_are_changed_are_shorter_and_longer() -> None:
    year = Options(until=date(2026, 12, 1), days=330, facts=1)
    hours = {str(day.date): (day.end - day.start) // (3600 * seasons.SECOND) for day in _days(year, "Europe/Paris")}

    assert (23, 25) == (hours["2026-03-29"], hours["2026-10-25"])
    assert {24} == {length for day, length in hours.items() if day not in ("2026-03-29", "2026-10-25")}


def _days(options: Options, zone: str) -> list[seasons.Span]:
    return list(seasons.days(options, ZoneInfo(zone)))


def test_more_is_bought_before_christmas_than_on_a_monday_in_may() -> None:
    year = Options(until=date(2026, 12, 31), days=365, facts=365_000, merchants=1)
    facts = dict(zip((span.date for span in _days(year, "UTC")), seasons.quotas(year, 365_000, 3650), strict=True))

    assert sum(facts[date(2026, 12, 19)]) > 2 * sum(facts[date(2026, 5, 4)])


def test_ids_and_codes_have_the_shapes_of_live_ones(days: list[Day]) -> None:
    day = days[-1]
    assert all(is_of(each, 3, "clk") for each in day.visits.id)
    assert all(is_of(each, 3, "ref") for each in day.referrals.id)
    assert all(is_of(each, 3, "bcn") for each in day.beacons.id)
    assert all(is_code(each) for each in day.referrals.code)


def test_nothing_is_called_twice_the_same(days: list[Day]) -> None:
    for columns in ("visits", "referrals", "beacons"):
        ids = [each for day in days for each in getattr(day, columns).id]
        assert len(ids) == len(set(ids))
    codes = [each for day in days for each in day.referrals.code]
    assert len(codes) == len(set(codes))


def test_no_like_or_share_stands_already(days: list[Day]) -> None:
    """As the unique index of standing referrals has it."""
    whats = [
        what for day in days for what in zip(*(getattr(day.referrals, name).tolist() for name in _WHAT), strict=True)
    ]
    assert len(whats) == len(set(whats))


_WHAT = ("visitor", "kind", "product", "wall", "network")


def test_the_parent_of_each_referral_is_the_one_that_would_be_inferred(days: list[Day]) -> None:
    arrivals: dict[str, list[Arrival]] = defaultdict(list)
    for day in days:
        for referral, product, wall, at, visit, visitor in zip(
            *(getattr(day.visits, name).tolist() for name in ("referral", "product", "wall", "at", "id", "visitor")),
            strict=True,
        ):
            if visitor is not None:
                arrivals[visitor].append(Arrival(referral, str(product or ""), str(wall or ""), from_micros(at), visit))
    children = 0
    for day in days:
        for visitor, product, wall, at, parent in zip(
            *(getattr(day.referrals, name).tolist() for name in ("visitor", "product", "wall", "at", "parent")),
            strict=True,
        ):
            what = {"product_id": str(product or "") or None, "wall_id": str(wall or "") or None}
            assert parent == choose(arrivals[visitor], **what, now=from_micros(at), window=WINDOW)
            children += parent is not None
    assert children > 100


def test_trees_grow_deep_and_a_few_links_are_followed_by_very_many(days: list[Day]) -> None:
    followed: dict[str, int] = defaultdict(int)
    for day in days:
        for referral in day.visits.referral:
            followed[referral] += 1
    deepest = max(int(day.referrals.depth.max(initial=0)) for day in days)
    counts = sorted(followed.values(), reverse=True)

    assert deepest >= 3
    assert counts[0] > 10 * counts[len(counts) // 2]


def test_every_story_is_told(days: list[Day]) -> None:
    sales = [sale for day in days for sale in day.sales]

    assert {"(direct)"} < {sale.source.network for sale in sales}
    assert {None, "like", "share"} == {sale.source.kind for sale in sales}
    assert {True, False} == {sale.livemode for sale in sales}
    assert {"eur", "usd"} == {sale.currency for sale in sales}
    assert {True, False} == {sale.coupon is not None for sale in sales}
    assert {"refund", "chargeback"} == {each.reason for sale in sales for each in sale.taken_back}
    assert any(day.identities for day in days)


def test_never_more_is_taken_back_than_was_sold(days: list[Day]) -> None:
    for sale in (sale for day in days for sale in day.sales):
        counting = [each for each in sale.taken_back if each.dropped_at is None]
        assert all(each.amount > 0 and each.at > sale.at for each in sale.taken_back)
        assert 0 <= sum(each.amount for each in counting) <= sale.net == sum(line.amount for line in sale.lines)


def test_likes_that_are_taken_back_are_never_followed(days: list[Day]) -> None:
    gone = {
        each
        for day in days
        for each, at in zip(day.referrals.id.tolist(), day.referrals.withdrawn_at.tolist(), strict=True)
        if at is not None
    }
    assert gone
    assert {LIKE} == {int(kind) for day in days for kind in day.referrals.kind[day.referrals.withdrawn_at != None]}  # noqa: E711
    assert not gone & {referral for day in days for referral in day.visits.referral}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"merchants": 0}, "--merchants"),
        ({"merchants": 1_001}, "--merchants"),
        ({"facts": 0}, "--facts"),
        ({"facts": -5}, "--facts"),
        ({"days": 0}, "--days"),
        ({"days": 3_661}, "--days"),
        ({"orders": -1}, "--orders"),
        ({"until": date(1999, 1, 1)}, "--until"),
        ({"until": date(2000, 1, 10)}, "--until"),
        ({"batch": 0}, "batch"),
    ],
)
def test_impossible_worlds_are_refused(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(Impossible, match=named):
        replace(SMALL, **wrong)  # type: ignore[arg-type]


def test_weeks_begin_on_monday_and_months_on_their_first() -> None:
    sunday = date(2026, 3, 1)

    assert ("2026-02-23", "2026-03-01", "2026-03-01") == tuple(label(sunday, unit) for unit in ("week", "month", "day"))
    assert "2026-03-02" == label(sunday + timedelta(days=1), "week")
