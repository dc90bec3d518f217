"""What was told already is told again, by another way or for another: it is the same, or it moves with what is new."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.clock import TestClock
from tests.history import counts, coupon, day, move_in, net_by, order, refund, share, touch
from tests.moving import preview
from tests.policies import change, keep
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]
SALE: JSON = {"external_id": "o1", "placed_at": day(9), "currency": "eur", "net": 1_000, "coupon": "ANA10"}


def tell(merchant: TestMerchant, **changed: Any) -> tuple[int, JSON]:
    """The sale by API: the status, and what was answered."""
    answer = merchant.http.post("/v1/orders", json=SALE | changed)
    return answer.status_code, answer.json()


def moved_in(merchant: TestMerchant, visitor: str | None) -> JSON:
    move_in(merchant, order("o1", visitor, 1_000, day(9), coupon="ANA10"), refund("r1", "o1", 300, day(10)))
    return dict(ok(merchant.http.get("/v1/orders"))["data"][0])


@pytest.mark.parametrize(
    "said",
    [{}, {"currency": "EUR"}, {"coupon": " ana10"}, {"placed_at": "2026-01-09T02:00:00.9+02:00"}, {"gross": 1_200}],
)
def test_a_sale_that_was_moved_in_is_the_same_when_its_shop_tells_it(merchant: TestMerchant, said: JSON) -> None:
    assert (200, moved_in(merchant, "bo")) == tell(merchant, **said)
    assert {"(none)": 700} == net_by(merchant)


@pytest.mark.parametrize(
    "said", [{"currency": "usd"}, {"net": 999}, {"coupon": None}, {"placed_at": "2026-01-09T00:00:01Z"}, {"test": True}]
)
def test_a_sale_that_was_moved_in_is_not_one_of_which_something_else_is_told(
    merchant: TestMerchant, said: JSON
) -> None:
    moved_in(merchant, "bo")
    status, problem = tell(merchant, **said)
    assert (409, "order_exists") == (status, problem["code"])


def test_a_sale_that_was_moved_in_has_the_buyer_that_both_say(merchant: TestMerchant) -> None:
    product = merchant.product()["id"]
    bo, cy = merchant.shopper(), merchant.shopper()
    bo.share(product)
    cy.share(product)
    known = moved_in(merchant, bo.id)
    assert [(200, known)] * 3 == [tell(merchant, visitor=said) for said in (bo.id, bo.token, None)]
    assert 409 == tell(merchant, visitor=cy.id)[0]


@pytest.mark.parametrize("upline", ["equal", "root", "recursive"])
def test_all_credit_goes_with_a_coupon_that_came_to_speak_for_another(merchant: TestMerchant, upline: str) -> None:
    """Also that of who stands above both, whose lines are as much as before: it came through something else."""
    cup, mug = merchant.product()["id"], merchant.product()["id"]
    change(merchant, {"upline": {"mode": upline}})
    move_in(
        merchant,
        share("s1", "ana", day(1)),
        share("s2", "bo", day(1), parent="s1", product=cup),
        share("s3", "cy", day(1), parent="s1", product=mug),
        coupon("C", "s2", day(1)),
        order("o1", "v1", 1_000, day(9), coupon="C"),
    )
    assert {cup: 1_000} == net_by(merchant, "product")
    move_in(merchant, coupon("C", "s3", day(5)))
    assert {mug: 1_000} == net_by(merchant, "product")


def test_a_code_of_nothing_is_no_code(merchant: TestMerchant) -> None:
    """Not even of what only some call a space."""
    assert (0, 0, 1) == counts(move_in(merchant, coupon("\x1f", "s1", day(1))))
    move_in(merchant, order("o1", None, 1_000, day(9), coupon="\x1f"))
    assert 200 == tell(merchant, coupon=None)[0]


def test_a_kept_policy_is_explained_by_the_version_of_then(merchant: TestMerchant, clock: TestClock) -> None:
    links = [share("s1", "ana", day(1)), touch("t1", "v1", "s1", day(2)), touch("t2", "v1", "s1", day(3))]
    move_in(merchant, *links, order("o1", "v1", 1_000, day(9), received_at=day(9)))
    path = f"/v1/orders/{ok(merchant.http.get('/v1/orders'))['data'][0]['id']}/attribution"
    before = clock.now().isoformat()
    clock.move(hours=1)
    keep(merchant, "other", {"model": "linear"})
    between = clock.move(hours=1).isoformat()
    clock.move(hours=1)
    keep(merchant, "other", {"model": "first_touch"})

    then = ok(merchant.http.get(path, params={"policy": "other", "as_of": between}))
    now = ok(merchant.http.get(path, params={"policy": "other"}))
    assert [(1, "linear", 2), (2, "first_touch", 1)] == [
        (each["policy_version"], each["policy"]["model"], len(each["lines"])) for each in (then, now)
    ]
    for policy, pointer in (("other", "as_of"), ("nothing", "policy")):
        refused = merchant.http.get(path, params={"policy": policy, "as_of": before})
        assert (422, [pointer]) == (refused.status_code, [each["pointer"] for each in refused.json()["errors"]])


def test_the_first_day_that_can_be_said_may_be_said_anywhere(new_merchant: NewMerchant) -> None:
    """In the east it began before 1970."""
    merchant = new_merchant(timezone="Europe/Paris")
    merchant.order(500)
    change(merchant, {"model": "linear"}, since="1970-01-01")
    answer = merchant.http.post("/v1/attribution/preview", json={"from": "1970-01-01", "as_of": "1970-01-01"})
    assert "1970-01-01T00:00:00Z" == ok(merchant.http.get("/v1/policy"))["applies_from"] == ok(answer)["as_of"]


def test_who_came_through_a_moved_in_link_came_for_what_it_spoke_of(merchant: TestMerchant) -> None:
    cup, mug = merchant.product()["id"], merchant.product()["id"]
    bo = merchant.shopper()
    bo.like(merchant.product()["id"])
    move_in(
        merchant,
        share("s1", "ana", "2026-02-25T00:00:00Z", product=cup),
        share("s2", "cy", "2026-02-25T00:00:00Z", product=mug),
        touch("t1", bo.id, "s1", "2026-02-26T00:00:00Z"),
        touch("t2", bo.id, "s2", "2026-02-27T00:00:00Z"),
    )
    assert ["s1", "s2"] == [bo.share(product)["parent"] for product in (cup, mug)]


def test_a_preview_knows_what_was_said_a_moment_ago(merchant: TestMerchant, clock: TestClock) -> None:
    """What is said last is received last, if only by an instant, though the clock stands still."""
    move_in(merchant, share("s1", "ana", day(1)), share("s2", "bo", day(1)))
    move_in(merchant, touch("t1", "v1", "s1", day(2)), order("o1", "v1", 70, day(3)))
    for person in ("nana", "anna"):
        ok(merchant.http.put("/v1/identities/ana", json={"person": person}))
    for referral in ("s1", "s2"):
        ok(merchant.http.put("/v1/coupons/C", json={"referral": referral}))
    merchant.order(30, coupon="C")
    assert {"anna": 70, "bo": 30} == net_by(merchant)
    clock.move(microseconds=1)
    assert {"eur": {"anna": 70, "bo": 30}} == preview(merchant)["by_sharer"]
