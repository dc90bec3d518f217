"""What keys changed is written down, with its request, and shown to its merchant alone."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import ADMIN_TOKEN, AppServer
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]
OPERATOR = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


def trail(merchant: TestMerchant, **query: Any) -> list[JSON]:
    return list(ok(merchant.http.get("/v1/audit", params=query))["data"])


def last(merchant: TestMerchant) -> JSON:
    return trail(merchant, limit=1)[0]


def test_a_merchant_begins_with_the_operator(merchant: TestMerchant) -> None:
    (entry,) = trail(merchant)
    assert ("merchant.opened", "operator", None, merchant.id) == tuple(
        entry[name] for name in ("action", "by", "key", "subject")
    )


def test_a_setting_is_written_down_with_what_it_was(merchant: TestMerchant) -> None:
    merchant.clock.move(seconds=1)
    headers = {"X-Request-Id": "from-the-proxy-1"}
    ok(merchant.http.patch("/v1/merchant", json={"landing": "merchant", "name": "Thread"}, headers=headers))
    entry = last(merchant)
    key = next(key for key in ok(merchant.http.get("/v1/keys"))["data"] if key["hint"] == merchant.secret_key[-4:])
    assert ("key", key["id"], "merchant.changed", merchant.id, "from-the-proxy-1") == tuple(
        entry[name] for name in ("by", "key", "action", "subject", "request_id")
    )
    assert {
        "landing": {"from": "page", "to": "merchant"},
        "name": {"from": "Vine & Thread", "to": "Thread"},
    } == entry["changes"]


def test_what_changes_nothing_is_not_written_down(merchant: TestMerchant) -> None:
    merchant.http.patch("/v1/merchant", json={"landing": "page"})
    merchant.http.patch("/v1/merchant", json={"landing": "moon"})
    merchant.http.delete("/v1/keys/key_01k6p0t9x0000000c1q2r3s4t5v6w7")
    assert ["merchant.opened"] == [entry["action"] for entry in trail(merchant)]


def every_change(merchant: TestMerchant) -> dict[str, str | None]:
    """Change everything of a merchant's that can be changed; by action, of what."""
    http, product, of = merchant.http, merchant.product()["id"], dict[str, str | None]()
    wall = merchant.wall(product)["id"]
    share = merchant.shopper().share(product)["id"]
    key = ok(http.post("/v1/keys", json={"kind": "secret", "label": "Till"}), 201)["id"]
    of |= {"key.made": key, "key.rotated": key, "key.withdrawn": key}
    ok(http.post(f"/v1/keys/{key}/rotate"), 201)
    ok(http.delete(f"/v1/keys/{key}"), 204)
    ok(http.put("/v1/policy", json={"model": "linear"}))
    ok(http.put("/v1/policies/first", json={"model": "first_touch"}))
    ok(http.delete("/v1/policies/first"), 204)
    of |= {"policy.changed": None, "policy.kept": "first", "policy.dropped": "first"}
    hook = ok(http.post("/v1/webhook-endpoints", json={"url": "https://198.100.0.1/in?token=hidden"}), 201)["id"]
    ok(http.patch(f"/v1/webhook-endpoints/{hook}", json={"disabled": True}))
    ok(http.post(f"/v1/webhook-endpoints/{hook}/rotate"))
    ok(http.delete(f"/v1/webhook-endpoints/{hook}"), 204)
    of |= dict.fromkeys(("webhook.made", "webhook.changed", "webhook.rotated", "webhook.withdrawn"), hook)
    ok(http.put("/v1/connectors/shopify", json={"secret": "shpss_0123456789abcdef"}))
    ok(http.delete("/v1/connectors/shopify"), 204)
    of |= {"connector.connected": "shopify", "connector.disconnected": "shopify"}
    ok(http.put("/v1/coupons/ANA10", json={"referral": share}))
    merchant.clock.move(seconds=1)
    ok(http.put("/v1/coupons/ANA10", json={"referral": share}))  # which changes nothing
    ok(http.delete("/v1/coupons/ANA10"), 204)
    of |= {"coupon.changed": "ANA10", "coupon.withdrawn": "ANA10"}
    order = merchant.order(net=500)["id"]
    for _ in range(2):  # the second time changes nothing
        ok(http.patch(f"/v1/orders/{order}", json={"net": 400}))
    of["order.corrected"] = order
    ok(http.delete(f"/v1/walls/{wall}"), 204)
    ok(http.delete(f"/v1/products/{product}"), 204)
    return {**of, "wall.withdrawn": wall, "product.withdrawn": product}


