"""Stripe's promotion codes that belong to a referral: the buyer pays less, and who passed the word has the credit."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.shop import JSON, Shopper, TestMerchant, ok
from tests.threads import together
from tests.till import Till, items, variant


@pytest.fixture
def seller(till: Till, new_seller: Callable[..., TestMerchant]) -> TestMerchant:
    """A merchant whose buyers may type in a code at Stripe."""
    made = new_seller()
    ok(made.http.patch("/v1/merchant", json={"checkout": {"promotion_codes": True}}))
    return made


@pytest.fixture
def code(seller: TestMerchant) -> str:
    """A code that no other test knows: all merchants of the till sell through one account."""
    return "ANA" + seller.id[-6:].upper()


@pytest.fixture
def tenth(till: Till) -> str:
    """Stripe's coupon: a tenth of the price."""
    return str(till.double.coupon(percent_off=10)["id"])


def put(seller: TestMerchant, code: str, **body: Any) -> httpx.Response:
    return seller.http.put(f"/v1/promotion-codes/{code}", json=body)


def shared(seller: TestMerchant, sharer: Shopper | None = None) -> JSON:
    """A share of a product of its own."""
    return (sharer or seller.shopper()).share(seller.product()["id"])


def credited(seller: TestMerchant) -> list[tuple[str | None, int, list[str | None]]]:
    """Of each order: its coupon, its net, and to which referrals it is credited."""
    found = []
    for order in ok(seller.http.get("/v1/orders"))["data"]:
        lines = seller.explanation(order["id"])["lines"]
        found.append((order["coupon"], order["net"], [line["referral"] for line in lines if line["net"]]))
    return found


def at_stripe(till: Till, code: str, account: str | None = None) -> list[JSON]:
    """The promotion codes of that word at Stripe."""
    headers = {"Authorization": f"Bearer {till.double.api_key}", **({"Stripe-Account": account} if account else {})}
    answer = httpx.get(f"{till.stripe_url}/v1/promotion_codes", params={"code": code}, headers=headers)
    return list(ok(answer)["data"])


def pay(till: Till, session: str, **how: Any) -> None:
    till.double.pay(session, **how)
    till.tell_all(session)


def test_a_code_is_made_at_stripe_once_and_speaks(till: Till, seller: TestMerchant, code: str, tenth: str) -> None:
    ana = seller.shopper()
    share = shared(seller, ana)

    said = ok(put(seller, code, referral=share["id"], coupon=tenth, max_redemptions=50), 200)

    (made,) = at_stripe(till, code)
    assert {
        "id": made["id"],
        "code": code,
        "active": True,
        "referral": share["id"],
        "sharer": ana.id,
        "since": "2026-03-02T10:00:00Z",
    } == said
    assert (code, 50, {"gv_merchant": seller.id, "gv_referral": share["id"]}) == tuple(
        made[name] for name in ("code", "max_redemptions", "metadata")
    )
    assert said == ok(put(seller, code, referral=share["id"], coupon=tenth, max_redemptions=50), 200)
    assert [made["id"]] == [each["id"] for each in at_stripe(till, code)]
    assert {"data": [said], "next_cursor": None} == ok(seller.http.get("/v1/promotion-codes"))
    assert share["id"] == ok(seller.http.get(f"/v1/coupons/{code.lower()}"))["referral"]


def test_who_types_the_code_at_stripe_pays_less_and_its_referral_has_the_credit(
    till: Till, seller: TestMerchant, code: str, tenth: str
) -> None:
    """Whoever's link it was through which the buyer had come: the code takes the whole order (rule 5)."""
    anas, bos = shared(seller), shared(seller)
    ok(put(seller, code, referral=anas["id"], coupon=tenth))
    till.clock.move(seconds=1)
    buyer = seller.shopper()
    click = buyer.follow(bos["code"])

    checkout = till.checkout(variant(seller, 2000), click=click)
    assert till.session(checkout["session"])["allow_promotion_codes"]
    pay(till, checkout["session"], promotion_code=code.lower())

    assert [(code, 1800, [anas["id"]])] == credited(seller)


