"""The database's answer lost after its commit: the caller is told to ask again, and asking again does nothing twice.

PostgreSQL alone: between SQLite and the server there is no line that could break. Each test loses the answer of the
first commit that a request makes, then of its second, and so on, until there are no more.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import func, make_url, select

from app.attribution.models import CreditLine
from app.catalog.models import Reservation, Variant
from app.demo.stripe.double import StripeDouble
from app.kernel.database import Database
from app.kernel.ids import merchant_of, new_id
from app.orders.models import Checkout, Order
from app.referrals.models import Referral, Visit
from tests.clock import START, TestClock
from tests.conftest import NewDatabase, merchant_at
from tests.proxy import Proxy, between
from tests.shop import BROWSER, JSON, TestMerchant, ok
from tests.till import Till, invented_session, items, open_till, variant

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """A till on a bad line to its database, and a merchant there; `books` reads by a good line."""

    till: Till
    line: Proxy
    merchant: TestMerchant
    variant: str
    books: Database

    @property
    def product(self) -> str:
        return str(self.merchant.product()["id"])

    def count(self, what: Any, *where: Any) -> int:
        with self.books.reading() as session:
            return session.scalar(select(func.count()).select_from(what).where(*where)) or 0


@pytest.fixture(scope="module")
def place(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("lost")
    direct = make_url(NewDatabase("postgresql", folder, request)(f"lost-{next(_numbers)}"))
    clock = TestClock()
    double = StripeDouble(clock=clock)
    assert direct.port is not None
    with between(direct.port) as line:
        away = direct.set(port=line.port).render_as_string(hide_password=False)
        settings = {"jobs": False}  # who else commits would have its answers lost
        good = direct.render_as_string(hide_password=False)
        with open_till(away, folder, clock, double, settings, books=good) as till:
            merchant = merchant_at(till.url, clock)
            stocked = [{"price": {"amount": 2000, "currency": "eur"}, "stock": 100}]
            yield Place(till, line, merchant, variant(merchant, variants=stocked), till.database)
            merchant.close()


def repeat_what_is_lost(line: Proxy, ask: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Ask for new things, each time with another of its commits unanswered, and again until it is answered; the final
    answers. `ask(n)` asks for the n-th thing, always in the same words."""
    answers = []
    for number in itertools.count(1):
        line.lose(number)
        answer = ask(number)
        lost = line.commits >= number
        line.lose(None)
        if lost:
            assert (503, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
            assert int(answer.headers["retry-after"]) > 0
            answer = ask(number)
        assert answer.is_success, (number, answer.status_code, answer.text)
        answers.append(answer)
        if not lost:
            assert number > 1, "no answer was lost"
            return answers
    raise AssertionError("this never ends")


def new(name: str) -> Callable[[int], str]:
    """Names for the things of one test."""
    test = next(_numbers)
    return lambda number: f"{name}_{test}_{number}"


def order_of(external_id: str) -> JSON:
    return {"external_id": external_id, "placed_at": START.isoformat(), "currency": "eur", "net": 700}


@pytest.mark.parametrize("keyed", [False, True])
def test_an_order_that_is_said_again_is_one_order(place: Place, keyed: bool) -> None:
    name = new("order")

    def ask(number: int) -> httpx.Response:
        headers = {"Idempotency-Key": name(number)} if keyed else {}
        return place.merchant.http.post("/v1/orders", json=order_of(name(number)), headers=headers)

    said = [ok(answer)["id"] for answer in repeat_what_is_lost(place.line, ask)]
    with place.books.reading() as session:
        kept = session.execute(
            select(Order.order_id, func.sum(CreditLine.gross), func.count(Order.order_id.distinct()))
            .join(CreditLine, CreditLine.order_id == Order.order_id)
            .where(Order.external_id.in_(name(number) for number in range(1, len(said) + 1)))
            .group_by(Order.order_id)
        ).all()
    assert sorted((order, 700, 1) for order in said) == sorted(tuple(row) for row in kept)


@pytest.mark.parametrize("keyed", [False, True])
def test_many_orders_that_are_said_again_in_bulk_are_there_once(place: Place, keyed: bool) -> None:
    name = new("bulk")

    def ask(number: int) -> httpx.Response:
        body = {"orders": [order_of(f"{name(number)}_{each}") for each in range(5)]}
        headers = {"Idempotency-Key": name(number)} if keyed else {}
        return place.merchant.http.post("/v1/orders/bulk", json=body, headers=headers)

    answers = [ok(answer) for answer in repeat_what_is_lost(place.line, ask)]
    assert [0] * len(answers) == [answer["refused"] for answer in answers]
    said = {each["external_id"]: each["id"] for answer in answers for each in answer["results"]}
    mine = Order.external_id.startswith(name(0)[:-1], autoescape=True)
    with place.books.reading() as session:
        kept = session.execute(select(Order.external_id, Order.order_id).where(mine)).all()
    assert 5 * len(answers) == len(said)
    assert sorted(said.items()) == sorted(tuple(row) for row in kept)


def test_a_correction_that_is_said_again_is_kept_once(place: Place) -> None:
    order = place.merchant.order(net=5000)["id"]

    def ask(number: int) -> httpx.Response:
        return place.merchant.http.patch(f"/v1/orders/{order}", json={"net": 5000 - number, "gross": 5000 - number})

    answers = repeat_what_is_lost(place.line, ask)
    shown = ok(place.merchant.http.get(f"/v1/orders/{order}"))
    assert 5000 - len(answers) == shown["net"]
    assert sorted(range(5000, 5000 - len(answers), -1)) == sorted(
        each["before"]["net"] for each in shown["corrections"]
    )


def test_a_refund_that_is_said_again_is_one_refund(place: Place) -> None:
    order, name = place.merchant.order(net=5000), new("refund")

    def ask(number: int) -> httpx.Response:
        body = {"external_id": name(number), "amount": 100, "reason": "refund"}
        return place.merchant.http.post(f"/v1/orders/{order['id']}/refunds", json=body)

    answers = repeat_what_is_lost(place.line, ask)
    shown = ok(place.merchant.http.get(f"/v1/orders/{order['id']}"))
    assert (len(answers), 100 * len(answers)) == (len(shown["refunds"]), shown["refunded"])


def test_a_product_that_is_said_again_under_one_key_is_one_product(place: Place) -> None:
    name = new("Mug")

    def ask(number: int) -> httpx.Response:
        headers = {"Idempotency-Key": name(number)}
        return place.merchant.http.post("/v1/products", json={"title": name(number)}, headers=headers)

    made = [ok(answer)["id"] for answer in repeat_what_is_lost(place.line, ask)]
    listed = ok(place.merchant.http.get("/v1/products?limit=100"))["data"]
    assert sorted(made) == sorted(product["id"] for product in listed if product["title"].startswith(name(0)[:-1]))


def test_an_event_of_stripes_that_comes_again_is_applied_once(place: Place) -> None:
    name = new("cs")

    def ask(number: int) -> httpx.Response:
        tags = {"gv_merchant": place.merchant.id, "gv_checkout": new_id("chk", merchant_of(place.merchant.id), START)}
        session = invented_session(id=name(number), payment_intent=name(number).replace("cs", "pi"), metadata=tags)
        event = {"id": f"evt_{name(number)}", "object": "event", "type": "checkout.session.completed", "created": 1}
        return place.till.post(json.dumps({**event, "livemode": False, "data": {"object": session}}).encode())

    answers = repeat_what_is_lost(place.line, ask)
    sessions = [name(number) for number in range(1, len(answers) + 1)]
    with place.books.reading() as session:
        kept = session.execute(
            select(Order.external_id, func.sum(CreditLine.gross))
            .join(CreditLine, CreditLine.order_id == Order.order_id)
            .where(Order.external_id.in_(sessions))
            .group_by(Order.order_id, Order.external_id)
        ).all()
    assert [(each, 1000) for each in sorted(sessions)] == sorted(tuple(row) for row in kept)


def test_a_checkout_that_is_asked_for_again_is_one_session(place: Place) -> None:
    name = new("attempt")

    def ask(number: int) -> httpx.Response:
        body = items({"variant": place.variant, "quantity": 1})
        return place.till.ask(body, **{"Idempotency-Key": name(number)})

    before = len(place.till.sessions_of(place.merchant))
    kept = place.count(Checkout)
    opened = [ok(answer, 201) for answer in repeat_what_is_lost(place.line, ask)]
    assert len(opened) == len({each["id"] for each in opened}) == len({each["url"] for each in opened})
    assert len(opened) == len(place.till.sessions_of(place.merchant)) - before
    assert len(opened) == place.count(Checkout) - kept
    assert len(opened) == place.count(Reservation, Reservation.ended_at.is_(None))
    with place.books.reading() as session:
        assert len(opened) == session.scalar(select(Variant.held).where(Variant.variant_id == place.variant))


def test_a_like_that_is_said_again_is_one_like(place: Place) -> None:
    shopper = place.merchant.shopper()
    shopper.like(place.product)
    products = {1: place.product, 2: place.product}  # a like is one commit

    def ask(number: int) -> httpx.Response:
        return shopper.http.post("/v1/likes", json={"product": products[number]}, headers=shopper.headers)

    liked = [ok(answer) for answer in repeat_what_is_lost(place.line, ask)]
    assert [1] * len(liked) == [each["likes"] for each in liked]
    with place.books.reading() as session:
        rows = session.scalars(select(Referral.referral_id).where(Referral.product_id.in_(products.values()))).all()
    assert sorted(rows) == sorted(each["id"] for each in liked)


def test_a_visit_whose_answer_was_lost_leads_on_the_second_time(place: Place) -> None:
    code = place.merchant.shopper().share(place.product)["code"]
    before = place.count(Visit)

    def follow() -> httpx.Response:
        return httpx.get(f"{place.till.url}/r/{code}", headers={"User-Agent": BROWSER})

    place.line.lose(1)
    refused = follow()
    place.line.lose(None)
    assert (503, "text/html; charset=utf-8") == (refused.status_code, refused.headers["content-type"])
    assert int(refused.headers["retry-after"]) > 0
    assert "clk_" not in refused.text
    assert "clk_" in follow().text
    assert 2 == place.count(Visit) - before  # a visit that nobody was told of is no lie: somebody was there
