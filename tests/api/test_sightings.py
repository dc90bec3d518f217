"""What is kept of the machines of those who come, like, share and buy, by each way, and of whom nothing is."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.kernel.ids import merchant_of
from app.orders.models import Checkout, Order
from app.referrals.models import MachineVisits, Referral, Visit
from tests.shop import BROWSER, JSON, Shopper, TestMerchant, ok
from tests.till import Till

ANA, BO = "93.184.216.34", "2606:2800:220:1::7"
Seen = tuple[str | None, str | None]
NOTHING: Seen = (None, None)
WAYS = ("keep-alive", "close")
"""What is ready is given at once; whoever hangs up goes the usual way."""


At = Callable[..., Shopper]


@pytest.fixture
def at(seller: TestMerchant) -> Iterator[At]:
    """Makes browsers at an address, by what the proxy says."""
    opened: list[httpx.Client] = []

    def browser(address: str, **headers: str) -> Shopper:
        about = {"X-Forwarded-For": address, "User-Agent": BROWSER, **headers}
        opened.append(httpx.Client(base_url=seller.base, headers=about, verify=False, timeout=30))
        return Shopper(opened[-1])

    yield browser
    for each in opened:
        each.close()


def written(till: Till, seller: TestMerchant, table: type[Any]) -> list[Any]:
    number = merchant_of(seller.id, "mer")
    with till.database.reading() as session:
        return list(
            session.scalars(select(table).where(table.merchant_id == number).order_by(*table.__mapper__.primary_key))
        )


def machines(till: Till, seller: TestMerchant, table: type[Any]) -> list[Seen]:
    return [(row.device, row.block) for row in written(till, seller, table)]


@pytest.fixture
def code(till: Till, seller: TestMerchant, at: At) -> str:
    """A link, by somebody who is seen: so the day's salt is there."""
    seller.wall(seller.product()["id"])
    for _ in range(500):
        found = at("93.184.99.1").share(seller.product()["id"])["code"]
        if machines(till, seller, Referral)[-1] != NOTHING:
            return str(found)
    raise AssertionError("there is no salt")


def visits(till: Till, seller: TestMerchant, code: str, *asked: dict[str, str]) -> list[Seen]:
    """What is kept of those who follow the link one after the other."""
    before = len(written(till, seller, Visit))
    with httpx.Client(base_url=seller.base, verify=False, timeout=30) as browser:
        for headers in asked:
            assert 200 == browser.get(f"/r/{code}", headers={"User-Agent": BROWSER, **headers}).status_code
    return machines(till, seller, Visit)[before:]


def test_a_visit_is_of_the_same_machine_by_both_ways(till: Till, seller: TestMerchant, code: str) -> None:
    came = [{"X-Forwarded-For": who, "Connection": way} for way in WAYS for who in (ANA, BO) for _ in range(2)]
    found = visits(till, seller, code, *came)
    assert 8 == len(found)
    assert found[:4] == found[4:] == [found[0]] * 2 + [found[2]] * 2
    assert 4 == len({*found[0], *found[2]})
    assert NOTHING != found[0]


FORWARDED = {
    "93.184.216.34": True,
    "93.184.216.34:4711": True,
    "[2606:2800:220:1::7]:443": True,
    "[2606:2800:220:1::7]": True,
    "2606:2800:220:1::7": True,
    "93.184.216.34\t, 127.0.0.1": True,
    "8.8.8.8, 93.184.216.34": True,
    "8.8.8.8,93.184.216.34, 127.0.0.1": True,
    "127.0.0.1": False,
    "unknown": False,
    "1.2.3": False,
    "::": False,
    "::::::": False,
    ":" * 5000: False,
    "9" * 5000: False,
    "": False,
    ", ,": False,
    "93.184.216.34 93.184.216.35": False,
}
"""What a proxy says, and whether it names anybody on the public internet."""


def test_what_a_proxy_says_is_understood_alike_by_both_ways(till: Till, seller: TestMerchant, code: str) -> None:
    own, theirs = [("X-Forwarded-For", "127.0.0.1")], [("X-Forwarded-For", ANA)]
    asked = [(said, is_seen, more) for said, is_seen in FORWARDED.items() for more in ([], own, theirs)]
    with httpx.Client(base_url=seller.base, verify=False, headers={"User-Agent": BROWSER}) as browser:
        for said, _, more in asked:
            for way in WAYS:
                browser.get(f"/r/{code}", headers=[("X-Forwarded-For", said), *more, ("Connection", way)])
    found = machines(till, seller, Visit)
    assert found[::2] == found[1::2]
    assert [is_seen or more == theirs for _, is_seen, more in asked] == [each != NOTHING for each in found[::2]]


@pytest.mark.parametrize("no", [{"Sec-GPC": "1"}, {"DNT": "1"}], ids=["gpc", "dnt"])
def test_of_whose_browser_says_no_nothing_is_kept(
    till: Till, seller: TestMerchant, code: str, no: dict[str, str], at: At
) -> None:
    came = [{"X-Forwarded-For": ANA, "Connection": way, **no} for way in WAYS]
    assert [NOTHING] * 2 == visits(till, seller, code, *came)
    shopper = at(ANA, **no)
    product = seller.product()
    shopper.like(product["id"])
    shopper.share(product["id"])
    assert [NOTHING] * 2 == machines(till, seller, Referral)[-2:]
    check_out(shopper, product)
    assert [None] == [checkout.device for checkout in written(till, seller, Checkout)]


