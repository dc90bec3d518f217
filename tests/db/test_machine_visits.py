"""Counts of machines' visits: they add up, whoever writes them at once, and nobody waits or fails because of them."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.kernel.recorder import Fact, Recorder
from app.referrals import machine_visits
from app.referrals.machine_visits import MOST_AT_ONCE, MachineCounter, MachinesCame
from app.referrals.models import MachineVisits, Referral
from tests.clock import START
from tests.db.referring import Shop
from tests.threads import together

DAY = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


@contextmanager
def recording(database: Database, capacity: int = 20_000) -> Iterator[Recorder]:
    recorder = Recorder(database, capacity=capacity)
    recorder.register(MachinesCame, machine_visits.write)
    recorder.start()
    yield recorder
    recorder.stop()


def counts(database: Database, shop: Shop) -> dict[tuple[str, str, str], int]:
    """Visits by referral, kind and machine."""
    with database.reading() as session:
        rows = session.scalars(select(MachineVisits).where(MachineVisits.merchant_id == shop.merchant)).all()
    return {(row.referral_id, row.kind, row.machine): row.visits for row in rows}


def referral(shop: Shop, name: str = "ref_1") -> Referral:
    return Referral(merchant_id=shop.merchant, referral_id=name)


def came(shop: Shop, number: int, visits: int = 1) -> MachinesCame:
    return MachinesCame(shop.merchant, DAY, f"ref_{number}", "crawler", "googlebot", visits)


def test_counts_of_a_day_add_up_in_one_row_and_days_begin_at_midnight_in_utc(database: Database, shop: Shop) -> None:
    async def count() -> None:
        with recording(database) as recorder:
            counter = MachineCounter(recorder)
            late = datetime(2026, 3, 2, 23, 59, 59, 999_999, tzinfo=UTC)
            for at in (DAY, START, late, late + timedelta(microseconds=1)):
                counter.count(referral(shop), "preview", "slack", at)
                await counter.settle()

    asyncio.run(count())
    with database.reading() as session:
        mine = select(MachineVisits.day, MachineVisits.visits).where(MachineVisits.merchant_id == shop.merchant)
        assert [(DAY, 3), (DAY + timedelta(days=1), 1)] == [tuple(row) for row in session.execute(mine.order_by("day"))]


def test_batches_that_meet_in_the_same_rows_lose_nothing_and_do_not_wait_for_each_other(
    database: Database, shop: Shop
) -> None:
    def write(numbers: list[int]) -> None:
        for _ in range(10):
            with database.transaction() as session:
                machine_visits.write(session, [came(shop, number) for number in numbers])

    upwards, downwards = list(range(20)), list(reversed(range(20)))
    together(lambda: write(upwards), lambda: write(downwards), lambda: write(upwards), lambda: write(downwards))
    assert {40} == set(counts(database, shop).values())
    assert 20 == len(counts(database, shop))


@dataclass(frozen=True)
class Other(Fact[None]):
    """A fact of another kind."""


def test_kinds_of_facts_are_written_in_the_same_order_whatever_came_first(database: Database) -> None:
    written: list[str] = []

    def writer(name: str) -> Callable[[Session, Sequence[Fact[None]]], list[None]]:
        def write(_: Session, facts: Sequence[Fact[None]]) -> list[None]:
            written.append(name)
            return [None] * len(facts)

        return write

    async def record() -> None:
        recorder = Recorder(database)
        recorder.register(Other, writer("other"))
        recorder.register(MachinesCame, writer("machines"))
        facts = [MachinesCame(1, DAY, "ref_1", "crawler", "other"), Other(), MachinesCame(1, DAY, "x", "crawler", "y")]
        waiting = [asyncio.create_task(recorder.record(fact)) for fact in facts]
        await asyncio.sleep(0)  # all are queued before the first batch begins
        recorder.start()
        await asyncio.gather(*waiting)
        recorder.stop()

    asyncio.run(record())
    assert ["other", "machines"] == written


def test_a_storm_takes_few_places_in_the_queue_and_each_is_counted(database: Database, shop: Shop) -> None:
    async def storm() -> None:
        with recording(database, capacity=20) as recorder:
            counter = MachineCounter(recorder)
            for number in range(5_000):
                counter.count(referral(shop), "crawler", "googlebot", START)
                if number % 500 == 0:
                    await asyncio.sleep(0)
            await counter.settle()

    asyncio.run(storm())
    assert {("ref_1", "crawler", "googlebot"): 5_000} == counts(database, shop)


def test_what_is_too_much_is_dropped_and_said_once(
    database: Database, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    async def storm() -> None:
        with recording(database) as recorder:
            counter = MachineCounter(recorder)
            for number in range(MOST_AT_ONCE + 100):
                counter.count(referral(shop, f"ref_{number}"), "crawler", "other", START)
            counter.count(referral(shop, "ref_0"), "crawler", "other", START)  # which waits already
            await counter.settle()

    with caplog.at_level(logging.WARNING):
        asyncio.run(storm())
    found = counts(database, shop)
    assert MOST_AT_ONCE == len(found)
    assert 2 == found["ref_0", "crawler", "other"]
    assert 1 == len([record for record in caplog.records if "machines are not counted" in record.message])


def test_where_counting_fails_nothing_else_does_and_it_goes_on_when_it_can(
    database: Database, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    def rename(before: str, after: str) -> None:
        with database.transaction() as session:
            session.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))

    async def count() -> None:
        with recording(database) as recorder:
            counter = MachineCounter(recorder)
            for number in range(6):
                if number in (1, 5):
                    rename(*(("machine_visits", "away") if number == 1 else ("away", "machine_visits")))
                counter.count(referral(shop), "crawler", "other", START)
                await counter.settle()

    with caplog.at_level(logging.WARNING):
        asyncio.run(count())
    assert {("ref_1", "crawler", "other"): 2} == counts(database, shop)
    assert 1 == len([record for record in caplog.records if "machines are not counted" in record.message])


def test_a_server_that_stops_counts_no_more_and_says_so_once(
    database: Database, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    async def count() -> None:
        with recording(database) as recorder:
            counter = MachineCounter(recorder)
        for _ in range(3):
            counter.count(referral(shop), "crawler", "other", START)
            await counter.settle()

    with caplog.at_level(logging.WARNING):
        asyncio.run(count())
    assert {} == counts(database, shop)
    assert 1 == len([record for record in caplog.records if "machines are not counted" in record.message])
