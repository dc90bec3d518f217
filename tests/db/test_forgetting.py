"""Old beacons are forgotten in both databases, also those of before there were months; visits are kept."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.kernel import partitions
from app.kernel.database import Database
from app.kernel.forgetting import AT_ONCE
from app.referrals import keeping
from app.referrals.models import Beacon, Visit
from app.settings import Settings
from tests.conftest import NewDatabase
from tests.db.months import BEACONS, KEPT, NOW, click, ids_of, keep_up, numbers, report, write


@pytest.fixture
def either(new_database: NewDatabase) -> Iterator[Database]:
    database = Database(new_database(f"forgetting-{next(numbers)}"))
    yield database
    database.close()


def test_beacons_of_before_there_were_months_are_forgotten_row_by_row(either: Database) -> None:
    long_ago, edge = NOW - timedelta(days=3000), NOW - KEPT
    kept = [each for merchant in (1, 7) for each in report(either, NOW - timedelta(days=1), merchant=merchant)]
    report(either, long_ago, AT_ONCE + 1)
    report(either, edge - timedelta(days=32), merchant=7)
    write(either, clicked := click(long_ago))
    keep_up(either, NOW)
    assert set(kept) == ids_of(either, Beacon)
    assert {clicked} == ids_of(either, Visit)


def test_what_is_told_to_be_whole_is_whole(either: Database) -> None:
    since = keeping.beacons_kept_since(Settings(keep_beacons_days=KEPT.days), NOW)
    assert timedelta(days=399) == NOW - since
    told = report(either, since)
    keep_up(either, NOW)
    assert set(told) == ids_of(either, Beacon)


def test_it_can_be_broken_off_between_two_steps(either: Database) -> None:
    told = report(either, NOW - timedelta(days=3000), AT_ONCE * 2)

    def stop_half_way() -> None:
        if len(ids_of(either, Beacon)) < len(told):
            raise Stopped

    with pytest.raises(Stopped):
        partitions.keep_up(either, [BEACONS], NOW, stop_half_way)
    assert set(told[AT_ONCE:]) == ids_of(either, Beacon)
    partitions.keep_up(either, [BEACONS], NOW)
    assert set() == ids_of(either, Beacon)


class Stopped(Exception):
    """The worker is to end."""
