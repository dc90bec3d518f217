"""Shares of pages in the database: in batches, and through a backup."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from app.kernel.database import Database
from app.referrals.models import Referral
from app.referrals.service import target_of
from tests.conftest import BACKENDS
from tests.db.backups import NewPlace, back_up, contents, filled, restore
from tests.db.referring import Shop, done, written

PAGE = "https://journal.example/slow?a=1#b"


def test_shares_of_pages_in_a_batch_are_each_the_one_that_stands(database: Database) -> None:
    shop = Shop(database)
    ana, bo = shop.visitor(), shop.visitor()
    share = replace(shop.share(ana), product_id=None, wall_id=None, address=PAGE)
    facts = [share, share, replace(share, visitor_id=bo), replace(share, address=f"{PAGE}2"), shop.share(ana)]
    outcomes = done(written(database, facts))
    assert [True, False, True, True, True] == [outcome.is_new for outcome in outcomes]
    assert outcomes[0].referral == outcomes[1].referral
    assert 4 == len({outcome.referral.code for outcome in outcomes})
    with database.reading() as session:
        kept = session.get_one(Referral, (shop.merchant, outcomes[0].referral.referral_id))
    assert (PAGE, target_of(PAGE), None, None) == (kept.address, kept.target, kept.product_id, kept.wall_id)


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_share_of_a_page_comes_back_from_a_backup(kind: str, place: NewPlace, file: Path) -> None:
    source, target = filled(place(kind), rows=0), place(kind)
    database = Database(source)
    shop = Shop(database)
    share = replace(shop.share(shop.visitor()), product_id=None, wall_id=None, address=PAGE)
    code = done(written(database, [share]))[0].referral.code
    database.close()
    back_up(source, file)
    restore(file, target)
    assert contents(source) == contents(target)
    database = Database(target)
    with database.reading() as session:
        assert [PAGE] == list(session.scalars(select(Referral.address).where(Referral.code == code)))
    database.close()
