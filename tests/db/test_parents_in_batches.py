"""Parents found for many new referrals at once are those that each would have found alone."""

import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.kernel.ids import new_code, new_id
from app.referrals import parents, visits
from app.referrals.models import Claim, Visit
from app.referrals.service import Referred
from tests.clock import START
from tests.db.referring import Shop, done, written


def test_parents_in_a_batch_are_those_of_each_alone(database: Database) -> None:
    chance = random.Random(30)
    shop, other = Shop(database), Shop(database)
    wall = shop.wall()
    people = [(each, each.visitor()) for each in (shop, other) for _ in range(8)]
    shares = _shares(database, shop, other)
    vias: list[str | None] = [None, "clk_", "123456789", new_code(), "x" * 64]
    with database.transaction() as session:
        for each, person in people:
            for _ in range(chance.choice((0, 0, 1, 6))):
                visit = visits.NewVisit(
                    merchant_id=each.merchant,
                    visit_id=new_id("clk", each.merchant, START),
                    referral_id=chance.choice(shares[each.merchant]).referral.referral_id,
                    type="click",
                    product_id=chance.choice([None, *each.products]),
                    wall_id=chance.choice([None, wall if each is shop else None]),
                    seen_from=None,
                    at=START - timedelta(days=chance.choice((0, 1, 29, 30, 31, -1)), seconds=chance.choice((0, 1))),
                )
                visits.write(session, [visit])
                vias.append(visit.visit_id)
                if chance.random() < 0.8:
                    ids = {"merchant_id": each.merchant, "visit_id": visit.visit_id, "claimed_id": visit.visit_id}
                    session.add(Claim(**ids, visitor_id=person, at=START, received_at=START))
    vias += [share.referral.code for each in shares.values() for share in each]
    newcomers = [
        replace(
            each.share(person, product, wall if each is shop and on_wall else None),
            via=chance.choice(vias),
            at=START + timedelta(days=chance.choice((0, 1, 2)), microseconds=chance.choice((0, 1))),
        )
        for each, person in people
        for product in (None, *each.products)
        for on_wall in (False, True)
    ]
    windows = {shop.merchant: timedelta(days=29), other.merchant: timedelta(days=31)}
    with database.reading() as session:
        at_once = parents.infer(session, newcomers, lambda *_: windows)
        one_by_one = [parents.infer(session, [newcomer], lambda *_: windows)[0] for newcomer in newcomers]
    assert one_by_one == at_once
    assert 20 < sum(each is None for each in at_once) < len(at_once) - 20


def test_each_merchants_window_is_its_own(database: Database) -> None:
    shops = [Shop(database), Shop(database)]
    came = [_come(database, shop, START - timedelta(days=10)) for shop in shops]
    newcomers = [shop.share(visitor, shop.products[0]) for shop, (visitor, _) in zip(shops, came, strict=True)]
    asked = []

    def windows(_: Session, merchants: Collection[int], at: datetime) -> Mapping[int, timedelta]:
        asked.append((set(merchants), at))
        return {shops[0].merchant: timedelta(days=9), shops[1].merchant: timedelta(days=10)}

    with database.reading() as session:
        found = parents.infer(session, newcomers, windows)

    assert [None, came[1][1]] == found
    assert [({shop.merchant for shop in shops}, START)] == asked


def test_who_says_nothing_of_windows_has_the_usual_one(database: Database) -> None:
    shop = Shop(database)
    (old, _), (new, link) = _come(database, shop, START - timedelta(days=31)), _come(database, shop, START)
    with database.reading() as session:
        assert [None, link] == parents.infer(session, [shop.share(old), shop.share(new)])
        assert [] == parents.infer(session, [])


@pytest.mark.parametrize(
    ("kind", "known", "is_parent"),
    [
        ("click", True, True),
        ("like", True, True),
        ("view", True, False),
        ("direct", True, False),
        ("click", False, False),
    ],
)
def test_only_who_came_through_a_known_referral_has_a_parent(
    database: Database, kind: str, known: bool, is_parent: bool
) -> None:
    """Other systems tell of views and direct visits too, and of links that nobody ever told of."""
    shop = Shop(database)
    visitor, link = _come(database, shop, START, kind=kind, referral=None if known else "s-unknown")
    with database.reading() as session:
        assert [link if is_parent else None] == parents.infer(session, [shop.share(visitor, shop.products[0])])


def _come(
    database: Database, shop: Shop, at: datetime, kind: str = "click", referral: str | None = None
) -> tuple[str, str]:
    """A new visitor who came at that time, and the referral through which."""
    link = done(written(database, [shop.share(shop.visitor(), shop.products[0])]))[0].referral.referral_id
    visitor, visit = shop.visitor(), new_id("clk", shop.merchant, at)
    with database.transaction() as session:
        told = {"type": kind, "referral_id": referral or link, "imported": referral is not None}
        session.add(Visit(merchant_id=shop.merchant, visit_id=visit, at=at, received_at=at, **told))
        ids = {"merchant_id": shop.merchant, "visit_id": visit, "claimed_id": visit, "visitor_id": visitor}
        session.add(Claim(**ids, at=at, received_at=at))
    return visitor, referral or link


def _shares(database: Database, *shops: Shop) -> dict[int, list[Referred]]:
    return {
        each.merchant: done(written(database, [each.share(each.visitor(), product) for product in each.products * 2]))
        for each in shops
    }
