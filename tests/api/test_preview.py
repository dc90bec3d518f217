"""Previews over HTTP: credit under any policy, as of any time, of any period; nothing is stored."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.attribution import preview as previews
from app.attribution.engine import Policy, policy_to_wire
from tests.clock import START, TestClock
from tests.moving import Past, chain, journey, preview
from tests.shop import JSON, TestMerchant

NewMerchant = Callable[..., TestMerchant]
LINEAR = {"model": "linear"}


def asked(merchant: TestMerchant, body: Any) -> JSON:
    """The problem that `body` is answered with."""
    answer = merchant.http.post("/v1/attribution/preview", json=body)
    assert 422 == answer.status_code, answer.text
    return dict(answer.json())


def pointers(problem: JSON) -> list[str]:
    return [error["pointer"] for error in problem["errors"]]


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


@pytest.mark.parametrize(("limit", "most"), [("MOST_ORDERS", 1), ("MOST_LINES", 3)])
def test_more_than_can_be_listed_is_refused_and_still_counted(
    merchant: TestMerchant, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    journey(3).order("o2", "x", 5, day=5).into(merchant)
    monkeypatch.setattr(previews, limit, most)
    problem = asked(merchant, {"policy": LINEAR})
    assert ["/orders"] == pointers(problem)
    assert "narrow from and to" in problem["detail"]
    assert 5 == preview(merchant, LINEAR, orders=False)["by_sharer"]["eur"]["(none)"]
    assert ["o2"] == ids(preview(merchant, LINEAR, **{"from": "2025-01-06"}))
