"""Stripe down, or hanging: walls, likes, shares, links and orders go on and wait for nothing; a checkout says when to
ask again; afterwards the same attempts become the same checkouts, one session each."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.conftest import NewDatabase
from tests.db.paying import Place, check_out, is_unavailable, one_session_for_each, till_on_a_line
from tests.net import free_port
from tests.shop import BROWSER, TestMerchant, ok

SHOPPERS = 160
"""Who want to pay at the same time: four times as many as the server has threads."""
SOON = 2.5
"""Seconds within which everything else is answered meanwhile, on a machine that has much else to do. It took seven when
those who wanted to pay could take all threads."""


_numbers = iter(range(10**6))


@pytest.fixture
def place(new_database: NewDatabase, tmp_path: Path) -> Iterator[Place]:
    with till_on_a_line(new_database(f"stripe-down-{next(_numbers)}"), tmp_path) as opened:
        yield opened


@contextmanager
def many_want_to_pay(place: Place, shoppers: ThreadPoolExecutor) -> Iterator[list[Future[httpx.Response]]]:
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(base_url=place.till.url, verify=False, timeout=120, limits=limits) as http:
        yield [shoppers.submit(check_out, place, http, number) for number in range(SHOPPERS)]


@dataclass(frozen=True)
class Else:
    """What has nothing to do with Stripe."""

    product: str
    wall: str
    code: str

    @classmethod
    def of(cls, merchant: TestMerchant) -> "Else":
        product = merchant.product()["id"]
        return cls(product, merchant.wall(product)["id"], merchant.shopper().share(product)["code"])


def longest_answers(place: Place, what: Else, during: float) -> dict[str, float]:
    """Ask for everything else for so many seconds; the longest that each took."""
    longest: dict[str, float] = {}
    until = time.monotonic() + during
    with httpx.Client(base_url=place.till.url, verify=False, timeout=60) as http:
        key = {"Authorization": f"Bearer {place.merchant.secret_key}"}
        asks: dict[str, Callable[[], httpx.Response]] = {
            "wall": lambda: http.get(f"/v1/walls/{what.wall}/widget"),
            "page": lambda: http.get(f"/w/{what.wall}"),
            "link": lambda: http.get(f"/r/{what.code}", headers={"User-Agent": BROWSER}),
            "like": lambda: http.post("/v1/likes", json={"product": what.product}),
            "share": lambda: http.post("/v1/shares", json={"product": what.product, "network": "x"}),
            "orders": lambda: http.get("/v1/orders", headers=key),
            "report": lambda: http.get("/v1/reports/attribution", headers=key),
        }
        while time.monotonic() < until:
            for name, ask in asks.items():
                began = time.monotonic()
                answer = ask()
                longest[name] = max(longest.get(name, 0.0), time.monotonic() - began)
                assert answer.is_success, (name, answer.status_code, answer.text)
    return longest


def test_while_stripe_hangs_nothing_else_waits_for_it(place: Place) -> None:
    ok(check_out(place, place.merchant.public, SHOPPERS), 201)  # Stripe's library is loaded
    what = Else.of(place.merchant)
    place.line.hang()
    with ThreadPoolExecutor(SHOPPERS) as shoppers, many_want_to_pay(place, shoppers) as asked:
        longest = longest_answers(place, what, 4.0)
        place.line.cut()
        place.line.flow()
        wait(asked)
    assert {} == {name: seconds for name, seconds in longest.items() if seconds > SOON}
    answers = {number: each.result() for number, each in enumerate(asked)}
    for answer in answers.values():
        assert (answer.status_code == 201) or is_unavailable(answer), answer.text
    one_session_for_each(place, {number: answers[number] for number in range(0, SHOPPERS, 10)})


def test_while_stripe_is_down_all_but_paying_goes_on(place: Place) -> None:
    what, stripe = Else.of(place.merchant), place.line.target
    place.line.target = free_port()  # nobody is there
    place.line.cut()
    answers = {number: check_out(place, place.merchant.public, number) for number in range(5)}
    assert all(is_unavailable(answer) for answer in answers.values())
    assert longest_answers(place, what, 0.5).keys() == {"wall", "page", "link", "like", "share", "orders", "report"}
    place.line.target = stripe
    one_session_for_each(place, answers)
