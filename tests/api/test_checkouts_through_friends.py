"""Through whom a buyer came to a checkout, in whichever field and form the shop hands it on."""

from functools import partial

import httpx
import pytest

from tests.shop import JSON, Shopper, TestMerchant, ok
from tests.threads import together
from tests.till import Till, items, variant


@pytest.fixture
def ana(seller: TestMerchant) -> Shopper:
    return seller.shopper()


@pytest.fixture
def anas(till: Till, seller: TestMerchant, ana: Shopper) -> JSON:
    """Ana's share, of a minute ago."""
    share = ana.share(seller.product()["id"])
    till.clock.move(minutes=1)
    return share


def bought(till: Till, seller: TestMerchant, **how: str) -> JSON:
    """The order of somebody who came so, and what it earned."""
    opened = ok(till.ask(items({"variant": variant(seller, 2000)}) | how), 201)
    return paid(till, seller, opened["url"].rpartition("/")[2])


def paid(till: Till, seller: TestMerchant, session: str) -> JSON:
    till.double.pay(session)
    till.tell_all(session)
    till.tell_all(session)
    order = till.order_of(seller, session)
    lines = seller.explanation(order["id"])["lines"]
    return {**order, "earned": [(line["source"], line["sharer"]) for line in lines if line["net"]]}


@pytest.mark.parametrize("form", ["{code}", " {code} ", "/r/{code}", "{base}/r/{code}?utm=x"])
def test_a_links_code_or_address_as_coupon_speaks_for_its_referral(
    till: Till, seller: TestMerchant, ana: Shopper, anas: JSON, form: str
) -> None:
    coupon = form.format(code=anas["code"], base=till.url)

    first, second = bought(till, seller, coupon=coupon), bought(till, seller, coupon=coupon)

    assert [[("coupon", ana.id)]] * 2 == [first["earned"], second["earned"]]
    assert coupon.strip() == first["coupon"]
    (said,) = ok(seller.http.get("/v1/coupons"))["data"]
    assert (coupon.strip(), anas["id"]) == (said["code"], said["referral"])


def test_sales_that_are_told_together_let_a_links_code_speak_once(
    till: Till, seller: TestMerchant, ana: Shopper, anas: JSON
) -> None:
    mug = variant(seller, 2000)
    opened = [ok(till.ask(items({"variant": mug}) | {"coupon": anas["code"]}), 201) for _ in range(6)]
    sessions = [each["url"].rpartition("/")[2] for each in opened]
    for session in sessions:
        till.double.pay(session)

    together(*(partial(till.tell_all, session) for session in sessions))

    orders = till.orders(seller)
    earned = [seller.explanation(order["id"])["lines"] for order in orders]
    assert [[("coupon", ana.id)]] * 6 == [[(line["source"], line["sharer"]) for line in lines] for lines in earned]
    assert 1 == len(ok(seller.http.get("/v1/coupons"))["data"])


def test_a_code_that_nobody_paid_with_says_nothing(till: Till, seller: TestMerchant, anas: JSON) -> None:
    till.checkout(variant(seller), coupon=anas["code"])
    assert [] == ok(seller.http.get("/v1/coupons"))["data"]


@pytest.mark.parametrize("form", ["{click}", "https://shop.example/?gv_click={click}&a=b"])
def test_a_click_id_as_coupon_is_the_click(
    till: Till, seller: TestMerchant, ana: Shopper, anas: JSON, form: str
) -> None:
    click = seller.shopper().follow(anas["code"])

    order = bought(till, seller, coupon=form.format(click=click))

    assert (click, None, [("touch", ana.id)]) == (order["click_id"], order["coupon"], order["earned"])


def test_beside_a_click_a_coupon_stays_what_it_is(till: Till, seller: TestMerchant, anas: JSON) -> None:
    click = seller.shopper().follow(anas["code"])
    order = bought(till, seller, coupon=click, click="clk_unknown")
    assert ("clk_unknown", click) == (order["click_id"], order["coupon"])


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("{click}", "{click}"),
        ("https://shop.example/mug?gv_click={click}&a=b#c", "{click}"),
        ("https://shop.example/?" + "x" * 1900 + "&gv_click={click}", "{click}"),
        ("https://shop.example/mug?a=b", None),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
@pytest.mark.parametrize("way", ["json", "form"])
def test_the_click_may_come_as_the_landing_address(
    till: Till, seller: TestMerchant, ana: Shopper, anas: JSON, said: str, kept: str | None, way: str
) -> None:
    click = seller.shopper().follow(anas["code"])
    mug = variant(seller, 2000)
    if way == "json":
        ok(till.ask(items({"variant": mug}) | {"click": said.format(click=click)}), 201)
    else:
        form = {"variant": mug, "click": said.format(click=click)}
        assert 303 == httpx.post(f"{till.url}/v1/checkouts", data=form).status_code
    (session,) = till.sessions_of(seller)

    order = paid(till, seller, session["id"])

    assert (kept and kept.format(click=click)) == order["click_id"] == session["metadata"].get("gv_click")
    assert [("touch", ana.id) if kept == "{click}" else ("direct", "(none)")] == order["earned"]
