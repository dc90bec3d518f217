"""Factories in the product's words: a merchant, its products and walls, shoppers who like, share and visit."""

import ssl
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.clock import TestClock

JSON = dict[str, Any]
_numbers = count(1)
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once: each client would read the machine's certificates anew, which costs more than the whole test."""
_LIMITS = httpx.Limits(keepalive_expiry=2)
"""The server closes lines that say nothing for five seconds: who uses one just then finds it cut."""

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36"


def ok(answer: httpx.Response, status: int | None = None) -> Any:
    """The JSON of an answer that succeeded (with `status`, where given)."""
    assert answer.is_success if status is None else answer.status_code == status, (answer.status_code, answer.text)
    return answer.json() if answer.content else None


@dataclass
class Shopper:
    """A browser that keeps its visitor token and click id, as the widget does."""

    http: httpx.Client
    token: str | None = None
    click: str | None = None

    @property
    def id(self) -> str:
        assert self.token is not None, "this shopper has done nothing yet"
        return self.token.removeprefix("vt_").partition(".")[0]

    @property
    def headers(self) -> dict[str, str]:
        return {"Grapevine-Visitor": self.token} if self.token else {}

    def _keep(self, answer: JSON) -> JSON:
        self.token = answer.get("visitor") or self.token
        return answer

    def like(self, product: str, **fields: Any) -> JSON:
        answer = self.http.post("/v1/likes", json={"product": product, **fields}, headers=self.headers)
        return self._keep(ok(answer))

    def share(self, product: str | None = None, network: str = "whatsapp", **fields: Any) -> JSON:
        body = {"network": network, **({"product": product} if product else {}), **fields}
        return self._keep(ok(self.http.post("/v1/shares", json=body, headers=self.headers)))

    def follow(self, code: str, *, claim: bool = True, **headers: str) -> str:
        """Open the link; the click id, claimed as the hosted page does."""
        page = self.http.get(f"/r/{code}", headers={"User-Agent": BROWSER, **headers})
        assert page.status_code in (200, 302), (page.status_code, page.text)
        where = page.headers.get("location", "") + page.text
        self.click = "clk_" + where.split("clk_", 1)[1][:30]
        return self.claim(self.click) if claim else self.click

    def claim(self, click: str, **headers: str) -> str:
        answer = self._keep(ok(self.http.post(f"/v1/visits/{click}/claim", headers=self.headers | headers)))
        self.click = str(answer["click"])
        return self.click


@dataclass
class TestMerchant:
    """A merchant of the test's own, with its keys."""

    __test__ = False

    id: str
    secret_key: str
    report_key: str
    base: str
    clock: TestClock
    currency: str = "eur"
    http: httpx.Client = field(init=False)
    public: httpx.Client = field(init=False)  # without a key, as pages call

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {self.secret_key}"}
        self.http = httpx.Client(base_url=self.base, headers=headers, timeout=30, verify=_NO_TLS, limits=_LIMITS)
        self.public = httpx.Client(base_url=self.base, timeout=30, verify=_NO_TLS, limits=_LIMITS)

    def close(self) -> None:
        """Close the connections, the shoppers' too."""
        self.http.close()
        self.public.close()

    def product(self, title: str = "Mug", price: int | None = 1999, **fields: Any) -> JSON:
        money = None if price is None else {"amount": price, "currency": self.currency}
        body = {"title": title, "variants": [{"price": money}], **fields}
        return dict(ok(self.http.post("/v1/products", json=body)))

    def finished(self, begun: JSON) -> JSON:
        """An import when it has come to its end."""
        for _ in range(500):
            state = dict(ok(self.http.get(f"/v1/imports/{begun['id']}")))
            if state["finished_at"] is not None:
                return state
            time.sleep(0.02)
        raise AssertionError(f"the import did not finish: {state}")

    def wall(self, *products: str, title: str = "Wall", **fields: Any) -> JSON:
        return dict(ok(self.http.post("/v1/walls", json={"title": title, "products": list(products), **fields}), 201))

    def shopper(self) -> Shopper:
        return Shopper(self.public)

    def order(self, net: int = 10_000, **fields: Any) -> JSON:
        body = {
            "external_id": f"order-{next(_numbers)}",
            "placed_at": self.clock.now().isoformat(),
            "currency": self.currency,
            "net": net,
            **fields,
        }
        return dict(ok(self.http.post("/v1/orders", json=body)))

    def refund(self, order: str, amount: int, **fields: Any) -> JSON:
        body = {"external_id": f"refund-{next(_numbers)}", "amount": amount, **fields}
        return dict(ok(self.http.post(f"/v1/orders/{order}/refunds", json=body), 201))

    def explanation(self, order: str) -> JSON:
        return dict(ok(self.http.get(f"/v1/orders/{order}/attribution")))

    def report(self, group_by: str = "network", **query: Any) -> JSON:
        return dict(ok(self.http.get("/v1/reports/attribution", params={"group_by": group_by, **query})))
