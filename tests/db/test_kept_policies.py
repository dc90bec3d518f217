"""Which version of which policy divides an order, as it is read from the database."""

from datetime import datetime, timedelta

from app.attribution import policies
from app.attribution.engine import Model, Policy, Upline, UplineMode, Windows
from app.kernel.database import Database
from tests.clock import START
from tests.db.referring import Shop
from tests.db.telling import Teller

LINEAR = Policy(model=Model.LINEAR, upline=Upline(UplineMode.EQUAL))


def test_the_newest_version_that_applies_to_its_time_divides_an_order(database: Database) -> None:
    shop = Shop(database)

    def days(number: int) -> datetime:
        return START + timedelta(days=number)

    with database.transaction() as session:
        assert policies.DEFAULT == policies.kept(session, shop.merchant).current_at(START)
        teller = Teller(session, shop.merchant)
        teller.policy(LINEAR, 2, applies_from=days(5))
        teller.policy(LINEAR, 3, applies_from=days(9))
        teller.policy(LINEAR, 4, applies_from=days(7))
        kept = policies.kept(session, shop.merchant)
        assert [1, 2, 2, 4, 4] == [kept.current_at(days(day)).version for day in (4, 5, 6, 7, 10)]
        teller.policy(Policy(model=Model.FIRST_TOUCH), 5)
        teller.policy(LINEAR, 6, applies_from=days(8))
        kept = policies.kept(session, shop.merchant)
        assert [5, 5, 6] == [kept.current_at(days(day)).version for day in (0, 7, 8)]
        assert (6, LINEAR, False) == (kept.newest.version, kept.newest.policy, kept.journey_reset)


def test_of_a_policy_kept_beside_only_the_newest_version_counts(database: Database) -> None:
    shop = Shop(database)
    with database.transaction() as session:
        teller = Teller(session, shop.merchant)
        teller.policy(LINEAR, 1, "dropped")
        teller.policy(LINEAR, 2, "dropped", withdrawn_at=START)
        teller.policy(LINEAR, 1, "even")
        teller.policy(Policy(journey_reset=True), 2, "even")
        kept = policies.kept(session, shop.merchant)
        assert [("current", 1), ("even", 2)] == [each[:2] for each in kept.all_for(START)]
        assert kept.journey_reset


def test_the_click_window_is_that_of_the_policy_in_force(database: Database) -> None:
    usual, own = Shop(database), Shop(database)
    with database.transaction() as session:
        teller = Teller(session, own.merchant)
        teller.policy(Policy(windows=Windows(click=60)), 2)
        teller.policy(Policy(windows=Windows(click=90)), 3, applies_from=START)
        asked = (usual.merchant, own.merchant)
        before = policies.click_windows(session, asked, START - timedelta(microseconds=1))
        after = policies.click_windows(session, asked, START)
    assert {usual.merchant: timedelta(days=30), own.merchant: timedelta(seconds=60)} == before
    assert {usual.merchant: timedelta(days=30), own.merchant: timedelta(seconds=90)} == after
