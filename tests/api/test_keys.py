"""Keys that are narrow, that end, and that are exchanged; and who may deal with them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.kernel.clock import rfc3339
from app.merchants.keyring import MOST
from app.merchants.keys import SCOPES
from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]


def made(client: httpx.Client, **fields: Any) -> JSON:
    return dict(ok(client.post("/v1/keys", json={"kind": "secret", **fields}), 201))


@contextmanager
def holder(merchant: TestMerchant, key: JSON) -> Iterator[httpx.Client]:
    """Whoever was given this key."""
    headers = {"Authorization": f"Bearer {key['key']}"}
    with httpx.Client(base_url=merchant.base, headers=headers, timeout=30, verify=False) as client:
        yield client


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def works(client: httpx.Client) -> bool:
    status = client.get("/v1/keys").status_code
    assert status in (200, 401)
    return status == 200


def test_a_key_says_what_it_is_for(merchant: TestMerchant) -> None:
    key = made(merchant.http, label=" Till ", scopes=["reports", "orders", "orders"], expires_at="2027-11-22T00:00:00Z")
    shown = {**key, "label": "Till", "scopes": ["orders", "reports"], "expires_at": "2027-11-22T00:00:00Z"}
    assert shown == key
    listed = ok(merchant.http.get("/v1/keys"))["data"]
    assert {name: value for name, value in key.items() if name != "key"} == listed[0]
    assert [None] * 3 == [listed[-1][name] for name in ("label", "scopes", "expires_at")]


def test_a_narrowed_key_opens_what_it_was_narrowed_to_and_nothing_else(merchant: TestMerchant) -> None:
    document = ok(merchant.public.get("/openapi.json"))
    with holder(merchant, made(merchant.http, scopes=["walls", "events"])) as client:
        ok(client.get("/v1/walls"))
        ok(client.get("/v1/events"))
        tried = 0
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                scope = operation.get("tags", ["none"])[0]
                if not operation.get("security") or scope in ("walls", "events", "operator"):
                    continue
                tried += 1
                answer = client.request(method, path.replace("{", "").replace("}", ""))
                assert (403, "scope_missing") == refused(answer), (method, path)
                assert f"`{scope}`" in answer.json()["detail"]
        assert tried >= 40


def test_every_call_that_takes_a_key_is_in_a_scope(app_server: AppServer) -> None:
    document = ok(httpx.get(f"{app_server.url}/openapi.json", verify=False))
    without = [
        f"{method} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation.get("security") and operation["tags"][0] not in SCOPES | {"operator"}
    ]
    assert [] == without


def test_a_report_key_has_no_scopes(merchant: TestMerchant) -> None:
    answer = merchant.http.post("/v1/keys", json={"kind": "report", "scopes": ["reports"]})
    assert (422, "invalid_request") == refused(answer)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scopes", []),
        ("scopes", ["everything"]),
        ("scopes", "orders"),
        ("label", ""),
        ("label", "x" * 101),
        ("label", "a\x00b"),
        ("expires_at", "2026-01-01T00:00:00Z"),
        ("expires_at", 1_900_000_000),
        ("hash", "x"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(merchant: TestMerchant, field: str, value: Any) -> None:
    merchant.clock.move(days=365)
    answer = merchant.http.post("/v1/keys", json={"kind": "secret", field: value})
    assert (422, f"/{field}") == (answer.status_code, answer.json()["errors"][0]["pointer"][: len(field) + 1])
    assert 2 == len(ok(merchant.http.get("/v1/keys"))["data"])


def test_a_key_works_until_it_expires_and_not_a_moment_longer(merchant: TestMerchant) -> None:
    end = merchant.clock.now() + timedelta(hours=1)
    key = made(merchant.http, expires_at=rfc3339(end))
    with holder(merchant, key) as client:
        merchant.clock.set(end - timedelta(microseconds=1))
        assert works(client)
        merchant.clock.set(end)
        assert not works(client)
    assert key["id"] not in [each["id"] for each in ok(merchant.http.get("/v1/keys"))["data"]]
    assert (404, "not_found") == refused(merchant.http.delete(f"/v1/keys/{key['id']}"))
    assert (404, "not_found") == refused(merchant.http.post(f"/v1/keys/{key['id']}/rotate"))


def test_a_narrowed_key_makes_no_wider_one_and_touches_none(merchant: TestMerchant) -> None:
    wide = ok(merchant.http.get("/v1/keys"))["data"]
    equal = made(merchant.http, scopes=["keys", "orders"])
    with holder(merchant, made(merchant.http, scopes=["keys", "orders"])) as client:
        made(client, scopes=["orders"])
        for body in ({}, {"scopes": ["orders", "walls"]}, {"kind": "report"}):
            assert (403, "forbidden") == refused(client.post("/v1/keys", json={"kind": "secret", **body}))
        for key in wide:
            assert (403, "forbidden") == refused(client.delete(f"/v1/keys/{key['id']}"))
            assert (403, "forbidden") == refused(client.post(f"/v1/keys/{key['id']}/rotate"))
        assert {"keys", "orders"} == set(ok(client.post(f"/v1/keys/{equal['id']}/rotate"), 201)["scopes"])


def test_a_key_that_expires_makes_none_that_outlives_it(merchant: TestMerchant) -> None:
    end = rfc3339(merchant.clock.now() + timedelta(days=1))
    key = made(merchant.http, expires_at=end)
    with holder(merchant, key) as client:
        assert end == made(client)["expires_at"]
        later = rfc3339(merchant.clock.now() + timedelta(days=2))
        for body in ({"expires_at": later}, {"expires_at": None}):
            answer = client.post(f"/v1/keys/{key['id']}/rotate", json=body)
            assert (422, "/expires_at") == (answer.status_code, answer.json()["errors"][0]["pointer"])
        answer = client.post("/v1/keys", json={"kind": "secret", "expires_at": later})
        assert (422, "/expires_at") == (answer.status_code, answer.json()["errors"][0]["pointer"])
        assert end == ok(client.post(f"/v1/keys/{key['id']}/rotate"), 201)["expires_at"]


def test_an_exchanged_key_works_until_the_overlap_ends(merchant: TestMerchant) -> None:
    before = made(merchant.http, label="Till", scopes=["keys"])
    after = ok(merchant.http.post(f"/v1/keys/{before['id']}/rotate", json={"overlap_hours": 2}), 201)
    assert [before[name] for name in ("kind", "label", "scopes", "expires_at")] == [
        after[name] for name in ("kind", "label", "scopes", "expires_at")
    ]
    with holder(merchant, before) as old, holder(merchant, after) as new:
        merchant.clock.move(hours=1.99)
        assert (True, True) == (works(old), works(new))
        merchant.clock.move(hours=0.01)
        assert (False, True) == (works(old), works(new))


def test_without_an_overlap_the_key_before_is_useless_at_once(merchant: TestMerchant) -> None:
    before = made(merchant.http)
    ok(merchant.http.post(f"/v1/keys/{before['id']}/rotate", json={"overlap_hours": 0}), 201)
    with holder(merchant, before) as client:
        assert not works(client)


def test_what_replaces_a_key_lasts_as_long_as_that_was_made_to(merchant: TestMerchant) -> None:
    key = made(merchant.http, expires_at=rfc3339(merchant.clock.now() + timedelta(days=90)))
    now = merchant.clock.move(days=80)
    after = ok(merchant.http.post(f"/v1/keys/{key['id']}/rotate"), 201)
    assert rfc3339(now + timedelta(days=90)) == after["expires_at"]
    forever = ok(merchant.http.post(f"/v1/keys/{after['id']}/rotate", json={"expires_at": None}), 201)
    assert forever["expires_at"] is None


def test_the_last_key_that_can_do_everything_stays(merchant: TestMerchant) -> None:
    made(merchant.http, scopes=sorted(SCOPES))
    made(merchant.http, expires_at=rfc3339(merchant.clock.now() + timedelta(days=900)))
    first = next(key for key in ok(merchant.http.get("/v1/keys"))["data"] if key["hint"] == merchant.secret_key[-4:])
    path = f"/v1/keys/{first['id']}"
    assert (409, "last_key") == refused(merchant.http.delete(path))
    end = rfc3339(merchant.clock.now() + timedelta(days=9))
    assert (409, "last_key") == refused(merchant.http.post(f"{path}/rotate", json={"expires_at": end}))

    other = ok(merchant.http.post(f"{path}/rotate", json={"overlap_hours": 1}), 201)
    assert (409, "last_key") == refused(merchant.http.delete(f"/v1/keys/{other['id']}"))
    ok(merchant.http.delete(path), 204)
    with holder(merchant, other) as client:
        assert works(client)


def test_two_at_once_do_not_take_the_last_two_keys_away(merchant: TestMerchant) -> None:
    other = made(merchant.http)
    first = next(key for key in ok(merchant.http.get("/v1/keys"))["data"] if key["hint"] == merchant.secret_key[-4:])
    with holder(merchant, other) as client, ThreadPoolExecutor(2) as threads:
        mine = threads.submit(merchant.http.delete, f"/v1/keys/{other['id']}")
        theirs = threads.submit(client.delete, f"/v1/keys/{first['id']}")
        statuses = sorted((mine.result().status_code, theirs.result().status_code))
    assert 204 == statuses[0]
    assert statuses[1] in (401, 409)  # whose key was gone by then, or would have been the last


def test_keys_are_no_more_than_can_be_listed(merchant: TestMerchant) -> None:
    for _ in range(MOST - 2):
        made(merchant.http)
    assert (409, "too_many_keys") == refused(merchant.http.post("/v1/keys", json={"kind": "report"}))
    listed = ok(merchant.http.get("/v1/keys"))["data"]
    assert MOST == len(listed)
    ok(merchant.http.delete(f"/v1/keys/{listed[0]['id']}"), 204)
    made(merchant.http)


def test_keys_of_others_are_not_there(merchant: TestMerchant, new_merchant: NewMerchant) -> None:
    theirs = made(new_merchant().http)
    assert (404, "not_found") == refused(merchant.http.delete(f"/v1/keys/{theirs['id']}"))
    assert (404, "not_found") == refused(merchant.http.post(f"/v1/keys/{theirs['id']}/rotate"))
    assert theirs["id"] not in merchant.http.get("/v1/keys").text


def test_a_new_key_is_shown_once_even_to_who_asks_again(merchant: TestMerchant) -> None:
    key = made(merchant.http)
    path, headers = f"/v1/keys/{key['id']}/rotate", {"Idempotency-Key": "exchange-1"}
    first = ok(merchant.http.post(path, headers=headers), 201)
    assert {**first, "key": None} == ok(merchant.http.post(path, headers=headers), 201)


def test_a_session_on_the_report_page_ends_with_its_key(merchant: TestMerchant) -> None:
    end = merchant.clock.now() + timedelta(hours=1)
    key = made(merchant.http, kind="report", expires_at=rfc3339(end))
    with httpx.Client(base_url=merchant.base, timeout=30, verify=False) as browser:
        answer = browser.post("/reports/session", data={"key": key["key"]}, headers={"Origin": merchant.base})
        browser.headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]
        ok_page = browser.get("/reports/sharers")
        merchant.clock.set(end)
        assert (200, 303) == (ok_page.status_code, browser.get("/reports/sharers").status_code)
