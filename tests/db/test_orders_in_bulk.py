"""Many sales at once, in the database: what it takes, and that all of them are credited when they are answered."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from app.attribution import shell, stale
from app.attribution.engine import Policy
from app.kernel.ids import new_id
from app.orders import bulk
from app.orders.sales import Sale, SaleLine
from tests.db.ledger import books
from tests.db.selling import Market


def sales(market: Market, count: int) -> list[Sale]:
    """Sales to people who came through friends; every other one with a coupon that looks like a link's code."""
    now = market.clock.now()
    buyers = [market.shop.visitor() for _ in range(count)]
    for buyer in buyers:
        market.come(buyer, market.chance.choice(market.links), now - timedelta(days=1))
    return [
        Sale(
            external_id=new_id("ord", market.merchant, now),
            source="api",
            fingerprint=f"{buyer}",
            livemode=True,
            currency="eur",
            gross=100,
            net=100,
            at=now,
            visitor_id=buyer,
            coupon=None if number % 2 else f"Coupon{111 + number % 800:03}".replace("0", "A"),
            lines=(SaleLine(None, None, "Mug", 1, 100),),
        )
        for number, buyer in enumerate(buyers)
    ]


def record(market: Market, told: list[Sale]) -> list[str]:
    """Record them; the statements that it took."""
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    event.listen(market.here.database.engine, "before_cursor_execute", note)
    try:
        with market.here.database.transaction() as session:
            recorded = bulk.record_all(session, market.here.events, market.merchant, told, market.clock.now())
    finally:
        event.remove(market.here.database.engine, "before_cursor_execute", note)
    assert all(each.is_new for each in recorded)
    return asked


def test_five_hundred_take_hardly_more_statements_than_ten_and_all_are_credited_at_once(market: Market) -> None:
    few, many = sales(market, 10), sales(market, 500)
    statements = [len(record(market, told)) for told in (few, many)]
    with market.here.database.reading() as session:
        credited = books(session, market.merchant)
    assert 510 == len({order for order, _ in credited})
    assert {100} == {sum(line.gross for line in lines.values()) for lines in credited.values()}
    assert 0 == market.promised(), "nothing is left for later"
    assert statements[1] <= 2 * statements[0], Counter(statements)


def test_few_later_orders_are_looked_at_at_once_and_many_are_promised(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where journeys start anew after an order, each of the earlier ones cuts its buyer's later one."""
    anew = Policy(journey_reset=True)
    market.put(anew)
    monkeypatch.setattr(shell, "FEW", 3)
    later = sales(market, 9)
    record(market, later)
    at = market.clock.now() - timedelta(seconds=1)
    market.clock.move(hours=1)
    earlier = [replace(sale, external_id=f"e{sale.external_id}", at=at) for sale in later]
    waiting = market.promised()

    record(market, earlier[:3])
    assert (waiting, market.computed(anew)) == (market.promised(), market.books())

    record(market, earlier[3:])
    assert (waiting + 1, 18) == (market.promised(), len(market.books())), "all that is new is credited"
    stale.drain(market.here.database, market.clock, market.merchant)
    assert market.computed(anew) == market.books()