def check_out(shopper: Shopper, product: JSON) -> str:
    body = {"items": [{"variant": product["variants"][0]["id"], "quantity": 1}], "click": shopper.click}
    answer = shopper.http.post("/v1/checkouts", json=body, headers=shopper.headers)
    return str(ok(answer, 201)["url"].rpartition("/")[2])


def test_who_likes_shares_and_buys_is_the_machine_that_came(
    till: Till, seller: TestMerchant, code: str, at: At
) -> None:
    (came,) = visits(till, seller, code, {"X-Forwarded-For": ANA})
    ana, product = at(ANA), seller.product()
    ana.like(product["id"])
    ana.share(product["id"])
    assert [came] * 2 == machines(till, seller, Referral)[-2:]
    ana.follow(code)
    session = check_out(ana, product)
    till.double.pay(session)
    till.tell_all(session)
    assert [came[0]] == [checkout.device for checkout in written(till, seller, Checkout)]
    assert [came[0]] == [order.device for order in written(till, seller, Order)]


def test_of_who_is_erased_no_machine_is_left(till: Till, seller: TestMerchant, code: str, at: At) -> None:
    ana, product = at(ANA), seller.product()
    ana.follow(code)
    ana.like(product["id"])
    session = check_out(ana, product)
    till.double.pay(session)
    till.tell_all(session)

    def left() -> int:
        rows = [row for table in (Visit, Checkout, Order) for row in written(till, seller, table)]
        rows += [row for row in written(till, seller, Referral) if row.kind == "like"]
        assert 4 == len(rows)
        return sum(row.device is not None or getattr(row, "block", None) is not None for row in rows)

    assert 4 == left()
    ok(ana.http.delete("/v1/me", headers=ana.headers))
    for _ in range(1000):
        if not left():
            return
        time.sleep(0.01)
    raise AssertionError(left())


def test_of_who_opted_out_nothing_is_kept_of_what_they_do_afterwards(
    till: Till, seller: TestMerchant, code: str, at: At
) -> None:
    ana, product = at(ANA), seller.product()
    ana.like(product["id"])
    assert NOTHING != machines(till, seller, Referral)[-1]
    ok(ana.http.post("/v1/me/opt-out", headers=ana.headers))
    ana.share(product["id"])
    assert NOTHING == machines(till, seller, Referral)[-1]
    session = check_out(ana, product)
    till.double.pay(session)
    till.tell_all(session)
    assert [None] == [checkout.device for checkout in written(till, seller, Checkout)]
    assert [None] == [order.device for order in written(till, seller, Order)]


def test_where_no_visitors_are_kept_no_machine_is(
    till: Till, seller: TestMerchant, code: str, until_seen: Callable[[], None], at: At
) -> None:
    ok(seller.http.patch("/v1/merchant", json={"privacy": "none"}))
    until_seen()
    came = [{"X-Forwarded-For": ANA, "Connection": way} for way in WAYS]
    assert [NOTHING] * 2 == visits(till, seller, code, *came)
    ana, product = at(ANA), seller.product()
    ana.like(product["id"])
    assert NOTHING == machines(till, seller, Referral)[-1]
    check_out(ana, product)
    assert [None] == [checkout.device for checkout in written(till, seller, Checkout)]


def test_a_visit_that_is_claimed_once_more_is_of_who_claims_it(
    till: Till, seller: TestMerchant, code: str, at: At
) -> None:
    ana, bo = at(ANA), at(BO)
    click = ana.follow(code)
    assert click != bo.claim(click)
    first, copied = machines(till, seller, Visit)[-2:]
    (theirs,) = visits(till, seller, code, {"X-Forwarded-For": BO})
    assert theirs == copied != first


EMBEDDED = ["image", "iframe", "frame", "script", "style", "embed", "object", "audio", "video", "font", "worker", "??"]


@pytest.mark.parametrize("landing", ["page", "merchant"])
def test_what_a_page_asks_for_unseen_is_no_visit_and_counted_beside_them(
    till: Till, seller: TestMerchant, until_seen: Callable[[], None], landing: str
) -> None:
    ok(seller.http.patch("/v1/merchant", json={"landing": landing}))
    until_seen()
    product = seller.product(url="https://shop.example/mug")
    code = seller.shopper().share(product["id"])["code"]
    hidden = [{"Sec-Fetch-Dest": each, "Sec-Fetch-Mode": "no-cors"} for each in (*EMBEDDED, "empty")]
    with httpx.Client(base_url=seller.base, verify=False, headers={"User-Agent": BROWSER}, timeout=30) as browser:
        browser.get(f"/r/{code}", headers={"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"})
        for number, headers in enumerate(hidden):
            answer = browser.get(f"/r/{code}", headers={**headers, "Connection": WAYS[number % 2]})
            assert (200, False) == (answer.status_code, "clk_" in answer.text), headers
        saved = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "navigate"}
        browser.get(f"/r/{code}", headers=saved)
    assert 2 == len(written(till, seller, Visit))
    for _ in range(200):
        counted = [(row.kind, row.machine, row.visits) for row in written(till, seller, MachineVisits)]
        if sum(visits for *_, visits in counted) == len(hidden):
            break
    assert [("hidden", "browser", len(hidden))] == counted


def test_a_frame_that_a_merchant_embeds_is_shown_in_a_frame(seller: TestMerchant, code: str) -> None:
    framed = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate", "User-Agent": BROWSER}
    assert 200 == seller.public.get(f"/embed/r/{code}", headers=framed).status_code
