"""Corrections, refunds and Stripe's messages about one order at the same moment: one after the other for the books."""

from collections.abc import Callable, Sequence
from functools import partial

import httpx

from tests.clock import TestClock
from tests.shop import JSON, TestMerchant, ok
from tests.threads import together
from tests.till import Till


def at_once(calls: Sequence[Callable[[], httpx.Response]]) -> list[int]:
    """Make all calls at the same time; the statuses they were answered with."""
    return [answer.status_code for answer in together(*calls)]


def shown(merchant: TestMerchant, order: str) -> JSON:
    """The order; what it says, the explanation and the ledger agree on what is left."""
    found = dict(ok(merchant.http.get(f"/v1/orders/{order}")))
    counting = [refund for refund in found["refunds"] if refund["dropped_at"] is None]
    assert len(counting) == len({refund["external_id"] for refund in counting})
    explanation = merchant.explanation(order)
    left = found["net"] - found["refunded"]
    assert left == sum(line["net"] for line in explanation["lines"])
    assert left == sum(entry["gross"] - entry["reversed"] for entry in explanation["entries"])
    assert found["refunded"] == sum(refund["amount"] for refund in counting) <= found["net"]
    return found


def patch(merchant: TestMerchant, order: str, **fields: object) -> Callable[[], httpx.Response]:
    return partial(merchant.http.patch, f"/v1/orders/{order}", json=fields)


def refund(merchant: TestMerchant, order: str, name: str, amount: int) -> Callable[[], httpx.Response]:
    return partial(merchant.http.post, f"/v1/orders/{order}/refunds", json={"external_id": name, "amount": amount})


