"""A till whose line to Stripe can be bad, and what must hold of its checkouts whatever happened on that line."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.demo.stripe.double import StripeDouble
from tests.clock import TestClock
from tests.conftest import merchant_at
from tests.net import free_port
from tests.proxy import Proxy, between
from tests.shop import TestMerchant, ok
from tests.till import Till, items, open_till, variant

STOCK = 1000


@dataclass(frozen=True)
class Place:
    """A till on a line to Stripe that can be bad."""

    till: Till
    line: Proxy
    merchant: TestMerchant
    variant: str


@contextmanager
def till_on_a_line(database_url: str, folder: Path) -> Iterator[Place]:
    """A till with a merchant and something to buy. Stripe's webhooks are held: tests release them."""
    clock, port = TestClock(), free_port()
    double = StripeDouble(clock=clock)
    with between(port) as line:
        settings = {"stripe_api_base": f"http://127.0.0.1:{line.port}", "jobs": False}
        with open_till(database_url, folder, clock, double, settings, stripe_port=port) as till:
            merchant = merchant_at(till.url, clock)
            stocked = [{"price": {"amount": 2000, "currency": "eur"}, "stock": STOCK}]
            yield Place(till, line, merchant, variant(merchant, variants=stocked))
            merchant.close()


def check_out(place: Place, http: httpx.Client, number: int) -> httpx.Response:
    body = items({"variant": place.variant, "quantity": 1})
    return http.post("/v1/checkouts", json=body, headers={"Idempotency-Key": f"attempt-{number}"})


def is_unavailable(answer: httpx.Response) -> bool:
    problem = answer.json()
    assert (503, "checkout_unavailable") == (answer.status_code, problem.get("code")), answer.text
    assert int(answer.headers["retry-after"]) > 0
    return True


def one_session_for_each(place: Place, answers: dict[int, httpx.Response]) -> None:
    """The same attempts again: what was answered is answered again, and Stripe has one session for each."""
    again = {number: ok(check_out(place, place.merchant.public, number), 201) for number in answers}
    for number, answer in answers.items():
        if answer.status_code == 201:
            assert answer.json() == again[number]
    urls = Counter(session["url"] for session in place.till.sessions_of(place.merchant))
    assert [1] * len(again) == [urls[each["url"]] for each in again.values()]
    checkouts = {each["id"] for each in again.values()}
    sessions = Counter(session["metadata"]["gv_checkout"] for session in place.till.sessions_of(place.merchant))
    assert dict.fromkeys(checkouts, 1) == {checkout: sessions[checkout] for checkout in checkouts}
