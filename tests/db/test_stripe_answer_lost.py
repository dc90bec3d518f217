"""Stripe's answer lost after its effect, or a failure of Stripe's that it gives again under the same key: in the end
the attempt has one session, the sale one order, and what was bought is out of stock once."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from app.demo.stripe.faults import Faults
from app.kernel.ids import merchant_of
from app.orders.models import Order
from tests.conftest import NewDatabase
from tests.db.paying import STOCK, Place, check_out, till_on_a_line
from tests.shop import JSON, ok

SESSIONS = "/v1/checkout/sessions"
FAULTS: dict[str, Callable[[Faults], None]] = {
    "an answer is lost": partial(Faults.lose_answers, path=SESSIONS, method="POST"),
    "two answers are lost": partial(Faults.lose_answers, times=2, path=SESSIONS, method="POST"),
    "a 500 after the effect": partial(Faults.answer, status=500, replayed=True, path=SESSIONS, method="POST"),
    "a 500 before it": partial(Faults.answer, status=500, replayed=True, effect=False, path=SESSIONS, method="POST"),
    "a 500 of which nothing is kept": partial(Faults.answer, status=500, times=2, path=SESSIONS),
    "too much at once": partial(Faults.answer, status=429, times=2, retry_after=1, path=SESSIONS),
    "somebody else is at it": partial(Faults.answer, status=409, times=2, path=SESSIONS),
}
_numbers = iter(range(10**6))


@pytest.fixture(scope="module")
def place(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("stripe")
    with till_on_a_line(new_database(f"stripe-lost-{next(_numbers)}"), folder) as opened:
        yield opened


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_becomes_of_its_answer_an_attempt_has_one_session(place: Place, fault: str) -> None:
    attempt, before = 1000 + next(_numbers), stock(place)
    place.till.double.faults.mend()
    FAULTS[fault](place.till.double.faults)
    answer = check_out(place, place.merchant.public, attempt)
    for _ in range(3):
        if answer.is_success:
            break
        assert answer.status_code in (409, 503), answer.text
        assert int(answer.headers["retry-after"]) > 0
        answer = check_out(place, place.merchant.public, attempt)
    opened = ok(answer, 201)
    place.till.double.faults.mend()
    assert opened == ok(check_out(place, place.merchant.public, attempt), 201)
    (session,) = [each for each in sessions(place) if each["metadata"]["gv_checkout"] == opened["id"]]
    assert session["url"] == opened["url"]

    place.till.double.pay(session["id"])
    place.till.tell_all(session["id"])
    place.till.tell_all(session["id"])
    assert [session["id"]] == [order for order in orders(place) if order == session["id"]]
    assert before - 1 == stock(place)


def sessions(place: Place) -> list[JSON]:
    return place.till.sessions_of(place.merchant)


def orders(place: Place) -> list[str]:
    with place.till.database.reading() as session:
        of_ours = Order.merchant_id == merchant_of(place.merchant.id, "mer")
        return [row.external_id for row in session.query(Order).filter(of_ours)]


def stock(place: Place) -> int:
    listed = ok(place.merchant.http.get("/v1/products?limit=100"))["data"]
    (left,) = [each["stock"] for product in listed for each in product["variants"] if each["id"] == place.variant]
    assert 0 < left <= STOCK
    return int(left)