def test_without_the_code_the_link_has_the_credit(till: Till, seller: TestMerchant, code: str, tenth: str) -> None:
    anas, bos = shared(seller), shared(seller)
    ok(put(seller, code, referral=anas["id"], coupon=tenth))
    click = seller.shopper().follow(bos["code"])

    pay(till, till.checkout(variant(seller, 2000), click=click)["session"])

    assert [(None, 2000, [bos["id"]])] == credited(seller)


@pytest.mark.parametrize("way", ["json", "form"])
def test_a_code_that_came_with_the_buyer_is_applied_already(
    till: Till, seller: TestMerchant, code: str, tenth: str, way: str
) -> None:
    share = shared(seller)
    promotion = ok(put(seller, code, referral=share["id"], coupon=tenth))["id"]
    till.clock.move(seconds=1)
    body = {"variant": variant(seller, 2000), "quantity": "2"}
    if way == "json":
        ok(till.ask(items({"variant": body["variant"], "quantity": 2}) | {"coupon": f" {code.lower()} "}), 201)
    else:
        answer = httpx.post(f"{till.url}/v1/checkouts", data={**body, "coupon": code.lower()})
        assert 303 == answer.status_code
    (session,) = till.sessions_of(seller)

    assert (3600, None) == (session["amount_total"], session["allow_promotion_codes"])
    assert [promotion] == [each["promotion_code"] for each in session["discounts"]]
    pay(till, session["id"])
    assert [(code, 3600, [share["id"]])] == credited(seller)


def test_a_code_may_speak_for_a_sharer(till: Till, seller: TestMerchant, code: str, tenth: str) -> None:
    ana = seller.shopper()
    shared(seller, ana)
    till.clock.move(seconds=1)
    newest = shared(seller, ana)

    assert newest["id"] == ok(put(seller, code, sharer=ana.id, coupon=tenth))["referral"]


def test_a_code_that_works_at_stripe_is_taken_over(till: Till, seller: TestMerchant, code: str, tenth: str) -> None:
    standing = till.double.promotion_code(code, tenth, metadata={"gv_merchant": seller.id})
    share = shared(seller)

    assert standing["id"] == ok(put(seller, code, referral=share["id"], coupon=tenth, max_redemptions=1))["id"]
    assert [standing["id"]] == [each["id"] for each in at_stripe(till, code)]


def test_a_code_that_gives_something_else_at_stripe_is_not_taken_over(
    till: Till, seller: TestMerchant, code: str, tenth: str
) -> None:
    half = str(till.double.coupon(percent_off=50)["id"])
    till.double.promotion_code(code, half, metadata={"gv_merchant": seller.id})

    refused = put(seller, code, referral=shared(seller)["id"], coupon=tenth)

    assert (422, ["/coupon"]) == (refused.status_code, [each["pointer"] for each in refused.json()["errors"]])
    assert 404 == seller.http.get(f"/v1/coupons/{code}").status_code


def test_a_code_that_ended_at_stripe_is_made_anew(till: Till, seller: TestMerchant, code: str, tenth: str) -> None:
    share = shared(seller)
    first = ok(put(seller, code, referral=share["id"], coupon=tenth))
    till.double.switch_promotion_code(first["id"], active=False)

    second = ok(put(seller, code, referral=share["id"], coupon=tenth))

    assert first["id"] != second["id"]
    assert (True, first["since"]) == (second["active"], second["since"])


def test_a_code_that_ended_gives_nothing_and_still_speaks(
    till: Till, seller: TestMerchant, code: str, tenth: str
) -> None:
    share = shared(seller)
    promotion = ok(put(seller, code, referral=share["id"], coupon=tenth))["id"]
    till.double.switch_promotion_code(promotion, active=False)
    till.clock.move(seconds=1)

    session = till.checkout(variant(seller, 2000), coupon=code)["session"]
    pay(till, session)

    assert [(code, 2000, [share["id"]])] == credited(seller)


