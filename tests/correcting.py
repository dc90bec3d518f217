"""Corrections of orders, for tests."""

from collections import Counter
from typing import Any

from tests.shop import JSON, Shopper, TestMerchant, ok


def patch(merchant: TestMerchant, order: JSON, **fields: Any) -> JSON:
    return dict(ok(merchant.http.patch(f"/v1/orders/{order['id']}", json=fields), 200))


def refused(merchant: TestMerchant, order: str, **fields: Any) -> list[str]:
    """The pointers of what is refused."""
    answer = merchant.http.patch(f"/v1/orders/{order}", json=fields)
    assert 422 == answer.status_code, answer.text
    return [error["pointer"] for error in answer.json()["errors"]]


def earned(merchant: TestMerchant, order: JSON) -> dict[str, int]:
    """The net of each sharer; the ledger's entries say the same of each."""
    explanation = merchant.explanation(order["id"])
    written: Counter[str] = Counter()
    for entry in explanation["entries"]:
        written[entry["sharer"]] += entry["gross"] - entry["reversed"]
    told = {line["sharer"]: line["net"] for line in explanation["lines"]}
    assert Counter(told) == written, "the ledger says what the engine does"
    assert explanation["net"] - explanation["refunded"] == written.total()
    return told


def come_through(merchant: TestMerchant, sharer: Shopper, product: str) -> Shopper:
    """Somebody new who followed a link of the sharer's."""
    shopper = merchant.shopper()
    shopper.follow(sharer.share(product)["code"])
    return shopper
