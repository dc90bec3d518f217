"""The explanation of an order over HTTP, as data and in words: policies, times, chains, coupons, refunds, people."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from tests.clock import TestClock
from tests.moving import Past
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]


def orders(merchant: TestMerchant) -> dict[str, str]:
    """Our ids of the orders, by those of their shop."""
    return {order["external_id"]: order["id"] for order in ok(merchant.http.get("/v1/orders"))["data"]}


def explained(merchant: TestMerchant, external_id: str, **query: Any) -> JSON:
    order = orders(merchant)[external_id]
    return dict(ok(merchant.http.get(f"/v1/orders/{order}/attribution", params=query)))


def refused(merchant: TestMerchant, external_id: str, **query: Any) -> tuple[int, list[str]]:
    answer = merchant.http.get(f"/v1/orders/{orders(merchant)[external_id]}/attribution", params=query)
    return answer.status_code, [error["pointer"] for error in answer.json()["errors"]]


def divide_by(merchant: TestMerchant, policy: JSON) -> None:
    ok(merchant.http.put("/v1/policy", json=policy))


def fields(rows: list[JSON], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def thirds() -> Past:
    """Three people, a day apart; the order a day later."""
    past = Past().order("o1", "buyer", day=4)
    for number in (1, 2, 3):
        past.share(f"s{number}", f"v{number}").touch(f"t{number}", "buyer", f"s{number}", day=number)
    return past


# -- the arithmetic ----------------------------------------------------------------------------------------------


def test_the_arithmetic_of_every_touch_and_line_is_told_exactly(merchant: TestMerchant) -> None:
    divide_by(merchant, {"model": "linear"})
    thirds().refund("r1", "o1", 1_000).into(merchant)

    told = explained(merchant, "o1")

    names = ("touch", "weight", "weight_percent", "amount", "rounding")
    assert [
        ("t1", "1/3", "33.3333", 3333, "-1/3"),
        ("t2", "1/3", "33.3333", 3333, "-1/3"),
        ("t3", "1/3", "33.3333", 3334, "2/3"),
    ] == fields(told["journey"], *names)
    parts = ("source_weight", "source_gross", "source_rounding", "level_weight", "gross", "reversed", "net")
    assert [
        ("1/3", 3333, "-1/3", "1/1", 3333, 333, 3000),
        ("1/3", 3333, "-1/3", "1/1", 3333, 333, 3000),
        ("1/3", 3334, "2/3", "1/1", 3334, 334, 3000),
    ] == fields(told["lines"], *parts)
    assert 9_000 == told["net"] - told["refunded"] == sum(line["net"] for line in told["lines"])


def test_the_weights_of_time_decay_are_exact_and_readable(merchant: TestMerchant) -> None:
    divide_by(merchant, {"model": "time_decay"})
    thirds().into(merchant)
    journey = explained(merchant, "o1")["journey"]
    assert 1 == sum(Fraction(touch["weight"]) for touch in journey)
    assert ["30.0924", "33.2247", "36.683"] == [touch["weight_percent"] for touch in journey]
    assert "It counted for about 33." in journey[1]["explanation"]["en"]
    assert "pour environ 33," in journey[1]["explanation"]["fr"]


def test_a_chain_tells_everybody_above_and_why_some_are_not_in_it(merchant: TestMerchant) -> None:
    divide_by(merchant, {"upline": {"mode": "geometric", "max_depth": 2}})
    past = Past().share("a", "ana", parent=None).share("b", "bo", parent="a").share("c", "buyer", parent="b")
    past.share("d", "dan", parent="c").touch("t1", "buyer", "d", day=1).order("o1", "buyer", day=2).into(merchant)

    (touch,) = explained(merchant, "o1")["journey"]

    assert [
        ("d", "dan", 0, 6667, None),
        ("c", "buyer", None, None, "self_referral"),
        ("b", "bo", 1, 3333, None),
        ("a", "ana", None, None, "too_deep"),
    ] == fields(touch["chain"]["places"], "referral", "sharer", "level", "amount", "reason")
    assert ("cut", None) == (touch["chain"]["ends"], touch["chain"]["above"])
    assert "C’est l’acheteur, qui n’est pas compté." == touch["chain"]["places"][1]["explanation"]["fr"]


def test_a_place_that_weighs_nothing_and_one_that_rounds_to_nothing_are_told_apart(merchant: TestMerchant) -> None:
    past = Past().share("a", "ana").share("b", "bo", parent="a").touch("t1", "buyer", "b", day=1)
    past.order("o1", "buyer", 1, day=2).into(merchant)
    for mode, amounts in (("root", [None, 1]), ("equal", [1, 0])):
        ok(merchant.http.put("/v1/policy", json={"upline": {"mode": mode}}, params={"from": "beginning"}))
        (touch,) = explained(merchant, "o1")["journey"]
        assert amounts == [place["amount"] for place in touch["chain"]["places"]]


def test_each_refund_tells_what_it_took_from_whom(merchant: TestMerchant) -> None:
    divide_by(merchant, {"model": "linear"})
    past = thirds().refund("r1", "o1", 1, day=20).refund("r2", "o1", 1, day=21, reason="chargeback")
    past.refund("r3", "o1", 20_000, day=22).into(merchant)

    refunds = explained(merchant, "o1")["refunds"]

    assert [("r1", 1, 1), ("r2", 1, 1), ("r3", 20_000, 9_998)] == fields(refunds, "external_id", "amount", "taken")
    assert [
        [("t3", "v3", 0, 1)],
        [("t3", "v3", 0, 1)],
        [("t1", "v1", 0, 3333), ("t2", "v2", 0, 3333), ("t3", "v3", 0, 3332)],
    ] == [fields(refund["takings"], "touch", "sharer", "level", "amount") for refund in refunds]
    assert "This dispute took back €0.01." == refunds[1]["explanation"]["en"]
    assert refunds[0]["id"].startswith("rfd_")


def test_a_refund_that_was_dropped_takes_nothing_and_as_of_before_it_took(
    merchant: TestMerchant, clock: TestClock
) -> None:
    order = merchant.order(net=1_000)
    clock.move(minutes=1)
    refund = merchant.refund(order["id"], 400)
    clock.move(minutes=1)
    then = clock.now().isoformat()
    clock.move(minutes=1)
    ok(merchant.http.delete(f"/v1/orders/{order['id']}/refunds/{refund['id']}"))

    now, before = explained(merchant, order["external_id"]), explained(merchant, order["external_id"], as_of=then)

    assert [(0, 0)] == [(now["refunded"], taking["taken"]) for taking in now["refunds"]]
    assert now["refunds"][0]["dropped_at"] is not None
    assert [(400, 400, None)] == [(before["refunded"], each["taken"], each["dropped_at"]) for each in before["refunds"]]
    assert [600, 1_000] == [
        sum(entry["gross"] - entry["reversed"] for entry in each["entries"]) for each in (before, now)
    ]


# -- people, coupons, what is unknown ----------------------------------------------------------------------------


def test_ids_are_the_senders_and_people_are_who_they_were_joined_to(merchant: TestMerchant) -> None:
    past = Past().share("s1", "ana-phone").touch("t1", "phone", "s1", day=1).order("o1", "laptop", day=2)
    past.identity("phone", "p7").identity("laptop", "p7").identity("ana-phone", "ana").into(merchant)

    told = explained(merchant, "o1")

    assert ("o1", "laptop", "p7") == (told["external_id"], told["visitor"], told["buyer"])
    assert [("t1", "phone", "s1", "ana")] == fields(told["journey"], "touch", "visitor", "referral", "sharer")
    assert "phone is the same person as the buyer, p7." in told["journey"][0]["explanation"]["en"]
    assert {
        "en": "One touch came before this order of €100.00, and it counted. Credit: ana €100.00.",
        "fr": "Un seul contact a précédé cette commande de 100,00\u00a0€, et il a compté. "
        "Crédit\u00a0: ana 100,00\u00a0€.",
    } == told["summary"]


def test_a_touch_whose_referral_is_unknown_says_so(merchant: TestMerchant) -> None:
    Past().touch("t1", "buyer", "never", day=1, network="x").order("o1", "buyer", day=2).into(merchant)

    (touch,) = explained(merchant, "o1")["journey"]

    assert ("never", False, None, None, True) == tuple(
        touch[name] for name in ("referral", "referral_known", "sharer", "chain", "counted")
    )
    assert "The referral never is not known here" in touch["explanation"]["en"]


def test_a_coupon_tells_what_it_decided_or_why_it_did_not(merchant: TestMerchant) -> None:
    past = Past().share("s1", "ana").coupon("ANA10", "s1", day=1).coupon("GONE", "never", day=1)
    for number, code in enumerate(("ana10", "GONE", "other", "ANA10")):
        past.order(f"o{number}", "ana" if number == 3 else "buyer", day=2, coupon=code)
    past.order("o4", "buyer", day=0.5, coupon="ANA10").order("o5", "buyer").into(merchant)

    told = {name: explained(merchant, name)["coupon"] for name in orders(merchant)}

    assert {
        "o0": (True, "s1", "ana", None),
        "o1": (False, "never", None, "unknown_referral"),
        "o2": (False, None, None, "coupon_unknown"),
        "o3": (False, "s1", "ana", "self_referral"),
        "o4": (False, None, None, "coupon_later"),
    } == {
        name: tuple(coupon[key] for key in ("counted", "referral", "sharer", "reason"))
        for name, coupon in told.items()
        if coupon is not None
    }
    assert told["o5"] is None
    assert [("s1", 0, 10_000)] == fields(told["o0"]["chain"]["places"], "referral", "level", "amount")
    assert "Le code other ne désigne aucune recommandation." == told["o2"]["explanation"]["fr"]


# -- policies and times ------------------------------------------------------------------------------------------


def test_an_order_is_explained_by_the_version_that_divides_it(merchant: TestMerchant, clock: TestClock) -> None:
    thirds().into(merchant)
    ok(merchant.http.put("/v1/policy", json={"model": "linear"}, params={"from": "2025-02-01"}))
    past = Past().order("o2", "buyer", day=40)
    past.into(merchant)

    old, new = explained(merchant, "o1"), explained(merchant, "o2")

    assert [("current", 1, "last_touch"), ("current", 2, "linear")] == [
        (each["policy_name"], each["policy_version"], each["policy"]["model"]) for each in (old, new)
    ]
    assert old["policy_explanation"]["fr"].startswith("Règles «\u00a0current\u00a0», version 1.")


def test_an_order_is_explained_by_another_policy_that_is_kept(merchant: TestMerchant) -> None:
    ok(merchant.http.put("/v1/policies/fair", json={"model": "linear"}))
    thirds().into(merchant)

    told = explained(merchant, "o1", policy="fair")

    assert ("fair", [3333, 3333, 3334]) == (told["policy_name"], [line["gross"] for line in told["lines"]])
    assert [3333, 3333, 3334] == sorted(entry["gross"] for entry in told["entries"])
    assert [10_000] == [entry["gross"] for entry in explained(merchant, "o1")["entries"]]
    assert (422, ["policy"]) == refused(merchant, "o1", policy="unheard")


def test_an_order_is_explained_as_it_was_known(merchant: TestMerchant, clock: TestClock) -> None:
    order = merchant.order(net=500)
    clock.move(days=1)
    yesterday = clock.now().isoformat()
    clock.move(days=1)
    merchant.refund(order["id"], 500)
    ok(merchant.http.put("/v1/policy", json={"model": "linear"}, params={"from": "beginning"}))

    then, now = explained(merchant, order["external_id"], as_of=yesterday), explained(merchant, order["external_id"])

    assert [(0, 1, 1), (500, 2, 2)] == [
        (each["refunded"], each["policy_version"], len(each["entries"])) for each in (then, now)
    ]
    assert (yesterday.replace("+00:00", "Z"), None) == (then["as_of"], now["as_of"])


def test_what_cannot_be_explained_is_refused_by_name(merchant: TestMerchant) -> None:
    placed = merchant.order()
    assert (422, ["as_of"]) == refused(merchant, placed["external_id"], as_of="2020-01-01")
    assert (422, ["as_of"]) == refused(merchant, placed["external_id"], as_of="then")
    assert (422, ["models"]) == refused(merchant, placed["external_id"], models="linear")


def test_another_merchants_order_is_no_order(new_merchant: NewMerchant) -> None:
    ours, theirs = new_merchant(), new_merchant()
    order = theirs.order()["id"]
    for identifier in (order, "ord_nothing", order.replace("ord_", "ref_")):
        assert 404 == ours.http.get(f"/v1/orders/{identifier}/attribution").status_code
