"""Which orders are one buyer's, by the hashes of their mails and cards, and which of them were wholly taken back."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import event, select, text

from app.kernel.clock import to_micros
from app.kernel.ids import new_id
from app.orders import alike, corrections, service
from app.orders.alike import Alike
from app.orders.lifecycle import Taking
from app.orders.models import Order
from app.orders.sales import Sale
from tests.db.referring import Shop
from tests.db.selling import Market

_numbers = count(1)


def sale(market: Market, **said: Any) -> Sale:
    name = f"alike-{next(_numbers)}"
    made = Sale(name, "api", name, True, "eur", 1000, 1000, market.clock.now())
    return replace(made, **said)


def bought(market: Market, *sales: Sale) -> list[str]:
    """Their orders."""
    orders = [service.order_of(market.merchant, each, market.clock.now()) for each in sales]
    with market.here.database.transaction() as session:
        session.add_all(orders)
        session.flush()
        return [order.order_id for order in orders]


def same(market: Market, *orders: str) -> list[Alike]:
    with market.here.database.reading() as session:
        return alike.same_buyers(session, market.merchant, orders)


def taken_back(market: Market, *orders: str, since: int = 0) -> dict[str, int]:
    with market.here.database.reading() as session:
        return alike.wholly_taken_back(session, market.merchant, orders, since)


def refund(market: Market, order: str, amount: int, name: str = "r1") -> str:
    """The refund's id."""
    now = market.clock.now()
    with market.here.database.transaction() as session:
        taking = Taking(name, "refund", now, amount, amount)
        made, _ = service.take_back(session, market.here.events, market.merchant, order, taking, now)
        return made.refund_id


def test_orders_with_one_mail_or_one_card_are_one_buyers(market: Market) -> None:
    buyer, click = market.shop.visitor(), new_id("clk", market.merchant, market.clock.now())
    first, second, third, other = bought(
        market,
        sale(market, mail_hash="m1", card_hash="c1", visitor_id=buyer),
        sale(market, mail_hash="m1", click_id=click),
        sale(market, mail_hash="m2", card_hash="c1"),
        sale(market, mail_hash="m3"),
    )
    at = to_micros(market.clock.now())
    card = Alike(first, "card", third, None, None, at)
    mail = Alike(first, "mail", second, None, click, at)
    assert [card, mail] == same(market, first)
    back = [Alike(second, "mail", first, buyer, None, at), Alike(third, "card", first, buyer, None, at)]
    assert sorted([card, mail, *back]) == same(market, first, second, third, other)
    assert [] == same(market, other) == same(market)


def test_another_merchants_orders_tests_and_orders_of_nobody_are_nobodys(market: Market) -> None:
    another = replace(market, shop=Shop(market.here.database), links=[])
    mine, *_ = bought(market, sale(market, mail_hash="n1"), sale(market, mail_hash="n1", livemode=False), sale(market))
    bought(another, sale(another, mail_hash="n1"))
    unknown = new_id("ord", market.merchant, market.clock.now())
    assert [] == same(market, mine, unknown)
    assert [] == same(another, mine)


def test_of_a_mail_with_more_orders_than_a_person_makes_nothing_is_said(market: Market) -> None:
    crowd = bought(market, *(sale(market, mail_hash="till", card_hash="c9" if n < 2 else None) for n in range(201)))
    assert 200 + 2 == len(same(market, *crowd[:1], crowd[1])) - 200
    (last,) = bought(market, sale(market, mail_hash="till"))
    assert [] == same(market, last)
    assert [(crowd[0], "card", crowd[1])] == [each[:3] for each in same(market, crowd[0])], "its card is still said"


def test_it_takes_two_statements_on_the_indexes_however_many_are_asked_for(market: Market) -> None:
    orders = bought(market, *(sale(market, mail_hash=f"p{n % 20}", card_hash=f"q{n % 30}") for n in range(60)))
    asked: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        asked.append((given[2], given[3]))

    engine = market.here.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        same(market, *orders)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    questions = [each for each in asked if each[0].lstrip().upper().startswith("SELECT")]
    assert 2 == len(questions)
    with market.here.database.reading() as session:
        if engine.dialect.name == "postgresql":
            session.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
        plan = str(session.connection().exec_driver_sql(explain + questions[0][0], questions[0][1]).all())
    assert "ix_orders_mail" in plan
    assert "ix_orders_card" in plan


def test_an_order_of_which_nothing_is_left_was_wholly_taken_back_when_the_last_of_it_went(market: Market) -> None:
    whole, part, free, cancelled, untouched = bought(
        market, sale(market), sale(market), sale(market, net=0, gross=0), sale(market), sale(market)
    )
    refund(market, whole, 400)
    refund(market, part, 999)
    market.clock.move(days=1)
    last = refund(market, whole, 600, "r2")
    at = to_micros(market.clock.now())
    with market.here.database.transaction() as session:
        for order in (cancelled, free):
            row = service.get(session, market.merchant, order, lock=True)
            corrections.cancel(session, market.here.events, row, market.clock.now())
    asked = (whole, part, free, cancelled, untouched)
    assert {whole: at, cancelled: at} == taken_back(market, *asked)
    assert {whole: at, cancelled: at} == taken_back(market, *asked, since=at)
    assert {} == taken_back(market, *asked, since=at + 1)
    now = market.clock.now() + timedelta(seconds=1)
    with market.here.database.transaction() as session:
        corrections.give_back(session, market.here.events, market.merchant, whole, last, now)
    assert {cancelled: at} == taken_back(market, *asked)
    with market.here.database.reading() as session:
        assert session.scalars(select(Order.net).where(Order.order_id == free)).one() == 0
