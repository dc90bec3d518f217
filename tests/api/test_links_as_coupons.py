"""Links as coupons: who types a friend's code, or pastes the address of their link, as a coupon means that friend."""

from collections.abc import Callable

import pytest

from tests.clock import TestClock
from tests.shop import JSON, Shopper, TestMerchant, ok


def credited(merchant: TestMerchant, order: JSON) -> list[tuple[str, str]]:
    """Source and sharer of what the order earned; the ledger agrees on the sharers."""
    explanation = merchant.explanation(order["id"])
    sums: dict[str, int] = {}
    for entry in explanation["entries"]:
        sums[entry["sharer"]] = sums.get(entry["sharer"], 0) + entry["gross"]
    assert {line["sharer"]: line["gross"] for line in explanation["lines"]} == {k: v for k, v in sums.items() if v}
    return [(line["source"], line["sharer"]) for line in explanation["lines"]]


NOBODY = [("direct", "(none)")]


@pytest.fixture
def anas(merchant: TestMerchant, ana: Shopper) -> JSON:
    return ana.share(merchant.product()["id"])


@pytest.mark.parametrize("form", ["{code}", " {code} ", "{base}/r/{code}", "{base}/r/{code}?utm=x", "/r/{code}"])
def test_a_links_code_or_address_speaks_for_its_referral(
    merchant: TestMerchant, ana: Shopper, anas: JSON, clock: TestClock, form: str
) -> None:
    clock.move(minutes=1)
    coupon = form.format(code=anas["code"], base=merchant.base)
    order = merchant.order(coupon=coupon)
    assert [("coupon", ana.id)] == credited(merchant, order)
    assert [("coupon", ana.id)] == credited(merchant, merchant.order(coupon=coupon))
    (said,) = ok(merchant.http.get("/v1/coupons"))["data"]
    assert (coupon.strip(), anas["id"], "2026-03-02T10:00:00Z") == (said["code"], said["referral"], said["since"])


def test_a_sale_of_before_the_link_is_not_its_referrals(merchant: TestMerchant, anas: JSON, clock: TestClock) -> None:
    order = merchant.order(coupon=anas["code"], placed_at="2026-03-02T09:59:59Z")
    assert credited(merchant, order) == NOBODY


def test_what_was_said_of_a_code_stays(merchant: TestMerchant, ana: Shopper, anas: JSON, clock: TestClock) -> None:
    bo = merchant.shopper()
    bos = bo.share(merchant.product()["id"])
    ok(merchant.http.put(f"/v1/coupons/{anas['code']}", json={"referral": bos["id"]}))
    assert [("coupon", bo.id)] == credited(merchant, merchant.order(coupon=anas["code"]))
    assert [("coupon", bo.id)] == credited(merchant, merchant.order(coupon=anas["code"].swapcase()))
    ok(merchant.http.delete(f"/v1/coupons/{anas['code']}"), 204)
    clock.move(seconds=1)
    assert credited(merchant, merchant.order(coupon=anas["code"])) == NOBODY


def test_a_link_that_is_closed_or_anothers_or_none_speaks_for_nobody(
    merchant: TestMerchant, ana: Shopper, new_merchant: Callable[..., TestMerchant]
) -> None:
    other = new_merchant()
    foreign = other.shopper().share(other.product()["id"])
    liked = ana.like(merchant.product()["id"])
    ok(merchant.public.delete(f"/v1/likes/{liked['id']}", headers=ana.headers))
    for coupon in (foreign["code"], liked["code"], "Abc123xyZ", "/r/Abc123xyZ", "/r/", "x" * 200):
        assert credited(merchant, merchant.order(coupon=coupon)) == NOBODY
    assert [] == ok(merchant.http.get("/v1/coupons"))["data"]


def test_an_order_that_came_first_is_credited_when_the_code_begins_to_speak(
    merchant: TestMerchant, ana: Shopper, anas: JSON, clock: TestClock
) -> None:
    """As a sale from a system that tells of no codes does, for which nobody looked for a link."""
    clock.move(minutes=1)
    at = clock.now().isoformat()
    line = f'{{"kind": "order", "id": "o1", "visitor": null, "currency": "eur", "net": 5, "coupon": "{anas["code"]}"'
    ok(merchant.http.post("/v1/history", content=line + f', "at": "{at}"}}'))
    (order,) = ok(merchant.http.get("/v1/orders"))["data"]
    assert credited(merchant, order) == NOBODY
    merchant.order(coupon=anas["code"])
    assert [("coupon", ana.id)] == credited(merchant, order)


def test_a_click_id_may_come_as_a_coupon(merchant: TestMerchant, ana: Shopper, anas: JSON, clock: TestClock) -> None:
    bo = merchant.shopper()
    bo.follow(anas["code"])
    assert bo.click is not None
    for coupon in (bo.click, bo.click.upper(), f"https://shop.example/?gv_click={bo.click}"):
        order = merchant.order(coupon=coupon)
        assert (bo.click, None, [("touch", ana.id)]) == (order["click_id"], order["coupon"], credited(merchant, order))
    both = merchant.order(coupon=bo.click, click_id="clk_unknown")
    assert ("clk_unknown", bo.click) == (both["click_id"], both["coupon"])
