"""Beacons are kept while what they name stands, and each is counted in the transaction in which it is kept."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from app.catalog import service as catalog
from app.kernel.clock import to_micros
from app.kernel.database import Database
from app.kernel.recorder import Recorder
from app.kernel.rollups.tables import QUARTER, RollupDelta
from app.referrals import beacons
from app.referrals.beacons import Keeper, NewBeacons, Report, Shown, Subject
from app.referrals.models import Beacon
from app.walls import service as walls
from tests.clock import START
from tests.db.referring import Shop
from tests.threads import together

NOW = to_micros(START)


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


def about(shop: Shop, product: str | None = None, wall: str | None = None, card: Shown | None = None) -> Subject:
    return Subject(shop.merchant, "card_view", wall, product, card)


def told(*subjects: Subject, at: int = NOW) -> NewBeacons:
    return NewBeacons(tuple(Report(subject, None, None, at) for subject in subjects), START)


def write(database: Database, keeper: Keeper, *facts: NewBeacons) -> list[list[bool]]:
    with database.transaction() as session:
        return keeper.write(session, facts)


def kept(database: Database, shop: Shop) -> int:
    with database.reading() as session:
        found = select(func.count()).select_from(Beacon).where(Beacon.merchant_id == shop.merchant)
        return session.scalar(found) or 0


def counted(database: Database, shop: Shop, dimension: str) -> dict[tuple[str, int], int]:
    """Cards seen, by value and quarter after the start."""
    mine = (RollupDelta.merchant_id == shop.merchant) & (RollupDelta.dimension == dimension)
    first = NOW - NOW % QUARTER
    with database.reading() as session:
        sums = select(RollupDelta.value, RollupDelta.starts, func.sum(RollupDelta.card_views)).where(mine)
        rows = session.execute(sums.group_by(RollupDelta.value, RollupDelta.starts)).all()
    return {(value, (starts - first) // QUARTER): int(count) for value, starts, count in rows}


def withdraw(database: Database, shop: Shop, product: str) -> None:
    with database.transaction() as session:
        catalog.withdraw(catalog.get(session, shop.merchant, product), START)


def test_only_what_names_what_is_there_is_kept_and_counted(database: Database, shop: Shop) -> None:
    stranger, wall = Shop(database), shop.wall()
    mug, other = shop.products[:2]
    good = [about(shop, mug), about(shop, mug, wall), about(shop, None, wall)]
    bad = [about(shop, stranger.products[0]), about(shop, "prod_none", wall), about(shop, mug, "wall_none")]
    facts = [told(good[0], bad[0], good[1]), told(*bad), told(good[2], about(stranger, stranger.products[0]))]
    expected = [[True, False, True], [False] * 3, [True, True]]
    assert expected == write(database, Keeper(), *facts)
    assert (3, 1) == (kept(database, shop), kept(database, stranger))
    assert {("", 0): 3} == counted(database, shop, "total")
    assert {(mug, 0): 2, ("", 0): 1} == counted(database, shop, "product")
    assert {(wall, 0): 2, ("", 0): 1} == counted(database, shop, "wall")
    assert other not in {value for value, _ in counted(database, shop, "product")}
    assert {("", 0): 1} == counted(database, stranger, "total")


def test_a_beacon_is_counted_in_the_quarter_in_which_it_was_seen_under_whose_word_it_was(
    database: Database, shop: Shop
) -> None:
    mug = shop.products[0]
    card = Shown(shop.merchant, "ref_1", mug, None, "share", "mastodon", False)
    first = NOW - NOW % QUARTER
    for at in (first, first + QUARTER - 1, first - 1):
        write(database, Keeper(), told(about(shop, mug, None, card), about(shop, mug), at=at))
    seen = {("mastodon", 0): 2, ("mastodon", -1): 1, ("", 0): 2, ("", -1): 1}
    assert seen == counted(database, shop, "network")
    assert {("share", 0): 2, ("share", -1): 1, ("", 0): 2, ("", -1): 1} == counted(database, shop, "kind")
    assert {("", 0): 4, ("", -1): 2} == counted(database, shop, "total")


def test_what_was_withdrawn_is_refused_within_a_second_and_what_is_new_is_known_at_once(
    database: Database, shop: Shop
) -> None:
    keeper, (mug, new, gone), wall = Keeper(), shop.products, shop.wall()
    withdraw(database, shop, gone)
    assert [[True, False]] == write(database, keeper, told(about(shop, mug, wall), about(shop, gone)))
    assert [[True]] == write(database, keeper, told(about(shop, new)))
    withdraw(database, shop, mug)
    with database.transaction() as session:
        walls.withdraw(session, walls.get(session, shop.merchant, wall), START)
    time.sleep(beacons.FRESH_FOR)
    found = write(database, keeper, told(about(shop, mug), about(shop, None, wall), about(shop, new)))
    assert [[False, False, True]] == found


def test_what_is_named_again_and_again_is_asked_once_a_second(database: Database, shop: Shop) -> None:
    asked: list[str] = []
    keeper, wall = Keeper(), shop.wall()
    event.listen(database.engine, "before_cursor_execute", lambda *about: asked.append(about[2]))
    for _ in range(3):
        write(database, keeper, told(*(about(shop, product, wall) for product in shop.products)))
    assert 1 == sum("FROM products" in statement or "JOIN products" in statement for statement in asked), asked
    assert 1 == sum("JOIN walls" in statement for statement in asked)
    assert 9 == kept(database, shop)


def test_what_stands_is_kept_however_much_that_never_was_is_named_beside_it(
    database: Database, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beacons, "_MOST_KNOWN", 2)
    keeper = Keeper()
    for number in range(5):
        facts = told(*(about(shop, f"prod_{number}_{each}") for each in range(50)), *map(_of(shop), shop.products))
        assert [[False] * 50 + [True] * 3] == write(database, keeper, facts)
    assert 15 == kept(database, shop)


def _of(shop: Shop) -> Callable[[str], Subject]:
    return lambda product: about(shop, product)


def test_two_who_write_at_once_lose_and_invent_nothing(database: Database, shop: Shop) -> None:
    keeper = Keeper()
    subjects = [about(shop, product) for product in shop.products]

    def storm() -> int:
        return sum(sum(write(database, keeper, told(*subjects * 10))[0]) for _ in range(10))

    assert [300, 300, 300] == list(together(storm, storm, storm))
    assert 900 == kept(database, shop)
    assert {("", 0): 900} == counted(database, shop, "total")


def test_what_fails_is_not_counted(database: Database, shop: Shop) -> None:
    async def record(facts: Sequence[NewBeacons]) -> list[list[bool] | BaseException]:
        recorder = Recorder(database)
        recorder.register(NewBeacons, Keeper().write)
        waiting = [asyncio.ensure_future(recorder.record(fact)) for fact in facts]
        await asyncio.sleep(0)  # all of them are one batch
        recorder.start()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        recorder.stop()
        return answers

    good = about(shop, shop.products[0])
    broken = NewBeacons((Report(good, object(), None, NOW),), START)  # type: ignore[arg-type]
    first, second, third = asyncio.run(record([told(good), broken, told(good, good)]))
    assert ([True], [True, True]) == (first, third)
    assert isinstance(second, Exception)
    assert 3 == kept(database, shop)
    assert {("", 0): 3} == counted(database, shop, "total")


def test_a_beacon_weighs_what_it_holds(shop: Shop) -> None:
    assert 3 == told(*map(_of(shop), shop.products)).weight


@pytest.mark.parametrize(
    ("said", "expected"), [(-2 * 86_400, -86_400), (-86_400, -86_400), (-60, -60), (0, 0), (60, 0)]
)
def test_a_time_is_believed_between_a_day_ago_and_now(said: int, expected: int) -> None:
    assert NOW + expected * 1_000_000 == beacons.believed(NOW + said * 1_000_000, NOW)
    assert timedelta(seconds=86_400) == beacons.BELIEVED_FOR
