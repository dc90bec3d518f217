"""A shop in which something was sold, and looking at its report page over HTTP."""

import re
from html import unescape
from typing import NamedTuple

import httpx

from app.kernel.prices import written
from tests.shop import JSON, Shopper, TestMerchant, ok

DAYS = {"from": "2026-02-01", "to": "2026-03-03"}
"""The last thirty days, the present one included, which is what the page shows by itself."""


class Sold(NamedTuple):
    """A shop in which something was sold through somebody's word."""

    merchant: TestMerchant
    product: JSON
    shared: JSON
    passed_on: JSON
    order: JSON
    bo: Shopper


def sell(merchant: TestMerchant, title: str = "Mug", name: str = "Ana") -> Sold:
    product = merchant.product(title)
    shared = merchant.shopper().share(product["id"], "whatsapp", name=name)
    bo = merchant.shopper()
    bo.follow(shared["code"])
    passed_on = bo.share(product["id"], "x", via=bo.click)
    buyer = merchant.shopper()
    merchant.clock.move(seconds=60)
    click = buyer.follow(passed_on["code"])
    order = merchant.order(12_300, click_id=click)
    merchant.order(5_000)
    merchant.refund(order["id"], 300)
    return Sold(merchant, product, shared, passed_on, order, bo)


def sign_in(browser: httpx.Client, key: str, **fields: str) -> httpx.Response:
    return browser.post("/reports/session", data={"key": key, **fields})


def page(browser: httpx.Client, path: str = "/reports", status: int = 200) -> str:
    answer = browser.get(path)
    assert status == answer.status_code, answer.text
    return unescape(answer.text)


def figures(text: str) -> dict[str, str]:
    """What stands on the tiles."""
    found = re.findall(r'<dt>([^<]*)</dt>\s*<dd><span class="report-figure">([^<]*)</span>', text)
    return dict(found)


def euros(minor: int) -> str:
    return written(minor, "eur", "en")


def read(merchant: TestMerchant, path: str, **query: str) -> JSON:
    headers = {"Authorization": f"Bearer {merchant.report_key}"}
    return dict(ok(merchant.public.get(path, params=DAYS | query, headers=headers)))
