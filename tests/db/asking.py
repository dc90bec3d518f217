"""All kinds of reading and writing that a server is asked for, to be asked one by one while it is in trouble."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

from app.demo.stripe.webhooks import signature
from app.kernel.ids import merchant_of, new_id
from tests.clock import START
from tests.conftest import WEBHOOK_SECRET, keys_at
from tests.shop import BROWSER, JSON, ok
from tests.till import invented_session

CRAWLER = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"


@dataclass
class Shop:
    """A merchant of the server, and what is asked of it."""

    http: httpx.Client
    merchant: str
    key: dict[str, str]
    product: str
    wall: str
    code: str
    order: str
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def begin(cls, http: httpx.Client) -> "Shop":
        made = keys_at(str(http.base_url))
        key = {"Authorization": f"Bearer {made['secret_key']}"}
        product = ok(http.post("/v1/products", json={"title": "Mug"}, headers=key), 201)["id"]
        wall = ok(http.post("/v1/walls", json={"title": "Wall", "products": [product]}, headers=key), 201)["id"]
        share = ok(http.post("/v1/shares", json={"product": product, "network": "whatsapp"}), 201)
        order = ok(http.post("/v1/orders", json=_order("first"), headers=key))["id"]
        return cls(http, made["id"], key, product, wall, share["code"], order)

    @property
    def writes(self) -> dict[str, Callable[[], httpx.Response]]:
        """What needs room, by name; each is new each time."""
        post, number = self.http.post, next(self.numbers)
        body = {"external_id": f"refund-{number}", "amount": 1, "reason": "refund"}
        return {
            "like": lambda: post("/v1/likes", json={"product": self.product}),
            "share": lambda: post("/v1/shares", json={"wall": self.wall, "network": "x"}),
            "visit": lambda: self.http.get(f"/r/{self.code}", headers={"User-Agent": BROWSER}),
            "order": lambda: post("/v1/orders", json=_order(f"order-{number}"), headers=self.key),
            "bulk": lambda: post("/v1/orders/bulk", json={"orders": [_order(f"bulk-{number}")]}, headers=self.key),
            "correction": lambda: self.http.patch(
                f"/v1/orders/{self.order}", json={"net": 500 + number, "gross": 500 + number}, headers=self.key
            ),
            "refund": lambda: post(f"/v1/orders/{self.order}/refunds", json=body, headers=self.key),
            "product": lambda: post("/v1/products", json={"title": "Cup " * 40}, headers=self.key),
            "history": lambda: post("/v1/history", content=_touch(number), headers=self.key),
            "webhook": lambda: self._sold(f"cs_{number}"),
            "identity": lambda: self.http.put(
                f"/v1/identities/{new_id('vis', merchant_of(self.merchant, 'mer'), START)}",
                json={"person": f"p{number}"},
                headers=self.key,
            ),
        }

    def _sold(self, session: str) -> httpx.Response:
        tags = {"gv_merchant": self.merchant, "gv_checkout": new_id("chk", merchant_of(self.merchant, "mer"), START)}
        sale = invented_session(id=session, payment_intent=session.replace("cs", "pi"), metadata=tags)
        event = {"id": f"evt_{session}", "object": "event", "type": "checkout.session.completed", "created": 1}
        payload = json.dumps({**event, "livemode": True, "data": {"object": sale}}).encode()
        signed = signature(payload, [WEBHOOK_SECRET], int(time.time()))
        return self.http.post("/v1/stripe/webhook", content=payload, headers={"Stripe-Signature": signed})

    def done(self) -> dict[str, httpx.Response]:
        """The answers to all writing."""
        return {name: ask() for name, ask in self.writes.items()}

    @property
    def reads(self) -> dict[str, httpx.Response]:
        get = self.http.get
        return {
            "ready": get("/readyz"),
            "wall": get(f"/v1/walls/{self.wall}/widget"),
            "wall's page": get(f"/w/{self.wall}"),
            "product's page": get(f"/p/{self.product}"),
            "link's card": get(f"/r/{self.code}", headers={"User-Agent": CRAWLER}),
            "report": get("/v1/reports/attribution?group_by=network,day", headers=self.key),
            "orders": get("/v1/orders", headers=self.key),
            "explanation": get(f"/v1/orders/{self.order}/attribution", headers=self.key),
        }


def _order(external_id: str) -> JSON:
    return {"external_id": external_id, "placed_at": START.isoformat(), "currency": "eur", "net": 700}


def _touch(number: int) -> bytes:
    at = START.isoformat()
    line = {"kind": "touch", "id": f"t{number}", "visitor": "v", "type": "direct", "network": None, "at": at}
    return json.dumps({**line, "referral": None}).encode()


def is_put_off(answer: httpx.Response) -> None:
    """Fails unless the answer says "not now", when to ask again, and nothing of the inside."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    if answer.headers["content-type"] == "application/problem+json":
        assert answer.json()["code"] == "unavailable"
    else:
        assert "One moment, please" in answer.text
