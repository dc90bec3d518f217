"""Merchants, their settings and keys, over HTTP."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.attribution.models import CreditLine
from app.kernel.clock import rfc3339
from app.merchants.keys import new_key
from tests.clock import TestClock
from tests.conftest import ADMIN_TOKEN, AppServer
from tests.shop import TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]
OPERATOR = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_merchant_begins_with_sensible_settings(new_merchant: NewMerchant, clock: TestClock) -> None:
    merchant = new_merchant(name="Vine", currency="EUR", timezone="Europe/Paris")
    assert ok(merchant.http.get("/v1/merchant")) == {
        "id": merchant.id,
        "name": "Vine",
        "currency": "eur",
        "timezone": "Europe/Paris",
        "allowed_origins": [],
        "return_urls": [],
        "privacy": "counts",
        "landing": "page",
        "small_group": 5,
        "stripe_account": None,
        "checkout": {
            "promotion_codes": False,
            "automatic_tax": False,
            "tax_behavior": "exclusive",
            "shipping": None,
            "expires_after_minutes": 120,
        },
        "sharing": {"networks": None, "rewarded": False, "terms": None, "utm": False},
        "retention": {"visits": 800, "beacons": 400, "machine_visits": 800, "checkouts": 400},
        "visits_kept_from": None,
        "created_at": rfc3339(clock.now()),
    }


def test_settings_change_one_by_one_and_are_kept_normalised(merchant: TestMerchant) -> None:
    before = ok(merchant.http.get("/v1/merchant"))
    changes: dict[str, Any] = {
        "name": "Thread",
        "currency": "JPY",
        "timezone": "Asia/Tokyo",
        "allowed_origins": ["https://Blog.Example:443/", "*"],
        "return_urls": ["https://shop.example"],
        "privacy": "consented",
        "landing": "merchant",
        "small_group": 12,
    }
    kept = {
        **changes,
        "currency": "jpy",
        "allowed_origins": ["https://blog.example", "*"],
        "return_urls": ["https://shop.example/"],
    }
    for name, value in changes.items():
        before[name] = kept[name]
        assert before == ok(merchant.http.patch("/v1/merchant", json={name: value}))
    assert before == ok(merchant.http.get("/v1/merchant"))
    assert before == ok(merchant.http.patch("/v1/merchant", json={}))


def test_the_operator_sees_one_merchant_and_nobody_else_does(merchant: TestMerchant) -> None:
    path = f"/v1/merchants/{merchant.id}"
    assert merchant.id == ok(merchant.public.get(path, headers=OPERATOR))["id"]
    refused = [merchant.http.get(path), merchant.public.get(path), merchant.public.get(path, headers=bearer("x" * 28))]
    assert [401] * 3 == [each.status_code for each in refused]
    assert ["Bearer"] * 3 == [each.headers["WWW-Authenticate"] for each in refused]


def test_only_the_operator_makes_merchants(merchant: TestMerchant) -> None:
    body = {"name": "Vine", "currency": "eur"}
    for headers in (
        {},
        bearer(merchant.secret_key),
        bearer("none"),
        bearer(ADMIN_TOKEN + "x"),
        bearer(ADMIN_TOKEN[:-1]),
    ):
        assert merchant.public.post("/v1/merchants", json=body, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic YTpi", "Bearer sk_", "Bearer sk_\xe9", "sk_123", "Bearer " + "x" * 5000, "Bearer null"],
)
def test_what_is_no_key_opens_nothing(merchant: TestMerchant, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    answer = merchant.public.get("/v1/merchant", headers=headers)  # type: ignore[arg-type]
    assert (401, "unauthorized") == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(
    "where",
    [
        {"params": {"token": ADMIN_TOKEN}},
        {"params": {"Authorization": f"Bearer {ADMIN_TOKEN}"}},
        {"headers": {"Cookie": f"Authorization=Bearer {ADMIN_TOKEN}"}},
        {"headers": {"X-Api-Key": ADMIN_TOKEN}},
        {"auth": ("operator", ADMIN_TOKEN)},
    ],
    ids=["query", "query called as the header", "cookie", "another header", "basic"],
)
def test_the_operators_token_counts_as_a_bearers_and_nowhere_else(
    merchant: TestMerchant, where: dict[str, Any]
) -> None:
    answer = merchant.public.get(f"/v1/merchants/{merchant.id}", **where)
    assert (401, "unauthorized") == (answer.status_code, answer.json()["code"])
    assert 200 == merchant.public.get(f"/v1/merchants/{merchant.id}", headers=OPERATOR).status_code


def test_a_forged_key_opens_nothing(merchant: TestMerchant) -> None:
    key = merchant.secret_key
    other_end = key[:-1] + ("1" if key[-1] != "1" else "2")
    for forged in (new_key("secret"), other_end, "rk_" + key[3:], key.swapcase()):
        assert merchant.public.get("/v1/products", headers=bearer(forged)).status_code == 401


REPORTS = ("/v1/reports", "/v1/sharers", "/v1/events", "/v1/merchants")
"""What a marketer's key may be used for (api.md), and what asks for the operator's token."""


def test_a_report_key_reads_reports_and_nothing_else(merchant: TestMerchant, app_server: AppServer) -> None:
    headers = bearer(merchant.report_key)
    ok(merchant.public.get("/v1/reports/attribution", headers=headers))
    document = ok(merchant.public.get("/openapi.json"))
    tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not operation.get("security") or path.startswith(REPORTS):
                continue
            tried += 1
            url = path.replace("{", "").replace("}", "")
            answer = merchant.public.request(method, url, headers=headers)
            # what is missing in a body may be told first; nothing else is
            assert answer.status_code in (403, 422), (method, path, answer.text)
            if method in ("get", "delete"):
                assert (403, "forbidden") == (answer.status_code, answer.json()["code"]), (method, path)
    assert tried >= 15


def test_a_report_key_writes_nothing(merchant: TestMerchant) -> None:
    headers = bearer(merchant.report_key)
    answer = merchant.public.post("/v1/products", json={"title": "Mug"}, headers=headers)
    assert (403, "forbidden") == (answer.status_code, answer.json()["code"])
    assert [] == ok(merchant.http.get("/v1/products"))["data"]


def test_keys_can_be_made_listed_and_withdrawn(merchant: TestMerchant) -> None:
    made = ok(merchant.http.post("/v1/keys", json={"kind": "secret"}), 201)
    listed = ok(merchant.http.get("/v1/keys"))["data"]
    assert made["id"] in [key["id"] for key in listed]
    assert len(listed) == 3
    assert all("key" not in key for key in listed)
    assert made["key"][-4:] == made["hint"]
    ok(merchant.public.get("/v1/merchant", headers=bearer(made["key"])))

    ok(merchant.http.delete(f"/v1/keys/{made['id']}"), 204)
    assert merchant.public.get("/v1/merchant", headers=bearer(made["key"])).status_code == 401
    assert merchant.http.delete(f"/v1/keys/{made['id']}").status_code == 404
    assert len(ok(merchant.http.get("/v1/keys"))["data"]) == 2


def test_off_boarding_stops_everything_at_once_and_keeps_the_books(
    merchant: TestMerchant, app_server: AppServer, new_merchant: NewMerchant
) -> None:
    order = merchant.order(net=500)
    path = f"/v1/merchants/{merchant.id}"
    ok(merchant.public.delete(path, headers=OPERATOR), 204)

    assert merchant.http.get("/v1/merchant").status_code == 401
    assert merchant.public.get("/v1/reports/attribution", headers=bearer(merchant.report_key)).status_code == 401
    assert merchant.public.get(path, headers=OPERATOR).status_code == 404
    assert merchant.public.delete(path, headers=OPERATOR).status_code == 404
    with app_server.database.reading() as session:
        assert 500 == session.scalar(select(func.sum(CreditLine.gross)).where(CreditLine.order_id == order["id"]))
    ok(new_merchant().http.get("/v1/merchant"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "a\x00b"),
        ("currency", "xxx"),
        ("currency", ""),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../etc/passwd"),
        ("timezone", "localtime"),
        ("allowed_origins", ["https://shop.example/path"]),
        ("allowed_origins", ["null"]),
        ("allowed_origins", ["https://shop.example"] * 101),
        ("return_urls", ["*"]),
        ("return_urls", ["javascript:alert(1)"]),
        ("privacy", "some"),
        ("landing", "moon"),
        ("id", "mer_1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(merchant: TestMerchant, field: str, value: Any) -> None:
    before = ok(merchant.http.get("/v1/merchant"))
    answer = merchant.http.patch("/v1/merchant", json={"landing": "merchant", field: value})
    assert answer.status_code == 422
    assert all(error["pointer"].startswith(f"/{field}") for error in answer.json()["errors"])
    assert before == ok(merchant.http.get("/v1/merchant"))


def test_health_and_readiness(app_server: AppServer) -> None:
    assert {"status": "ok"} == ok(httpx.get(f"{app_server.url}/healthz"))
    aside: dict[str, object] = {"clock": "ok", "reconciliation": None}
    shown = ok(httpx.get(f"{app_server.url}/readyz"))
    assert (shown.pop("books") or {"error": None})["error"] is None
    assert {"waiting", "endpoints_behind", "oldest_waiting_at"} == {*shown.pop("webhooks")}
    assert [] == [each for each in shown.pop("warnings") if not each.startswith("webhooks:")], "others' may be behind"
    assert {"status": "ok", "database": "ok", "migrations": "ok", **aside} == shown