def test_corrections_at_once_stand_one_after_the_other(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    nets = [500 + number for number in range(8)]
    assert {200} == set(at_once([patch(merchant, order["id"], net=net) for net in nets]))
    found = shown(merchant, order["id"])
    said = [1000, *(each["before"]["net"] for each in found["corrections"][1:]), found["net"]]
    assert [each["before"]["net"] for each in found["corrections"]] == said[:-1]
    assert sorted(nets) == sorted(said[1:])


def test_the_same_correction_at_once_is_one(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)
    assert {200} == set(at_once([patch(merchant, order["id"], cancelled=True, net=900) for _ in range(6)]))
    found = shown(merchant, order["id"])
    assert (2, 1, "cancelled") == (len(found["corrections"]), len(found["refunds"]), found["status"])


def test_a_net_and_refunds_at_once_never_take_more_than_there_is(merchant: TestMerchant) -> None:
    for turn in range(4):
        order = merchant.order(net=1000)["id"]
        calls = [
            patch(merchant, order, net=600),
            refund(merchant, order, "r1", 400),
            refund(merchant, order, "r2", 400),
        ]
        statuses = at_once(calls[turn % 3 :] + calls[: turn % 3])
        found = shown(merchant, order)
        assert (2, 1) == (sum(status < 300 for status in statuses), statuses.count(422))
        assert (found["net"], found["refunded"]) in {(600, 400), (1000, 800)}


def test_a_cancellation_and_refunds_at_once_take_the_whole_once(merchant: TestMerchant) -> None:
    order = merchant.order(net=1000)["id"]
    calls = [refund(merchant, order, f"r{number}", 100 + number) for number in range(5)]
    assert {200, 201} == set(at_once([*calls, patch(merchant, order, cancelled=True)]))
    found = shown(merchant, order)
    assert ("cancelled", 1000, 490) == (found["status"], found["refunded"], _cancelled(found))


def test_another_buyer_and_their_orders_at_once_are_put_together(merchant: TestMerchant, clock: TestClock) -> None:
    """Where journeys start anew: whoever is second sees the first, so no later order is cut, or left whole, wrongly."""
    ok(merchant.http.put("/v1/policy", json={"journey_reset": True}))
    ana = merchant.shopper()
    product = merchant.product()["id"]
    for turn in range(4):
        buyers = [merchant.shopper() for _ in range(2)]
        for buyer in buyers:
            buyer.follow(ana.share(product)["code"])
        clock.move(minutes=1)
        first = merchant.order(net=10, visitor=buyers[0].id)["id"]
        clock.move(minutes=1)
        sales: list[JSON] = [
            {"external_id": f"{turn} {buyer.id}", "placed_at": clock.now().isoformat(), "currency": "eur", "net": 7}
            for buyer in buyers
        ]
        calls: list[Callable[[], httpx.Response]] = [
            partial(merchant.http.post, "/v1/orders", json={**sale, "visitor": buyer.id})
            for sale, buyer in zip(sales, buyers, strict=True)
        ]
        calls.insert(turn % 3, patch(merchant, first, visitor=buyers[1].id))
        assert {200, 201} == set(at_once(calls))
        found = [ok(merchant.http.get("/v1/orders", params={"external_id": sale["external_id"]})) for sale in sales]
        orders = [each["data"][0]["id"] for each in found]
        assert [ana.id, "(none)"] == [merchant.explanation(order)["lines"][0]["sharer"] for order in orders]
        for order in orders:
            shown(merchant, order)
            sharers: dict[str, int] = {}
            for entry in merchant.explanation(order)["entries"]:
                sharers[entry["sharer"]] = sharers.get(entry["sharer"], 0) + entry["gross"]
            earns = {sharer for sharer, gross in sharers.items() if gross}
            assert earns == {merchant.explanation(order)["lines"][0]["sharer"]}


def test_a_cancellation_and_a_refund_of_stripes_at_once_take_the_whole_once(till: Till, seller: TestMerchant) -> None:
    variant = seller.product(price=1000)["variants"][0]["id"]
    for turn in range(3):
        session = till.checkout(variant)["session"]
        till.double.pay(session, "buyer@example.com")
        till.tell_all(session)
        order = ok(seller.http.get("/v1/orders"))["data"][0]["id"]
        till.refund(session, 300)
        refunds = [event for event in till.told(session) if "refund" in event["type"]]

        def tell(event: JSON) -> httpx.Response:
            (answer,) = till.double.webhooks.deliver(till.double.message(event["id"]))
            return httpx.Response(answer.status or 500)

        calls = [patch(seller, order, cancelled=True)]
        calls.extend(partial(tell, event) for event in refunds)
        assert {200} == set(at_once(calls[turn:] + calls[:turn]))
        found = shown(seller, order)
        assert ("cancelled", 1000, 700) == (found["status"], found["refunded"], _cancelled(found))
        back = ok(seller.http.patch(f"/v1/orders/{order}", json={"cancelled": False}))
        assert ("partially_refunded", 300) == (back["status"], back["refunded"])


def test_amounts_of_stripes_order_are_told_by_stripe_and_all_else_may_be_corrected(
    till: Till, seller: TestMerchant
) -> None:
    session = till.checkout(seller.product(price=1000)["variants"][0]["id"])["session"]
    till.double.pay(session, "buyer@example.com")
    till.tell_all(session)
    (order,) = ok(seller.http.get("/v1/orders"))["data"]
    others: list[JSON] = [{"net": 999}, {"gross": 1001}, {"lines": []}]
    for field, fields in ((next(iter(each)), each) for each in others):
        answer = patch(seller, order["id"], **fields)()
        assert (422, f"/{field}") == (answer.status_code, answer.json()["errors"][0]["pointer"])
    assert order == ok(patch(seller, order["id"], net=1000, gross=1000)()), "that is what Stripe says"
    found = ok(patch(seller, order["id"], coupon="ANA", click_id="clk_x", cancelled=True)())
    assert ("ANA", "clk_x", 1000) == (found["coupon"], found["click_id"], found["refunded"])
    till.tell_all(session)
    assert found == ok(seller.http.get(f"/v1/orders/{order['id']}"))


def _cancelled(order: JSON) -> int:
    """What the cancellation takes."""
    return sum(
        each["amount"] for each in order["refunds"] if (each["reason"], each["dropped_at"]) == ("cancellation", None)
    )
