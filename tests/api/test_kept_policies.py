"""Policies that are kept computed beside the one in force, the jobs for that, and who may change what."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.clock import START, TestClock
from tests.conftest import ADMIN_TOKEN, AppServer
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
    pretend,
    two_touches,
)
from tests.shop import TestMerchant, ok
from tests.threads import together

NewMerchant = Callable[..., TestMerchant]


def test_a_policy_is_kept_beside_and_divides_nothing_that_is_in_force(merchant: TestMerchant) -> None:
    bo = two_touches(merchant)
    order = merchant.order(net=1000, visitor=bo.token)["id"]
    kept = keep(merchant, "linear", LINEAR)

    made_at = merchant.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (
        {
            "name": "linear",
            "version": 1,
            "policy": {**DEFAULT, **LINEAR},
            "in_force": False,
            "applies_from": None,
            "made_at": made_at,
            "status": "computed",
            "job": None,
        }
        == kept
        == listed(merchant)[1]
    )
    assert {"email": 1000} == nets(merchant.explanation(order))
    assert 1 == policy(merchant)["version"]
    (job,) = jobs(merchant)
    assert ("finished", 1, 2) == (job["status"], job["done"], job["appended"])


def test_no_more_than_five_are_kept(merchant: TestMerchant) -> None:
    for number in range(5):
        keep(merchant, f"p-{number}", {"half_life": number + 1})
    answer = merchant.http.put("/v1/policies/p-5", json=LINEAR)
    assert (409, "too_many_policies") == (answer.status_code, answer.json()["code"])
    assert "p-0, p-1, p-2, p-3, p-4" in answer.json()["detail"]
    assert 2 == keep(merchant, "p-3", LINEAR)["version"]  # another version of one of them is no sixth

    ok(merchant.http.delete("/v1/policies/p-0"), 204)
    keep(merchant, "p-5", LINEAR)
    assert ["current", "p-1", "p-2", "p-3", "p-4", "p-5"] == names(merchant)


def test_five_are_kept_also_when_many_are_sent_at_once(merchant: TestMerchant) -> None:
    answers = together(*(partial(merchant.http.put, f"/v1/policies/p{n}", json={"half_life": n + 1}) for n in range(8)))
    assert [200] * 5 + [409] * 3 == sorted(answer.status_code for answer in answers)
    assert 6 == len(names(merchant))


def test_keeping_the_same_again_changes_nothing(merchant: TestMerchant) -> None:
    merchant.order()
    first = keep(merchant, "linear", LINEAR)
    assert first == keep(merchant, "linear", {**DEFAULT, **LINEAR})
    assert 1 == len(jobs(merchant))


def test_a_policy_that_was_dropped_is_gone_and_can_be_kept_again(merchant: TestMerchant) -> None:
    bo = two_touches(merchant)
    merchant.order(net=1000, visitor=bo.token)
    keep(merchant, "other", LINEAR)
    ok(merchant.http.delete("/v1/policies/other"), 204)

    assert [404, 404] == [
        merchant.http.get("/v1/policies/other").status_code,
        merchant.http.delete("/v1/policies/other").status_code,
    ]
    assert ["current"] == names(merchant)
    merchant.order(net=500, visitor=bo.token)
    again = keep(merchant, "other", LINEAR)
    assert (2, "computed") == (again["version"], again["status"])
    assert [2, 2] == [jobs(merchant)[0]["done"], jobs(merchant)[0]["appended"]]  # what was there is not written twice


@pytest.mark.parametrize("name", ["current", "Linear", "a b", "-a", "_a", "ä", "a" * 41, "a.b", "%00", "a%0a", "'"])
def test_a_name_that_cannot_be_is_refused_and_never_found(merchant: TestMerchant, name: str) -> None:
    answer = merchant.http.put(f"/v1/policies/{name}", json=LINEAR)
    assert (422, ["name"]) == (answer.status_code, [error["pointer"] for error in answer.json()["errors"]])
    reserved = name == "current"
    assert (200 if reserved else 404) == merchant.http.get(f"/v1/policies/{name}").status_code
    assert (422 if reserved else 404) == merchant.http.delete(f"/v1/policies/{name}").status_code
    assert ["current"] == names(merchant)


def test_how_far_it_got_is_told(merchant: TestMerchant, app_server: AppServer) -> None:
    merchant.order()
    merchant.clock.move(hours=1)
    keep(merchant, "other", LINEAR)
    change(merchant, LINEAR, since="beginning")
    pretend(app_server, merchant, status="running", finished_at=None, done=0)
    short = {"status": "running", "done": 0, "total": 1}
    newest, oldest = jobs(merchant)

    assert {"id": newest["id"], **short} == policy(merchant)["job"]
    current, other = listed(merchant)
    assert ("computing", newest["id"]) == (current["status"], current["job"]["id"])
    assert ("computing", {"id": newest["id"], **short}) == (other["status"], other["job"])  # the newest does both

    pretend(app_server, merchant, status="failed", finished_at=START, error="by a fault of ours")
    assert policy(merchant)["job"] is None
    current, other = listed(merchant)
    assert ("failed", "failed", newest["id"]) == (current["status"], other["status"], other["job"]["id"])
    assert "by a fault of ours" == ok(merchant.http.get(f"/v1/jobs/{oldest['id']}"))["error"]

    assert "computed" == keep(merchant, "other", LINEAR)["status"]  # the same again starts what failed again
    assert ["computed", "computed"] == [each["status"] for each in listed(merchant)]
    assert 3 == len(jobs(merchant))


def test_a_job_that_reaches_less_far_does_not_make_up_for_one_that_failed(
    merchant: TestMerchant, app_server: AppServer, clock: TestClock
) -> None:
    merchant.order()
    clock.move(hours=1)
    change(merchant, LINEAR, since="beginning")
    pretend(app_server, merchant, status="failed", error="by a fault of ours")
    clock.move(hours=1)
    since = clock.now().isoformat()
    merchant.order()
    clock.move(hours=1)

    assert 1 == change(merchant, FIRST, since=since)["job"]["total"]
    assert ["finished", "failed"] == [job["status"] for job in jobs(merchant)]
    assert "failed" == listed(merchant)[0]["status"]
    change(merchant, FIRST, since="beginning")
    assert "computed" == listed(merchant)[0]["status"]


def test_jobs_come_in_pages(merchant: TestMerchant) -> None:
    merchant.order()
    for number in range(3):
        merchant.clock.move(seconds=1)
        change(merchant, {"half_life": number + 1}, since="beginning")
    first = ok(merchant.http.get("/v1/jobs", params={"limit": 2}))
    second = ok(merchant.http.get("/v1/jobs", params={"limit": 2, "cursor": first["next_cursor"]}))
    ids = [job["id"] for job in first["data"] + second["data"]]
    assert (3, sorted(ids, reverse=True), None) == (len(set(ids)), ids, second["next_cursor"])


# who may


def test_policies_are_not_for_report_keys(merchant: TestMerchant) -> None:
    merchant.order()
    keep(merchant, "other", LINEAR)
    change(merchant, LINEAR, since="beginning")
    reader = {"Authorization": f"Bearer {merchant.report_key}"}
    job = jobs(merchant)[0]["id"]
    for path in (
        "/v1/policy",
        "/v1/policy/versions",
        "/v1/policies",
        "/v1/policies/other",
        "/v1/jobs",
        f"/v1/jobs/{job}",
    ):
        assert 200 == merchant.http.get(path).status_code
        assert 403 == merchant.public.get(path, headers=reader).status_code
        assert 401 == merchant.public.get(path).status_code
    for method, path in (("PUT", "/v1/policy"), ("PUT", "/v1/policies/more"), ("DELETE", "/v1/policies/other")):
        body = FIRST if method == "PUT" else None
        assert 403 == merchant.public.request(method, path, json=body, headers=reader).status_code
        assert 401 == merchant.public.request(method, path, json=body).status_code
    assert (["current", "other"], "linear") == (names(merchant), policy(merchant)["model"])


def test_what_is_anothers_is_not_found(merchant: TestMerchant, new_merchant: NewMerchant) -> None:
    other = new_merchant()
    other.order()
    keep(other, "other", LINEAR)
    assert [] == jobs(merchant)
    assert ["current"] == names(merchant)
    assert 404 == merchant.http.get(f"/v1/jobs/{jobs(other)[0]['id']}").status_code
    assert [404, 404] == [merchant.http.request(m, "/v1/policies/other").status_code for m in ("GET", "DELETE")]
    assert "other" in names(other)


def test_who_has_left_changes_nothing(new_merchant: NewMerchant) -> None:
    merchant = new_merchant()
    operator = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    ok(merchant.public.delete(f"/v1/merchants/{merchant.id}", headers=operator), 204)
    assert [401, 401] == [
        merchant.http.put("/v1/policy", json=LINEAR).status_code,
        merchant.http.get("/v1/policies").status_code,
    ]
