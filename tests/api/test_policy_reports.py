"""The attribution report under policies that are kept computed beside the one in force: other rows, the same totals."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.clock import TestClock
from tests.conftest import AppServer
from tests.policies import DEFAULT, FIRST, LINEAR, by_network, change, keep, pretend, two_touches
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]
GEOMETRIC: JSON = {"model": "linear", "upline": {"mode": "geometric"}}


def refusal(merchant: TestMerchant, **query: str) -> JSON:
    answer = merchant.http.get("/v1/reports/attribution", params=query)
    assert answer.is_client_error, answer.text
    return dict(answer.json())


def test_each_policy_has_its_report(merchant: TestMerchant) -> None:
    bo = two_touches(merchant)
    order = merchant.order(net=1000, visitor=bo.token)
    merchant.refund(order["id"], 100)
    keep(merchant, "linear", LINEAR)
    keep(merchant, "first", FIRST)
    merchant.clock.move(seconds=1)

    current, linear, first = (merchant.report(policy=name) for name in ("current", "linear", "first"))

    assert {"email": 900} == by_network(current)
    assert {"whatsapp": 450, "email": 450} == by_network(linear)
    assert {"whatsapp": 900} == by_network(first)
    assert current["totals"] == linear["totals"] == first["totals"]
    assert [("current", 1, DEFAULT), ("linear", 1, {**DEFAULT, **LINEAR}), ("first", 1, {**DEFAULT, **FIRST})] == [
        (each["policy_name"], each["policy_version"], each["policy"]) for each in (current, linear, first)
    ]
    assert current == merchant.report()


def test_what_comes_later_is_in_every_report_at_once(merchant: TestMerchant) -> None:
    keep(merchant, "linear", LINEAR)
    keep(merchant, "chain", GEOMETRIC)
    bo = two_touches(merchant)
    order = merchant.order(net=1001, visitor=bo.token)["id"]
    merchant.order(net=70)
    merchant.clock.move(seconds=1)
    assert {"whatsapp": 500, "email": 501, "(direct)": 70} == by_network(merchant.report(policy="linear"))
    refund = merchant.refund(order, 1)["id"]
    assert {"whatsapp": 500, "email": 500, "(direct)": 70} == by_network(merchant.report(policy="linear"))
    ok(merchant.http.delete(f"/v1/orders/{order}/refunds/{refund}"))
    assert {"whatsapp": 500, "email": 501, "(direct)": 70} == by_network(merchant.report(policy="chain"))
    assert [2, 2, 2] == [merchant.report(policy=name)["totals"][0]["orders"] for name in ("current", "linear", "chain")]


def test_another_version_takes_the_place_of_the_one_before(merchant: TestMerchant) -> None:
    bo = two_touches(merchant)
    merchant.order(net=1000, visitor=bo.token)
    keep(merchant, "what-if", LINEAR)
    merchant.clock.move(hours=1)
    keep(merchant, "what-if", FIRST)
    merchant.clock.move(hours=1)
    report = merchant.report(policy="what-if")
    assert ({"whatsapp": 1000}, 2) == (by_network(report), report["policy_version"])


def test_rows_alone_are_of_the_same_policy(merchant: TestMerchant) -> None:
    bo = two_touches(merchant)
    merchant.order(net=1000, visitor=bo.token)
    keep(merchant, "first", FIRST)
    merchant.clock.move(seconds=1)
    query = {"policy": "first", "format": "csv"}
    rows = csv.DictReader(io.StringIO(merchant.http.get("/v1/reports/attribution", params=query).text))
    assert [("whatsapp", "1000")] == [(row["network"], row["net"]) for row in rows]
    assert [] == merchant.report(policy="first", network="email")["data"]


@pytest.mark.parametrize(
    "name", ["", "other", "CURRENT", "linear,first", "a\x00b", "x" * 200, "x" * 201, "' OR 1=1 --"]
)
def test_a_policy_that_is_not_kept_is_refused_with_those_that_are(merchant: TestMerchant, name: str) -> None:
    keep(merchant, "linear", LINEAR)
    problem = refusal(merchant, policy=name)
    assert (422, ["policy"]) == (problem["status"], [error["pointer"] for error in problem["errors"]])
    if len(name) <= 200:
        assert "current, linear" in problem["detail"]


def test_a_policy_that_was_dropped_or_is_anothers_is_not_kept(
    merchant: TestMerchant, new_merchant: NewMerchant
) -> None:
    keep(new_merchant(), "theirs", LINEAR)
    keep(merchant, "dropped", LINEAR)
    ok(merchant.http.delete("/v1/policies/dropped"), 204)
    assert {422} == {refusal(merchant, policy=name)["status"] for name in ("theirs", "dropped")}


def test_a_policy_that_is_not_computed_yet_says_how_far_it_is(merchant: TestMerchant, app_server: AppServer) -> None:
    merchant.order()
    keep(merchant, "linear", LINEAR)
    merchant.clock.move(seconds=1)
    pretend(app_server, merchant, status="running", finished_at=None, done=417, total=1000)
    problem = refusal(merchant, policy="linear")
    assert (409, "policy_computing") == (problem["status"], problem["code"])
    assert "417 of 1000" in problem["detail"]
    assert merchant.report()["totals"]

    pretend(app_server, merchant, status="failed", finished_at=merchant.clock.now(), error="by a fault of ours")
    problem = refusal(merchant, policy="linear")
    assert (409, "policy_computing") == (problem["status"], problem["code"])
    assert "PUT it again" in problem["detail"]


def test_a_report_of_before_a_change_stays_what_it_was(merchant: TestMerchant, clock: TestClock) -> None:
    bo = two_touches(merchant)
    merchant.order(net=1000, visitor=bo.token)
    until = (clock.now() + timedelta(days=1)).isoformat()
    clock.move(hours=1)
    before = clock.now().isoformat()
    old = merchant.report(to=until, as_of=before)
    clock.move(hours=1)
    change(merchant, LINEAR, since="beginning")
    clock.move(hours=1)

    assert {"email": 1000} == by_network(old)
    assert old == merchant.report(to=until, as_of=before)
    assert 1 == old["policy_version"]
    new = merchant.report(to=until)
    assert ({"whatsapp": 500, "email": 500}, 2) == (by_network(new), new["policy_version"])
    assert 2 == merchant.report(as_of="2027-01-01")["policy_version"]


def test_a_kept_policy_is_asked_as_of_when_it_was_computed(merchant: TestMerchant, clock: TestClock) -> None:
    bo = two_touches(merchant)
    merchant.order(net=1000, visitor=bo.token)
    moments = {}
    for what, do in (
        ("before", lambda: None),
        ("linear", lambda: keep(merchant, "other", LINEAR)),
        ("first", lambda: keep(merchant, "other", FIRST)),
        ("dropped", lambda: ok(merchant.http.delete("/v1/policies/other"), 204)),
        ("again", lambda: keep(merchant, "other", LINEAR)),
    ):
        clock.move(minutes=10)
        do()
        clock.move(minutes=10)
        moments[what] = clock.now().isoformat()
    clock.move(minutes=10)

    for what in ("before", "dropped"):
        problem = refusal(merchant, policy="other", as_of=moments[what])
        assert (422, ["as_of"]) == (problem["status"], [error["pointer"] for error in problem["errors"]])
    told = [merchant.report(policy="other", as_of=moments[what]) for what in ("linear", "first", "again")]
    assert [1, 2, 3] == [each["policy_version"] for each in told]
    assert [{"whatsapp": 500, "email": 500}, {"whatsapp": 1000}, {"whatsapp": 500, "email": 500}] == [
        by_network(each) for each in told
    ]
    assert 3 == merchant.report(policy="other", as_of="2027-01-01")["policy_version"]


def test_a_policy_is_not_asked_as_of_when_it_was_not_done(
    merchant: TestMerchant, clock: TestClock, app_server: AppServer
) -> None:
    merchant.order(net=1000)
    keep(merchant, "other", LINEAR)
    clock.move(hours=1)
    then = clock.now().isoformat()
    clock.move(hours=1)
    assert 1 == merchant.report(policy="other", as_of=then)["policy_version"]
    pretend(app_server, merchant, finished_at=clock.now())
    assert 422 == refusal(merchant, policy="other", as_of=then)["status"]
    assert 1 == merchant.report(policy="other")["policy_version"]


def test_a_report_key_asks_under_any_kept_policy(merchant: TestMerchant) -> None:
    keep(merchant, "linear", LINEAR)
    reader = {"Authorization": f"Bearer {merchant.report_key}"}
    query = {"policy": "linear"}
    assert "linear" == ok(merchant.public.get("/v1/reports/attribution", params=query, headers=reader))["policy_name"]
