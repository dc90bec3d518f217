"""Shops of other systems, as tests speak for them: their messages (tests/data), signed as they sign."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from tests.shop import JSON, TestMerchant, ok

DATA = Path(__file__).parent / "data"
SECRET = "shpss_2f1b0a77c9d94d31"
_deliveries = count(1)


def example(name: str, **changes: Any) -> JSON:
    """A whole message of the documentation's, with these fields changed."""
    return {**json.loads((DATA / f"{name}.json").read_text("utf-8")), **changes}


def shopify_order(**changes: Any) -> JSON:
    """An order of 113.05 EUR, 90.00 net, paid: 2 mugs and a lamp, VAT included, less ten percent."""
    return example("shopify_order", **changes)


def shopify_refund(amount: str = "32.13", status: str = "success", **changes: Any) -> JSON:
    """A refund of that order with one movement of money."""
    refund = example("shopify_refund", **changes)
    move = refund["transactions"][0] | {"amount": amount, "status": status, "id": refund["id"] + 1}
    return refund | {"transactions": [move]}


def woocommerce_order(**changes: Any) -> JSON:
    """An order of 113.05 EUR, 90.00 net, paid: 2 mugs and a lamp, VAT added, less ten percent."""
    return example("woocommerce_order", **changes)


def updated(minute: int, **changes: Any) -> JSON:
    """The Shopify order as it was so many minutes later."""
    return shopify_order(updated_at=f"2026-03-01T10:{minute:02}:05+01:00", **changes)


def modified(minute: int, status: str = "processing", **changes: Any) -> JSON:
    """The WooCommerce order as it was so many minutes later."""
    return woocommerce_order(date_modified_gmt=f"2026-03-01T10:{minute:02}:05", status=status, **changes)


UNPAID: JSON = {"date_paid_gmt": None}


def woo_refund(id_: int, amount: str) -> JSON:
    return {"id": id_, "reason": "broken", "total": f"-{amount}"}


def meta(**pairs: str) -> list[JSON]:
    """WooCommerce's own fields of an order, and `pairs` after them."""
    known = woocommerce_order()["meta_data"]
    return [*known, *({"id": 20000 + at, "key": key, "value": value} for at, (key, value) in enumerate(pairs.items()))]


def attribute(**pairs: str) -> list[JSON]:
    """Shopify's attributes of a cart."""
    return [{"name": "gift wrap", "value": "yes"}, *({"name": key, "value": value} for key, value in pairs.items())]


def signature(body: bytes, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def books(order: JSON) -> JSON:
    """What an order says, without what is different each time."""
    return {
        "net": order["net"],
        "gross": order["gross"],
        "refunded": order["refunded"],
        "status": order["status"],
        "refunds": sorted(
            (each["external_id"], each["amount"], each["reason"])
            for each in order["refunds"]
            if each["dropped_at"] is None
        ),
        "lines": order["lines"],
    }


@dataclass
class OtherShop:
    """A merchant's connected shop, which sends what tests say."""

    merchant: TestMerchant
    system: str
    secret: str = SECRET
    url: str = field(init=False)

    def __post_init__(self) -> None:
        shown = ok(self.merchant.http.put(f"/v1/connectors/{self.system}", json={"secret": self.secret}))
        self.url = shown["webhook_url"]

    def send(self, topic: str, body: JSON, *, delivery: str | None = None, **headers: str) -> httpx.Response:
        """One message."""
        return self.post(json.dumps(body).encode(), topic, delivery=delivery, **headers)

    def tell(self, topic: str, body: JSON, *, delivery: str | None = None) -> JSON:
        """One message, which must be kept."""
        answer = ok(self.send(topic, body, delivery=delivery), 200)
        assert answer["kept"], answer
        return dict(answer)

    def post(self, body: bytes, topic: str, *, delivery: str | None = None, **headers: str) -> httpx.Response:
        """A body by hand, signed unless `headers` say otherwise."""
        named = {
            "shopify": ("X-Shopify-Hmac-Sha256", "X-Shopify-Topic", "X-Shopify-Webhook-Id"),
            "woocommerce": ("X-WC-Webhook-Signature", "X-WC-Webhook-Topic", "X-WC-Webhook-Delivery-ID"),
        }[self.system]
        sent = dict(
            zip(named, (signature(body, self.secret), topic, delivery or f"d-{next(_deliveries)}"), strict=True)
        )
        sent |= {"Content-Type": "application/json"} | {name.replace("_", "-"): each for name, each in headers.items()}
        return self.merchant.public.post(self.url, content=body, headers=sent)

    def orders(self) -> list[JSON]:
        return list(ok(self.merchant.http.get("/v1/orders?limit=100"))["data"])

    def order(self) -> JSON:
        """The only order there is."""
        (order,) = self.orders()
        return dict(order)

    def shown(self) -> JSON:
        return dict(ok(self.merchant.http.get(f"/v1/connectors/{self.system}")))
