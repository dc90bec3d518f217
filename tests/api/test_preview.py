"""Previews over HTTP: credit under any policy, as of any time, of any period; nothing is stored."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.attribution import preview as previews
from app.attribution.engine import Policy, policy_to_wire
from tests.clock import START, TestClock
from tests.moving import Past, preview
from tests.shop import JSON, TestMerchant

NewMerchant = Callable[..., TestMerchant]
LINEAR = {"model": "linear"}
GEOMETRIC = {"upline": {"mode": "geometric"}}


def asked(merchant: TestMerchant, body: Any) -> JSON:
    """The problem that `body` is answered with."""
    answer = merchant.http.post("/v1/attribution/preview", json=body)
    assert 422 == answer.status_code, answer.text
    return dict(answer.json())


def pointers(problem: JSON) -> list[str]:
    return [error["pointer"] for error in problem["errors"]]


def lines(answer: JSON, *names: str) -> list[Any]:
    """Fields of the lines of the only order."""
    (order,) = answer["orders"]
    return [line[names[0]] if len(names) == 1 else tuple(line[name] for name in names) for line in order["lines"]]


def journey(count: int, net: int = 10_000, network: str | None = "whatsapp") -> Past:
    """A buyer who followed the links of `count` people, a day apart, the last one a day before the order."""
    past = Past().order("o1", "buyer", net, day=count + 1)
    for number in range(1, count + 1):
        past.share(f"s{number}", f"v{number}", network).touch(f"t{number}", "buyer", f"s{number}", day=number)
    return past


def chain(*people: str, net: int = 10_000) -> Past:
    """A buyer who followed the first one's link; each had come through the next one's."""
    past = Past().touch("t1", "buyer", people[0], day=9).order("o1", "buyer", net)
    for person, above in zip(people, [*people[1:], None], strict=True):
        past.share(person, person, parent=above)
    return past


# -- the wire form -----------------------------------------------------------------------------------------------


def test_the_answer_is_the_one_of_the_page(merchant: TestMerchant, clock: TestClock) -> None:
    Past().share("s1", "v1").touch("t1", "v2", "s1", day=1).order("o1", "v2").refund("r1", "o1", 1_000).into(merchant)

    assert preview(merchant, {}, as_of=None, **{"from": None, "to": None}) == {
        "orders": [
            {
                "id": "o1",
                "currency": "eur",
                "net": 10000,
                "refunded": 1000,
                "lines": [
                    {
                        "source": "touch",
                        "touch": "t1",
                        "referral": "s1",
                        "network": "whatsapp",
                        "sharer": "v1",
                        "level": 0,
                        "gross": 10000,
                        "reversed": 1000,
                        "net": 9000,
                        "reason": None,
                    }
                ],
            }
        ],
        "by_network": {"eur": {"whatsapp": 9000}},
        "by_sharer": {"eur": {"v1": 9000}},
        "by_subtree": {"eur": {"s1": 9000}},
        "policy": policy_to_wire(Policy()),
        "as_of": START.isoformat().replace("+00:00", "Z"),
    }


def test_a_merchant_without_orders_has_empty_totals(merchant: TestMerchant) -> None:
    answer = preview(merchant)
    assert ([], {}, {}, {}) == tuple(answer[key] for key in ("orders", "by_network", "by_sharer", "by_subtree"))


def test_orders_are_left_out_where_they_are_not_asked_for(merchant: TestMerchant) -> None:
    journey(1).into(merchant)
    answer = preview(merchant, orders=False)
    assert "orders" not in answer
    assert {"eur": {"v1": 10_000}} == answer["by_sharer"]


def test_lines_of_nothing_and_totals_of_nothing_are_left_out(merchant: TestMerchant) -> None:
    journey(3, net=1).order("o2", "other", 50).refund("r", "o2", 50).into(merchant)
    answer = preview(merchant, LINEAR)
    assert {"o1": [("t3", 1)], "o2": [(None, 50)]} == {
        order["id"]: [(line["touch"], line["gross"]) for line in order["lines"]] for order in answer["orders"]
    }
    assert {"eur": {"whatsapp": 1}} == answer["by_network"]


def test_a_coupon_the_house_and_nobody_are_told_apart(merchant: TestMerchant) -> None:
    past = chain("c", "b", "a", net=4_000).coupon("ANA10", "a").order("o2", "x", 300, coupon=" ana10 ")
    past.order("o3", None, 20).into(merchant)
    answer = preview(merchant, {"upline": {"mode": "halving"}})
    told = {
        order["id"]: [(line["source"], line["sharer"], line["level"], line["referral"]) for line in order["lines"]]
        for order in answer["orders"]
    }
    assert told == {
        "o1": [
            ("touch", "c", 0, "c"),
            ("touch", "b", 1, "b"),
            ("touch", "a", 2, "a"),
            ("touch", "(house)", None, None),
        ],
        "o2": [("coupon", "a", 0, "a")],
        "o3": [("direct", "(none)", 0, None)],
    }
    assert ["no_touch"] == [line["reason"] for line in answer["orders"][2]["lines"]]
    assert {"a": 4_300, "b": 4_000, "c": 4_000} == answer["by_subtree"]["eur"]


def test_orders_come_by_time_and_then_by_their_shops_id(merchant: TestMerchant, clock: TestClock) -> None:
    Past().order("b", "x", day=2).order("a", "x", day=2).order("c", "x", day=1).into(merchant)
    live = merchant.order(external_id="live")
    assert ["c", "a", "b", live["external_id"]] == [order["id"] for order in preview(merchant)["orders"]]


# -- the small examples of attribution.md ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("past", "policy", "gross"),
    [
        (journey(3), LINEAR, [3333, 3333, 3334]),
        (journey(4, 9999), {"model": "position_based"}, [3999, 1000, 1000, 4000]),
        (chain("bo", "ana"), GEOMETRIC, [6667, 3333]),
        (chain("d", "c", "b", "a", net=100), GEOMETRIC, [53, 27, 13, 7]),
        (chain("c", "b", "a", net=4000), {"upline": {"mode": "halving"}}, [1000, 1000, 1000, 1000]),
    ],
)
def test_the_small_examples_of_the_page(merchant: TestMerchant, past: Past, policy: JSON, gross: list[int]) -> None:
    past.into(merchant)
    assert gross == lines(preview(merchant, policy), "gross")


def test_time_decay_at_ages_of_fourteen_seven_and_no_days(merchant: TestMerchant) -> None:
    past = Past().share("s1", "ana").order("o1", "buyer", day=14)
    for day in (0, 7, 14):
        past.touch(f"t{day}", "buyer", "s1", day=day)
    past.into(merchant)
    assert [1429, 2857, 5714] == lines(preview(merchant, {"model": "time_decay"}), "gross")


def test_thirds_of_which_a_tenth_is_refunded(merchant: TestMerchant) -> None:
    journey(3).refund("r1", "o1", 1_000).into(merchant)
    assert [3000, 3000, 3000] == lines(preview(merchant, LINEAR), "net")


def test_thirds_that_are_refunded_cent_by_cent_as_of_each_refund(merchant: TestMerchant) -> None:
    past = journey(3, 100).refund("r1", "o1", 1, day=21).refund("r2", "o1", 1, day=22).refund("r3", "o1", 98, day=23)
    past.into(merchant)
    told = [lines(preview(merchant, LINEAR, as_of=f"2025-01-{22 + day}T00:00:00Z"), "net") for day in range(3)]
    assert [[33, 33, 33], [33, 33, 32], [0, 0, 0]] == told


def test_a_click_on_the_phone_and_a_purchase_on_the_laptop_that_is_linked_later(merchant: TestMerchant) -> None:
    past = Past().share("s1", "ana").touch("t1", "phone", "s1", day=1).identity("phone", "A", day=2)
    past.identity("laptop", "A", day=2).order("o1", "laptop", day=3).into(merchant)
    assert ["ana"] == lines(preview(merchant), "sharer")


def test_a_purchase_through_the_buyers_own_link(merchant: TestMerchant) -> None:
    Past().share("s1", "A").touch("t1", "A", "s1", day=1).order("o1", "A", day=2).into(merchant)
    assert [("(direct)", "(none)", 0, "self_referral")] == lines(
        preview(merchant), "network", "sharer", "level", "reason"
    )


# -- when --------------------------------------------------------------------------------------------------------


def ids(answer: JSON) -> list[str]:
    return [order["id"] for order in answer["orders"]]


def test_a_period_is_half_open_and_without_ends_all_orders_count(merchant: TestMerchant) -> None:
    Past().order("o1", "x", day=1).order("o2", "x", day=2).order("o3", "x", day=3).into(merchant)
    assert ["o1", "o2", "o3"] == ids(preview(merchant))
    assert ["o2", "o3"] == ids(preview(merchant, {}, **{"from": "2025-01-03"}))
    assert ["o1"] == ids(preview(merchant, to="2025-01-03T00:00:00Z"))
    assert ["o2"] == ids(preview(merchant, {}, **{"from": "2025-01-03", "to": "2025-01-04T00:00:00Z"}))


def test_dates_are_midnights_where_the_merchant_is(new_merchant: NewMerchant) -> None:
    merchant = new_merchant(timezone="Europe/Paris")
    Past().order("before", "x", day=1.9583).order("after", "x", day=1.9584).into(merchant)  # 23 h UTC is midnight
    assert ["after"] == ids(preview(merchant, {}, **{"from": "2025-01-03"}))


def test_as_of_keeps_what_was_received_by_then(merchant: TestMerchant) -> None:
    Past().share("s1", "ana").order("o1", "b", day=2).touch(
        "t1", "b", "s1", day=1, received_at="2025-01-09T00:00:00Z"
    ).order("o2", "b", day=8).into(merchant)
    assert {"o1": "(none)"} == {
        o["id"]: o["lines"][0]["sharer"] for o in preview(merchant, as_of="2025-01-05")["orders"]
    }
    assert {"o1": "ana", "o2": "ana"} == {
        o["id"]: o["lines"][0]["sharer"] for o in preview(merchant, as_of="2025-01-09T00:00:00Z")["orders"]
    }


def test_what_will_be_known_is_not_known_yet(merchant: TestMerchant, clock: TestClock) -> None:
    clock.move(days=1)
    answer = preview(merchant, as_of=(START + timedelta(days=9)).isoformat())
    assert clock.now().isoformat().replace("+00:00", "Z") == answer["as_of"]


def test_test_orders_are_kept_apart(merchant: TestMerchant) -> None:
    real, test = merchant.order(), merchant.order(test=True)
    assert [real["external_id"]] == ids(preview(merchant))
    assert [test["external_id"]] == ids(preview(merchant, livemode=False))


# -- nothing is stored, nobody else sees it ----------------------------------------------------------------------


def test_nothing_is_stored_and_the_books_stay_as_they_are(merchant: TestMerchant) -> None:
    journey(3).into(merchant)
    order = merchant.http.get("/v1/orders").json()["data"][0]["id"]
    before = merchant.explanation(order)["entries"]
    first = preview(merchant, LINEAR)
    assert first == preview(merchant, LINEAR)
    assert before == merchant.explanation(order)["entries"]
    assert [("t3", 10_000)] == [(entry["touch"], entry["gross"]) for entry in before]


def test_a_report_key_does_not_preview_and_others_see_nothing(new_merchant: NewMerchant) -> None:
    ours, theirs = new_merchant(), new_merchant()
    journey(1).into(ours)
    assert [] == preview(theirs)["orders"]
    headers = {"Authorization": f"Bearer {ours.report_key}"}
    assert 403 == ours.public.post("/v1/attribution/preview", json={}, headers=headers).status_code
    assert 401 == ours.public.post("/v1/attribution/preview", json={}).status_code


# -- what cannot be answered -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "where"),
    [
        ({"windows": {"click": -1}}, ["/policy/windows/click"]),
        ({"windows": {"click": "30 days"}}, ["/policy/windows/click"]),
        ({"modell": "linear"}, ["/policy/modell"]),
        ({"position": [6000, 6000]}, ["/policy/position"]),
        ({"upline": {"mode": "pyramid", "alpha": 10_001}}, ["/policy/upline/mode", "/policy/upline/alpha"]),
        ({"half_life": 10**30}, ["/policy/half_life"]),
        ([], ["/policy"]),
        (None, ["/policy"]),
    ],
)
def test_an_impossible_policy_is_refused_by_the_place_where_it_is_wrong(
    merchant: TestMerchant, policy: Any, where: list[str]
) -> None:
    assert where == pointers(asked(merchant, {"policy": policy}))


@pytest.mark.parametrize("model", ["markov", "shapley"])
def test_a_model_for_periods_divides_no_order(merchant: TestMerchant, model: str) -> None:
    problem = asked(merchant, {"policy": {"model": model}})
    assert ["/policy/model"] == pointers(problem)
    assert "is for aggregate reports" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"from": "yesterday"}, ["/from"]),
        ({"to": "2025-02-30"}, ["/to"]),
        ({"as_of": "2025-01-01T00:00:00"}, ["/as_of"]),
        ({"from": 1735689600}, ["/from"]),
        ({"from": "2025-01-02", "to": "2025-01-02"}, ["/to"]),
        ({"orders": "no"}, ["/orders"]),
        ({"order": True}, ["/order"]),
        ([], [""]),
    ],
)
def test_what_is_asked_wrongly_is_refused_by_name(merchant: TestMerchant, body: Any, where: list[str]) -> None:
    assert where == pointers(asked(merchant, body))


def test_more_orders_than_can_be_listed_are_refused_and_still_counted(merchant: TestMerchant) -> None:
    past = Past()
    for number in range(previews.MOST_ORDERS + 1):
        past.order(f"o{number}", None, 1, day=1)
    past.into(merchant)
    problem = asked(merchant, {})
    assert ["/orders"] == pointers(problem)
    assert "narrow from and to" in problem["detail"]
    assert {"eur": {"(none)": previews.MOST_ORDERS + 1}} == preview(merchant, orders=False)["by_sharer"]


def test_more_lines_than_can_be_listed_are_refused(merchant: TestMerchant, monkeypatch: pytest.MonkeyPatch) -> None:
    journey(3).into(merchant)
    monkeypatch.setattr(previews, "MOST_LINES", 2)
    assert 10_000 == preview(merchant)["orders"][0]["net"]
    assert ["/orders"] == pointers(asked(merchant, {"policy": LINEAR}))
