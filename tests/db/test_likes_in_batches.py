"""Likes and shares written many at a time: the same outcomes as one by one, whoever else writes meanwhile."""

import itertools
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import Connection

from app.catalog import service as catalog
from app.kernel.database import Database
from app.kernel.errors import Invalid
from app.kernel.ids import new_id
from app.referrals import service, writing
from app.referrals.models import Link, Referral
from app.walls import service as walls
from tests.clock import START
from tests.db.referring import Shop, done, written
from tests.threads import together


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


def test_each_fact_gets_its_own_outcome_in_order(database: Database, shop: Shop) -> None:
    wall = shop.wall()
    facts = [shop.like(shop.visitor(), shop.products[number % 3]) for number in range(30)]
    facts += [shop.share(shop.visitor(), wall=wall), shop.share(shop.visitor(), shop.products[1], wall)]
    random.Random(8).shuffle(facts)
    outcomes = done(written(database, facts))
    with database.reading() as session:
        for fact, outcome in zip(facts, outcomes, strict=True):
            row = session.get_one(Referral, (shop.merchant, outcome.referral.referral_id))
            link = session.get_one(Link, outcome.referral.code)
            assert (fact.visitor_id, fact.kind, fact.product_id, fact.wall_id, fact.network, fact.at, fact.at) == (
                *(row.visitor_id, row.kind, row.product_id, row.wall_id, row.network, row.at, row.received_at),
            )
            assert (row.code, row.network, row.parent_id) == outcome.referral[1:4]
            assert (shop.merchant, row.referral_id) == (link.merchant_id, link.referral_id)
            number = None if fact.product_id is None else shop.products.index(fact.product_id)
            assert outcome.title == ("Spring" if number is None else f"Mug {number}")
            assert outcome.image == (f"https://cdn.example/{number}.jpg" if number else None)
            assert (outcome.is_new, outcome.likes) == (True, 10 if fact.kind == "like" else 0)


def test_repeats_in_one_batch_are_the_first_of_them(database: Database, shop: Shop) -> None:
    ana, bo = shop.visitor(), shop.visitor()
    facts = [shop.like(ana), shop.like(bo), shop.like(ana), shop.share(ana, shop.products[0]), shop.like(ana)]
    outcomes = done(written(database, facts))
    assert [True, True, False, True, False] == [each.is_new for each in outcomes]
    assert [2, 2, 2, 0, 2] == [each.likes for each in outcomes]
    first, _, second, _, third = (each.referral for each in outcomes)
    assert first == second == third
    again = done(written(database, [*facts, shop.like(shop.visitor())]))
    assert [False] * 5 + [True] == [each.is_new for each in again]
    assert [each.referral for each in outcomes] == [each.referral for each in again[:5]]


def test_of_a_repeated_share_the_first_words_stay(database: Database, shop: Shop) -> None:
    share = shop.share(shop.visitor(), shop.products[0])
    facts = [replace(share, caption=words) for words in ("so nice", "never mind")]
    assert ["so nice"] * 2 == [each.referral.caption for each in done(written(database, facts))]
    assert ["so nice"] * 2 == [each.referral.caption for each in done(written(database, facts))]


def test_merchants_in_one_batch_do_not_meet(database: Database, shop: Shop) -> None:
    other = Shop(database)
    facts = [each.like(each.visitor()) for each in (shop, other, shop)]
    facts.append(other.like(other.visitor(), shop.products[0]))
    facts.append(shop.share(shop.visitor(), wall=other.wall()))
    *good, product, wall = written(database, facts)
    assert [2, 1, 2] == [each.likes for each in done(good)]
    assert ["/product", "/wall"] == [each.errors[0].pointer for each in (product, wall) if isinstance(each, Invalid)]


def test_what_is_refused_is_refused_alone(database: Database, shop: Shop) -> None:
    gone, closed = shop.products[2], shop.wall()
    with database.transaction() as session:
        catalog.withdraw(catalog.get(session, shop.merchant, gone), START)
        walls.withdraw(session, walls.get(session, shop.merchant, closed), START)
    ana = shop.visitor()
    pointers = {
        "/product": [shop.like(ana, each) for each in (gone, "mug", gone + "0", new_id("prod", shop.merchant, START))],
        "/wall": [shop.like(ana, gone, closed), shop.share(ana, wall="wall_"), shop.share(ana, wall=gone)],
    }
    bad = [(fact, pointer) for pointer, facts in pointers.items() for fact in facts]
    facts = list(itertools.chain.from_iterable((fact, shop.like(shop.visitor())) for fact, _ in bad))
    outcomes = written(database, facts)
    refusals = [each for each in outcomes[::2] if isinstance(each, Invalid)]
    assert [pointer for _, pointer in bad] == [each.errors[0].pointer for each in refusals]
    assert len(bad) == len({id(each) for each in refusals})  # an error of its own for each waiter
    assert [len(bad)] * len(bad) == [each.likes for each in done(outcomes[1::2])]


def test_an_empty_batch_and_one_of_refusals_write_nothing(database: Database, shop: Shop) -> None:
    assert [] == written(database, [])
    (refused,) = written(database, [shop.like(shop.visitor(), "mug")])
    assert isinstance(refused, Invalid)


