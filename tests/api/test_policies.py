"""Policies over HTTP: their versions, from when each counts, those that are kept beside, and the jobs for it."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from tests.clock import START, TestClock
from tests.policies import (
    DEFAULT,
    FIRST,
    LINEAR,
    change,
    jobs,
    keep,
    listed,
    names,
    nets,
    policy,
    put,
    two_touches,
    wait,
)
from tests.shop import JSON, TestMerchant, ok
from tests.threads import together

NewMerchant = Callable[..., TestMerchant]


def versions(merchant: TestMerchant) -> list[tuple[int, str]]:
    return [(each["version"], each["model"]) for each in ok(merchant.http.get("/v1/policy/versions"))["data"]]


# the policy in force


def test_a_merchant_begins_with_the_default(merchant: TestMerchant) -> None:
    built_in = {**DEFAULT, "version": 1, "applies_from": None, "made_at": None}
    assert {**built_in, "job": None, "next": None} == policy(merchant)
    assert {"data": [built_in], "next_cursor": None} == ok(merchant.http.get("/v1/policy/versions"))
    assert [
        {
            "name": "current",
            "version": 1,
            "policy": DEFAULT,
            "in_force": True,
            "applies_from": None,
            "made_at": None,
            "status": "computed",
            "job": None,
        }
    ] == listed(merchant)
    assert [] == jobs(merchant)


def test_before_the_first_order_a_policy_counts_from_the_beginning(merchant: TestMerchant, clock: TestClock) -> None:
    put(merchant, FIRST)
    made = put(merchant, LINEAR)
    assert (3, "linear", None, "2026-03-02T10:00:00.000001Z", None) == tuple(
        made[name] for name in ("version", "model", "applies_from", "made_at", "job")
    )
    assert {**DEFAULT, **LINEAR} == {name: made[name] for name in DEFAULT}

    bo = two_touches(merchant)
    backdated = merchant.order(net=1000, visitor=bo.token, placed_at=(clock.now() - timedelta(hours=1)).isoformat())

    explained = merchant.explanation(backdated["id"])
    assert ({"whatsapp": 500, "email": 500}, 3) == (nets(explained), explained["policy_version"])


def test_a_change_counts_from_now_on(merchant: TestMerchant, clock: TestClock) -> None:
    bo = two_touches(merchant)
    old = merchant.order(net=1000, visitor=bo.token)["id"]
    clock.move(hours=1)
    made = put(merchant, LINEAR)
    new = merchant.order(net=1000, visitor=bo.token)["id"]

    assert (2, clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"), None) == (
        made["version"],
        made["applies_from"],
        made["job"],
    )
    before, after = merchant.explanation(old), merchant.explanation(new)
    assert ({"email": 1000}, 1, "last_touch") == (nets(before), before["policy_version"], before["policy"]["model"])
    assert ({"whatsapp": 500, "email": 500}, 2) == (nets(after), after["policy_version"])
    assert [] == jobs(merchant)


def test_history_is_divided_anew_where_that_is_asked_for(merchant: TestMerchant, clock: TestClock) -> None:
    bo = two_touches(merchant)
    order = merchant.order(net=1000, visitor=bo.token)
    merchant.refund(order["id"], 200)
    clock.move(hours=1)
    made = put(merchant, LINEAR, since="beginning")
    assert (2, None) == (made["version"], made["applies_from"])
    assert (made["job"]["status"], made["job"]["done"], made["job"]["total"]) == ("queued", 0, 1)

    wait(merchant)

    job = ok(merchant.http.get(f"/v1/jobs/{made['job']['id']}"))
    now = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert {
        "id": made["job"]["id"],
        "kind": "recomputation",
        "status": "finished",
        "since": None,
        "done": 1,
        "total": 1,
        "appended": 2,
        "created_at": now,
        "finished_at": now,
        "error": None,
    } == job
    explained = merchant.explanation(order["id"])
    assert {"whatsapp": 400, "email": 400} == nets(explained)
    assert 4 == len(explained["entries"])  # the sale, the refund, and what moved
    assert policy(merchant)["job"] is None
    assert "computed" == listed(merchant)[0]["status"]


def test_a_bare_date_means_midnight_at_the_merchants(new_merchant: NewMerchant, clock: TestClock) -> None:
    merchant = new_merchant(timezone="America/New_York")
    bo = two_touches(merchant)
    at = [f"2026-03-04T0{hour}:59:59Z" for hour in (4, 5)]  # midnight there is 05:00
    before, after = [merchant.order(net=1000, visitor=bo.token, placed_at=each)["id"] for each in at]
    change(merchant, LINEAR, since="2026-03-04")

    assert {"email": 1000} == nets(merchant.explanation(before))
    assert {"whatsapp": 500, "email": 500} == nets(merchant.explanation(after))
    assert (1, "2026-03-04T05:00:00Z") == (jobs(merchant)[0]["total"], jobs(merchant)[0]["since"])


def test_a_policy_may_be_made_for_later(merchant: TestMerchant, clock: TestClock) -> None:
    bo = two_touches(merchant)
    merchant.order(visitor=bo.token)
    made = put(merchant, LINEAR, since="2026-03-05T00:00:00Z")

    assert (1, "last_touch", None) == (made["version"], made["model"], made["job"])
    assert (2, "linear", "2026-03-05T00:00:00Z") == tuple(
        made["next"][name] for name in ("version", "model", "applies_from")
    )
    assert (1, "last_touch") == (listed(merchant)[0]["version"], listed(merchant)[0]["policy"]["model"])
    later = put(merchant, FIRST, since="2026-03-06")
    assert (1, 2) == (later["version"], later["next"]["version"])
    clock.set(START + timedelta(days=3))
    assert (2, 3) == (policy(merchant)["version"], policy(merchant)["next"]["version"])
    clock.move(days=1)
    assert (3, None) == (policy(merchant)["version"], policy(merchant)["next"])


def test_a_newer_version_takes_over_all_that_comes_after_it(merchant: TestMerchant, clock: TestClock) -> None:
    merchant.order()
    assert 2 == put(merchant, LINEAR, since="2026-06-01")["next"]["version"]
    made = put(merchant, FIRST)
    assert (3, None) == (made["version"], made["next"])
    clock.set(START + timedelta(days=200))
    assert 3 == policy(merchant)["version"]


def test_each_put_is_a_version_and_the_same_again_divides_nothing_anew(
    merchant: TestMerchant, clock: TestClock
) -> None:
    merchant.order()
    assert 2 == put(merchant, {})["version"]
    assert 3 == put(merchant, DEFAULT, since="beginning")["version"]
    assert [] == jobs(merchant)
    clock.move(hours=1)
    assert 4 == change(merchant, LINEAR, since="beginning")["version"]
    clock.move(hours=1)
    assert [5, 6] == [put(merchant, same)["version"] for same in (LINEAR, {**DEFAULT, **LINEAR})]
    assert 7 == put(merchant, LINEAR, since="beginning")["version"]
    assert 1 == len(jobs(merchant))
    assert ["linear"] * 4 + ["last_touch"] * 3 == [model for _, model in versions(merchant)]

    assert 8 == change(merchant, {}, since="beginning")["version"]  # back to the default is a change
    assert 2 == len(jobs(merchant))


def test_changes_at_the_same_moment_are_versions_of_their_own(merchant: TestMerchant) -> None:
    merchant.order()
    policies = [{"model": "time_decay", "half_life": days * 86_400} for days in range(1, 7)]
    together(*(partial(put, merchant, each, since="beginning") for each in policies))
    wait(merchant)

    made = ok(merchant.http.get("/v1/policy/versions"))["data"]
    assert [7, 6, 5, 4, 3, 2, 1] == [each["version"] for each in made]
    assert sorted(each["half_life"] for each in made[:-1]) == [each["half_life"] for each in policies]
    assert 6 == len({each["made_at"] for each in made[:-1]})
    assert policy(merchant)["half_life"] == made[0]["half_life"]
    assert 6 == len(jobs(merchant))


def test_an_order_and_a_change_at_the_same_moment_agree(merchant: TestMerchant) -> None:
    bo = two_touches(merchant)
    merchant.order(visitor=bo.token)
    for model in ("linear", "first_touch", "last_touch", "linear"):
        before = policy(merchant)["model"]
        together(
            partial(put, merchant, {"model": model}, since="beginning"),
            *[partial(merchant.order, 1000, visitor=bo.token)] * 4,
        )
        wait(merchant)
        assert before != policy(merchant)["model"] == model
    orders = ok(merchant.http.get("/v1/orders", params={"limit": 100}))["data"]
    assert 17 == len(orders)
    for order in orders:
        half = order["net"] // 2
        assert {"whatsapp": half, "email": half} == nets(merchant.explanation(order["id"]))


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"model": "markov"}, ["/model"]),
        ({"model": "shapley"}, ["/model"]),
        ({"model": "LINEAR"}, ["/model"]),
        ({"model": None}, ["/model"]),
        ({"modle": "linear"}, ["/modle"]),
        ({"windows": {"click": -1}}, ["/windows/click"]),
        (
            {"windows": {"click": 1.5, "like": "7", "view": True, "bell": 1}},
            [f"/windows/{name}" for name in ("bell", "click", "like", "view")],
        ),
        ({"windows": []}, ["/windows"]),
        ({"windows": {"click": 10**30}}, ["/windows/click"]),
        ({"position": [4000]}, ["/position"]),
        ({"position": [0, 0]}, ["/position"]),
        ({"position": [8000, 8000]}, ["/position"]),
        ({"position": [-1, 10001]}, ["/position/0", "/position/1"]),
        ({"half_life": 0}, ["/half_life"]),
        ({"half_life": float("inf")}, ["/half_life"]),
        ({"upline": {"mode": "up", "alpha": 10_001, "max_depth": 0}}, ["/upline/mode"]),
        ({"upline": {"alpha": 10_001, "max_depth": 0}}, ["/upline/alpha", "/upline/max_depth"]),
        ({"self_referral": "sometimes", "coupon_override": 1}, ["/self_referral", "/coupon_override"]),
        ({"x" * 10_000: 1}, ["/" + "x" * 10_000]),
        ({f"field {number}": 1 for number in range(5000)}, [f"/field {number}" for number in range(100)]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_policy_that_cannot_be_is_refused_with_what_is_wrong(
    merchant: TestMerchant, body: JSON, pointers: list[str]
) -> None:
    content = json.dumps(body).encode()
    for path in ("/v1/policy", "/v1/policies/other"):
        answer = merchant.http.put(path, content=content, headers={"Content-Type": "application/json"})
        assert (422, "invalid_request") == (answer.status_code, answer.json()["code"])
        told = [error["pointer"] for error in answer.json()["errors"]]
        assert all(pointer in told for pointer in pointers), told
        assert all(error["detail"] for error in answer.json()["errors"])
        assert len(told) <= 100
    assert (1, ["current"]) == (policy(merchant)["version"], names(merchant))


@pytest.mark.parametrize(
    "since",
    ["yesterday", "", "BEGINNING", "2026-13-01", "2026-03-02T10:00:00", "0001-01-01", "9999-12-31", "a\x00b", "5"],
)
def test_a_moment_that_is_none_is_refused(merchant: TestMerchant, since: str) -> None:
    answer = merchant.http.put("/v1/policy", json=LINEAR, params={"from": since})
    assert (422, ["from"]) == (answer.status_code, [error["pointer"] for error in answer.json()["errors"]])
    assert 1 == policy(merchant)["version"]


def test_unknown_parameters_are_refused(merchant: TestMerchant) -> None:
    answer = merchant.http.put("/v1/policy", json=LINEAR, params={"form": "beginning"})
    assert (422, ["form"]) == (answer.status_code, [error["pointer"] for error in answer.json()["errors"]])


# the click window is the parent's too


def test_the_parent_is_sought_in_the_click_window_of_the_policy(merchant: TestMerchant, clock: TestClock) -> None:
    product, bo = merchant.product()["id"], merchant.shopper()
    link = merchant.shopper().share(product)
    bo.follow(link["code"])
    put(merchant, {"windows": {"click": 86_400}})
    clock.move(days=1)
    assert link["id"] == bo.share(product, "x")["parent"]
    clock.move(seconds=1)
    assert bo.share(product, "email")["parent"] is None

    put(merchant, {"windows": {"click": 60 * 86_400}})
    clock.move(days=58)
    assert link["id"] == bo.share(product, "telegram")["parent"]


def test_an_old_visit_is_claimed_within_the_click_window_of_the_policy(
    merchant: TestMerchant, clock: TestClock
) -> None:
    click = merchant.shopper().follow(merchant.shopper().share(merchant.product()["id"])["code"])
    put(merchant, {"windows": {"click": 60 * 86_400}})
    clock.move(days=60)
    assert click != merchant.shopper().claim(click)
    clock.move(seconds=1)
    assert 404 == merchant.public.post(f"/v1/visits/{click}/claim").status_code


def test_numbers_are_whole(merchant: TestMerchant) -> None:
    merchant.order()
    keep(merchant, "other", LINEAR)
    for path in ("/v1/policy", "/v1/policies", "/v1/jobs", "/v1/policy/versions"):
        assert "." not in merchant.http.get(path).text.replace(".000001Z", "Z")
