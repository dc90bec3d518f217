"""What is doubted of much that happens at once: the look that is taken each minute, and the one over a day."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, update

from app.kernel.database import Database
from app.kernel.outbox import LeaseLost
from app.kernel.periodic import PeriodicJob
from app.referrals.models import Visit
from app.referrals.service import Kind
from app.trust import evidence
from app.trust.book import Setting
from app.trust.found import About
from app.trust.rules import Do
from app.trust.sweep import NAME, OF_DAYS, Sweep
from tests.clock import TestClock
from tests.db.shady import A_MINUTE, Shady, shady

ALL = ("click_stuffing", "velocity_visits", "velocity_likes", "velocity_shares", "duplicate_sharers")


@pytest.fixture
def shop(database: Database, still_clock: TestClock, tmp_path: Path) -> Iterator[Shady]:
    with shady(database, tmp_path, still_clock) as opened:
        yield opened


def flood(shop: Shady, word: str, visits: int, devices: int, ago: timedelta = A_MINUTE) -> None:
    """So many visits of as many devices, each of a block of its own."""
    shop.visits(word, [f"{number % devices:04}-{word[-6:]}" for number in range(visits)], ago=ago)


def referrals(doubted: set[tuple[About, str, str]], rule: str) -> set[str]:
    assert {About.REFERRAL} >= {about for about, _, _ in doubted}
    return {subject for _, subject, code in doubted if code == rule}


def test_many_visits_of_few_devices_are_stuffed_and_honest_links_beside_are_not(shop: Shady) -> None:
    cheat, honest = shop.word(shop.somebody()), shop.word(shop.somebody())
    flood(shop, cheat, 100, 10)
    flood(shop, honest, 100, 100)
    shop.sweep()
    assert {(About.REFERRAL, cheat, "click_stuffing")} == shop.doubted()
    numbers = {"visits": 100, "seen": 100, "devices": 10, "claimed": 0, "visitors": 0}
    assert {"minutes": 10, **numbers} == shop.doubts()[0].evidence


def test_ninety_nine_visits_are_not_enough(shop: Shady) -> None:
    flood(shop, shop.word(shop.somebody()), 99, 10)
    shop.sweep()
    assert set() == shop.doubted()


def test_one_devices_visits_through_all_links_of_a_person_count_together(shop: Shady) -> None:
    phone, laptop = shop.somebody(), shop.somebody()
    shop.join(laptop, phone)
    words = [shop.word(phone), shop.word(laptop), shop.word(laptop, product=1)]
    for word in words:
        shop.visits(word, [f"device-{number % 10}" for number in range(34)])
    unvisited = shop.word(phone, product=2)
    shop.sweep()
    assert set(words) == referrals(shop.doubted("click_stuffing"), "click_stuffing")
    assert unvisited not in {each.subject for each in shop.doubts()}


def test_devices_of_several_links_that_are_not_the_same_are_added_up(shop: Shady) -> None:
    shop.settings(click_stuffing=Setting(Do.FLAG, {"visits": 100, "minutes": 10, "per_device": 5}))
    ana = shop.somebody()
    words = [shop.word(ana, product=number) for number in range(2)]
    for number, word in enumerate(words):  # thirteen through each, which would be few, and twenty-six together
        shop.visits(word, [f"{number}-{place % 13}" for place in range(50)])
    shop.sweep()
    assert set() == shop.doubted("click_stuffing")


def test_visits_from_everywhere_that_few_visitors_claim_are_stuffed(shop: Shady) -> None:
    word, claiming = shop.word(shop.somebody()), [shop.somebody() for _ in range(5)]
    shop.visits(word, [f"{number:04}" for number in range(100)], claiming * 20)
    shop.sweep()
    assert {word} == referrals(shop.doubted(), "click_stuffing")


def test_of_whom_nothing_is_seen_nothing_is_said(shop: Shady) -> None:
    word = shop.word(shop.somebody())
    shop.visits(word, [None] * 120)
    shop.sweep()
    assert set() == shop.doubted()


def test_what_came_before_those_minutes_does_not_count(shop: Shady) -> None:
    word = shop.word(shop.somebody())
    flood(shop, word, 60, 1, ago=timedelta(minutes=11))
    flood(shop, word, 60, 1)
    shop.sweep()
    assert set() == shop.doubted("click_stuffing")


def test_visits_that_were_brought_in_do_not_count(shop: Shady) -> None:
    flood(shop, shop.word(shop.somebody()), 100, 1)
    with shop.here.database.transaction() as session:
        session.execute(update(Visit).where(Visit.merchant_id == shop.merchant).values(imported=True))
    shop.sweep()
    assert set() == shop.doubted()


def test_a_block_that_sends_more_than_sixty_to_one_link_is_doubted(shop: Shady) -> None:
    word, other = shop.word(shop.somebody()), shop.word(shop.somebody())
    shop.visits(word, [f"same{number}" for number in range(61)])
    shop.visits(other, [f"same{number}" for number in range(60)])
    shop.sweep()
    assert {(About.REFERRAL, word, "velocity_visits")} == shop.doubted()
    assert {"minutes": 10, "visits": 61} == shop.doubts()[0].evidence


@pytest.mark.parametrize(("kind", "most"), [("like", 60), ("share", 30)])
def test_a_visitor_who_makes_more_than_people_do_is_doubted(shop: Shady, kind: Kind, most: int) -> None:
    busy, quiet = shop.somebody(), shop.somebody()
    made = shop.words([busy] * (most + 1), kind)
    shop.words([quiet] * most, kind)
    shop.sweep()
    assert {(About.REFERRAL, word, f"velocity_{kind}s") for word in made} == shop.doubted()
    assert {"minutes": 10, "by_visitor": most + 1, "by_block": most + 1} == shop.doubts()[0].evidence


def test_so_is_a_block_whoever_makes_them(shop: Shady) -> None:
    shop.settings(velocity_shares=Setting(Do.FLAG, {"by_visitor": 30, "by_block": 5, "minutes": 10}))
    near = shop.words([shop.somebody() for _ in range(6)], devices=[f"same{number}" for number in range(6)])
    shop.words([shop.somebody() for _ in range(5)], devices=[f"else{number}" for number in range(5)])
    shop.words([shop.somebody() for _ in range(6)])  # nobody knows from where
    shop.sweep()
    assert set(near) == referrals(shop.doubted(), "velocity_shares")


def test_what_one_look_leaves_the_next_one_finds(shop: Shady, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MOST", 20)
    busy = shop.somebody()
    made = sorted(shop.words([busy] * 31))
    shop.sweep()
    assert set(made[11:]) == referrals(shop.doubted(), "velocity_shares")
    shop.sweep()
    shop.sweep()
    assert set(made) == referrals(shop.doubted(), "velocity_shares")
    assert 31 == len(shop.doubts())


def test_three_people_who_share_the_same_from_one_device_are_doubted(shop: Shady) -> None:
    words = [shop.word(shop.somebody(), device="device-1") for _ in range(3)]
    others = [shop.word(shop.somebody(), device="device-2") for _ in range(2)]
    others += [shop.word(shop.somebody(), device="device-1", product=1), shop.word(shop.somebody())]
    shop.clock.move(hours=5)
    shop.word(shop.somebody())
    shop.sweep_days()
    assert set(words) == referrals(shop.doubted(), "duplicate_sharers")
    assert {"sharers": 3} == shop.doubts()[0].evidence
    shop.sweep_days()
    assert 3 == len(shop.doubts())


def test_one_person_who_is_known_as_such_is_not_three(shop: Shady) -> None:
    devices = [shop.somebody() for _ in range(3)]
    for each in devices:
        shop.join(each, "ana@shop")
        shop.word(each, device="device-1")
    shop.sweep_days()
    assert set() == shop.doubted()


def test_a_rule_that_is_off_does_not_look(shop: Shady) -> None:
    shop.rules(**dict.fromkeys(ALL, Do.OFF))
    busy = shop.somebody()
    kinds: tuple[Kind, ...] = ("like", "share")
    words = [word for kind in kinds for word in shop.words([busy] * 61, kind, ["same-device"] * 61)]
    flood(shop, words[0], 100, 1)
    for _ in range(2):
        shop.word(shop.somebody(), device="same-device")
    shop.sweep()
    shop.sweep_days()
    assert set() == shop.doubted()


def test_what_goes_on_is_told_once(shop: Shady) -> None:
    word = shop.word(shop.somebody())
    flood(shop, word, 100, 1)
    for _ in range(3):
        shop.sweep()
        shop.clock.move(seconds=61)
        flood(shop, word, 10, 1)
    assert 1 == len(shop.doubts("click_stuffing"))


def test_a_merchant_who_left_or_has_nothing_new_is_not_looked_at(shop: Shady) -> None:
    flood(shop, shop.word(shop.somebody()), 100, 1, ago=timedelta(minutes=9))
    shop.close(shop.clock.now())
    shop.sweep()
    shop.close(None)
    shop.clock.move(minutes=5)
    shop.sweep()
    assert set() == shop.doubted()


def test_the_time_in_which_nobody_looked_is_looked_at_later(shop: Shady) -> None:
    word = shop.word(shop.somebody())
    finished(shop, NAME)
    shop.clock.move(minutes=20)
    flood(shop, word, 100, 1)
    shop.clock.move(minutes=30)
    shop.sweep()
    assert {word} == referrals(shop.doubted(), "click_stuffing")


def test_it_is_not_looked_at_for_ever(shop: Shady) -> None:
    word = shop.word(shop.somebody())
    finished(shop, NAME)
    shop.clock.move(minutes=20)
    flood(shop, word, 100, 1)
    shop.clock.move(hours=5)
    shop.sweep()
    assert set() == shop.doubted()


def test_a_look_that_is_broken_off_leaves_what_it_found(shop: Shady) -> None:
    flood(shop, shop.word(shop.somebody()), 100, 1)

    def stop() -> None:
        raise LeaseLost

    with pytest.raises(LeaseLost):
        Sweep(shop.here).minutes(stop)
    assert set() == shop.doubted()


def test_one_merchants_trouble_is_not_the_others(
    shop: Shady, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood(shop, shop.word(shop.somebody()), 100, 1)
    judged = evidence.tallies

    def troubled(session: object, merchant: int, span: evidence.Span) -> object:
        if merchant == shop.merchant:
            raise ValueError
        return judged(session, merchant, span)  # type: ignore[arg-type]

    monkeypatch.setattr(evidence, "tallies", troubled)
    with shady(database, tmp_path, shop.clock) as other:
        word = other.word(other.somebody())
        flood(other, word, 100, 1)
        shop.sweep()
        assert {word} == referrals(other.doubted("click_stuffing"), "click_stuffing")
    assert set() == shop.doubted()


def test_a_look_takes_no_more_statements_where_more_merchants_are_asleep(
    shop: Shady, database: Database, tmp_path: Path
) -> None:
    flood(shop, shop.word(shop.somebody()), 100, 1)
    shop.sweep()
    few = statements(shop)
    for _ in range(5):
        with shady(database, tmp_path, shop.clock):
            pass
    assert few == statements(shop)


def statements(shop: Shady) -> int:
    said: list[str] = []

    def say(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(shop.here.database.engine, "before_cursor_execute", say)
    shop.sweep()
    shop.sweep_days()
    event.remove(shop.here.database.engine, "before_cursor_execute", say)
    return len(said)


def finished(shop: Shady, name: str) -> None:
    """As if that had just been done."""
    now = shop.clock.now()
    with shop.here.database.transaction() as session:
        session.merge(PeriodicJob(name=name, due_at=now, turn=1, finished_at=now, error=None))


@pytest.fixture(autouse=True)
def _nothing_was_done_before(shop: Shady) -> None:
    with shop.here.database.transaction() as session:
        for name in (NAME, OF_DAYS):
            if (job := session.get(PeriodicJob, name)) is not None:
                session.delete(job)