def test_a_person_who_likes_on_two_walls_is_counted_once(database: Database, shop: Shop) -> None:
    ana, bo, wall = shop.visitor(), shop.visitor(), shop.wall()
    outcomes = done(written(database, [shop.like(ana), shop.like(ana, wall=wall), shop.like(bo, wall=wall)]))
    assert [2, 2, 2] == [each.likes for each in outcomes]
    with database.transaction() as session:
        service.take_back(session, shop.merchant, outcomes[0].referral.referral_id, ana, START)
        session.flush()
        assert {shop.products[0]: 2, "prod_": 0} == service.count_likes(
            session, shop.merchant, [shop.products[0], "prod_"]
        )
        service.take_back(session, shop.merchant, outcomes[1].referral.referral_id, ana, START)
        session.flush()
        assert {shop.products[0]: 1} == service.count_likes(session, shop.merchant, shop.products[:1])


def test_a_large_batch_takes_as_many_statements_as_a_small_one(database: Database, shop: Shop) -> None:
    others = [shop, *(Shop(database) for _ in range(4))]

    def asked(count: int) -> int:
        facts = [each.like(each.visitor()) for each, _ in zip(itertools.cycle(others), range(count), strict=False)]
        with counting(database) as statements:
            written(database, [*facts, *facts[: count // 2]])
        return len(statements)

    assert asked(5) == asked(900) <= 8


class counting:  # noqa: N801  # reads as a word where it stands
    """The statements that are sent meanwhile."""

    def __init__(self, database: Database) -> None:
        self._engine, self.statements = database.engine, list[str]()

    def __enter__(self) -> list[str]:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self.statements

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, connection: Connection, cursor: object, statement: str, *_: object) -> None:
        self.statements.append(statement)


def test_likes_are_counted_by_their_index_alone(database: Database, shop: Shop) -> None:
    with counting(database) as statements, database.transaction() as session:
        written_facts = [shop.like(shop.visitor()) for _ in range(300)]
        writing.write(session, written_facts)
        service.count_likes(session, shop.merchant, shop.products)
    (count,) = {each for each in statements if "count(" in each}
    with database.transaction() as session:
        if database.is_sqlite:
            plan = session.connection().exec_driver_sql("EXPLAIN QUERY PLAN " + count, ("[]",)).all()
            (search,) = (str(row[3]) for row in plan if "referrals" in row[3])
            assert "INDEX ix_referrals_likers (" in search
            assert not [row for row in plan if "TEMP B-TREE" in row[3]]
        else:
            session.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"))
            arrays = {"merchant_id": [shop.merchant], "product_id": shop.products[:1]}
            lines = session.connection().exec_driver_sql("EXPLAIN " + count, arrays).scalars().all()
            assert [line for line in lines if "Index Only Scan using ix_referrals_likers" in line]


# others write at the same time


def test_who_writes_the_same_at_the_same_moment_finds_what_stands(database: Database, shop: Shop) -> None:
    facts = [shop.like(shop.visitor(), shop.products[number % 3]) for number in range(60)]
    for order in (facts, list(reversed(facts)), random.Random(1).sample(facts, len(facts))):
        batches = [list(order), list(reversed(order)), list(facts), random.Random(2).sample(facts, len(facts))]
        answers = together(*(lambda batch=batch: done(written(database, batch)) for batch in batches))
        told = [
            {fact.visitor_id: each.referral for fact, each in zip(batch, answer, strict=True)}
            for batch, answer in zip(batches, answers, strict=True)
        ]
        assert all(each == told[0] for each in told)
        assert sum(each.is_new for answer in answers for each in answer) == (60 if order is facts else 0)
    with database.reading() as session:
        mine = Referral.merchant_id == shop.merchant
        assert session.scalar(select(func.count()).select_from(Referral).where(mine)) == 60
        assert session.scalar(select(func.count()).select_from(Link).where(Link.merchant_id == shop.merchant)) == 60


@pytest.fixture
def beside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_a_like_that_is_being_written_elsewhere_is_waited_for(
    database: Database, shop: Shop, beside: ThreadPoolExecutor
) -> None:
    like, second = shop.like(shop.visitor()), shop.like(shop.visitor())
    with database.transaction() as session:
        first = done(writing.write(session, [like]))
        waits = beside.submit(written, database, [second, like])
        threading.Event().wait(0.2)
        assert not waits.done()
    new, again = done(waits.result(20))
    assert (True, False) == (new.is_new, again.is_new)
    assert first[0].referral == again.referral
    assert (1, 2, 2) == (first[0].likes, new.likes, again.likes)


def test_a_like_that_is_just_being_taken_back_is_given_anew(
    database: Database, shop: Shop, beside: ThreadPoolExecutor
) -> None:
    ana = shop.visitor()
    (first,) = done(written(database, [shop.like(ana)]))
    with database.transaction() as session:
        service.take_back(session, shop.merchant, first.referral.referral_id, ana, START)
        session.flush()
        waits = beside.submit(written, database, [shop.like(ana)])
        threading.Event().wait(0.2)
    (again,) = done(waits.result(20))
    assert (True, 1) == (again.is_new, again.likes)
    assert first.referral.code != again.referral.code
