"""A till whose line to Stripe can be bad, and what must hold of its checkouts whatever happened on that line."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from app import main
from app.demo.stripe.double import StripeDouble
from app.demo.stripe.server import running
from app.kernel.database import Database
from tests.clock import TestClock
from tests.conftest import ADMIN_TOKEN, WEBHOOK_SECRET, settings_for
from tests.net import free_port, serving
from tests.proxy import Proxy, between
from tests.shop import TestMerchant, ok
from tests.till import BadLine, Till, items

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
    port, clock = free_port(), TestClock()
    own = f"http://127.0.0.1:{port}"
    double = StripeDouble(clock=clock)
    double.webhooks.register(f"{own}/v1/stripe/webhook", WEBHOOK_SECRET)
    double.webhooks.hold()
    with running(double) as stripe_url, between(urlsplit(stripe_url).port or 0) as line:
        settings = settings_for(
            database_url,
            folder,
            public_url=own,
            jobs=False,
            stripe_api_key=double.api_key,
            stripe_webhook_secret=WEBHOOK_SECRET,
            stripe_api_base=f"http://127.0.0.1:{line.port}",
        )
        database = Database(database_url)
        with serving(main.application(settings, clock), port):
            operator = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
            body = {"name": "Vine", "currency": "eur"}
            shown = ok(httpx.post(f"{own}/v1/merchants", headers=operator, json=body, verify=False), 201)
            merchant = TestMerchant(shown["id"], shown["secret_key"], shown["report_key"], own, clock)
            price = {"amount": 2000, "currency": "eur"}
            variant = str(merchant.product(variants=[{"price": price, "stock": STOCK}])["variants"][0]["id"])
            yield Place(Till(own, stripe_url, clock, double, BadLine(double.app), database), line, merchant, variant)
            merchant.close()
        database.close()


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