def test_every_change_is_written_down_once_and_no_secret_is(merchant: TestMerchant) -> None:
    of = every_change(merchant)
    shown = merchant.http.get("/v1/audit", params={"limit": 100}).text
    told = [(entry["action"], entry["subject"]) for entry in trail(merchant, limit=100)]
    assert sorted([*of.items(), ("merchant.opened", merchant.id)], key=str) == sorted(told, key=str)
    for secret in ("sk_", "rk_", "whsec_", "shpss_", "hidden"):
        assert secret not in shown


def test_the_operators_changes_are_the_operators(merchant: TestMerchant) -> None:
    path = f"/v1/merchants/{merchant.id}"
    ok(merchant.public.patch(path, json={"stripe_account": "acct_1PgafTB8Bx"}, headers=OPERATOR))
    changes = {"stripe_account": {"from": None, "to": "acct_1PgafTB8Bx"}}
    entry = last(merchant)
    assert ("operator", None, "merchant.changed", changes) == tuple(
        entry[name] for name in ("by", "key", "action", "changes")
    )


def test_the_trail_is_read_in_pages_and_by_what_one_seeks(merchant: TestMerchant, clock: Any) -> None:
    begin = clock.move(hours=1)
    for name in ("A", "B", "C"):
        ok(merchant.http.patch("/v1/merchant", json={"name": name}))
        clock.move(hours=1)
    key = ok(merchant.http.post("/v1/keys", json={"kind": "report"}), 201)["id"]
    first = ok(merchant.http.get("/v1/audit", params={"limit": 3}))
    rest = ok(merchant.http.get("/v1/audit", params={"limit": 3, "cursor": first["next_cursor"]}))
    everything = trail(merchant)
    assert (everything, None) == (first["data"] + rest["data"], rest["next_cursor"])
    assert 5 == len(everything)
    assert ["C", "B", "A"] == [entry["changes"]["name"]["to"] for entry in trail(merchant, action="merchant.changed")]
    assert [key] == [entry["subject"] for entry in trail(merchant, subject=key)]
    assert everything[:4] == trail(merchant, key=everything[0]["key"])
    span = {"from": begin.isoformat(), "to": begin.replace(hour=begin.hour + 2).isoformat()}
    assert ["B", "A"] == [entry["changes"]["name"]["to"] for entry in trail(merchant, **span)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("action", "key.stolen"), ("from", "yesterday"), ("cursor", "x"), ("limit", "101"), ("who", "me")],
)
def test_what_cannot_be_sought_is_refused(merchant: TestMerchant, name: str, value: str) -> None:
    answer = merchant.http.get("/v1/audit", params={name: value})
    assert (422, name) == (answer.status_code, answer.json()["errors"][0]["pointer"])


def test_nobody_reads_anothers_trail(merchant: TestMerchant, new_merchant: NewMerchant) -> None:
    other = new_merchant()
    ok(other.http.patch("/v1/merchant", json={"name": "Of others"}))
    assert "Of others" not in merchant.http.get("/v1/audit").text
    assert [] == trail(merchant, key=last(other)["key"])
    answer = merchant.public.get("/v1/audit", headers={"Authorization": f"Bearer {merchant.report_key}"})
    assert 403 == answer.status_code


def test_a_request_is_known_by_the_name_that_it_brings_or_is_given(merchant: TestMerchant, http: httpx.Client) -> None:
    def named(given: str | None, path: str = "/v1/products") -> str:
        headers = {} if given is None else {"X-Request-Id": given}
        return str(merchant.http.get(path, headers=headers).headers["x-request-id"])

    assert "1-5759e988.bd862e3f_e1" == named("1-5759e988.bd862e3f_e1")
    for bad in (None, "", "short", "x" * 65, "a b c d e f", "sk<script>alert(1)"):
        name = named(bad)
        assert (True, 9) == (name != bad, len(name))
    assert named(None) != named(None)
    assert "a-refusal-too" == named("a-refusal-too", "/v1/orders/none")
    assert http.post("/v1/likes", json={"product": "none"}).headers["x-request-id"]


def test_audit_stands_with_its_change_or_not_at_all(merchant: TestMerchant, app_server: AppServer) -> None:
    headers = {"Idempotency-Key": "once"}
    for _ in range(2):
        ok(merchant.http.post("/v1/keys", json={"kind": "report"}, headers=headers), 201)
    assert 1 == len(trail(merchant, action="key.made"))