@pytest.mark.parametrize("coupon", ["NOBODYS", "Ün möglich", "clk_0", "x" * 200, "a,b", "<script>"])
def test_a_coupon_that_stripe_does_not_know_never_refuses_a_sale(till: Till, seller: TestMerchant, coupon: str) -> None:
    pay(till, till.checkout(variant(seller, 2000), coupon=coupon)["session"])

    assert [(coupon, 2000)] == [(order["coupon"], order["net"]) for order in till.orders(seller)]


def test_a_code_that_stripe_does_not_take_for_this_sale_is_said_and_holds_nothing(
    till: Till, seller: TestMerchant, code: str
) -> None:
    """Charging the full price without a word would be worse."""
    dollars = str(till.double.coupon(amount_off=500, currency="usd")["id"])
    till.double.promotion_code(code, dollars, metadata={"gv_merchant": seller.id})
    mug = seller.product(variants=[{"price": {"amount": 2000, "currency": "eur"}, "stock": 1}])

    refused = till.ask(items({"variant": mug["variants"][0]["id"]}) | {"coupon": code})

    assert (422, "checkout_refused") == (refused.status_code, refused.json()["code"])
    (left,) = ok(seller.http.get(f"/v1/products/{mug['id']}"))["variants"]
    assert (1, 0, True) == (left["stock"], left["reserved"], left["available"])


def test_a_whole_discount_leaves_nothing_to_pay_and_an_order_of_nothing(
    till: Till, seller: TestMerchant, code: str
) -> None:
    share = shared(seller)
    whole = str(till.double.coupon(percent_off=100)["id"])
    ok(put(seller, code, referral=share["id"], coupon=whole))
    till.clock.move(seconds=1)

    pay(till, till.checkout(variant(seller, 2000), coupon=code)["session"])

    assert [(code, 0)] == [(order["coupon"], order["net"]) for order in till.orders(seller)]


def test_a_connected_account_has_codes_of_its_own(till: Till, new_seller: Callable[..., TestMerchant]) -> None:
    seller = new_seller(stripe_account="acct_codes")
    code = "CON" + seller.id[-6:].upper()
    coupon = str(till.double.coupon(percent_off=10, account="acct_codes")["id"])
    share = shared(seller)

    ok(put(seller, code, referral=share["id"], coupon=coupon))
    till.clock.move(seconds=1)
    session = till.checkout(variant(seller, 2000), coupon=code)["session"]
    pay(till, session)

    assert ([], 1) == (at_stripe(till, code), len(at_stripe(till, code, "acct_codes")))
    assert [(code, 1800, [share["id"]])] == credited(seller)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"referral": "ref_nobody"}, "/referral"),
        ({"referral": None}, "/referral"),
        ({"sharer": "somebody"}, "/referral"),
        ({"referral": None, "sharer": "nobody"}, "/sharer"),
        ({"coupon": "no-such-coupon"}, "/coupon"),
        ({"coupon": ""}, "/coupon"),
        ({"coupon": "x" * 201}, "/coupon"),
        ({"max_redemptions": 0}, "/max_redemptions"),
        ({"max_redemptions": 1.5}, "/max_redemptions"),
        ({"expires_at": "2026-03-02T10:00:00Z"}, "/expires_at"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"percent_off": 10}, "/percent_off"),
    ],
)
def test_what_cannot_be_changes_nothing(
    till: Till, seller: TestMerchant, code: str, tenth: str, change: JSON, pointer: str
) -> None:
    body = {"referral": shared(seller)["id"], "coupon": tenth, **change}

    refused = put(seller, code, **body)

    assert (422, [pointer]) == (refused.status_code, [each["pointer"] for each in refused.json()["errors"]])
    assert [] == at_stripe(till, code)
    assert 404 == seller.http.get(f"/v1/coupons/{code}").status_code
    assert [] == ok(seller.http.get("/v1/promotion-codes"))["data"]


