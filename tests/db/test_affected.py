"""Which orders a change can touch: never one too few, whatever is learnt in whatever order; and found by index."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import event

from app.attribution import affected, shell
from app.attribution.affected import Reach, Touched
from app.kernel.database import Database
from app.kernel.ids import new_id
from tests.clock import START
from tests.db.changing import World

CHANGES = 45


@pytest.mark.parametrize("seed", range(6))
def test_after_any_changes_the_books_are_what_all_facts_together_say(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    world = World(database, chance)
    world.keep_policies(chance.randint(0, 2))
    monkeypatch.setattr(shell, "FEW", chance.choice([0, 1, 100]))  # at once, or left to a worker
    for number in range(CHANGES):
        world.something()
        if number % 9 == 8:
            world.catch_up()
            assert (0, []) == world.left()
            assert world.computed() == world.books()


def every_reach(session: Any, world: World) -> dict[str, Reach]:
    return {
        "touches": affected.by_touches(session, world.merchant, [Touched("t1", "v1", START)]),
        "visitors": affected.by_visitors(session, world.merchant, ["v1"]),
        "referrals": affected.by_referrals(session, world.merchant, ["s1"]),
        "coupons": affected.by_coupons(session, world.merchant, [("ANA10", START)]),
        "orders": affected.by_orders(session, world.merchant, ["ord_1"]),
        **{f"barred {number}": reach for number, reach in enumerate(by_standings(session, world, eased=False))},
        **{f"eased {number}": reach for number, reach in enumerate(by_standings(session, world, eased=True))},
    }


def by_standings(session: Any, world: World, *, eased: bool) -> Sequence[Reach]:
    barred = {"referrals": [new_id("ref", world.merchant, START)], "visits": ["t1"], "orders": ["ord_1"]}
    return affected.by_standings(session, world.merchant, **barred, eased=eased)


@pytest.mark.parametrize("journey_reset", [False, True])
def test_a_database_that_counts_no_rows_reads_no_more_of_a_merchant_than_is_asked_for(
    database: Database, journey_reset: bool
) -> None:
    """SQLite believes any index that begins with the merchant. PostgreSQL goes by what it has counted, so its plans say
    nothing of a nearly empty database."""
    if not database.is_sqlite:
        pytest.skip("its plans depend on what the tables hold")
    world = World(database, random.Random(1))
    world.keep_policies(0, {"journey_reset": journey_reset})
    asked: dict[str, tuple[str, Any]] = {}
    with database.transaction() as session:
        for name, reach in every_reach(session, world).items():

            @event.listens_for(database.engine, "before_cursor_execute", named=True)
            def note(name: str = name, **said: Any) -> None:
                asked[name] = said["statement"], said["parameters"]

            reach.mark()
            event.remove(database.engine, "before_cursor_execute", note)
        connection = session.connection()
        for name, (statement, parameters) in asked.items():
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            whole = [step for step in plan if step.endswith("(merchant_id=?)") and "coupons" not in step]
            assert not whole, (name, whole)
            assert not [step for step in plan if "ix_orders_at" in step or step.startswith("SCAN orders")], name
    assert 5 + 3 + 3 == len(asked)
