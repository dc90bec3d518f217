"""Orders that are settled in batches come out as each alone, and as the engine says of the whole history at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.attribution import batches, loader, writing
from app.attribution.engine import Model, Policy, Upline, UplineMode, policy_from_wire, settle
from app.attribution.models import CreditLine
from app.kernel.database import Database
from app.orders import history as sales
from tests.clock import START
from tests.db.referring import Shop
from tests.db.telling import EPOCH, Teller, identity, order_of, outcome, referral, sale, tellable, touch
from tests.unit.attribution.histories import facts_of, random_history, random_policy

LINEAR = Policy(model=Model.LINEAR, upline=Upline(UplineMode.EQUAL))


@pytest.mark.parametrize("seed", range(40))
def test_a_batch_is_settled_as_the_whole_history_would_be(database: Database, seed: int) -> None:
    random = Random(seed)
    history = tellable(random_history(random))
    shop = Shop(database)
    with database.transaction() as session:
        teller = Teller(session, shop.merchant)
        teller.tell(history)
        for as_of in (None, 90, 180):
            policy = policy_from_wire(random_policy(random))
            facts = facts_of(history, None if as_of is None else as_of * 1_000_000)
            moment = None if as_of is None else EPOCH + timedelta(seconds=as_of)
            rows = sales.rows(session, shop.merchant, teller.orders.values())
            loaded = loader.load(session, shop.merchant, rows, as_of=moment, purchases=True)
            assert set(teller.orders.values()) == set(loaded.orders)
            for row, order in zip(rows, loaded.orders.values(), strict=True):
                assert outcome(order, facts, policy) == outcome(order, loaded.facts, policy)
                alone = loader.load(session, shop.merchant, [row], as_of=moment, purchases=True)
                assert outcome(order, facts, policy) == outcome(order, alone.facts, policy)


@pytest.mark.parametrize("seed", range(100, 112))
def test_the_ledger_becomes_what_the_engine_says_in_batches_or_one_by_one(database: Database, seed: int) -> None:
    random = Random(seed)
    history = tellable(random_history(random))
    chosen = [policy_from_wire(random_policy(random)) for _ in range(2)]
    written: list[Any] = []
    for alone in (False, True):
        shop = Shop(database)
        with database.transaction() as session:
            teller = Teller(session, shop.merchant)
            teller.tell(history)
            teller.policy(chosen[0], 2)
            teller.policy(chosen[1], 1, "beside")
            ids = list(teller.orders.values())
            for some in [[each] for each in ids] if alone else [ids]:
                writing.bring_up_to_date(session, shop.merchant, some, START)
            assert 0 == writing.bring_up_to_date(session, shop.merchant, ids, START)
            names = {ours: theirs for theirs, ours in teller.orders.items()}
            written.append(sorted((names[line[0]], *line[1:]) for line in _sums(session, shop.merchant)))
    facts = facts_of(history)
    told = [
        (order.id, name, line.touch or "", line.sharer, -1 if line.level is None else line.level, line.gross, line.net)
        for name, policy in zip(("current", "beside"), chosen, strict=True)
        for order in facts.orders.values()
        for line in settle(order, facts, policy).lines
    ]
    assert sorted(told) == written[0] == written[1]


def test_the_number_of_statements_does_not_grow_with_the_orders(database: Database) -> None:
    asked = []
    for orders in (3, 30):
        shop = Shop(database)
        with database.transaction() as session:
            teller = Teller(session, shop.merchant)
            teller.policy(Policy(journey_reset=True), 2)
            for number in range(orders):
                teller.tell(sale(number))
            with _statements(database) as statements:
                assert orders == writing.bring_up_to_date(session, shop.merchant, teller.orders.values(), START)
            asked.append(len(statements))
    assert asked[0] == asked[1] <= 17


def test_journeys_that_are_too_long_together_are_loaded_apart_and_cut_at_the_latest(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(database)
    with database.transaction() as session:
        teller = Teller(session, shop.merchant)
        teller.tell([touch(number, "v0", number) for number in range(8)])
        teller.tell([order_of("early", "v0", 5), order_of("late", "v0", 9), order_of("other", "v1", 9)])
        rows = sales.rows(session, shop.merchant, teller.orders.values())
        monkeypatch.setattr(loader, "MOST", 4)
        with pytest.raises(loader.TooMuchAtOnce):
            loader.load(session, shop.merchant, rows)
        journeys = {
            order.id: [touch.id for touch in loaded.facts.journey(order, order.visitor)]
            for _, loaded in loader.load_in_parts(session, shop.merchant, rows)
            for order in loaded.orders.values()
        }
    assert {"early": ["t2", "t3", "t4", "t5"], "late": ["t4", "t5", "t6", "t7"], "other": []} == journeys


def test_a_customer_id_that_stands_for_everybody_is_cut_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(database)
    with database.transaction() as session:
        teller = Teller(session, shop.merchant)
        teller.tell([identity(f"v{number}", "guest", number) for number in range(8)])
        teller.tell([touch(number, f"v{number}", 5) for number in range(8)])
        teller.tell([order_of("o0", "v0", 9)])
        monkeypatch.setattr(loader, "MOST", 4)
        rows = sales.rows(session, shop.merchant, teller.orders.values())
        ((order, facts),) = [
            (loaded.orders[row.order_id], loaded.facts)
            for row in rows
            for loaded in [loader.load(session, shop.merchant, [row])]
        ]
    assert "guest" == facts.buyer(order)
    assert ["t0", "t5", "t6", "t7"] == [touch.id for touch in facts.journey(order, "guest")]


def test_a_claim_that_was_learnt_later_is_nobodys_as_of_before(database: Database) -> None:
    shop = Shop(database)
    with database.transaction() as session:
        teller = Teller(session, shop.merchant)
        teller.tell([touch(0, None, 1), {**order_of("o0", None, 9), "click": "t0"}, order_of("o1", "v0", 9)])
        teller.claim("t0", "v0", EPOCH + timedelta(seconds=60))
        by_click, by_visitor = sales.rows(session, shop.merchant, teller.orders.values())
        told: list[Any] = []
        for second in (59, 60):
            as_of = EPOCH + timedelta(seconds=second)
            loaded = loader.load(session, shop.merchant, [by_click], as_of=as_of)
            told.append(loaded.facts.buyer(loaded.orders[by_click.order_id]))
            loaded = loader.load(session, shop.merchant, [by_visitor], as_of=as_of)
            told.append([each.id for each in loaded.facts.journey(loaded.orders[by_visitor.order_id], "v0")])
    assert [None, [], "v0", ["t0"]] == told


def test_a_test_order_is_no_previous_order_of_a_real_one(database: Database) -> None:
    shop = Shop(database)
    with database.transaction() as session:
        teller = Teller(session, shop.merchant)
        teller.policy(Policy(journey_reset=True), 2)
        teller.tell([touch(0, "v0", 1), {**order_of("trial", "v0", 5), "livemode": False}])
        teller.tell([order_of("first", "v0", 6), order_of("second", "v0", 7)])
        writing.bring_up_to_date(session, shop.merchant, teller.orders.values(), START)
        reasons = {
            name: writing.ledger(session, shop.merchant, order_id)[0].reason for name, order_id in teller.orders.items()
        }
    assert {"trial": None, "first": None, "second": "previous_order"} == reasons


def test_a_previous_order_may_be_known_by_its_click_alone(database: Database) -> None:
    shop = Shop(database)
    with database.transaction() as session:
        teller = Teller(session, shop.merchant)
        teller.policy(Policy(journey_reset=True), 2)
        # The clock of the click was ahead of the shop's: it comes after both orders.
        teller.tell([touch(0, "phone", 1), touch(1, "phone", 20), touch(2, "laptop", 5)])
        teller.tell([identity("phone", "mia", 2), identity("laptop", "mia", 2)])
        teller.tell([{**order_of("first", None, 4), "click": "t1"}, order_of("second", "laptop", 7)])
        teller.tell([{**order_of("other", "somebody", 6), "click": "t1"}])
        writing.bring_up_to_date(session, shop.merchant, [teller.orders["second"]], START)
        (line,) = writing.ledger(session, shop.merchant, teller.orders["second"])
        assert "t2" == line.touch
        teller.tell([{**order_of("between", None, 6), "click": "t1"}])
        writing.bring_up_to_date(session, shop.merchant, [teller.orders["second"]], START)
        reason = writing.ledger(session, shop.merchant, teller.orders["second"])[1].reason
    assert "previous_order" == reason


def test_what_is_taken_back_is_taken_from_where_it_stood(database: Database) -> None:
    shop = Shop(database)
    with database.transaction() as session:
        teller = Teller(session, shop.merchant)
        teller.tell([referral("r0", "ana", product="mug"), touch(0, "v0", 1, "r0"), order_of("o0", "v0", 9)])
        ids = list(teller.orders.values())
        writing.bring_up_to_date(session, shop.merchant, ids, START)
        teller.tell([referral("r1", "bo", product="cup"), touch(1, "v0", 2, "r1")])
        assert 2 == writing.bring_up_to_date(session, shop.merchant, ids, START)
        told = [
            (line.sharer, line.product, line.source_referral, line.shared_to, line.kind, line.gross)
            for line in writing.ledger(session, shop.merchant, ids[0])
        ]
    ana, bo = ("ana", "mug", "r0", "x", "share"), ("bo", "cup", "r1", "x", "share")
    assert [(*ana, 100), (*bo, 100), (*ana, -100)] == told


def test_only_orders_of_the_merchant_are_brought_up_to_date(database: Database) -> None:
    shop, other = Shop(database), Shop(database)
    with database.transaction() as session:
        teller = Teller(session, shop.merchant)
        teller.tell([order_of("o0", "v0", 9)])
        ids = [*teller.orders.values(), "ord_unheard"]
        assert 0 == writing.bring_up_to_date(session, other.merchant, ids, START)
        assert 0 == writing.bring_up_to_date(session, shop.merchant, [], START)
        assert 1 == writing.bring_up_to_date(session, shop.merchant, ids, START)


def test_batches_pass_all_orders_by_that_were_asked_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    shop = Shop(database)
    with database.transaction() as session:
        teller = Teller(session, shop.merchant)
        teller.tell([order_of(f"o{number}", f"v{number}", number) for number in range(6)])
        teller.tell([{**order_of("trial", "v0", 3), "livemode": False}])

        def asked(**conditions: Any) -> list[list[str]]:
            found = batches.settled_batches(session, shop.merchant, [LINEAR, Policy()], **conditions)
            for batch in (whole := list(found)):
                assert [[100] * len(batch.rows)] * 2 == [[each.net for each in some] for some in batch.settlements]
            return [[row.external_id for row in batch.rows] for batch in whole]

        assert [["o0", "o1"], ["o2", "o3"], ["o4", "o5"]] == asked()
        assert [["trial"]] == asked(livemode=False)
        since, until = EPOCH + timedelta(seconds=1), EPOCH + timedelta(seconds=4)
        assert [["o1", "o2"], ["o3"]] == asked(since=since, until=until)
        assert [["o0", "o1"], ["o2"]] == asked(as_of=EPOCH + timedelta(seconds=2))
        assert [["o4", "o5"]] == asked(after=teller.orders["o3"])
        assert [] == asked(since=until, until=until)


def _sums(session: Session, merchant: int) -> list[tuple[Any, ...]]:
    """What the ledger adds up to, line by line."""
    key = (CreditLine.order_id, CreditLine.policy, CreditLine.touch, CreditLine.sharer, CreditLine.level)
    gross, back = func.sum(CreditLine.gross), func.sum(CreditLine.reversed)
    summed = select(*key, gross, gross - back).where(CreditLine.merchant_id == merchant)
    found = session.execute(
        summed.group_by(*key, CreditLine.source, CreditLine.referral, CreditLine.network).having(
            (gross != 0) | (back != 0)
        )
    )
    return [
        (order, policy, touch or "", sharer, -1 if level is None else level, int(gross), int(net))
        for order, policy, touch, sharer, level, gross, net in found
    ]


@contextmanager
def _statements(database: Database) -> Iterator[list[str]]:
    """What is asked of the database within."""
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    event.listen(database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(database.engine, "before_cursor_execute", note)
