"""How a merchant's word is passed on (`sharing` of `/v1/merchant`), and what pages are told of it."""

from collections.abc import Callable
from typing import Any

import pytest

from app.networks.catalogue import SHAREABLE
from tests.shop import JSON, TestMerchant, ok
from tests.threads import together

DEFAULTS = {"networks": None, "rewarded": False, "terms": None, "utm": False}
TERMS = "https://shop.example/rewards"


def patch(merchant: TestMerchant, **sharing: Any) -> JSON:
    """The settings of shares after this change."""
    return dict(ok(merchant.http.patch("/v1/merchant", json={"sharing": sharing}))["sharing"])


def test_what_is_left_out_stays(merchant: TestMerchant) -> None:
    few = {**DEFAULTS, "networks": ["email", "whatsapp"]}
    assert few == patch(merchant, networks=["email", "whatsapp"])
    assert {**few, "rewarded": True, "terms": TERMS} == patch(merchant, rewarded=True, terms=TERMS)
    assert {**few, "rewarded": True, "terms": TERMS} == patch(merchant)
    assert {**few, "rewarded": True, "utm": True} == patch(merchant, terms=None, utm=True)
    assert {**DEFAULTS, "rewarded": True, "utm": True} == patch(merchant, networks=None, rewarded=None)
    assert ok(merchant.http.patch("/v1/merchant", json={"name": "Vine"}))["sharing"]["utm"]
    assert ok(merchant.http.patch("/v1/merchant", json={"sharing": None}))["sharing"]["utm"]
    assert ok(merchant.http.patch("/v1/merchant", json={"checkout": {"automatic_tax": True}}))["sharing"]["utm"]


def test_two_changes_at_once_are_both_kept(merchant: TestMerchant) -> None:
    together(
        lambda: patch(merchant, rewarded=True),
        lambda: patch(merchant, terms=TERMS),
        lambda: patch(merchant, utm=True),
        lambda: patch(merchant, networks=["copy"]),
    )
    all_of_it = {"networks": ["copy"], "rewarded": True, "terms": TERMS, "utm": True}
    assert all_of_it == ok(merchant.http.get("/v1/merchant"))["sharing"]


@pytest.mark.parametrize(
    ("sharing", "pointer"),
    [
        ({"networks": ["whatsapp", "friendster"]}, "/sharing/networks/1"),
        ({"networks": ["onsite"]}, "/sharing/networks/0"),
        ({"networks": ["meta"]}, "/sharing/networks/0"),
        ({"networks": ["WhatsApp"]}, "/sharing/networks/0"),
        ({"networks": ["copy", "email", "copy"]}, "/sharing/networks"),
        ({"networks": []}, "/sharing/networks"),
        ({"networks": "copy"}, "/sharing/networks"),
        ({"networks": ["copy"] * 1000}, "/sharing/networks"),
        ({"rewarded": "yes"}, "/sharing/rewarded"),
        ({"utm": 1}, "/sharing/utm"),
        ({"terms": "javascript:alert(1)"}, "/sharing/terms"),
        ({"terms": "https://shop.example/" + "a" * 600}, "/sharing/terms"),
        ({"network": ["copy"]}, "/sharing/network"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(merchant: TestMerchant, sharing: JSON, pointer: str) -> None:
    answer = merchant.http.patch("/v1/merchant", json={"sharing": sharing})
    assert answer.status_code == 422
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}
    assert DEFAULTS == ok(merchant.http.get("/v1/merchant"))["sharing"]


def test_pages_are_told_the_networks_in_the_merchants_order_and_of_rewards(
    merchant: TestMerchant, until_seen: Callable[[], None]
) -> None:
    mug = merchant.product()
    wall = merchant.wall(mug["id"])
    paths = (f"/v1/walls/{wall['id']}/widget", f"/v1/products/{mug['id']}/widget")
    for path in paths:
        shown = ok(merchant.public.get(path))
        assert [each["id"] for each in shown["networks"]] == list(SHAREABLE)
        assert {"rewarded": False, "terms": None} == shown["sharing"]
    patch(merchant, networks=["email", "copy", "mastodon"], rewarded=True, terms=TERMS)
    until_seen()
    for path in paths:
        shown = ok(merchant.public.get(path))
        assert [each["id"] for each in shown["networks"]] == ["email", "copy", "mastodon"]
        assert {"rewarded": True, "terms": TERMS} == shown["sharing"]


def test_what_is_not_offered_any_more_may_still_be_shared_by_a_page_that_is_open(merchant: TestMerchant) -> None:
    patch(merchant, networks=["email"])
    assert merchant.shopper().share(merchant.product()["id"], network="whatsapp")["network"] == "whatsapp"
