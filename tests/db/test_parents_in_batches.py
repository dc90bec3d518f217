"""Parents found for many new referrals at once are those that each would have found alone."""

import random
from dataclasses import replace
from datetime import timedelta

from app.kernel.database import Database
from app.kernel.ids import new_code, new_id
from app.referrals import parents, visits
from app.referrals.models import Claim
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
    with database.reading() as session:
        at_once = parents.infer(session, newcomers)
        one_by_one = [parents.infer(session, [newcomer])[0] for newcomer in newcomers]
    assert one_by_one == at_once
    assert 20 < sum(each is None for each in at_once) < len(at_once) - 20


def _shares(database: Database, *shops: Shop) -> dict[int, list[Referred]]:
    return {
        each.merchant: done(written(database, [each.share(each.visitor(), product) for product in each.products * 2]))
        for each in shops
    }