@pytest.mark.parametrize("name", ["ANA_10", "ANA%2010", "%C3%84NA", "ANA/10", "%20"])
def test_a_code_of_other_characters_than_stripes_is_refused(seller: TestMerchant, tenth: str, name: str) -> None:
    refused = put(seller, name, referral=shared(seller)["id"], coupon=tenth)
    assert (422, ["code"]) == (refused.status_code, [each["pointer"] for each in refused.json()["errors"]])


def test_another_merchants_referral_is_unknown(
    till: Till, seller: TestMerchant, new_seller: Callable[..., TestMerchant], code: str, tenth: str
) -> None:
    others = shared(new_seller())
    assert 422 == put(seller, code, referral=others["id"], coupon=tenth).status_code
    assert [] == at_stripe(till, code)


def test_while_stripe_is_down_a_code_can_be_asked_for_again(
    till: Till, seller: TestMerchant, code: str, tenth: str
) -> None:
    body = {"referral": shared(seller)["id"], "coupon": tenth}
    till.line.status = 503
    down = put(seller, code, **body)
    assert (503, "checkout_unavailable") == (down.status_code, down.json()["code"])
    assert 404 == seller.http.get(f"/v1/coupons/{code}").status_code

    till.line.mend()
    till.line.lost = 2
    assert 503 == put(seller, code, **body).status_code
    assert 404 == seller.http.get(f"/v1/coupons/{code}").status_code

    till.line.mend()
    ok(put(seller, code, **body), 200)
    assert 1 == len(at_stripe(till, code))


def test_two_who_make_the_same_code_make_one(till: Till, seller: TestMerchant, code: str, tenth: str) -> None:
    body = {"referral": shared(seller)["id"], "coupon": tenth}

    answers = together(*[lambda: put(seller, code, **body)] * 4)

    assert [200] * 4 == [answer.status_code for answer in answers]
    assert 1 == len({answer.text for answer in answers}) == len(at_stripe(till, code))
    assert 1 == len(ok(seller.http.get("/v1/promotion-codes"))["data"])


def test_a_list_of_codes_comes_in_pages(till: Till, seller: TestMerchant, code: str, tenth: str) -> None:
    share = shared(seller)
    for number in range(3):
        till.clock.move(seconds=1)
        ok(put(seller, f"{code}-{number}", referral=share["id"], coupon=tenth))
    ok(seller.http.put(f"/v1/coupons/{code}-plain", json={"referral": share["id"]}))

    first = ok(seller.http.get("/v1/promotion-codes", params={"limit": 2}))
    second = ok(seller.http.get("/v1/promotion-codes", params={"limit": 2, "cursor": first["next_cursor"]}))

    assert [f"{code}-2", f"{code}-1", f"{code}-0"] == [each["code"] for each in first["data"] + second["data"]]
    assert second["next_cursor"] is None
    ok(seller.http.delete(f"/v1/coupons/{code}-1"), 204)
    assert [f"{code}-2", f"{code}-0"] == [each["code"] for each in ok(seller.http.get("/v1/promotion-codes"))["data"]]


def test_only_a_secret_key_makes_codes(seller: TestMerchant, code: str, tenth: str) -> None:
    body = {"referral": shared(seller)["id"], "coupon": tenth}
    for key, status in ((seller.report_key, 403), ("sk_nobody", 401)):
        headers = {"Authorization": f"Bearer {key}"}
        address = f"{seller.base}/v1/promotion-codes"
        assert status == httpx.put(f"{address}/{code}", json=body, headers=headers).status_code
        assert status == httpx.get(address, headers=headers).status_code
