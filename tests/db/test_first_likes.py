"""Likes and shares of visitors who were made for them: written without a look, to the same effect; and all counted."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.kernel.database import Database, table_of
from app.kernel.errors import Invalid
from app.kernel.rollups.tables import RollupDelta
from app.referrals.models import Link, Referral
from app.referrals.service import NewReferral, Referred
from tests.clock import START
from tests.db.referring import Shop, done, written

BY_CHANCE = {"referral_id", "code", "visitor_id"}


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


def first(fact: NewReferral) -> NewReferral:
    return replace(fact, is_first=True)


def kept(database: Database, shop: Shop, outcomes: Sequence[Referred]) -> list[dict[str, object]]:
    """The rows behind the outcomes, as far as they are not by chance, each with whether its link leads to it."""
    with database.reading() as session:
        rows = [session.get_one(Referral, (shop.merchant, each.referral.referral_id)) for each in outcomes]
        linked = [session.get_one(Link, row.code).referral_id == row.referral_id for row in rows]
        names = {column.name for column in table_of(Referral).columns} - BY_CHANCE
        return [
            {name: getattr(row, name) for name in names} | {"linked": leads}
            for row, leads in zip(rows, linked, strict=True)
        ]


def test_a_first_word_is_kept_as_any_other(database: Database, shop: Shop) -> None:
    wall = shop.wall()
    said = [
        shop.like(shop.visitor()),
        shop.like(shop.visitor(), shop.products[1], wall),
        replace(shop.share(shop.visitor(), shop.products[1]), caption="so « nice »\n", name="Ana"),
        shop.share(shop.visitor(), wall=wall),
        replace(shop.share(shop.visitor()), address="https://shop.example/é?a=1\tb"),
    ]
    usual = done(written(database, said))
    at_first = done(written(database, [first(replace(fact, visitor_id=shop.visitor())) for fact in said]))
    assert [True] * len(said) == [each.is_new for each in at_first]
    assert kept(database, shop, usual) == kept(database, shop, at_first)
    assert [(each.title, each.image) for each in usual] == [(each.title, each.image) for each in at_first]
    assert [2, 2, 0, 0, 0] == [each.likes for each in at_first]


def test_first_words_and_others_share_a_batch(database: Database, shop: Shop) -> None:
    ana = shop.like(shop.visitor())
    (before,) = done(written(database, [ana]))
    unknown = first(shop.like(shop.visitor(), "prod_000000000000000000000000000000"))
    new, again, refused, other = written(database, [first(shop.like(shop.visitor())), ana, unknown, shop.like("vis_x")])
    assert isinstance(refused, Invalid)
    assert [True, False, True] == [each.is_new for each in done([new, again, other])]
    assert [before.referral] == [each.referral for each in done([again])]
    assert [3, 3, 3] == [each.likes for each in done([new, again, other])]


def test_who_says_where_they_come_from_has_a_parent_at_once(database: Database, shop: Shop) -> None:
    (ana,) = done(written(database, [shop.share(shop.visitor(), shop.products[0])]))
    facts = [first(replace(shop.like(shop.visitor()), via=via)) for via in (ana.referral.code, "nowhere42", None)]
    bo, cy, di = done(written(database, facts))
    assert [ana.referral.referral_id, None, None] == [each.referral.parent_id for each in (bo, cy, di)]


def test_what_was_liked_afterwards_finds_the_first_like(database: Database, shop: Shop) -> None:
    like = shop.like(shop.visitor())
    (new,) = done(written(database, [first(like)]))
    (again,) = done(written(database, [like]))
    assert (False, new.referral) == (again.is_new, again.referral)


def test_each_like_and_share_is_counted_once(database: Database, shop: Shop) -> None:
    wall = shop.wall()
    ana = shop.like(shop.visitor(), shop.products[1], wall)
    share = first(shop.share(shop.visitor(), shop.products[1]))
    done(written(database, [ana, ana, first(shop.like(shop.visitor())), share]))
    done(written(database, [ana, first(shop.like(shop.visitor()))]))
    column = RollupDelta
    with database.reading() as session:
        counts = (column.dimension, column.value, func.sum(column.likes), func.sum(column.shares))
        mine = select(*counts).where(column.merchant_id == shop.merchant).group_by(column.dimension, column.value)
        found = {(dimension, value): (likes, shares) for dimension, value, likes, shares in session.execute(mine)}
        (starts,) = set(session.scalars(select(column.starts).where(column.merchant_id == shop.merchant)))
    quarter = 15 * 60
    assert int(START.timestamp()) // quarter * quarter * 1_000_000 == starts
    assert {
        ("total", ""): (3, 1),
        ("network", "onsite"): (3, 0),
        ("network", "x"): (0, 1),
        ("shared_to", "onsite"): (3, 0),
        ("shared_to", "x"): (0, 1),
        ("seen_from", ""): (3, 1),
        ("product", shop.products[0]): (2, 0),
        ("product", shop.products[1]): (1, 1),
        ("wall", wall): (1, 0),
        ("wall", ""): (2, 1),
        ("kind", "like"): (3, 0),
        ("kind", "share"): (0, 1),
    } == found
