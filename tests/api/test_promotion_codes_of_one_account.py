"""Promotion codes where several merchants sell through one account of Stripe's: each code is one merchant's."""

from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from tests.shop import JSON, TestMerchant, ok
from tests.till import Till, items, variant

NewSeller = Callable[..., TestMerchant]


@pytest.fixture
def code() -> str:
    """A code that no other test knows: all merchants of the till sell through one account."""
    return f"STAFF-{uuid4().hex}".upper()


@pytest.fixture
def whole(till: Till) -> str:
    """Stripe's coupon: all of the price."""
    return str(till.double.coupon(percent_off=100)["id"])


def put(seller: TestMerchant, code: str, coupon: str) -> httpx.Response:
    share = seller.shopper().share(seller.product()["id"])
    return seller.http.put(f"/v1/promotion-codes/{code}", json={"referral": share["id"], "coupon": coupon})


def offered(till: Till, seller: TestMerchant, code: str) -> tuple[int, int]:
    """What is to be paid for something of 5000 where the code came with the buyer, and how many discounts that has."""
    session = till.session(till.checkout(variant(seller, 5000), coupon=code)["session"])
    return session["amount_total"], len(session["discounts"] or [])


def refused(answer: httpx.Response) -> list[str]:
    """Which fields were refused."""
    assert 422 == answer.status_code, answer.text
    return [each["pointer"] for each in answer.json()["errors"]]


def assert_speaks_for_nobody(seller: TestMerchant, code: str) -> None:
    assert 404 == seller.http.get(f"/v1/coupons/{code}").status_code
    assert [] == ok(seller.http.get("/v1/promotion-codes"))["data"]


def test_a_code_gives_its_discount_only_at_the_merchants_whom_it_names(
    till: Till, seller: TestMerchant, new_seller: NewSeller, code: str, whole: str
) -> None:
    ok(put(seller, code, whole))

    assert (5000, 0) == offered(till, new_seller(), code)
    assert (0, 1) == offered(till, seller, code)


def test_a_code_that_names_another_is_not_taken_over(
    till: Till, seller: TestMerchant, new_seller: NewSeller, code: str, whole: str
) -> None:
    """Whether the coupon is the same or not: nothing is told of what another's code gives."""
    mine, other = ok(put(seller, code, whole)), new_seller()
    tenth = str(till.double.coupon(percent_off=10)["id"])

    assert [["code"], ["code"]] == [refused(put(other, code.lower(), coupon)) for coupon in (whole, tenth)]

    assert_speaks_for_nobody(other, code)
    assert [(mine["id"], seller.id)] == at_stripe(till, code)
    assert mine["id"] == ok(put(seller, code, whole))["id"]


def test_a_code_of_anothers_that_ended_is_made_anew(
    till: Till, seller: TestMerchant, new_seller: NewSeller, code: str, whole: str
) -> None:
    till.double.switch_promotion_code(ok(put(seller, code, whole))["id"], active=False)
    other = new_seller()

    made = ok(put(other, code, whole))["id"]

    assert (made, other.id) in at_stripe(till, code)
    assert [(5000, 0), (0, 1)] == [offered(till, each, code) for each in (seller, other)]


@pytest.mark.parametrize("named", [{}, {"metadata": {"gv_merchant": "mer_of_another_install"}}])
def test_a_code_that_names_none_of_several_is_nobodys(
    till: Till, seller: TestMerchant, new_seller: NewSeller, code: str, whole: str, named: JSON
) -> None:
    new_seller()
    till.double.promotion_code(code, whole, **named)

    assert (5000, 0) == offered(till, seller, code)
    assert ["code"] == refused(put(seller, code, whole))
    assert_speaks_for_nobody(seller, code)


def test_a_code_that_names_nobody_is_the_only_sellers_while_there_is_no_other(
    till: Till, new_seller: NewSeller, code: str
) -> None:
    account = f"acct_{uuid4().hex}"
    seller = new_seller(stripe_account=account)
    whole = str(till.double.coupon(percent_off=100, account=account)["id"])
    standing = till.double.promotion_code(code, whole, account=account)

    assert (0, 1) == offered(till, seller, code)
    assert standing["id"] == ok(put(seller, code, whole))["id"]

    second = new_seller(stripe_account=account)
    assert [(5000, 0)] * 2 == [offered(till, each, code) for each in (seller, second)]
    assert ["code"] == refused(put(second, code, whole))


def test_what_a_buyer_typed_at_stripe_is_recorded_whoever_it_names(
    till: Till, seller: TestMerchant, new_seller: NewSeller, code: str, whole: str
) -> None:
    """Stripe's page takes every code of its account, where a merchant lets buyers type one in."""
    ok(put(seller, code, whole))
    other = new_seller()
    ok(other.http.patch("/v1/merchant", json={"checkout": {"promotion_codes": True}}))

    session = till.checkout(variant(other, 5000))["session"]
    till.double.pay(session, promotion_code=code)
    till.tell_all(session)

    assert [(code, 0)] == [(order["coupon"], order["net"]) for order in till.orders(other)]
    assert 201 == till.ask(items({"variant": variant(other)}) | {"coupon": code}).status_code


def at_stripe(till: Till, code: str) -> list[tuple[str, str | None]]:
    """The promotion codes of that word at Stripe, and whom each names."""
    found = till.listed("/v1/promotion_codes", code=code)
    return [(each["id"], each["metadata"].get("gv_merchant")) for each in found]
