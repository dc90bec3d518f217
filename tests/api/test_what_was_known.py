"""Orders that turn out to be somebody else's: whose orders are looked at again, and that what was known at any time is
told for ever."""

from typing import Any

import pytest

from tests.clock import TestClock
from tests.correcting import come_through, earned, patch
from tests.shop import JSON, Shopper, TestMerchant, ok

ANEW = {"journey_reset": True}


def preview(merchant: TestMerchant, as_of: str, **policy: Any) -> JSON:
    return dict(ok(merchant.http.post("/v1/attribution/preview", json={"policy": policy, "as_of": as_of})))


# -- who bought --------------------------------------------------------------------------------------------------


def test_another_click_or_buyer_or_coupon_credits_another(
    merchant: TestMerchant, ana: Shopper, bo: Shopper, product: str, clock: TestClock
) -> None:
    cy, di = come_through(merchant, ana, product), come_through(merchant, bo, product)
    clock.move(minutes=1)
    order = merchant.order(net=1000, click_id=cy.click)
    assert {ana.id: 1000} == earned(merchant, order)
    patch(merchant, order, click_id=f"https://shop.example/?a=b&gv_click={di.click}#top")
    assert {bo.id: 1000} == earned(merchant, order)
    patch(merchant, order, click_id=None)
    assert {"(none)": 1000} == earned(merchant, order)
    patch(merchant, order, visitor=cy.id)
    assert {ana.id: 1000} == earned(merchant, order)
    patch(merchant, order, visitor=di.token)
    assert {bo.id: 1000} == earned(merchant, order)
    patch(merchant, order, coupon=ana.share(product)["code"])
    assert {ana.id: 1000} == earned(merchant, order)
    clock.move(minutes=1)
    patch(merchant, order, coupon=ana.share(product, "email")["code"])
    assert {bo.id: 1000} == earned(merchant, order), "that link was made after the order"
    shown = patch(merchant, order, visitor=None, coupon=None)
    assert (None, None, {"(none)": 1000}) == (shown["visitor"], shown["coupon"], earned(merchant, order))


@pytest.mark.parametrize("claimed", [True, False], ids=["by visitor", "by click"])
def test_both_who_bought_it_and_who_did_not_are_looked_at_again(
    merchant: TestMerchant, ana: Shopper, product: str, clock: TestClock, claimed: bool
) -> None:
    """Where journeys start anew, an order cuts the journeys of its buyer's later ones: the former buyer's are whole
    again, and those of the buyer now are cut."""
    ok(merchant.http.put("/v1/policy", json=ANEW))
    cy, di = come_through(merchant, ana, product), come_through(merchant, ana, product)

    def bought(shopper: Shopper) -> JSON:
        return {"visitor": shopper.id} if claimed else {"click_id": shopper.click}

    clock.move(minutes=1)
    first = merchant.order(net=1000, **bought(cy))
    clock.move(minutes=1)
    cys, dis = merchant.order(net=100, visitor=cy.id), merchant.order(net=10, visitor=di.id)
    assert [{"(none)": 100}, {ana.id: 10}] == [earned(merchant, order) for order in (cys, dis)]

    patch(merchant, first, **bought(di))

    assert [{ana.id: 100}, {"(none)": 10}] == [earned(merchant, order) for order in (cys, dis)]
    patch(merchant, first, visitor=None, click_id=None)
    assert [{ana.id: 100}, {ana.id: 10}] == [earned(merchant, order) for order in (cys, dis)]
    patch(merchant, first, **bought(cy))
    assert [{"(none)": 100}, {ana.id: 10}] == [earned(merchant, order) for order in (cys, dis)]


# -- what was known ----------------------------------------------------------------------------------------------


def test_what_was_known_at_a_moment_is_told_for_ever(
    merchant: TestMerchant, ana: Shopper, bo: Shopper, product: str, clock: TestClock
) -> None:
    """Under each policy, each moment is previewed and explained when it has come, and again after each correction."""
    ok(merchant.http.put("/v1/policy", json=ANEW))
    share = ana.share(product, "email")
    clock.move(minutes=1)
    ok(merchant.http.put("/v1/coupons/ANA", json={"referral": share["id"]}))
    cy, di = come_through(merchant, ana, product), come_through(merchant, bo, product)
    clock.move(minutes=1)
    first = merchant.order(net=1000, click_id=cy.click, external_id="first")
    clock.move(minutes=1)
    later = [merchant.order(net=100, visitor=each.id, external_id=f"later {each.id}") for each in (cy, di)]
    policies: list[JSON] = [{}, ANEW, {"model": "linear", "coupon_override": False}]
    known: dict[str, list[JSON]] = {}

    def told(moment: str) -> list[JSON]:
        answers = [preview(merchant, moment, **policy) for policy in policies]
        for order in (first, *later):
            address = f"/v1/orders/{order['id']}/attribution"
            answers.append(dict(ok(merchant.http.get(address, params={"as_of": moment}))))
        answers.append(dict(ok(merchant.http.get("/v1/reports/models", params={"as_of": moment, "to": moment}))))
        return answers

    def same_as_ever() -> None:
        for moment, answers in known.items():
            for before, now in zip(answers, told(moment), strict=True):
                assert before == now, moment
        clock.move(seconds=1)
        moment = clock.now().isoformat()
        clock.move(seconds=1)
        known[moment] = told(moment)

    same_as_ever()
    refund = merchant.refund(first["id"], 400)
    for fields in (
        {"net": 900},
        {"visitor": di.id},
        {"coupon": "ANA", "net": 950},
        {"cancelled": True},
        {"visitor": None, "click_id": di.click},
        {"coupon": None, "net": 800, "cancelled": False},
        {"click_id": None},
        {"visitor": cy.id, "net": 1000},
    ):
        clock.move(seconds=30)
        patch(merchant, first, **fields)
        same_as_ever()
    ok(merchant.http.delete(f"/v1/orders/{first['id']}/refunds/{refund['id']}"), 204)
    same_as_ever()
    patch(merchant, first, cancelled=True)
    merchant.refund(first["id"], 300)
    same_as_ever()
    assert len({str(answers) for answers in known.values()}) == len(known), "each correction changed something"


def test_an_order_is_explained_by_what_it_said_then(merchant: TestMerchant, clock: TestClock) -> None:
    order = merchant.order(net=1000, click_id="clk_unknown", visitor=None)
    clock.move(minutes=1)
    patch(merchant, order, net=500, click_id=None)
    address = f"/v1/orders/{order['id']}/attribution"
    then = ok(merchant.http.get(address, params={"as_of": order["received_at"]}))
    assert (1000, "clk_unknown", "unknown_click") == (then["net"], then["click"], then["reason"])
    now = merchant.explanation(order["id"])
    assert (500, None, "no_touch") == (now["net"], now["click"], now["reason"])
    assert 1000 == sum(entry["gross"] for entry in then["entries"])


def test_a_clock_that_goes_back_does_not_mix_up_what_was_known(merchant: TestMerchant, clock: TestClock) -> None:
    order = merchant.order(net=1000)
    clock.move(hours=1)
    patch(merchant, order, net=900)
    between = clock.now().isoformat()
    clock.move(minutes=-30)
    shown = patch(merchant, order, net=800)
    assert shown["corrections"][0]["at"] == shown["corrections"][1]["at"]
    clock.move(hours=2)
    assert [1000, 800] == [
        ok(merchant.http.get(f"/v1/orders/{order['id']}/attribution", params={"as_of": moment}))["net"]
        for moment in (order["received_at"], between)
    ]
